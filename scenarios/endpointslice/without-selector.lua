-- A Service without selector gets no slices from the control plane; slices that somebody else labels with its
-- name are used, and their nodeName says what is local.
scenario {
  name = "a Service without selector",
  refs = { "EPS-06" },
  nodes = { "a", "b" },
}
for _, n in ipairs { "a", "b" } do pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"

local function slice(first, second)
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: mine
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints:
- {addresses: [%s], nodeName: %s}
- {addresses: [%s], nodeName: %s}
]]):format(ip "server-a", first, ip "server-b", second))
  settle()
end
local function backends()
  local names = {}
  for name in pairs(cli:load("svc/web:80", { count = 24, timeout = "1s" }).spread) do names[#names + 1] = name end
  return names
end

it("has no endpoints by itself", function()
  settle()
  expect(endpoints "web"):eq {}
end)

it("has those of a slice with its label", function()
  slice("a", "b")
  expect(backends()):same_set { "default/server-a", "default/server-b" }
end)

it("takes a slice's word for which of them are local", function()
  if dataplane == "userspace" then return end -- knows no internal traffic policy
  apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {internalTrafficPolicy: Local, ports: [{port: 80}]}\n"
  slice("a", "b")
  expect(backends()):eq { "default/server-a" }
  slice("b", "a")
  expect(backends()):eq { "default/server-b" }
end)
