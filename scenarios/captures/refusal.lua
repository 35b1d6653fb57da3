-- A Service without endpoints refuses: the ICMP error, and what of the packet it quotes, on its
-- way to a pod, to a host outside and to the node itself; compared with real Linux packet by
-- packet (tests/captures).
scenario {
  name = "no endpoints, packet by packet",
  refs = { "NEP-01", "NEP-02", "NEP-03", "NEP-05" },
  nodes = { "a" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: none
spec:
  type: NodePort
  clusterIP: 10.96.0.100
  selector: {app: none}
  ports:
  - {name: web, port: 80, nodePort: 30080}
  - {name: dns, port: 53, nodePort: 30053, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }
local client = outside "192.168.0.100"

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("a"):ping(ip "cli")
client:ping "node/a"

it("refuses a pod's connection and datagram", function()
  expect(cli:connect("svc/none:80", { from_port = 40001 }).error):eq "ECONNREFUSED"
  expect(cli:send("svc/none:53", "who is there?", { from_port = 40002 }).error):eq "ECONNREFUSED"
end)

it("refuses a host outside at the node port", function()
  expect(client:connect("node/a:30080", { from_port = 40003 }).error):eq "ECONNREFUSED"
  expect(client:send("node/a:30053", "who is there?", { from_port = 40004 }).error):eq "ECONNREFUSED"
end)

it("refuses the node itself", function()
  expect(node("a"):connect("svc/none:80", { from_port = 40005 }).error):eq "ECONNREFUSED"
end)
