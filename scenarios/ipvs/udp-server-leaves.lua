-- A UDP server that leaves is removed at once, whatever it serves; kube-proxy sets expire_nodest_conn
-- and deletes its conntrack entries, so that the client's next datagram goes to another server.
scenario {
  name = "a UDP server leaves, ipvs mode",
  refs = { "CHN-04", "CTK-02" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
local function server(i, app)
  return pod { name = "server-" .. i, node = "b", labels = { app = app }, ports = { { port = 53, protocol = "UDP" } } }
end
for i = 1, 2 do server(i, "echo") end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: echo
spec:
  clusterIP: 10.96.0.53
  selector: {app: echo}
  ports:
  - {port: 53, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }
local function ask() return cli:send("10.96.0.53:53", "x", { from_port = 40053 }).backend end

it("is removed at once, and the client has another one", function()
  settle()
  expect(node("a"):sysctl "net.ipv4.vs.expire_nodest_conn"):eq(1)
  local first = ask()
  expect(ask()):eq(first)
  server(first:match "%d+$", "gone")
  settle()
  expect(node("a"):dump "ipvsadm"):never():contains(ip(first:match "/(.+)$") .. ":53")
  expect(ask()):matches "^default/server%-%d$"
  expect(ask()):never():eq(first)
end)
