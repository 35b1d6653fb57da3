-- Pods of the cluster keep their address through a ClusterIP in every mode but userspace, whose
-- proxy speaks for itself.
scenario {
  name = "the client's address through a ClusterIP",
  refs = { "MSQ-05", "USR-01" },
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
local cli = pod { name = "cli", node = "a" }

it("is the pod's, on the same node and on another", function()
  settle()
  local seen = {}
  for _ = 1, 16 do
    local result = cli:request "svc/web:80"
    seen[result.backend] = result.seen.ip
  end
  expect(seen):eq(by_dataplane {
    userspace = { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" },
    default = { ["default/server-a"] = cli:ip(), ["default/server-b"] = cli:ip() },
  })
end)
