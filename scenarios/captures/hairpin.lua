-- A pod that reaches itself through its Service: masqueraded, so that the answer comes back the
-- same way; compared with real Linux packet by packet (tests/captures).
scenario {
  name = "a pod reaches itself through its Service, packet by packet",
  refs = { "MSQ-02" },
  nodes = { "a" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
local me = pod { name = "web", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  selector: {app: web}
  ports:
  - port: 80
]]

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
node("a"):ping(me:ip())

it("sees its gateway as the peer", function()
  expect(me:request("svc/web:80", { from_port = 40001 }).seen.ip):eq "10.244.1.1"
end)
