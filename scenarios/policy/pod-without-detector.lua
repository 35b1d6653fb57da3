-- Where kube-proxy cannot tell its pods from others, a pod of the node counts as a client from
-- outside: policy Local gives it local endpoints or nothing.
scenario {
  name = "policy Local from a pod of the node, no detector",
  refs = { "POL-04" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_proxy = "clusterCIDR: \"\"\n",
}
apply "servers.yaml"
local on_a, on_b = pod { name = "cli-a", node = "a" }, pod { name = "cli-b", node = "b" }

it("times out where no endpoint is", function()
  settle()
  for _, target in ipairs { "node/a:30080", "203.0.113.80:80" } do
    by_dataplane {
      -- ipvs has all endpoints as servers where none is local, and forwards.
      ipvs = function() expect(on_a:request(target).backend):eq "default/server-b" end,
      default = function() expect(on_a:connect(target, { timeout = "3s" }).error):eq "ETIMEDOUT" end,
    }
  end
end)

it("is served as itself where one is", function()
  local result = on_b:request "node/b:30080"
  expect(result.backend):eq "default/server-b"
  expect(result.seen.ip):eq(on_b:ip())
end)
