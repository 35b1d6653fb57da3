-- One endpoint changes among two hundred Services: of chains only the changed Service's are written
-- again. iptables mode writes the dispatch rules of all Services each time, nftables mode only the
-- elements that differ, here none.
scenario {
  name = "a partial sync",
  refs = { "SYN-07" },
  nodes = { "a" },
  dataplanes = { "iptables", "nftables" },
  no_dns = true,
}
local function slice(name, addresses)
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s-1, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
ports: [{port: 80}]
endpoints:
]]):format(name, name) .. "- addresses: [" .. table.concat(addresses, "]\n- addresses: [") .. "]\n")
end
for i = 1, 200 do
  local name = ("s%03d"):format(i)
  apply(("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {ports: [{port: 80}]}"):format(name))
  slice(name, { "10.245.1." .. i, "10.245.2." .. i })
end
local a = node "a"

it("writes much less than a full one", function()
  settle()
  a:restart_kube_proxy()
  settle()
  local full = a:sync_stats()
  wait "2s"
  slice("s100", { "10.245.1.100" })
  settle()
  local partial = a:sync_stats()
  expect(partial.syncs):eq(full.syncs + 1)
  expect(partial.full_syncs):eq(full.full_syncs)
  by_dataplane {
    -- 200 dispatch rules of some 120 bytes, one Service's chains
    iptables = function() expect(partial.last_bytes):between(200 * 100, 200 * 160) end,
    nftables = function() expect(partial.last_bytes):at_most(2000) end,
  }
end)

it("leaves what the full one would leave", function()
  local rules = a:dump(dataplane == "nftables" and "nft" or "iptables-save")
  expect(rules):contains "10.245.2.99:80"
  expect(rules):contains "10.245.1.100:80"
  expect(rules:find("dnat to 10.245.2.100:80", 1, true)):is_nil()
  expect(rules:find("to-destination 10.245.2.100:80", 1, true)):is_nil()
end)
