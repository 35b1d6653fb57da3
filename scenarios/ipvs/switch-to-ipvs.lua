-- The tutorials' experiment: mode: "ipvs" in kube-proxy's ConfigMap, kube-proxy's pods deleted, and
-- `ipvsadm -Ln` lists the Services; three pods are met in turn. Chains of iptables mode stay behind,
-- without anything that leads into them.
scenario {
  name = "from iptables mode to ipvs mode",
  refs = { "SYN-10", "SEL-04" },
  nodes = { "a", "b" },
  dataplanes = { "iptables" },
  no_dns = true,
}
for i = 1, 3 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
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
a:dump "ipvsadm" -- a kernel without IPVS skips the scenario here

it("lists the Service with rr and its three pods", function()
  settle()
  expect(a:dump "ipvsadm"):never():contains "10.96.0.80"
  switch_mode "ipvs"
  settle()
  local text = a:dump "ipvsadm"
  expect(text):contains "TCP  10.96.0.80:80 rr\n"
  for i = 1, 3 do expect(text):contains(("  -> %-28s Masq    1      0          0"):format(ip("server-" .. i) .. ":80")) end
  expect(a:dump("addr", "kube-ipvs0")):contains "10.96.0.80/32"
end)

it("meets the pods in turn", function()
  local met = {}
  for i = 1, 9 do met[i] = cli:request("10.96.0.80:80").backend end
  for i = 1, 6 do expect(met[i + 3]):eq(met[i]) end
  expect({ met[1], met[2], met[3] }):same_set { "default/server-1", "default/server-2", "default/server-3" }
end)

it("says persistent 10800 once the Service has ClientIP affinity, and keeps the pod", function()
  apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
]]
  settle()
  expect(a:dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr persistent 10800\n"
  local first = cli:request("10.96.0.80:80").backend
  for _ = 1, 5 do expect(cli:request("10.96.0.80:80").backend):eq(first) end
end)

it("leaves chains of iptables mode behind", function()
  local text = a:dump("iptables-save", "nat")
  expect(text):contains ":KUBE-SVC-"
  expect(text):never():matches "%-A KUBE%-SERVICES [^\n]*%-j KUBE%-SVC%-"
end)
