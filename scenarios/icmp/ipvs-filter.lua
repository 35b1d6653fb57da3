-- In ipvs mode the ClusterIP is an address of the node. Since v1.27 the access filter refuses what is no
-- service port of it, and an echo request has no port.
scenario {
  name = "ping of a ClusterIP in ipvs mode",
  refs = { "ICM-02", "kubernetes/website#41002" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80}]}
]]
local cli = pod { name = "cli", node = "a" }

it("is refused by the node", function()
  settle()
  expect(cli:ping("10.96.0.80", { count = 1, timeout = "1s" }).received):eq(0)
  capture("pod/cli"):has "icmp[0] = 3 and icmp[1] = 3 and icmp[24:4] = 0x0a600050"
  expect(cli:connect("svc/web:80").ok):is_true()
end)
