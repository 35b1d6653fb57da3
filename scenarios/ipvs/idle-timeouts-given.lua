-- kube-proxy's ipvs.tcpTimeout, tcpFinTimeout and udpTimeout are IPVS's, as `ipvsadm --set` sets them.
scenario {
  name = "IPVS's timeouts from kube-proxy's configuration",
  refs = { "CHN-09" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {tcpTimeout: 30s, tcpFinTimeout: 5s, udpTimeout: 10s}",
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80, { port = 53, protocol = "UDP" } } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - {name: http, port: 80}
  - {name: dns, port: 53, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }
local function entries() return node("a"):dump "ipvsadm-connections" end

it("are counted down from there", function()
  settle()
  local connection = cli:open "10.96.0.80:80"
  connection:request "/"
  expect(entries()):matches "TCP 00:[23]%d  ESTABLISHED [%d.:]+ +10.96.0.80:80 "
  cli:send "10.96.0.80:53"
  expect(entries()):matches "UDP 00:[01]%d  UDP  "
  wait "12s"
  expect(entries()):never():contains "UDP  "
  wait "24s"
  expect(connection:request("/").error):eq "ECONNRESET"
end)
