-- A load balancer that ends connections stands in front of the nodes: it dials node ports of
-- nodes that pass its health check, so with policy Local only those with endpoints. Servers see
-- its address, not the client's. ipMode Proxy sends the cluster's own clients there too.
scenario {
  name = "a proxying load balancer in front",
  refs = { "LBR-02", "HCK-02", "HCK-03" },
  nodes = { "a", "b", "c" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
local server = pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  loadBalancerClass: svclab.dev/proxy
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80}]
]]
wait "3s" -- the address is given after two
local vip = get("service/web").status.loadBalancer.ingress[1]
local client = outside "198.51.100.1"

it("has ipMode Proxy in the status", function() expect(vip.ipMode):eq "Proxy" end)

it("reaches the one node that has an endpoint, every time", function()
  for _ = 1, 3 do
    local result = client:request(vip.ip .. ":80")
    expect(result.backend):eq "default/server"
    expect(result.seen.ip):eq "192.168.0.253" -- policy Local: the balancer's own address
  end
  capture("node/a:eth0"):has_not("tcp port " .. node_port "web")
end)

it("is where a node's own programs go", function()
  expect(node("c"):request(vip.ip .. ":80").seen.ip):eq "192.168.0.253"
  capture("node/c:eth0"):has("dst host " .. vip.ip)
end)

it("resets clients when no node is healthy: three failed checks, eight seconds apart", function()
  server:fail_readiness()
  wait "30s"
  expect(client:request(vip.ip .. ":80").error):eq "ECONNRESET"
end)
