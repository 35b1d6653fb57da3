-- A Service without endpoints whose name, namespace and port name are as long as they may be: nftables
-- mode writes "namespace/name:port" as a comment of an element, nft takes 128 characters, and with it
-- the whole transaction is refused: no change of any Service arrives on any node. iptables takes it.
scenario {
  name = "names too long for a comment",
  refs = { "SYN-04", "NEP-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
local long = ("n"):rep(63)
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local a, cli = node "a", pod { name = "cli", node = "a" }

it("stops all later changes in nftables mode, none in iptables mode", function()
  settle()
  apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " .. long .. "}")
  apply(("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {selector: {app: x}, "
    .. "ports: [{name: a-long-port-nam, port: 80}]}"):format(long, long))
  wait "2s"
  apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}"
  wait "2.5s"
  local served, failures = cli:connect("svc/web:80", { timeout = "1s" }).ok, a:sync_stats().failures
  by_dataplane {
    iptables = function()
      expect(served):is_true()
      expect(failures):eq(0)
    end,
    nftables = function()
      expect(served):is_false()
      expect(failures):at_least(2)
    end,
  }
end)
