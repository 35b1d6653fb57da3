-- A load balancer that passes packets on: the destination stays its address and servers see the
-- client with policy Local. Its health check, the Service's health check node port, keeps it from
-- nodes without endpoints; when a pod moves, it follows within a few checks.
scenario {
  name = "a passthrough load balancer in front",
  refs = { "HCK-01", "HCK-02", "LBR-03", "POL-03" },
  nodes = { "a", "b", "c" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  loadBalancerClass: svclab.dev/passthrough
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80}]
]]
wait "3s" -- the address is given after two
local vip = get("service/web").status.loadBalancer.ingress[1]
local client = outside "198.51.100.1"

it("sends every client to the node with the endpoint; the server sees the client", function()
  expect(vip.ipMode):eq "VIP"
  for i = 1, 4 do
    local result = outside("198.51.100." .. i):request(vip.ip .. ":80")
    expect(result.backend):eq "default/server"
    expect(result.seen.ip):eq("198.51.100." .. i)
  end
  capture("node/b:eth0"):has("dst host " .. vip.ip)
  capture("node/a:eth0"):has_not("dst host " .. vip.ip)
end)

it("follows the endpoint to another node", function()
  delete("pod/server")
  pod { name = "server", node = "c", labels = { app = "web" }, ports = { 80 } }
  wait "30s" -- three failures of b
  expect(client:request(vip.ip .. ":80").seen.ip):eq "198.51.100.1"
  capture("node/c:eth0"):has("dst host " .. vip.ip)
end)
