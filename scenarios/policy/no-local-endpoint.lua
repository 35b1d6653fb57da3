-- Policy Local on a node without an endpoint, while another node has one: iptables and nftables drop
-- without a word. ipvs forwards to the other node unmasqueraded; its answer comes from the wrong
-- address, and no connection comes of it.
scenario {
  name = "policy Local, endpoints on other nodes only, from outside",
  refs = { "POL-02", "POL-03", "#75262" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
apply "servers.yaml"
local client = outside "192.168.0.100"

for _, target in ipairs { "node/a:30080", "203.0.113.80:80", "203.0.113.81:80" } do
  it("fails in silence at " .. target, function()
    settle()
    expect(client:connect(target, { timeout = "3s" }).error):eq "ETIMEDOUT"
    local server, me = capture "pod/server-b", capture "outside/192.168.0.100"
    me:has_not "icmp"
    by_dataplane {
      ipvs = function()
        server:has "tcp[tcpflags] & tcp-syn != 0 and src host 192.168.0.100"
        me:has("tcp[tcpflags] & tcp-syn != 0 and src host " .. ip "server-b")
      end,
      default = function() server:has_not "src host 192.168.0.100" end,
    }
  end)
end

it("serves the node that has the endpoint", function()
  local result = client:request "node/b:30080"
  expect(result.backend):eq "default/server-b"
  expect(result.seen.ip):eq "192.168.0.100"
end)
