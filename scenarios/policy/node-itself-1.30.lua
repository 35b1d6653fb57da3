-- nftables mode of v1.30 looks for endpoints before the translation, also on the way out: the node
-- itself cannot reach a load balancer's or external address of policy Local without a local
-- endpoint. Its node port it can.
scenario {
  name = "policy Local from the node itself, v1.30",
  refs = { "POL-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
  kube_version = "1.30",
}
apply "servers.yaml"

it("times out at the load balancer's address in nftables mode", function()
  settle()
  for _, target in ipairs { "203.0.113.80:80", "203.0.113.81:80" } do
    local result = node("a"):request(target, { timeout = "3s" })
    by_dataplane {
      iptables = function() expect(result.backend):eq "default/server-b" end,
      nftables = function() expect(result.error):eq "ETIMEDOUT" end,
    }
  end
end)

it("is served at the node port", function()
  expect(node("a"):request("node/a:30080").backend):eq "default/server-b"
end)
