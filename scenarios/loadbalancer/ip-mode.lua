-- ipMode VIP, also where the status says nothing: the node answers for the load balancer itself,
-- and a client in the cluster never sees what the load balancer does (TLS, the PROXY protocol).
-- ipMode Proxy: the packets leave for it.
scenario {
  name = "ipMode of a load balancer's address",
  refs = { "LBR-02", "LBR-03", "hetznercloud/hcloud-cloud-controller-manager#727" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
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

for _, ingress in ipairs { "{ip: 203.0.113.80, ipMode: VIP}", "{ip: 203.0.113.80}" } do
  it("is answered on the node with " .. ingress, function()
    status(ingress)
    expect(cli:request("203.0.113.80:80").backend):eq "default/server"
    capture("node/a:eth0"):has_not "host 203.0.113.80"
  end)
end

it("leaves the node with ipMode Proxy", function()
  status "{ip: 203.0.113.80, ipMode: Proxy}"
  local result = cli:connect("203.0.113.80:80", { timeout = "2s" })
  if dataplane == "userspace" then -- v1.25 is older than ipMode
    expect(result.error):is_nil()
    return
  end
  expect(result.error):eq "ETIMEDOUT"
  capture("node/a:eth0"):has "tcp[tcpflags] & tcp-syn != 0 and dst host 203.0.113.80"
  expect(node("a"):rules()):never():contains "203.0.113.80"
end)
