-- v1.30: iptables mode has a full sync an hour, ipvs and nftables mode sync every syncPeriod, half a
-- minute by default.
scenario {
  name = "an hour without changes, v1.30",
  refs = { "SYN-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  kube_version = "1.30",
  no_dns = true,
}
local a = node "a"

it("has one sync, or one each half minute", function()
  settle()
  local before = a:sync_stats().syncs
  wait "1h1m"
  local low, high = 1, 2
  if dataplane ~= "iptables" then low, high = 120, 123 end
  expect(a:sync_stats().syncs - before):between(low, high)
end)
