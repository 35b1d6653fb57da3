-- A node port from outside, at the node that has the pod and at one that has not: what is
-- masqueraded, what crosses both nodes, what the pod sees; compared with real Linux packet by
-- packet (tests/captures).
scenario {
  name = "through a node port, packet by packet",
  refs = { "NPT-09", "NPT-10", "MSQ-01" },
  nodes = { "a", "b" },
  no_dns = true,
}
pod { name = "web", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  clusterIP: 10.96.0.100
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local client = outside "192.168.0.100"

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("b"):ping(ip "web")
node("a"):ping "node/b"
node("a"):ping(ip "web")
client:ping "node/a"
client:ping "node/b"

it("crosses both nodes when the pod is on the other one", function()
  expect(client:request("node/a:30080", { from_port = 40001 }).seen.ip):never():eq "192.168.0.100"
end)

it("is masqueraded at the pod's own node, too", function()
  expect(client:request("node/b:30080", { from_port = 40002 }).seen.ip):never():eq "192.168.0.100"
end)
