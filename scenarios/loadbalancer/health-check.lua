-- A load balancer's health check of policy Local: 200 with the number of ready endpoints on the
-- node, in the exact form that load balancers parse; 503 where there is none.
scenario {
  name = "healthCheckNodePort",
  refs = { "HCK-02", "HCK-03", "HCK-04" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "a", labels = { app = "web" }, ports = { 80, 81 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  healthCheckNodePort: 31000
  selector: {app: web}
  ports:
  - {name: one, port: 80}
  - {name: two, port: 81}
]]
local client = outside "192.168.0.100"

it("says 200 on the node that has endpoints, counting pods, not ports", function()
  settle()
  local result = client:request "node/a:31000"
  expect(result.status):eq(200)
  expect(result.head):contains "Content-Type: application/json\r\n"
  expect(result.head):contains "X-Content-Type-Options: nosniff\r\n"
  expect(result.head):contains "X-Load-Balancing-Endpoint-Weight: 2\r\n"
  -- As kube-proxy's text template has it, tabs and all (pkg/proxy/healthcheck/service_health.go).
  expect(result.body):eq('{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "web"\n\t},\n'
    .. '\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}')
end)

it("says 503 on the node that has none", function()
  local result = client:request "node/b:31000"
  expect(result.status):eq(503)
  expect(result.head):contains "X-Load-Balancing-Endpoint-Weight: 0\r\n"
  expect(result.body):contains '"localEndpoints": 0'
end)
