-- masqueradeAll is about ClusterIPs: no server sees a pod's address there any more. It is not "all":
-- policy Local keeps its clients' addresses.
scenario {
  name = "masqueradeAll",
  refs = { "MSQ-06", "POL-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_proxy = "iptables:\n  masqueradeAll: true\nnftables:\n  masqueradeAll: true\n",
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
  externalTrafficPolicy: Local
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local cli, client = pod { name = "cli", node = "a" }, outside "192.168.0.100"

it("masquerades pods at the ClusterIP", function()
  settle()
  local seen = {}
  for _ = 1, 16 do
    local result = cli:request "svc/web:80"
    seen[result.backend] = result.seen.ip
  end
  expect(seen):eq { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" }
end)

it("leaves clients from outside alone under policy Local", function()
  expect(client:request("node/a:30080").seen.ip):eq "192.168.0.100"
end)

it("leaves pods of the node alone there", function()
  for _ = 1, 8 do expect(cli:request("node/a:30080").seen.ip):eq(cli:ip()) end
end)
