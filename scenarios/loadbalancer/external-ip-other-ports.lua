-- iptables and nftables capture the listed port of an external IP; ipvs makes the whole address the
-- node's own, and every other port, and ping, is refused there.
scenario {
  name = "other ports of an external IP",
  refs = { "EXI-02", "CIP-04" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local owner, cli = outside "192.168.0.200", pod { name = "cli", node = "a" }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  externalIPs: [192.168.0.200]
  selector: {app: web}
  ports:
  - port: 80
]]

it("still belong to the owner, unless IPVS took the address", function()
  settle()
  local result = cli:connect("192.168.0.200:443", { timeout = "2s" })
  expect(result.error):eq "ECONNREFUSED" -- by the owner's RST, or by the node
  local at_owner = capture("outside/192.168.0.200"):count "tcp dst port 443"
  by_dataplane {
    ipvs = function()
      expect(at_owner):eq(0)
      capture("pod/cli"):has "icmp[icmptype] == icmp-unreach and src host 192.168.0.200" -- the node, as that address
    end,
    default = function() expect(at_owner):at_least(1) end,
  }
end)

it("answers ping, unless IPVS took the address", function()
  local received = cli:ping("192.168.0.200", { count = 2 }).received
  expect(received):eq(by_dataplane { ipvs = 0, default = 2 })
end)
