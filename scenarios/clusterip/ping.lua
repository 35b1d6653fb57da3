-- A ClusterIP is not a host: what a ping of it meets depends on the mode. iptables and
-- nftables hold no such address; in ipvs mode it is on the node's kube-ipvs0.
scenario {
  name = "ping of a ClusterIP",
  refs = { "CIP-03", "CIP-05" },
  nodes = { "a", "b" },
}
apply "../deployment/web.yaml"
local cli = pod { name = "cli", node = "a" }

it("is answered by nobody, or refused, but never by a pod", function()
  rollout "deployment/web"
  local result = cli:ping("svc/web", { count = 2, timeout = "2s" })
  expect(result.received):eq(0)
  for _, name in ipairs(pods "app=web") do
    capture("pod/" .. name):has_not("icmp and src host " .. cli:ip())
  end
end)

it("reaches a pod's own address", function()
  local name = pods "app=web"[1]
  local result = cli:ping(ip(name), { count = 2 })
  expect(result.received):eq(2)
end)
