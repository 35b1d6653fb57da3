-- strictARP: kube-proxy in ipvs mode tells the kernel to answer for addresses of the asked
-- interface only, as MetalLB needs it: kube-ipvs0's are nobody's on the LAN then.
scenario {
  name = "strictARP",
  refs = { "LBR-11" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  kube_proxy = "ipvs:\n  strictARP: true\n",
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

it("sets the sysctls, and no node answers", function()
  settle()
  expect(node("a"):sysctl "net.ipv4.conf.all.arp_ignore"):eq(1)
  expect(node("a"):sysctl "net.ipv4.conf.all.arp_announce"):eq(2)
  expect(outside("192.168.0.100"):request("192.168.0.200:80").error):eq "EHOSTUNREACH"
end)
