-- kube-proxy writes rules for addresses in the status, not for host names: with a name alone,
-- clients in the cluster go out to the load balancer like everybody else.
scenario {
  name = "a load balancer that has but a host name",
  refs = { "LBR-01" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  loadBalancerClass: example.com/lb
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }
local function status(ingress)
  apply_status([[
apiVersion: v1
kind: Service
metadata: {name: web}
status: {loadBalancer: {ingress: []] .. ingress .. "]}}\n")
  settle()
end

it("has no rules for it, and the packet goes out", function()
  status "{hostname: lb.example.com}"
  expect(node("a"):rules()):never():contains "203.0.113.80"
  expect(cli:connect("203.0.113.80:80", { timeout = "2s" }).error):eq "ETIMEDOUT"
  capture("node/a:eth0"):has "tcp and dst host 203.0.113.80"
end)

it("has rules once the status has the address", function()
  status "{ip: 203.0.113.80}"
  expect(node("a"):rules()):contains "203.0.113.80"
end)
