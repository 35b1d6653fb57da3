-- A lookup of a pod through the cluster's DNS Service: question and answers pass the dataplane
-- like any other datagram; compared with real Linux packet by packet (tests/captures).
scenario {
  name = "DNS through the dataplane, packet by packet",
  refs = { "DNS-01" },
  nodes = { "a" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("a"):ping(ip "cli")
for _, name in ipairs(pods("k8s-app=kube-dns", "kube-system")) do
  node("a"):ping(ip(name, "kube-system"))
end

it("finds a Service's address", function()
  expect(cli:dig("web.default.svc.cluster.local.", "A").addresses):eq { "10.96.0.100" }
end)

it("says that there is no such name", function()
  expect(cli:dig("nobody.default.svc.cluster.local.", "A").rcode):eq "NXDOMAIN"
end)
