-- Session affinity: whichever pod the first connection gets, the others get it as well;
-- compared with real Linux packet by packet (tests/captures).
scenario {
  name = "session affinity, packet by packet",
  refs = { "AFF-01" },
  nodes = { "a" },
  dataplanes = { "iptables", "ipvs", "nftables" },
  no_dns = true,
}
for i = 1, 2 do
  pod { name = "web-" .. i, node = "a", labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

-- Neighbours are known beforehand, as in clusterip.lua.
settle()
for i = 1, 2 do node("a"):ping(ip("web-" .. i)) end
node("a"):ping(ip "cli")

it("stays with one pod", function()
  local first = cli:request("svc/web:80", { from_port = 40001 }).backend
  for i = 2, 3 do
    expect(cli:request("svc/web:80", { from_port = 40000 + i }).backend):eq(first)
  end
end)
