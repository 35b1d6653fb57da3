-- Hints are for Services with policy Cluster; with policy Local the node's own endpoints count, hinted
-- elsewhere or not.
scenario {
  name = "hints and policy Local",
  refs = { "TPO-06" },
  nodes = { { name = "a", zone = "east" }, { name = "b", zone = "west" } },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
for _, n in ipairs { "a", "b" } do pod { name = "server-" .. n, node = n, ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
local function service(name, policy)
  apply(([[
apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {internalTrafficPolicy: %s, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s-1
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [{port: 80}]
endpoints:
- {addresses: [%s], nodeName: a, hints: {forZones: [{name: west}]}}
- {addresses: [%s], nodeName: b, hints: {forZones: [{name: east}]}}
]]):format(name, policy, name, name, ip "server-a", ip "server-b"))
end

it("decide under policy Cluster", function()
  service("cluster", "Cluster")
  service("near", "Local")
  settle()
  for _ = 1, 8 do expect(cli:request("svc/cluster:80").backend):eq "default/server-b" end
end)

it("don't under policy Local", function()
  for _ = 1, 8 do expect(cli:request("svc/near:80").backend):eq "default/server-a" end
end)
