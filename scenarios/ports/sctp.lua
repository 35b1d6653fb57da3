-- SCTP Services work like TCP ones; userspace mode has no SCTP.
scenario {
  name = "an SCTP Service",
  refs = { "PRT-06" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: diameter}}
spec:
  nodeName: b
  containers:
  - name: main
    image: freediameter:1.5
    ports: [{containerPort: 3868, protocol: SCTP}]
---
apiVersion: v1
kind: Service
metadata: {name: diameter}
spec:
  clusterIP: 10.96.0.38
  selector: {app: diameter}
  publishNotReadyAddresses: true # a kernel without SCTP cannot start the server
  ports: [{port: 3868, protocol: SCTP}]
]]
local cli = pod { name = "cli", node = "a" }

it("has rules", function()
  eventually("30s", function() expect(#endpoints "diameter"):eq(1) end)
  settle()
  local rules = node("a"):rules()
  by_dataplane {
    iptables = function() expect(rules):contains "-A KUBE-SERVICES -d 10.96.0.38/32 -p sctp " end,
    nftables = function() expect(rules):contains "10.96.0.38 . sctp . 3868 : goto " end,
    ipvs = function() expect(node("a"):dump "ipvsadm"):contains "SCTP 10.96.0.38:3868 rr" end,
    userspace = function() expect(rules):never():contains "10.96.0.38" end,
  }
end)

it("reaches the pod", function()
  if dataplane == "userspace" then return end
  local result = cli:connect("svc/diameter:3868", { proto = "sctp" })
  if result.error == "EPROTONOSUPPORT" then skip "this kernel has no SCTP" end
  expect(result.error):is_nil()
  capture "pod/server":has("sctp and dst port 3868 and src host " .. cli:ip())
end)
