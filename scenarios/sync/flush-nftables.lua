-- Somebody deletes kube-proxy's nft table. Nobody watches it: the node is without Services until a
-- sync fails for lack of the table; the retry after a sync period writes everything.
scenario {
  name = "the nft table deleted by somebody else",
  refs = { "SYN-04", "SYN-06" },
  nodes = { "a", "b" },
  dataplanes = { "nftables" },
  kube_proxy = "nftables: {syncPeriod: 2s, minSyncPeriod: 1s}",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local service = [[
apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {selector: {app: web}, ports: [{port: 80}]}
]]
apply(service:format "web")
local a, cli = node "a", pod { name = "cli", node = "a" }

local function error_of() return cli:connect("svc/web:80", { timeout = "200ms" }).error end

it("repairs nothing by itself", function()
  settle()
  expect(error_of()):is_nil()
  a:run "nft delete table ip kube-proxy"
  always("2.5s", function() expect(error_of()):eq "ETIMEDOUT" end, "500ms")
end)

it("fails at the next change and writes everything a sync period later", function()
  local before = a:sync_stats()
  apply(service:format "other")
  eventually("1.5s", function() expect(a:sync_stats().failures):eq(before.failures + 1) end)
  expect(error_of()):eq "ETIMEDOUT"
  eventually("2.5s", function() expect(error_of()):is_nil() end)
  expect(a:sync_stats().full_syncs):eq(before.full_syncs + 1)
  expect(cli:connect("svc/other:80", { timeout = "1s" }).ok):is_true()
end)
