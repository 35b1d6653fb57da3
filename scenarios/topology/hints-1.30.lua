-- Up to v1.30 kube-proxy looks at hints only for Services that carry the topology annotation.
scenario {
  name = "topology hints in v1.30",
  refs = { "TPO-01" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" } },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_version = "1.30",
}
for _, n in ipairs { "a", "b" } do pod { name = "server-" .. n, node = n, ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }

local function service(name, annotations)
  apply(([[
apiVersion: v1
kind: Service
metadata: {name: %s, annotations: {%s}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s-1
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [{port: 80}]
endpoints:
- {addresses: [%s], nodeName: a, hints: {forZones: [{name: east}]}}
- {addresses: [%s], nodeName: b, hints: {forZones: [{name: west}]}}
]]):format(name, annotations, name, name, ip "server-a", ip "server-b"))
end
local function backends(target)
  local names = {}
  for name in pairs(cli:load(target, { count = 24 }).spread) do names[#names + 1] = name end
  return names
end

it("need the annotation", function()
  service("plain", "")
  service("zonal", "service.kubernetes.io/topology-mode: Auto")
  settle()
  expect(backends "svc/zonal:80"):eq { "default/server-a" }
  expect(backends "svc/plain:80"):same_set { "default/server-a", "default/server-b" }
end)
