-- A pod that asks its own node for a Service of policy Local is not from outside: it gets any endpoint
-- of the cluster, as itself. So it is at the node port, the load balancer's and the external address.
scenario {
  name = "policy Local from a pod of the node",
  refs = { "POL-04", "MSQ-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_proxy = "iptables:\n  masqueradeAll: true\nnftables:\n  masqueradeAll: true\n",
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }

for _, target in ipairs { "node/a:30080", "203.0.113.80:80", "203.0.113.81:80" } do
  it("reaches the endpoint of another node at " .. target .. ", unmasqueraded even with masqueradeAll", function()
    settle()
    local result = cli:request(target)
    expect(result.backend):eq "default/server-b"
    expect(result.seen.ip):eq(cli:ip())
  end)
end
