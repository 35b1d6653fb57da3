-- A day without changes: one full sync an hour, in every mode; syncPeriod no longer counts.
scenario {
  name = "a day without changes",
  refs = { "SYN-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
local a = node "a"

it("has a full sync an hour and no other", function()
  settle()
  local before = a:sync_stats()
  wait "24h"
  local after = a:sync_stats()
  expect(after.full_syncs - before.full_syncs):between(23, 24)
  expect(after.syncs - before.syncs):eq(after.full_syncs - before.full_syncs)
end)
