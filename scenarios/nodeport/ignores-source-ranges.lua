-- loadBalancerSourceRanges guard the load balancer's address, not the node port of the same Service.
scenario {
  name = "a node port ignores loadBalancerSourceRanges",
  refs = { "NPT-11", "#33586" },
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
  loadBalancerIP: 203.0.113.80
  loadBalancerSourceRanges: [198.51.100.0/24]
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local client = outside "192.168.0.100"

it("serves a client out of range at the node port", function()
  settle()
  expect(client:request("node/a:30080").backend):eq "default/server"
end)

it("does not at the load balancer's address", function()
  local result = client:connect("203.0.113.80:80", { timeout = "3s" })
  -- userspace mode knows no source ranges.
  expect(result.error):eq(by_dataplane { userspace = false, default = "ETIMEDOUT" } or nil)
end)
