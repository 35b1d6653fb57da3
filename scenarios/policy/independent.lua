-- The internal policy is about the ClusterIP, the external one about all other addresses; neither
-- meddles with the other's.
scenario {
  name = "internal and external policy are independent",
  refs = { "POL-10" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } }
end
local function service(name, internal, external, port)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: NodePort
  externalIPs: [203.0.113.%d]
  internalTrafficPolicy: %s
  externalTrafficPolicy: %s
  selector: {app: web}
  ports:
  - port: 80
    nodePort: %d
]]):format(name, port - 30000, internal, external, port))
end
service("inside", "Local", "Cluster", 30080)
service("outside", "Cluster", "Local", 30081)
local cli, client = pod { name = "cli", node = "a" }, outside "192.168.0.100"

local function reached(from, target)
  local names = {}
  for name in pairs(from:load(target, { count = 24 }).spread) do names[#names + 1] = name end
  return names
end
local both, own = { "default/server-a", "default/server-b" }, { "default/server-a" }

it("limits the ClusterIP by the internal policy only", function()
  settle()
  expect(reached(cli, "svc/inside:80")):same_set(own)
  expect(reached(cli, "svc/outside:80")):same_set(both)
end)

it("limits the other addresses by the external policy only", function()
  for _, target in ipairs { "node/a:30080", "203.0.113.80:80" } do expect(reached(client, target)):same_set(both) end
  for _, target in ipairs { "node/a:30081", "203.0.113.81:80" } do expect(reached(client, target)):same_set(own) end
end)
