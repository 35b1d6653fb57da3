-- A kube-proxy that starts again writes nothing until it has read all Services and all endpoints; then
-- comes one full sync. So the old rules serve until the new ones, the same, replace them: nothing is
-- missing for a moment.
scenario {
  name = "kube-proxy starts again",
  refs = { "SYN-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
for _, name in ipairs { "web", "other" } do
  apply(("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: web}, ports: [{port: 80}]}")
    :format(name))
end
local a, cli = node "a", pod { name = "cli", node = "a" }

it("serves all the time, from both Services", function()
  settle()
  local outcomes = {}
  local restart = spawn(function() a:restart_kube_proxy() settle() end)
  local stop = now() + 4
  while now() < stop do
    for _, name in ipairs { "web", "other" } do
      outcomes[cli:connect("svc/" .. name .. ":80", { timeout = "1s" }).error or "served"] = true
    end
    wait "50ms"
  end
  restart:join()
  expect(outcomes):eq { served = true }
end)

it("has made one sync, a full one, that left every rule as it was", function()
  local view = by_dataplane { nftables = "nft", ipvs = "ipvsadm", default = "iptables-save" }
  local function rules()
    local text = a:dump(view, view == "iptables-save" and "nat" or nil)
    return (text:gsub("%[%d+:%d+%]", ""):gsub("#[^\n]*\n", ""))
  end
  local before = rules()
  a:restart_kube_proxy()
  settle()
  local after = rules()
  for line in before:gmatch "[^\n]+" do
    if line:find "10.96." and not line:find "elements" then expect(after):contains(line) end
  end
  local stats = a:sync_stats()
  expect(stats.full_syncs):at_least(1)
end)
