-- Pings of a pod on the same node, of a pod on another node and of a ClusterIP; compared with
-- real Linux packet by packet (tests/captures).
scenario {
  name = "pings, packet by packet",
  refs = { "CIP-03", "CIP-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
pod { name = "near", node = "a", labels = { app = "web" }, ports = { 80 } }
pod { name = "far", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("a"):ping(ip "cli")
cli:ping(ip "near")
cli:ping(ip "far")

it("reach a pod of the same node and one of another node", function()
  expect(cli:ping(ip "near").ttl):eq(64)
  expect(cli:ping(ip "far").ttl):eq(62)
end)

it("reach no pod through a ClusterIP", function()
  expect(cli:ping("svc/web", { timeout = "1s" }).received):eq(0)
end)
