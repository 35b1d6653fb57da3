-- externalTrafficPolicy: Local: the pod sees the client's own address, and a node without a pod
-- is silent; compared with real Linux packet by packet (tests/captures).
scenario {
  name = "traffic policy Local, packet by packet",
  refs = { "POL-01", "POL-02", "POL-03" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
pod { name = "web", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  clusterIP: 10.96.0.100
  externalTrafficPolicy: Local
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local client = outside "192.168.0.100"

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("b"):ping(ip "web")
client:ping "node/a"
client:ping "node/b"

it("keeps the client's address", function()
  local result = client:request("node/b:30080", { from_port = 40001 })
  expect(result.seen):eq { ip = "192.168.0.100", port = 40001 }
end)

it("is silent on a node without a pod", function()
  local result = client:connect("node/a:30080", { from_port = 40002, timeout = "1.5s" })
  expect(result.error):eq "ETIMEDOUT"
end)
