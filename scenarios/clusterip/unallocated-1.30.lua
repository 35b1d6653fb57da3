-- kube-proxy v1.30 sees no ServiceCIDR objects by default and writes no rule for the range: an
-- unallocated ClusterIP leaves the node in nftables mode too.
scenario {
  name = "an unallocated ClusterIP, v1.30",
  refs = { "CIP-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  kube_version = "1.30",
}
local cli = pod { name = "cli", node = "a" }

it("leaks in every mode", function()
  settle()
  expect(cli:connect("10.96.77.77:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
  capture("node/a:eth0"):has "tcp[tcpflags] & tcp-syn != 0 and dst host 10.96.77.77"
end)
