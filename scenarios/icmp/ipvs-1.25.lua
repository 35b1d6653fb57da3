-- Up to v1.26 ipvs mode had no access filter: the node answered pings of every ClusterIP itself (TTL 64),
-- also of Services whose pods are all elsewhere.
scenario {
  name = "ping of a ClusterIP in ipvs mode, v1.25",
  refs = { "ICM-02" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  kube_version = "1.25",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80}]}
]]
local cli = pod { name = "cli", node = "a" }

it("is answered by the node", function()
  settle()
  local result = cli:ping("10.96.0.80", { count = 1, timeout = "1s" })
  expect(result.received):eq(1)
  expect(result.ttl):eq(64)
  capture("node/a:eth0"):has_not "icmp"
end)
