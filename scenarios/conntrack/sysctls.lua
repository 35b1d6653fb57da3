-- What kube-proxy sets when it starts: room for 32768 entries a core, 131072 at least and never less
-- than there was; a day for idle TCP connections instead of the kernel's five, an hour for
-- half-closed ones. The rest it leaves alone.
scenario {
  name = "conntrack's sysctls",
  refs = { "CTK-13" },
  nodes = { "a" },
}
local function value(name) return node("a"):sysctl("net.netfilter.nf_conntrack_" .. name) end

it("are set by kube-proxy", function()
  settle()
  expect(value "max"):at_least(131072)
  expect(value "tcp_timeout_established"):eq(24 * 3600)
  expect(value "tcp_timeout_close_wait"):eq(3600)
end)

it("or left as the kernel has them", function()
  expect(value "tcp_be_liberal"):eq(0)
  expect(value "udp_timeout"):eq(30)
  expect(value "udp_timeout_stream"):eq(120)
  expect(value "tcp_timeout_time_wait"):eq(120)
end)
