-- A segment outside the window is INVALID to conntrack, which then does not translate it back. The
-- client gets it from the pod's own address, knows no such connection and answers with a RST that
-- ends a long transfer. iptables mode drops such packets where nodes forward; ipvs and nftables
-- modes don't.
scenario {
  name = "a segment outside the window on its way to the client",
  refs = { "CTK-11", "#74839" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
]]
local cli, server = pod { name = "cli", node = "a" }, pod "server"

-- A segment far beyond the window of the connection whose SYN, ACK was captured last.
local function stray(server, client)
  local seq, ack
  for _, line in ipairs(capture(server.name):lines()) do
    local s, a = line:match("Flags %[S%.%], seq (%d+), ack (%d+)")
    seq, ack = s or seq, a or ack
  end
  local beyond = (tonumber(seq) + 0x10000000) & 0xffffffff
  server:inject { src = server:ip(), dst = client.ip, sport = 80, dport = client.port, flags = "P.", seq = beyond,
    ack = tonumber(ack), data = "stray" }
  wait "200ms"
end

it("is answered with a RST, unless the node drops it", function()
  settle()
  local connection = cli:open "svc/web:80"
  local port = connection.first.client.port
  stray(server, { ip = cli:ip(), port = port })
  capture("pod/server"):has "tcp and src port 80"
  local reset = ("tcp[tcpflags] & tcp-rst != 0 and src host %s and src port %d"):format(cli:ip(), port)
  by_dataplane {
    -- The client's connection ends at the proxy on its node: the segment belongs to nothing, and
    -- the INVALID drop of v1.15 and later is iptables mode's.
    userspace = function() capture("pod/cli"):has(reset) end,
    iptables = function() capture("pod/cli"):has_not(reset):has_not("tcp and src host " .. server:ip()) end,
    -- IPVS translates by its own entry, whatever conntrack thinks: the client asks back with an ACK.
    ipvs = function() capture("pod/cli"):has("tcp[20:4] = 0x73747261 and src host " .. ip "svc/web"):has_not(reset) end,
    default = function() capture("pod/cli"):has(reset):has("tcp and src host " .. server:ip()) end,
  }
end)

it("is counted by the rule that drops it", function()
  if dataplane ~= "iptables" then return end
  local dropped = tonumber(node("b"):dump("iptables-save", "filter")
    :match "%[(%d+):%d+%] %-A KUBE%-FORWARD %-m conntrack %-%-ctstate INVALID [^\n]*%-j DROP")
  expect(dropped):eq(1)
end)
