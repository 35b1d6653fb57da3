-- What a Service says nothing about: targetPort is the port, the protocol TCP, both traffic policies
-- Cluster, no session affinity.
scenario {
  name = "defaults of a Service",
  refs = { "CIP-09" },
  nodes = { "a" },
  no_dns = true,
}
local function service(name, kind)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: %s
  selector: {app: web}
  ports:
  - port: 8080
]]):format(name, kind))
  return get("service/" .. name).spec
end

it("are the API server's for a ClusterIP", function()
  local spec = service("plain", "ClusterIP")
  expect(spec.ports[1].targetPort):eq(8080)
  expect(spec.ports[1].protocol):eq "TCP"
  expect(spec.internalTrafficPolicy):eq "Cluster"
  expect(spec.externalTrafficPolicy):is_nil()
  expect(spec.sessionAffinity):eq "None"
  expect(spec.sessionAffinityConfig):is_nil()
end)

it("add an external policy and a node port where there is one", function()
  for _, kind in ipairs { "NodePort", "LoadBalancer" } do
    local spec = service(kind:lower(), kind)
    expect(spec.externalTrafficPolicy):eq "Cluster"
    expect(spec.internalTrafficPolicy):eq "Cluster"
    expect(spec.ports[1].nodePort):between(30000, 32767)
  end
  expect(get("service/loadbalancer").spec.allocateLoadBalancerNodePorts):is_true()
end)
