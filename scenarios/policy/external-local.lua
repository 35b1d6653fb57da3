-- externalTrafficPolicy: Local keeps the client's address; a node without an endpoint
-- does not serve the NodePort.
scenario {
  name = "externalTrafficPolicy Local keeps the source, and drops where no endpoint is",
  refs = { "POL-01", "POL-02", "POL-03", "NPT-09" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: v1
kind: Pod
metadata:
  name: server
  labels: {app: local}
spec:
  nodeName: a
  containers:
  - name: main
    image: nginx:1.27
    ports:
    - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: local
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {app: local}
  ports:
  - port: 80
    nodePort: 30080
---
apiVersion: v1
kind: Service
metadata:
  name: cluster
spec:
  type: NodePort
  selector: {app: local}
  ports:
  - port: 80
    nodePort: 30081
]]
local client = outside "192.168.0.100"

it("shows the server the client's own address", function()
  settle()
  local result = client:request "node/a:30080"
  expect(result.backend):eq "default/server"
  by_dataplane {
    userspace = function() expect(result.seen.ip):never():eq "192.168.0.100" end,
    default = function() expect(result.seen.ip):eq "192.168.0.100" end,
  }
end)

it("masquerades with policy Cluster", function()
  local result = client:request "node/a:30081"
  expect(result.backend):eq "default/server"
  expect(result.seen.ip):never():eq "192.168.0.100"
end)

it("serves policy Cluster on the node without the pod, too", function()
  expect(client:request("node/b:30081").backend):eq "default/server"
end)

it("gives no answer on a node without an endpoint", function()
  local result = client:connect("node/b:30080", { timeout = "4s" })
  by_dataplane {
    -- userspace knows no traffic policies
    userspace = function() expect(result.error):is_nil() end,
    default = function() expect(result.error):eq "ETIMEDOUT" end,
  }
end)
