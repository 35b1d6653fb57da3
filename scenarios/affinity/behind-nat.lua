-- The key is the source address that the node sees: behind a load balancer or router that rewrites it,
-- all clients are one client, and one pod gets them all.
scenario {
  name = "affinity behind an address translator",
  refs = { "AFF-10" },
  nodes = { "a", "b" },
}
for i = 1, 3 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  type: NodePort
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
    nodePort: 30080
]]
local clients = {}
for i = 1, 12 do clients[i] = pod { name = "cli-" .. i, node = "a" } end

local function backends()
  local seen, n = {}, 0
  for _, cli in ipairs(clients) do
    local backend = cli:request("node/b:30080").backend
    if not seen[backend] then seen[backend], n = true, n + 1 end
  end
  return n
end

it("spreads clients with addresses of their own", function()
  settle()
  expect(backends()):at_least(2)
end)

it("gives one pod all those that share an address", function()
  node("a"):run(("iptables -t nat -I POSTROUTING -p tcp -d %s --dport 30080 -j MASQUERADE"):format(ip "node/b"))
  expect(backends()):eq(1)
end)
