-- Without a cluster CIDR kube-proxy cannot tell pods from others, and ClusterIP traffic is not
-- masqueraded: a host outside reaches the pods of the node it enters by, as itself; the
-- answer of a pod on another node goes past that node and is of no use.
scenario {
  name = "a ClusterIP from off the cluster, no local detector",
  refs = { "CIP-07" },
  nodes = { "a", "b" },
  kube_proxy = "detectLocalMode: ClusterCIDR\nclusterCIDR: \"\"\n",
  skip = { userspace = "its proxy is always the peer (USR-01)" },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = n }, ports = { 80 } }
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: on-%s
spec:
  selector: {app: %s}
  ports:
  - port: 80
]]):format(n, n))
end
local client = outside "192.168.0.100" -- its default route is node a

it("writes no rule that marks ClusterIP traffic of others", function()
  settle()
  local rules = node("a"):rules(dataplane == "nftables" and "nft" or "iptables")
  expect(rules):never():contains "! -s 10."
  expect(rules):never():contains "ip saddr !="
end)

it("shows a pod of that node the client's own address", function()
  local result = client:request("svc/on-a:80")
  expect(result.backend):eq "default/server-a"
  expect(result.seen.ip):eq "192.168.0.100"
end)

it("fails for a pod of another node, whose answer comes from its own address", function()
  expect(client:connect("svc/on-b:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
  capture("outside/192.168.0.100"):has("tcp[tcpflags] & tcp-syn != 0 and src host " .. ip "server-b")
end)
