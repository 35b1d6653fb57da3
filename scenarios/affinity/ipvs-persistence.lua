-- In ipvs mode affinity is IPVS's persistence, with its timeout and a mask of 32 bits. It outlives
-- the timeout: a template with connections is re-armed by the minute, and a closed connection counts
-- for the two minutes of its TIME_WAIT.
scenario {
  name = "persistence in ipvs mode",
  refs = { "AFF-06", "AFF-07", "#89358" },
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
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }
local function template() return node("a"):dump("ipvsadm-connections"):match("[^\n]*" .. cli:ip() .. ":0 [^\n]*") end

it("is printed with its timeout", function()
  settle()
  expect(node("a"):dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr persistent 5\n"
end)

it("keeps a template of the client, one for the virtual server", function()
  local first = cli:request("svc/sticky:80").backend
  expect(template()):contains(cli:ip() .. ":0")
  expect(template()):contains "10.96.0.80:80"
  for _ = 1, 6 do expect(cli:request("svc/sticky:80").backend):eq(first) end
end)

it("is still there after 30 s, when the connections are in TIME_WAIT", function()
  local first = cli:request("svc/sticky:80").backend
  wait "30s"
  for _ = 1, 3 do expect(cli:request("svc/sticky:80").backend):eq(first) end
end)

it("is gone after three minutes and a half", function()
  wait "210s"
  expect(template()):is_nil()
end)
