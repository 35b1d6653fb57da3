-- With conntrack.tcpBeLiberal no segment is INVALID for its sequence numbers: it is translated like
-- the rest, the client ignores it, and iptables mode has no rule that drops INVALID packets, which
-- spares connections whose packets take different ways out and back.
scenario {
  name = "conntrack.tcpBeLiberal",
  refs = { "CTK-11", "#94861" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- an option of v1.29
  kube_proxy = "conntrack: {tcpBeLiberal: true}",
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

it("sets the sysctl and leaves out the rule", function()
  settle()
  expect(node("b"):sysctl "net.netfilter.nf_conntrack_tcp_be_liberal"):eq(1)
  expect(node("b"):rules "iptables"):never():contains "INVALID"
end)

it("translates a segment outside the window back", function()
  local connection = cli:open "svc/web:80"
  stray(server, { ip = cli:ip(), port = connection.first.client.port })
  capture("pod/cli"):has_not("tcp and src host " .. server:ip()):has_not "tcp[tcpflags] & tcp-rst != 0"
  expect(connection:request("/").error):is_nil()
end)
