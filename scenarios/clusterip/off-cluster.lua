-- A host outside that routes the service range to a node reaches ClusterIPs. The server sees the
-- node's address on the way out: the bridge's for a pod of the node, eth0's for any other.
scenario {
  name = "a ClusterIP from off the cluster",
  refs = { "CIP-06" },
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
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local client = outside "192.168.0.100" -- its default route is node a

it("is masqueraded, whichever node the pod is on", function()
  settle()
  local seen = {}
  for _ = 1, 16 do
    local result = client:request "10.96.0.80:80"
    expect(result.error):is_nil()
    seen[result.backend] = result.seen.ip
  end
  expect(seen):eq { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" }
end)
