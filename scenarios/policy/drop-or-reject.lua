-- A node without an endpoint drops what policy Local forbids it to forward, as long as some node
-- has one; when the last one anywhere is gone it rejects.
scenario {
  name = "DROP turns to REJECT with the last endpoint",
  refs = { "POL-15" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
apply "servers.yaml"
apply [[
apiVersion: v1
kind: Service
metadata:
  name: internal
spec:
  internalTrafficPolicy: Local
  selector: {app: web}
  ports:
  - port: 80
]]
local cli, client = pod { name = "cli", node = "a" }, outside "192.168.0.100"

it("drops while another node has an endpoint", function()
  settle()
  expect(client:connect("node/a:30080", { timeout = "3s" }).error):eq "ETIMEDOUT"
  expect(cli:connect("svc/internal:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
end)

it("rejects when there is none", function()
  delete("pod/server-b", { grace = 0 })
  settle()
  expect(client:connect("node/a:30080", { timeout = "3s" }).error):eq "ECONNREFUSED"
  expect(cli:connect("svc/internal:80", { timeout = "3s" }).error):eq "ECONNREFUSED"
  capture("outside/192.168.0.100"):has("icmp[icmptype] == icmp-unreach and src host " .. ip "node/a")
end)
