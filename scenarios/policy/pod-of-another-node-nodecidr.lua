-- With detection by the node's own range, a pod of another node is a client from outside: policy
-- Local gives it local endpoints, with its own address, or nothing.
scenario {
  name = "policy Local from a pod of another node, detection by node range",
  refs = { "POL-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
  kube_proxy = "detectLocalMode: NodeCIDR\n",
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "b" }

it("is dropped while the asked node has no endpoint", function()
  settle()
  expect(cli:connect("node/a:30080", { timeout = "3s" }).error):eq "ETIMEDOUT"
  capture("pod/server-b"):has_not "tcp port 80"
end)

it("always works once it has one", function()
  pod { name = "server-a", node = "a", labels = { app = "web" }, ports = { 80 } }
  settle()
  for _ = 1, 16 do
    local result = cli:request "node/a:30080"
    expect(result.backend):eq "default/server-a"
    expect(result.seen.ip):eq(cli:ip())
  end
end)
