-- A UDP client is held to its server while it sends: its entry lasts 300 s from the last datagram.
-- It counts as inactive in ipvsadm's list.
scenario {
  name = "UDP in ipvs mode",
  refs = { "CHN-04", "NEP-04" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
for i = 1, 2 do
  pod { name = "server-" .. i, node = "b", labels = { app = "echo" }, ports = { { port = 53, protocol = "UDP" } } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: echo
spec:
  clusterIP: 10.96.0.53
  selector: {app: echo}
  ports:
  - {name: echo, port: 53, protocol: UDP}
  - {name: closed, port: 54, protocol: UDP}
---
apiVersion: v1
kind: Service
metadata:
  name: empty
spec:
  clusterIP: 10.96.0.54
  selector: {app: none}
  ports:
  - {port: 53, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }
local function ask() return cli:send("10.96.0.53:53", "x", { from_port = 40053 }).backend end

it("keeps a client's server while it sends", function()
  settle()
  local first = ask()
  for _ = 1, 3 do expect(ask()):eq(first) end
  expect(node("a"):dump "ipvsadm"):matches("Masq    1      0          1")
  expect(node("a"):dump "ipvsadm-connections"):matches("UDP 0?[45]:%d%d  UDP         " .. cli:ip():gsub("%.", "%%.") .. ":40053")
end)

it("takes the next one after 300 s without a datagram", function()
  local first = ask()
  wait "330s"
  expect(ask()):never():eq(first)
end)

it("tells the client that a server's port is closed, in the virtual server's name", function()
  expect(cli:send("10.96.0.53:54").error):eq "ECONNREFUSED"
  capture("pod/cli"):has "icmp[0] = 3 and icmp[1] = 3 and src host 10.96.0.53"
end)

it("tells the client that there is no server", function()
  expect(cli:send("10.96.0.54:53").error):eq "ECONNREFUSED"
end)
