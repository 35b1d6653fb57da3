-- IPVS forgets a TCP connection that was idle for 900 s, and takes conntrack's entry along, although
-- that would last 24 hours: the client's next packet is answered with a RST.
scenario {
  name = "an idle connection in ipvs mode",
  refs = { "CHN-09", "#71358" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
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

it("is there after 890 s", function()
  settle()
  local connection = cli:open "10.96.0.80:80"
  wait "890s"
  expect(connection:request("/").backend):eq "default/server"
end)

it("is reset after 1100 s", function()
  local connection = cli:open "10.96.0.80:80"
  connection:request "/"
  expect(node("a"):dump "conntrack"):matches "ESTABLISHED src=[%d.]+ dst=10.96.0.80 "
  wait "1100s" -- far timers fire late
  expect(node("a"):dump "conntrack"):never():matches "ESTABLISHED src=[%d.]+ dst=10.96.0.80 "
  expect(connection:request("/").error):eq "ECONNRESET"
end)
