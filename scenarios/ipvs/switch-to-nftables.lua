-- nftables mode cleans up at its start: virtual servers, addresses, sets and chains of ipvs mode go.
scenario {
  name = "from ipvs mode to nftables mode",
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

it("leaves nothing of ipvs mode behind", function()
  settle()
  expect(a:dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr\n"
  switch_mode "nftables"
  settle()
  expect(a:dump "ipvsadm"):never():contains "10.96.0.80:80"
  expect(a:dump "addr"):never():contains "kube-ipvs0"
  expect(a:dump "ipset"):never():contains "KUBE-"
  expect(a:dump "iptables-save"):never():contains "KUBE-"
  expect(a:dump "nft"):contains "table ip kube-proxy"
end)

it("serves as before, and the ClusterIP is no address of the node", function()
  expect(cli:request("10.96.0.80:80").backend):eq "default/server"
  expect(cli:ping("10.96.0.80").received):eq(0)
end)
