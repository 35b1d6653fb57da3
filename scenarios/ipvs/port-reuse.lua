-- A client that uses a source port again while its old connection is in TIME_WAIT: with
-- conn_reuse_mode 0 it gets the same server, unless that has weight 0; with 1 (the default) and 2
-- it is a new connection, which the scheduler places. kube-proxy sets 0 on kernels before 5.9 only.
scenario {
  name = "a source port used again within TIME_WAIT",
  refs = { "CHN-06", "#81775" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
for i = 1, 3 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
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
local port = 40000
local function twice(between)
  port = port + 1
  local first = cli:request("10.96.0.80:80", { from_port = port }).backend
  wait "100ms" -- until the old one is in TIME_WAIT
  if between then between(first) end
  local r = cli:request("10.96.0.80:80", { from_port = port })
  return first, r.backend or r.error
end
local function mode(value) node("a"):sysctl("net.ipv4.vs.conn_reuse_mode", value) end

it("is left at 1 by kube-proxy", function()
  settle()
  expect(node("a"):sysctl "net.ipv4.vs.conn_reuse_mode"):eq(1)
end)

it("keeps the server with conn_reuse_mode 0", function()
  mode(0)
  for _ = 1, 4 do
    local first, second = twice()
    expect(second):eq(first)
  end
end)

for _, value in ipairs { 1, 2 } do
  it("takes the scheduler's next server with conn_reuse_mode " .. value, function()
    mode(value)
    for _ = 1, 4 do
      local first, second = twice()
      expect(second):matches "^default/server%-%d$"
      expect(second):never():eq(first)
    end
  end)
end

it("takes another server with conn_reuse_mode 0 when the old one has weight 0", function()
  mode(0)
  local function weight(backend, w)
    node("a"):run(("ipvsadm -e -t 10.96.0.80:80 -r %s:80 -m -w %d"):format(ip(backend:match "/(.+)$"), w))
  end
  local first, second = twice(function(backend) weight(backend, 0) end)
  expect(second):matches "^default/server%-%d$"
  expect(second):never():eq(first)
  weight(first, 1)
end)
