-- kube-proxy follows topology hints only if every ready endpoint has one and some name this node's zone.
-- One without a hint, and traffic goes to all zones again.
scenario {
  name = "topology hints",
  refs = { "TPO-01" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" }, { name = "c", zone = "north" } },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no hints
}
for _, n in ipairs { "a", "b" } do pod { name = "server-" .. n, node = n, ports = { 80 } } end
local clients = { a = pod { name = "cli-a", node = "a" }, c = pod { name = "cli-c", node = "c" } }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"

local function slice(hints)
  local text = [[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints:
]]
  for _, n in ipairs { "a", "b" } do
    text = text .. ("- {addresses: [%s], nodeName: %s%s}\n"):format(ip("server-" .. n), n,
      hints[n] and (", hints: {forZones: [{name: %s}]}"):format(hints[n]) or "")
  end
  apply(text)
  settle()
end
local function backends(client)
  local names = {}
  for name in pairs(client:load("svc/web:80", { count = 24 }).spread) do names[#names + 1] = name end
  return names
end
local all = { "default/server-a", "default/server-b" }

it("keep traffic in the zone when all endpoints have them", function()
  slice { a = "east", b = "west" }
  expect(backends(clients.a)):eq { "default/server-a" }
end)

it("are ignored on a node whose zone none names", function()
  expect(backends(clients.c)):same_set(all)
end)

it("are ignored when one endpoint has none", function()
  slice { a = "east" }
  expect(backends(clients.a)):same_set(all)
end)
