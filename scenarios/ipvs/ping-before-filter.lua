-- Until kube-proxy v1.27 filtered it, a ping of a ClusterIP was answered in ipvs mode: by the node
-- itself, which has the address, not by a pod.
scenario {
  name = "ping of a ClusterIP, ipvs mode of v1.25",
  refs = { "ICM-02", "kubernetes/website#41002" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_version = "1.25",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]

it("is answered by the client's node", function()
  settle()
  local result = pod { name = "cli", node = "a" }:ping "10.96.0.80"
  expect(result.received):eq(1)
  expect(result.ttl):eq(64)
  capture("pod/server"):has_not "icmp"
end)
