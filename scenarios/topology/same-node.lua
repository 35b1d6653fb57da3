-- trafficDistribution PreferSameNode: hints name nodes, too. A client's own node comes first, then its
-- zone, then everywhere.
scenario {
  name = "endpoints of the same node",
  refs = { "TPO-02" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "east" }, { name = "c", zone = "west" },
    { name = "d", zone = "north" } },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no hints
}
for _, n in ipairs { "a", "c" } do pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  trafficDistribution: PreferSameNode
  selector: {app: web}
  ports: [{port: 80}]
]]
local function backends(n)
  local names = {}
  for name in pairs(pod { name = "cli-" .. n, node = n }:load("svc/web:80", { count = 24 }).spread) do names[#names + 1] = name end
  return names
end

it("are named by the hints", function()
  settle()
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then
      for _, e in ipairs(slice.endpoints) do
        expect(e.hints.forNodes):eq { { name = e.nodeName } }
        expect(e.hints.forZones):eq { { name = e.zone } }
      end
    end
  end
end)

it("are preferred, then those of the zone, then all", function()
  expect(backends "a"):eq { "default/server-a" }
  expect(backends "c"):eq { "default/server-c" }
  expect(backends "b"):eq { "default/server-a" }
  expect(backends "d"):same_set { "default/server-a", "default/server-c" }
end)
