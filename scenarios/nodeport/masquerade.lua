-- Policy Cluster masquerades whatever comes to a node port, from outside, from pods of the node and
-- from pods of others; the source port becomes a random one.
scenario {
  name = "a node port is masqueraded",
  refs = { "NPT-09", "NPT-10" },
  nodes = { "a", "b" },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local cli_a, cli_b = pod { name = "cli-a", node = "a" }, pod { name = "cli-b", node = "b" }
local client = outside "192.168.0.100"

it("shows the servers the node's addresses, whoever asks", function()
  settle()
  for _, from in ipairs { client, cli_a, cli_b } do
    local seen = {}
    for _ = 1, 16 do
      local result = from:request "node/a:30080"
      expect(result.error):is_nil()
      seen[result.backend] = result.seen.ip
    end
    expect(seen):eq { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" }
  end
end)

it("takes source ports at random", function()
  if dataplane == "userspace" then return end -- the ports of its proxy's own sockets
  local low, high, kept = 0, 0, 0
  for i = 1, 40 do
    local result = client:request("node/a:30080", { from_port = 50000 + i })
    if result.seen.port == 50000 + i then kept = kept + 1 end
    if result.seen.port < 32768 then low = low + 1 else high = high + 1 end
    expect(result.seen.port):between(1024, 65535)
  end
  expect(kept):at_most(2)
  expect(low):at_least(5) -- 1024 to 65535, evenly
  expect(high):at_least(5)
end)
