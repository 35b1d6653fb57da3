-- A UDP client has a socket of kube-proxy's of its own toward its backend, until nothing passed for
-- udpIdleTimeout (250 ms by default). Of a datagram the first 4096 bytes are passed on.
scenario {
  name = "UDP sessions of the userspace proxy",
  refs = { "USR-05" },
  nodes = { "a", "b" },
  dataplanes = { "userspace" },
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
  - {port: 53, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }
local function ask(port) return cli:send("10.96.0.53:53", "x", { from_port = port }) end

it("keep backend and socket while datagrams come", function()
  settle()
  local first = ask(40001)
  expect(first.seen.ip):never():eq(cli:ip())
  for _ = 1, 3 do
    local again = ask(40001)
    expect(again.backend):eq(first.backend)
    expect(again.seen.port):eq(first.seen.port)
  end
end)

it("are another one for another port of the client, with the next backend", function()
  local one, two = ask(40002), ask(40003)
  expect(two.seen.port):never():eq(one.seen.port)
  expect(two.backend):never():eq(one.backend)
end)

it("end after the idle time: the next datagram begins a new one", function()
  local first = ask(40004)
  wait "600ms"
  local next_one = ask(40004)
  expect(next_one.backend):never():eq(first.backend)
end)

it("cut long datagrams", function()
  cli:send("10.96.0.53:53", ("x"):rep(4500), { from_port = 40005 })
  capture("pod/cli"):has "udp and dst host 10.96.0.53 and (udp[4:2] = 4508 or ip[6:2] & 0x2000 != 0)"
  expect(node("a"):counters().copied):at_least(4096)
end)
