-- kube-proxy listens on no service port: none shows among the node's sockets, and a process of the
-- node may bind the number of a node port, where nobody from outside will ever reach it.
scenario {
  name = "no listening sockets for service ports",
  refs = { "CIP-11" },
  nodes = { "a", "b" },
  skip = { userspace = "its proxy is a listener on every service port (USR-01)" },
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
  - port: 8080
    targetPort: 80
    nodePort: 30080
]]

it("opens none", function()
  settle()
  local sockets = node("a"):dump "sockets"
  expect(sockets):never():contains ":30080"
  expect(sockets):never():contains ":8080"
end)

it("hides a process that binds the node port's number", function()
  pod { name = "shadowed", node = "a", host_network = true, ports = { 30080 } }
  expect(node("a"):dump "sockets"):contains ":30080"
  expect(outside("192.168.0.100"):request("node/a:30080").backend):eq "default/server"
end)
