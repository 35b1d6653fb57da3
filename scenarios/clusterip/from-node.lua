-- A process of the node uses a ClusterIP: the server sees the address of the interface that faces
-- it, not necessarily the node's InternalIP.
scenario {
  name = "a ClusterIP from the node itself",
  refs = { "CIP-08" },
  nodes = { "a", "b" },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
]]

it("comes from the bridge to a pod of the node, from eth0 to another", function()
  settle()
  local seen = {}
  for _ = 1, 16 do
    local result = node("a"):request "svc/web:80"
    expect(result.error):is_nil()
    seen[result.backend] = result.seen.ip
  end
  expect(seen):eq { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" }
end)
