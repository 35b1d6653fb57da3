-- allocateLoadBalancerNodePorts: false gives a Service no node port and no rules for one; its load
-- balancer's address works all the same.
scenario {
  name = "allocateLoadBalancerNodePorts: false",
  refs = { "LBR-10" },
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
  allocateLoadBalancerNodePorts: false
  selector: {app: web}
  ports:
  - port: 80
]]

it("has no node port", function()
  settle()
  expect(node_port "web"):is_nil()
  local a = node "a"
  by_dataplane {
    iptables = function() expect(a:dump("iptables-save", "nat")):never():matches "%-A KUBE%-NODEPORTS " end,
    nftables = function() expect(a:rules("nft", "write")):never():contains "service-nodeports { tcp" end,
    ipvs = function() expect(a:dump "ipvsadm"):never():contains("  " .. a:ip() .. ":") end,
    userspace = function() expect(a:dump("iptables-save", "nat")):never():matches "%-A KUBE%-NODEPORT%-CONTAINER " end,
  }
end)

it("serves the load balancer's address", function()
  expect(outside("192.168.0.100"):request("203.0.113.80:80").backend):eq "default/server"
end)
