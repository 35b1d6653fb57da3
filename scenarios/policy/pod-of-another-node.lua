-- A pod of node b at node a's port of policy Local: the cluster's range makes it a pod of ours, so
-- node a may pick any endpoint and masquerades none. A pick on b never completes: its answer goes
-- to the client straight, from an address that the client never asked.
scenario {
  name = "policy Local from a pod of another node, detection by cluster range",
  refs = { "POL-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
apply "servers.yaml"
pod { name = "server-a", node = "a", labels = { app = "web" }, ports = { 80 } }
local cli = pod { name = "cli", node = "b" }

it("works for a pick on the asked node only", function()
  settle()
  local served, lost = 0, 0
  for _ = 1, 24 do
    local result = cli:request("node/a:30080", { timeout = "500ms" })
    if result.error then
      expect(result.error):eq "ETIMEDOUT"
      lost = lost + 1
    else
      expect(result.backend):eq "default/server-a"
      expect(result.seen.ip):eq(cli:ip())
      served = served + 1
    end
  end
  by_dataplane {
    ipvs = function() expect(lost):eq(0) end, -- local servers only
    default = function()
      expect(served):at_least(3)
      expect(lost):at_least(3)
      capture("pod/server-b"):has("tcp[tcpflags] & tcp-syn != 0 and src host " .. cli:ip())
    end,
  }
end)
