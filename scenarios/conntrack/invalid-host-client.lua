-- The rule that drops INVALID packets stands in FORWARD only: a client in the node's own network gets
-- them, and its RST ends the connection, in iptables mode, too.
scenario {
  name = "a segment outside the window for a client of the host's network",
  refs = { "CTK-12", "#117924" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode's clients talk to the proxy
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
]]
local host, server = node "a", pod "server"

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

it("is answered with a RST in every mode", function()
  settle()
  local connection = host:open "svc/web:80"
  local client = connection.first.seen
  stray(server, client)
  capture("pod/server"):has("tcp[tcpflags] & tcp-rst != 0 and dst port 80 and src host " .. client.ip)
end)
