-- With localhostNodePorts: false kube-proxy leaves route_localnet alone, writes no KUBE-FIREWALL
-- rule, and the node refuses its node ports on loopback.
scenario {
  name = "localhostNodePorts: false",
  refs = { "NPT-04", "NPT-08" },
  nodes = { "a", "b" },
  dataplanes = { "iptables" },
  kube_proxy = "iptables:\n  localhostNodePorts: false\n",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]

it("refuses on loopback, serves elsewhere", function()
  settle()
  local a = node "a"
  expect(a:connect("127.0.0.1:30080").error):eq "ECONNREFUSED"
  expect(a:request("node/a:30080").backend):eq "default/server"
  expect(a:sysctl "net.ipv4.conf.all.route_localnet"):eq(0)
  expect(a:dump "iptables-save"):never():contains "block incoming localnet connections"
end)
