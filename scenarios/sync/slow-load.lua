-- A sync that takes longer than minSyncPeriod delays nobody further: what changed meanwhile is written
-- right after it. The load of thousands of rules takes its time.
scenario {
  name = "changes during a slow sync",
  refs = { "SYN-03", "SYN-02" },
  nodes = { "a" },
  dataplanes = { "iptables" },
  no_dns = true,
  kube_proxy = "iptables: {minSyncPeriod: 10ms, syncPeriod: 30s}",
}
local function slice(name, from, count)
  local lines = {}
  for i = 1, count do lines[i] = ("- addresses: [10.245.%d.%d]\n"):format(from, i) end
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, labels: {kubernetes.io/service-name: big}}
addressType: IPv4
ports: [{port: 80}]
endpoints:
]]):format(name) .. table.concat(lines))
end
apply "apiVersion: v1\nkind: Service\nmetadata: {name: big}\nspec: {ports: [{port: 80}]}"
for i = 1, 9 do slice("big-" .. i, i, 100) end
local a = node "a"

it("begins the next sync when the slow one ends", function()
  settle()
  wait "6s" -- virtual time, in which a sync takes as long as the model says
  local before = a:sync_stats()
  slice("big-1", 1, 99) -- some three thousand lines: over 30 ms
  wait "15ms"
  slice("big-2", 2, 99)
  eventually("1s", function() expect(a:sync_stats().syncs):eq(before.syncs + 1) end, "1ms")
  eventually("1s", function() expect(a:sync_stats().syncs):eq(before.syncs + 2) end, "1ms")
  settle()
  expect(a:sync_stats().syncs):eq(before.syncs + 2)
  expect(a:dump("iptables-save", "nat"):find("10.245.2.100:80", 1, true)):is_nil()
end)
