-- Topology hints are for ready endpoints: the fallback to terminating ones takes them from every zone.
scenario {
  name = "terminating endpoints and hints",
  refs = { "POL-14" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" } },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
for _, n in ipairs { "a", "b" } do pod { name = "server-" .. n, node = n, ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  trafficDistribution: PreferClose
  ports:
  - port: 80
]]
local function slice(ready)
  local function endpoint(n, zone)
    return ([[
- addresses: [%s]
  nodeName: %s
  zone: %s
  conditions: {ready: %s, serving: true, terminating: %s}
  hints: {forZones: [{name: %s}]}
]]):format(ip("server-" .. n), n, zone, tostring(ready), tostring(not ready), zone)
  end
  apply([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints:
]] .. endpoint("a", "east") .. endpoint("b", "west"))
  settle()
end
local function backends()
  local names = {}
  for name in pairs(cli:load("svc/web:80", { count = 24 }).spread) do names[#names + 1] = name end
  return names
end

it("keeps to the zone while endpoints are ready", function()
  slice(true)
  expect(backends()):eq { "default/server-a" }
end)

it("takes any zone when all terminate", function()
  slice(false)
  expect(backends()):same_set { "default/server-a", "default/server-b" }
end)
