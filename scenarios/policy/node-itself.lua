-- A process of the node gets any endpoint of a Service of policy Local, and is masqueraded, with or
-- without a detector. In ipvs mode that goes for the node port only: at an address on kube-ipvs0
-- the node speaks as that address, unmasqueraded, and the other node, which has it too, takes that
-- for a forgery.
scenario {
  name = "policy Local from the node itself",
  refs = { "POL-05", "#93456" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_proxy = "clusterCIDR: \"\"\n",
}
apply "servers.yaml"

local a = node "a"

it("is served from another node at the node port", function()
  settle()
  local result = a:request "node/a:30080"
  expect(result.backend):eq "default/server-b"
  expect(result.seen.ip):eq(a:ip())
end)

for _, address in ipairs { "203.0.113.80", "203.0.113.81" } do
  it("is served from another node at " .. address .. ", but in ipvs mode", function()
    local result = a:request(address .. ":80", { timeout = "3s" })
    by_dataplane {
      ipvs = function()
        expect(result.error):eq "ETIMEDOUT"
        capture("node/b:eth0"):has(("tcp[tcpflags] & tcp-syn != 0 and src host %s and dst host %s"):format(
          address, ip "server-b"))
        capture("pod/server-b"):has_not("host " .. address)
      end,
      default = function()
        expect(result.backend):eq "default/server-b"
        expect(result.seen.ip):eq(a:ip())
      end,
    }
  end)
end
