-- A tutorial claims that with policy Local the pod sees Flannel's address, not the client pod's. It does
-- not: with Local nothing is masqueraded, neither inside the cluster nor through a node port. Flannel's
-- address is what a pod on another node sees of clients that were masqueraded, with policy Cluster, and
-- of the node itself.
scenario {
  name = "whose address a pod sees on a Flannel network",
  refs = { "POL-01", "POL-04", "POL-10", "MSQ-05", "NPT-09" },
  nodes = { { name = "a", overlay = true }, { name = "b", overlay = true } },
  dataplanes = { "iptables", "nftables" },
}
pod { name = "near", node = "a", labels = { app = "near" }, ports = { 80 } }
pod { name = "far", node = "b", labels = { app = "far" }, ports = { 80 } }
local function service(name, app, port, policy)
  apply(([[
apiVersion: v1
kind: Service
metadata: {name: %s}
spec:
  type: NodePort
  externalTrafficPolicy: %s
  internalTrafficPolicy: %s
  selector: {app: %s}
  ports: [{port: 80, nodePort: %d}]
]]):format(name, policy, policy, app, port))
end
service("local", "near", 30081, "Local")
service("near", "near", 30082, "Cluster")
service("far", "far", 30083, "Cluster")
local a, cli = node "a", pod { name = "cli", node = "a" }
-- flannel.1 has the first address of its node's range: 10.244.1.0 where the pods are 10.244.1.0/24.
local flannel = cli:ip():gsub("%.%d+$", ".0")

it("is the client pod's with policy Local, by ClusterIP and by node port", function()
  settle()
  expect(cli:request("svc/local:80").seen.ip):eq(cli:ip())
  expect(cli:request("node/a:30081").seen.ip):eq(cli:ip())
end)

it("is the client pod's with policy Cluster too, by ClusterIP", function()
  expect(cli:request("svc/near:80").seen.ip):eq(cli:ip())
  expect(cli:request("svc/far:80").seen.ip):eq(cli:ip())
end)

it("is Flannel's when a node port led to a pod of the other node", function()
  expect(cli:request("node/a:30083").seen.ip):eq(flannel)
  expect(a:request("svc/far:80").seen.ip):eq(flannel)
end)
