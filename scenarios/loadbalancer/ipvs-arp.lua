-- A load balancer's address within the LAN: as it is on kube-ipvs0 of every node, any node answers
-- for it by ARP, unless strictARP is set. In the other modes no node does; something else has to
-- attract the packets.
scenario {
  name = "ARP for a load balancer's address",
  refs = { "LBR-11" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  loadBalancerIP: 192.168.0.200
  selector: {app: web}
  ports:
  - port: 80
]]

it("is answered in ipvs mode only", function()
  settle()
  local result = outside("192.168.0.100"):request "192.168.0.200:80"
  by_dataplane {
    ipvs = function() expect(result.backend):eq "default/server" end,
    default = function() expect(result.error):eq "EHOSTUNREACH" end,
  }
end)

it("is not answered with the sysctls of strictARP", function()
  for _, name in ipairs { "a", "b" } do
    node(name):sysctl("net.ipv4.conf.all.arp_ignore", 1)
    node(name):sysctl("net.ipv4.conf.all.arp_announce", 2)
  end
  expect(outside("192.168.0.101"):request("192.168.0.200:80").error):eq "EHOSTUNREACH"
end)
