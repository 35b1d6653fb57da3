-- A ClusterIP without endpoints refuses at once, by ICMP port unreachable and never by RST. The ICMP
-- comes from the node's address on the client's side and quotes the packet as the client sent it.
scenario {
  name = "a ClusterIP without endpoints",
  refs = { "NEP-01", "NEP-02", "NEP-03", "NEP-04" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports: [{name: tcp, port: 80}, {name: udp, port: 53, protocol: UDP}]
]]
local a, cli = node "a", pod { name = "cli", node = "a" }
local gateway = "10.244.1.1"
if cli:ip():match "^10%.244%.0%." then gateway = "10.244.0.1" end

it("refuses a pod's connection at once", function()
  settle()
  local result = cli:connect("svc/web:80", { timeout = "3s" })
  expect(result.error):eq "ECONNREFUSED"
  local seen = capture "pod/cli"
  seen:has "icmp[0] = 3 and icmp[1] = 3"
  seen:has_not "tcp[tcpflags] & tcp-rst != 0"
end)

it("says so with the gateway's address and the client's own packet", function()
  cli:connect("svc/web:80", { timeout = "3s" })
  -- In ipvs mode the packet was delivered to the node, so the answer is the ClusterIP's own.
  local from = by_dataplane { ipvs = "10.96.0.80", default = gateway }
  -- icmp[24:4]: destination of the quoted packet, 10.96.0.80
  capture("pod/cli"):has("icmp[0] = 3 and icmp[1] = 3 and src host " .. from .. " and icmp[24:4] = 0x0a600050")
end)

it("refuses a pod's datagram at the next call", function()
  expect(cli:send("svc/web:53", "hello", { timeout = "3s" }).error):eq "ECONNREFUSED"
  capture("pod/cli"):has "icmp[0] = 3 and icmp[1] = 3 and icmp[17] = 17"
end)

it("refuses the node itself, whose sendto fails where the packet is rejected on its way out", function()
  wait "2s" -- the kernel limits such errors
  expect(a:connect("svc/web:80", { timeout = "3s" }).error):eq "ECONNREFUSED"
  expect(a:send("svc/web:53", "hello", { timeout = "3s" }).error):eq(
    by_dataplane { ipvs = "ECONNREFUSED", default = "EPERM" })
end)
