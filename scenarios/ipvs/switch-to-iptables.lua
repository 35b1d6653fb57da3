-- The mode is switched by editing kube-proxy's ConfigMap and deleting its pods. From ipvs to iptables
-- everything stays behind: kube-ipvs0 with its addresses, virtual servers, sets and chains. Traffic
-- goes by the new rules, yet a deleted Service is still served by what nobody looks after.
scenario {
  name = "leftovers of ipvs mode",
  refs = { "SYN-10" },
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
local a = node "a"

it("are there after the switch to iptables", function()
  settle()
  switch_mode "iptables"
  settle()
  expect(a:dump("iptables-save", "nat")):contains 'KUBE-SVC-'
  expect(a:dump("addr", "kube-ipvs0")):contains "10.96.0.80/32"
  expect(a:dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr\n"
  expect(a:dump "ipset"):contains "create KUBE-CLUSTER-IP hash:ip,port"
  expect(cli:request("10.96.0.80:80").backend):eq "default/server"
end)

it("serve a Service that is gone", function()
  delete "service/web"
  settle()
  expect(a:dump("iptables-save", "nat")):never():contains "10.96.0.80/32"
  expect(cli:request("10.96.0.80:80").backend):eq "default/server"
end)
