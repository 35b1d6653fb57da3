-- route_localnet lets a neighbour on the LAN send to 127.0.0.1 of the node. Where kube-proxy sets
-- it, it also drops what comes for 127/8 from elsewhere.
scenario {
  name = "a packet for the node's loopback from the LAN",
  refs = { "NPT-08", "#90259" },
  nodes = { "a", "b" },
}
pod { name = "private", node = "a", host_network = true, ports = { 9999 } }
local a = node "a"

local function knock(port)
  a:inject({ src = "192.168.0.100", dst = "127.0.0.1", sport = 40000 + port, dport = port, flags = "S" }, "eth0")
  wait "200ms"
end

it("gets no answer", function()
  settle()
  outside("192.168.0.100"):ping "node/a" -- they are neighbours
  knock(9999)
  capture("node/a:eth0"):has("tcp and dst host 127.0.0.1 and dst port 9999"):has_not "tcp and src port 9999"
end)

it("is dropped by kube-proxy's rule in iptables mode", function()
  if dataplane ~= "iptables" then return end
  local function dropped()
    return tonumber(a:dump("iptables-save", "filter"):match "%[(%d+):%d+%] %-A KUBE%-FIREWALL ! %-s 127.0.0.0/8")
  end
  local before = dropped()
  knock(9998)
  expect(dropped()):eq(before + 1)
end)

it("would be answered without the rule", function()
  if dataplane ~= "iptables" then return end
  a:run "iptables -F KUBE-FIREWALL"
  knock(9999)
  capture("node/a:eth0"):has "tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack) and src port 9999"
end)
