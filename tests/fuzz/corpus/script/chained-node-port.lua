-- A Service whose endpoints are the nodes' addresses and another Service's node port: a packet is
-- translated once a node, so that a client's own node is an endpoint where nobody listens, and
-- other nodes serve. Only a proxy process, which connects anew, can chain the two.
scenario {
  name = "a Service in front of a node port",
  refs = { "#28038" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: backend
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local cli = pod { name = "cli", node = "a" }
local function front(name, address)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s-1
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [{port: 30080}]
endpoints:
- addresses: [%s]
]]):format(name, name, name, address))
end
front("own", ip "node/a")
front("other", ip "node/b")

it("is served by another node", function()
  settle()
  expect(cli:request("svc/other:80").backend):eq "default/server"
end)

it("is refused by the client's own node, whose translation is over", function()
  local result = cli:request("svc/own:80", { timeout = "3s" })
  by_dataplane {
    userspace = function() expect(result.backend):eq "default/server" end,
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
end)
