-- A sync that fails, because the tool says no, is tried again a sync period later and in full, if no
-- other change comes before; the rules of before serve until then.
scenario {
  name = "a sync that fails",
  refs = { "SYN-04" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  kube_proxy = [[
iptables: {syncPeriod: 3s, minSyncPeriod: 1s}
ipvs: {syncPeriod: 3s, minSyncPeriod: 1s}
nftables: {syncPeriod: 3s, minSyncPeriod: 1s}]],
}
for _, name in ipairs { "one", "two" } do
  pod { name = name, node = "b", labels = { app = name }, ports = { 80 } }
end
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}"
local function points_to(name)
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [%s]}]
]]):format(ip(name)))
end
points_to "one"
local a, cli = node "a", pod { name = "cli", node = "a" }
local function backend() return cli:request("svc/web:80", { timeout = "1s" }).backend end

it("leaves the old rules for a sync period, then writes everything", function()
  settle()
  wait "1.1s"
  expect(backend()):eq "default/one"
  local before = a:sync_stats()
  a:fault "sync-fails=1"
  points_to "two"
  eventually("2s", function() expect(a:sync_stats().failures):eq(before.failures + 1) end, "20ms")
  local failed = now()
  always("2.5s", function() expect(backend()):eq "default/one" end, "500ms")
  -- On real Linux the load itself takes its time, under iptables-nft over a second.
  eventually("6s", function() expect(backend()):eq "default/two" end, "20ms")
  expect(now() - failed):at_least(2.9)
  expect(a:sync_stats().full_syncs):eq(before.full_syncs + 1)
end)
