-- trafficDistribution PreferClose (PreferSameZone): every ready endpoint's hint is its own zone, whatever
-- the load. A zone with one pod and most clients overloads it; a zone with none uses all.
scenario {
  name = "endpoints of the same zone",
  refs = { "TPO-03", "TPO-04" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" }, { name = "c", zone = "north" } },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no hints
  params = { policy = "PreferClose" },
}
for name, n in pairs { lonely = "a", ["crowd-1"] = "b", ["crowd-2"] = "b", ["crowd-3"] = "b" } do
  pod { name = name, node = n, labels = { app = "web" }, ports = { 80 } }
end
apply([[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
  trafficDistribution: ]] .. params.policy .. "\n")

it("get their own zone as hint", function()
  settle()
  local hints = 0
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then
      for _, e in ipairs(slice.endpoints) do
        expect(e.hints.forZones):eq { { name = e.zone } }
        hints = hints + 1
      end
    end
  end
  expect(hints):eq(4)
end)

it("carry all of their zone's clients, be they many", function()
  expect(pod { name = "cli-a", node = "a" }:load("svc/web:80", { count = 60 }).spread):eq { ["default/lonely"] = 60 }
  expect(pod { name = "cli-b", node = "b" }:load("svc/web:80", { count = 60 }).spread["default/lonely"]):is_nil()
end)

it("all share the clients of a zone without endpoints", function()
  local spread, count = pod { name = "cli-c", node = "c" }:load("svc/web:80", { count = 80 }).spread, 0
  for _ in pairs(spread) do count = count + 1 end
  expect(count):eq(4)
end)
