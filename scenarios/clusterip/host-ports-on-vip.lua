-- Before kube-proxy v1.27 filtered them, ports of the node were open on every ClusterIP in ipvs
-- mode: the address is the node's own, and whatever listens there answers.
scenario {
  name = "a listener of the node behind a ClusterIP, ipvs",
  refs = { "CIP-04", "#72236" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  kube_version = "1.25",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
pod { name = "ssh", node = "a", host_network = true, ports = { 2222 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("is reached through the ClusterIP", function()
  settle()
  expect(cli:request("10.96.0.80:2222").backend):eq "default/ssh"
end)

it("leaves a port without listener refused, by a RST", function()
  expect(cli:connect("10.96.0.80:2223").error):eq "ECONNREFUSED"
  capture("pod/cli"):has "tcp[tcpflags] & tcp-rst != 0 and src host 10.96.0.80":has_not "icmp"
end)
