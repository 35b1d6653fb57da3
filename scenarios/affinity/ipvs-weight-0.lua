-- A server that is on its way out has weight 0. A client that is pinned to it gets another with its
-- next connection, because kube-proxy sets expire_quiescent_template; with 0 it would be stuck for
-- the whole timeout, three hours by default.
scenario {
  name = "a persistent client of a server with weight 0",
  refs = { "AFF-12", "#71809" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
]]
local clients = { pod { name = "cli-1", node = "a" }, pod { name = "cli-2", node = "a" } }
local function weight(backend, w)
  node("a"):run(("ipvsadm -e -t 10.96.0.80:80 -r %s:80 -m -w %d"):format(ip(backend:match "/(.+)$"), w))
end

it("is a sysctl that kube-proxy sets", function()
  settle()
  expect(node("a"):sysctl "net.ipv4.vs.expire_quiescent_template"):eq(1)
end)

it("takes another server", function()
  local first = clients[1]:request("svc/sticky:80").backend
  weight(first, 0)
  expect(clients[1]:request("svc/sticky:80").backend):never():eq(first)
  weight(first, 1)
end)

it("is stuck without the sysctl, until the server is deleted", function()
  node("a"):sysctl("net.ipv4.vs.expire_quiescent_template", 0)
  local first = clients[2]:request("svc/sticky:80").backend
  weight(first, 0)
  for _ = 1, 4 do expect(clients[2]:request("svc/sticky:80").backend):eq(first) end
  node("a"):run(("ipvsadm -d -t 10.96.0.80:80 -r %s:80"):format(ip(first:match "/(.+)$")))
  expect(clients[2]:request("svc/sticky:80").backend):never():eq(first)
end)
