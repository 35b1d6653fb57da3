-- Only a Service of type LoadBalancer and policy Local has a health check port. iptables accepts it
-- by a rule of its own, ipvs by a set, nftables needs nothing.
scenario {
  name = "rules for healthCheckNodePort",
  refs = { "HCK-01" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
local function service(name, kind, policy)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: %s
  externalTrafficPolicy: %s
  selector: {app: web}
  ports:
  - port: 80
]]):format(name, kind, policy))
  return get("service/" .. name).spec.healthCheckNodePort
end

it("is a port for type LoadBalancer with policy Local only", function()
  expect(service("np", "NodePort", "Local")):is_nil()
  expect(service("lb", "LoadBalancer", "Cluster")):is_nil()
  expect(service("local", "LoadBalancer", "Local")):between(30000, 32767)
  settle()
end)

it("is accepted where other rules might not", function()
  local a, port = node "a", get("service/local").spec.healthCheckNodePort
  by_dataplane {
    iptables = function()
      expect(a:dump("iptables-save", "filter")):contains(
        ('-A KUBE-NODEPORTS -p tcp -m comment --comment "default/local health check node port" '
          .. '-m tcp --dport %d -j ACCEPT'):format(port))
    end,
    ipvs = function() expect(a:dump "ipset"):contains(("add KUBE-HEALTH-CHECK-NODE-PORT %d\n"):format(port)) end,
    nftables = function() expect(a:dump "nft"):never():contains(tostring(port)) end,
    userspace = function() -- has neither rule nor server (userspace/proxier.go of v1.25)
      expect(outside("192.168.0.100"):connect("node/a:" .. port).error):eq "ECONNREFUSED"
    end,
  }
end)
