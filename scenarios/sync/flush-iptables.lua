-- Somebody flushes iptables on a node. kube-proxy looks for its canary chain once a sync period:
-- rules that went with their chains come back then, a flush that leaves the chains goes unnoticed.
scenario {
  name = "iptables flushed by somebody else",
  refs = { "SYN-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables" },
  kube_proxy = "iptables: {syncPeriod: 2s, minSyncPeriod: 1s}",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
]]
local a, cli = node "a", pod { name = "cli", node = "a" }

local function error_of() return cli:connect("svc/web:80", { timeout = "200ms" }).error end
local function flush(options)
  for _, table in ipairs { "mangle", "nat", "filter" } do
    for _, option in ipairs(options) do a:run("iptables -t " .. table .. " " .. option) end
  end
end

it("repairs nothing while the chains are there", function()
  settle()
  expect(error_of()):is_nil()
  local full = a:sync_stats().full_syncs
  flush { "-F" }
  always("2.5s", function() expect(error_of()):eq "ETIMEDOUT" end, "500ms")
  expect(a:sync_stats().full_syncs):eq(full)
end)

it("writes everything again within a sync period when they are gone", function()
  local full = a:sync_stats().full_syncs
  flush { "-X" }
  expect(error_of()):eq "ETIMEDOUT"
  eventually("2.5s", function() expect(error_of()):is_nil() end)
  expect(a:sync_stats().full_syncs):eq(full + 1)
  expect(a:dump("iptables-save", "mangle")):contains ":KUBE-PROXY-CANARY "
end)

it("waits five seconds for the other tables when only mangle was flushed", function()
  a:run "iptables -t mangle -X"
  local full, since = a:sync_stats().full_syncs, now()
  eventually("7.5s", function() expect(a:sync_stats().full_syncs):eq(full + 1) end)
  expect(now() - since):at_least(5)
end)
