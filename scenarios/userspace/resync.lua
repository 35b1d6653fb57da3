-- A change of endpoints touches no rule and no connection: what is open goes on, also to an endpoint
-- that left. It ends with the kube-proxy that carries it.
scenario {
  name = "connections through the userspace proxy",
  refs = { "USR-01", "CHN-01" },
  nodes = { "a", "b" },
  dataplanes = { "userspace" },
  no_dns = true,
}
local function server(i, app) return pod { name = "server-" .. i, node = "b", labels = { app = app }, ports = { 80 } } end
for i = 1, 2 do server(i, "web") end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }
local connection, backend

it("goes on when its endpoint leaves, and new ones go elsewhere", function()
  settle()
  connection = cli:open "10.96.0.80:80"
  backend = connection:request("/").backend
  local rules = node("a"):dump("iptables-save", "nat")
  server(backend:match "%d+$", "gone")
  settle()
  expect(node("a"):dump("iptables-save", "nat")):eq(rules)
  expect(connection:request("/").backend):eq(backend)
  for _ = 1, 3 do expect(cli:request("10.96.0.80:80").backend):never():eq(backend) end
end)

it("ends when kube-proxy restarts", function()
  node("a"):restart_kube_proxy()
  settle()
  capture("pod/cli"):has "tcp[tcpflags] & (tcp-fin|tcp-rst) != 0 and src host 10.96.0.80"
  expect(cli:request("10.96.0.80:80").ok):is_true()
end)
