-- topology-mode Auto gives each zone a share of the endpoints in proportion to its CPUs, whatever zone
-- they are in, and leaves all hints out when a zone's endpoints would have to carry over 20 % more than
-- their share. (The 30 % at which the proposal, KEP-2433, takes hints away is not in the controller: the same
-- 20 % decide.)
scenario {
  name = "topology-mode Auto",
  refs = { "TPO-05" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" } },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no hints
}
for i = 1, 5 do pod { name = "server-" .. i, node = "a", labels = { app = "web" }, ports = { 80 } } end
pod { name = "server-6", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {service.kubernetes.io/topology-mode: Auto}
spec:
  selector: {app: web}
  ports: [{port: 80}]
]]
local cli = pod { name = "cli", node = "b" }
local function hints()
  settle()
  local zones = {}
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then
      for _, e in ipairs(slice.endpoints) do
        local zone = e.hints and e.hints.forZones[1].name or "none"
        zones[zone] = (zones[zone] or 0) + 1
      end
    end
  end
  return zones
end
local function backends()
  local count = 0
  for _ in pairs(cli:load("svc/web:80", { count = 60 }).spread) do count = count + 1 end
  return count
end

it("hints three of six endpoints to each of two equal zones", function()
  expect(hints()):eq { east = 3, west = 3 }
  expect(backends()):eq(3)
end)

it("gives no hints for five: 2.5 for two would be 25 % too many", function()
  delete "pod/server-5"
  expect(hints()):eq { none = 5 }
  expect(backends()):eq(5)
end)

it("hints again for seven: 3.5 for three are within 20 %", function()
  for i = 7, 8 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
  local zones = hints()
  expect(zones.none):is_nil()
  expect(zones.east + zones.west):eq(7)
  expect(math.abs(zones.east - zones.west)):eq(1)
end)
