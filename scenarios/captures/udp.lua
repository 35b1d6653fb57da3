-- Datagrams through a ClusterIP, a conversation each: the answers come from the ClusterIP;
-- compared with real Linux packet by packet (tests/captures).
scenario {
  name = "datagrams through a ClusterIP, packet by packet",
  refs = { "CIP-02", "CIP-08" },
  nodes = { "a" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
for i = 1, 2 do
  pod { name = "echo-" .. i, node = "a", labels = { app = "echo" }, ports = { { port = 7000, protocol = "UDP" } } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: echo
spec:
  clusterIP: 10.96.0.100
  selector: {app: echo}
  ports:
  - {port: 7, targetPort: 7000, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
for i = 1, 2 do node("a"):ping(ip("echo-" .. i)) end
node("a"):ping(ip "cli")

it("answers a pod", function()
  for i = 1, 2 do
    expect(cli:send("svc/echo:7", "hello " .. i, { from_port = 40000 + i }).backend):matches "^default/echo%-"
  end
end)

it("answers the node", function()
  expect(node("a"):send("svc/echo:7", "hello", { from_port = 40010 }).backend):matches "^default/echo%-"
end)
