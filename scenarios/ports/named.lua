-- A target port given by name is looked up in each pod: in its containers, then in the init containers
-- that keep running. The protocol must be the Service port's.
scenario {
  name = "a target port by name",
  refs = { "PRT-01" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: v1
kind: Pod
metadata: {name: sidecar, labels: {app: web}}
spec:
  nodeName: b
  initContainers:
  - name: proxy
    image: envoyproxy/envoy:v1.31.0
    restartPolicy: Always
    ports: [{name: http, containerPort: 15006}]
  containers:
  - name: main
    image: nginx:1.27
---
apiVersion: v1
kind: Pod
metadata: {name: both, labels: {app: web}}
spec:
  nodeName: b
  initContainers:
  - name: proxy
    image: envoyproxy/envoy:v1.31.0
    restartPolicy: Always
    ports: [{name: http, containerPort: 15006}]
  containers:
  - name: main
    image: nginx:1.27
    ports: [{name: http, containerPort: 8080, protocol: UDP}]
  - name: second
    image: nginx:1.27
    ports: [{name: http, containerPort: 8081}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
]]
local cli = pod { name = "cli", node = "a" }

it("is found in containers before init containers, by name and protocol", function()
  eventually("60s", function() expect(#endpoints "web"):eq(2) end)
  expect(endpoints "web"):same_set { ip "sidecar" .. ":15006", ip "both" .. ":8081" }
end)

it("is where connections arrive", function()
  settle()
  local ports = {}
  for _ = 1, 24 do
    local result = cli:request "svc/web:80"
    ports[result.backend] = result.backend_port
  end
  expect(ports):eq { ["default/sidecar"] = 15006, ["default/both"] = 8081 }
end)
