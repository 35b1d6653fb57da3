-- KubeProxyConfiguration's conntrack section: timeouts as given, a zero leaves the kernel's value alone.
scenario {
  name = "conntrack's sysctls as configured",
  refs = { "CTK-13" },
  nodes = { "a" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- the options for UDP are of v1.29
  kube_proxy = "conntrack: {tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 10m, udpTimeout: 15s, udpStreamTimeout: 1m}",
}
local function value(name) return node("a"):sysctl("net.netfilter.nf_conntrack_" .. name) end

it("follow the configuration", function()
  settle()
  expect(value "tcp_timeout_established"):eq(432000)
  expect(value "tcp_timeout_close_wait"):eq(600)
  expect(value "udp_timeout"):eq(15)
  expect(value "udp_timeout_stream"):eq(60)
end)
