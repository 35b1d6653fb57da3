-- Connections through a ClusterIP to three pods on one node, from another pod, from the node
-- itself and from a host outside that has a route: small enough to be captured whole and
-- compared packet by packet with real Linux (tests/captures).
scenario {
  name = "through a ClusterIP, packet by packet",
  refs = { "CIP-02", "CIP-06", "CIP-08" },
  nodes = { "a" },
  no_dns = true,
}
for i = 1, 3 do
  pod { name = "web-" .. i, node = "a", labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }
local client = outside "192.168.0.100"

-- Real neighbours are asked for by ARP; the first packet to one that is not known yet takes
-- another way through the bridge than the rest. So they are known beforehand.
settle()
for i = 1, 3 do node("a"):ping(ip("web-" .. i)) end
node("a"):ping(ip "cli")
client:ping "node/a"

it("answers a pod", function()
  for i = 1, 3 do
    expect(cli:request("svc/web:80", { from_port = 40000 + i }).backend):matches "^default/web%-"
  end
end)

it("answers the node", function()
  expect(node("a"):request("svc/web:80", { from_port = 40010 }).backend):matches "^default/web%-"
end)

it("answers a host outside that sends it to the node", function()
  expect(client:request("10.96.0.100:80", { from_port = 40020 }).backend):matches "^default/web%-"
end)
