-- Conditions that a slice leaves out: ready and serving count as true, terminating as false.
scenario {
  name = "an EndpointSlice without conditions",
  refs = { "EPS-03" },
  nodes = { "a", "b" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
local function slice(conditions)
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints:
- {addresses: [%s]}
- {addresses: [%s], conditions: {%s}}
]]):format(ip "server-1", ip "server-2", conditions))
  settle()
end
local function backends()
  local names = {}
  for name in pairs(cli:load("svc/web:80", { count = 24 }).spread) do names[#names + 1] = name end
  return names
end

it("is used", function()
  slice ""
  expect(backends()):same_set { "default/server-1", "default/server-2" }
end)

it("is not, where it says that it is not ready", function()
  slice "ready: false"
  expect(backends()):eq { "default/server-1" }
end)

it("is, where it says nothing but that it is not terminating", function()
  slice "terminating: false"
  expect(backends()):same_set { "default/server-1", "default/server-2" }
end)
