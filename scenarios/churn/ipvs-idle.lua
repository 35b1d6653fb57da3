-- IPVS forgets a TCP connection that has been idle for 15 minutes, whatever conntrack's timeout (a day) says:
-- the conntrack entry goes along, the next segment meets a virtual server that knows nothing of the
-- connection and is answered with a RST. ipvs.tcpTimeout (--ipvs-tcp-timeout) makes it longer.
scenario {
  name = "an idle connection in ipvs mode",
  refs = { "CHN-09", "#71358" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs", "iptables", "nftables" },
}
apply "server.yaml"
local cli = pod { name = "cli", node = "a" }
local connection

it("goes on after 14 minutes", function()
  eventually("30s", function() expect(#endpoints "web"):eq(1) end)
  settle()
  connection = cli:open "svc/web:80"
  wait "14m"
  expect(connection:request("/").backend):eq "default/server"
end)

it("is broken after 16 minutes, in ipvs mode only", function()
  wait "16m"
  local result = connection:request("/")
  by_dataplane {
    ipvs = function() expect(result.error):eq "ECONNRESET" end,
    default = function()
      expect(node("a"):dump "conntrack"):matches("ESTABLISHED src=" .. cli:ip() .. " dst=10.96.0.80 ")
      expect(result.backend):eq "default/server"
    end,
  }
end)
