-- nodePortAddresses limits node ports to addresses in its ranges; at any other the node itself refuses.
scenario {
  name = "nodePortAddresses",
  refs = { "NPT-02", "NPT-04" },
  nodes = { "a", "b" },
  kube_proxy = "nodePortAddresses: [192.168.0.0/24]\n",
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
local cli = pod { name = "cli", node = "a" }

it("serves an address in the range", function()
  settle()
  expect(outside("192.168.0.100"):request("node/a:30080").backend):eq "default/server"
end)

it("refuses the bridge's address, which is outside it", function()
  expect(cli:connect("10.244.1.1:30080").error):eq(by_dataplane {
    userspace = false, -- its portal has no address at all
    default = "ECONNREFUSED" } or nil)
end)

it("takes loopback out, with all that it needs", function()
  if dataplane == "userspace" then return end
  expect(node("a"):connect("127.0.0.1:30080").error):eq "ECONNREFUSED"
  expect(node("a"):sysctl "net.ipv4.conf.all.route_localnet"):eq(0)
  expect(node("a"):dump "iptables-save"):never():contains "block incoming localnet connections"
end)
