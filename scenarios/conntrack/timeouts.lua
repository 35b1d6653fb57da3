-- How long entries last: 30 s for a UDP datagram without answer (and a flow's first two seconds), 120 s for a
-- stream; 120 s for a SYN, and after a connection's end; 30 s for a ping.
scenario {
  name = "timeouts of conntrack entries",
  refs = { "CTK-14" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode's clients end at the proxy
}
pod { name = "server", node = "b", ports = { 80, { port = 53, protocol = "UDP" } } }
local cli = pod { name = "cli", node = "a" }
local function left(pattern)
  return tonumber(node("a"):dump("conntrack"):match(pattern .. "[^\n]*src=" .. cli:ip() .. " dst=" .. ip "server"))
end

it("are short for UDP until it is a stream", function()
  settle()
  local function datagram() cli:request("pod/server:53", { proto = "udp", from_port = 4000 }) end
  datagram()
  expect(left "udp +17 (%d+)"):between(28, 30)
  wait "2500ms"
  datagram()
  datagram()
  expect(left "udp +17 (%d+)"):between(118, 120)
end)

it("are kube-proxy's day for an open TCP connection, then two minutes", function()
  local connection = cli:open "pod/server:80"
  wait "200ms" -- unacknowledged data would make it five minutes
  expect(left "tcp +6 (%d+) ESTABLISHED"):between(86395, 86400)
  connection:close()
  wait "200ms"
  expect(left "tcp +6 (%d+) TIME_WAIT"):between(117, 120)
end)

it("are two minutes for a SYN without answer, half a minute for a ping", function()
  node("b"):run("iptables -t mangle -A FORWARD -p tcp --dport 81 -j DROP")
  cli:connect("pod/server:81", { timeout = "300ms" })
  expect(left "tcp +6 (%d+) SYN_SENT"):between(117, 120)
  cli:ping "pod/server"
  expect(left "icmp +1 (%d+)"):between(28, 30)
end)

it("are ten seconds after a RST", function()
  cli:open("pod/server:80", { from_port = 4001 }):reset()
  wait "200ms"
  expect(tonumber(node("a"):dump("conntrack"):match "tcp +6 (%d+) CLOSE src=[%d.]+ dst=[%d.]+ sport=4001 ")):between(7, 10)
end)
