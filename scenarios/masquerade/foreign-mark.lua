-- The mark is everybody's: a packet that another program marks with 0x4000 is masqueraded as well,
-- whatever it was marked for.
scenario {
  name = "somebody else's mark 0x4000",
  refs = { "MSQ-09" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "b", ports = { 80 } }
local cli = pod { name = "cli", node = "a" }

it("does nothing before", function()
  settle()
  expect(cli:request("pod/server:80").seen.ip):eq(cli:ip())
end)

it("makes kube-proxy masquerade traffic that is none of its own", function()
  node("a"):run("iptables -t mangle -A PREROUTING -s " .. cli:ip() .. " -j MARK --set-mark 0x4000")
  expect(cli:request("pod/server:80").seen.ip):eq(ip "node/a")
end)
