-- A real server that leaves while it has connections gets weight 0: they go on, new ones go elsewhere.
-- kube-proxy looks again every minute and removes it when the last connection, TIME_WAIT included, is
-- over. Coming back before that, it is removed and added anew, and has its connections again.
scenario {
  name = "graceful termination in ipvs mode",
  refs = { "CHN-03", "CHN-05", "#57841", "#84322" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
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
local function listed(backend) -- "WEIGHT ACTIVE INACTIVE"
  local address = ip(backend:match "/(.+)$"):gsub("%.", "%%.")
  local w, active, inactive = node("a"):dump("ipvsadm"):match(address .. ":80%s+Masq%s+(%d+)%s+(%d+)%s+(%d+)")
  return w and w .. " " .. active .. " " .. inactive
end
local function leave(backend) server(backend:match "%d+$", "gone") settle() end
local connection, backend

it("sets weight 0, while the connection goes on", function()
  settle()
  connection = cli:open "10.96.0.80:80"
  backend = connection:request("/").backend
  leave(backend)
  expect(listed(backend)):eq "0 1 0"
  expect(connection:request("/").backend):eq(backend)
  for _ = 1, 3 do expect(cli:request("10.96.0.80:80").backend):never():eq(backend) end
end)

it("has no upper limit of time", function()
  wait "200s"
  expect(listed(backend)):eq "0 1 0"
end)

it("removes it within a minute after TIME_WAIT", function()
  connection:close()
  wait "100s"
  expect(listed(backend)):eq "0 0 1"
  wait "90s"
  expect(listed(backend)):is_nil()
end)

it("adds it anew with weight 1 when its endpoint is back meanwhile", function()
  server(backend:match "%d+$", "web")
  settle()
  local again
  repeat
    again = cli:open "10.96.0.80:80"
  until again:request("/").backend == backend
  leave(backend)
  expect(listed(backend)):matches "^0 1"
  server(backend:match "%d+$", "web")
  settle()
  expect(listed(backend)):matches "^1 1"
  expect(again:request("/").backend):eq(backend)
end)
