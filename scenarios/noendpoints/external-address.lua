-- A load balancer's address and an external IP without endpoints: pods and clients outside are refused.
-- iptables mode asks on the way in only (OUTPUT never calls KUBE-EXTERNAL-SERVICES), so what a process
-- of the node sends there leaves the node; nftables and ipvs refuse it as well.
scenario {
  name = "external addresses without endpoints",
  refs = { "NEP-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  loadBalancerIP: 203.0.113.80
  externalIPs: [198.51.100.80]
  selector: {app: web}
  ports: [{port: 80}]
]]
local a, cli, client = node "a", pod { name = "cli", node = "a" }, outside "192.168.0.100"
local addresses = { "203.0.113.80", "198.51.100.80" }

it("refuses pods and clients outside", function()
  settle()
  for _, address in ipairs(addresses) do
    expect(cli:connect(address .. ":80", { timeout = "3s" }).error):eq "ECONNREFUSED"
    expect(client:connect(address .. ":80", { timeout = "3s" }).error):eq "ECONNREFUSED"
  end
end)

it("lets the node's own packets leave in iptables mode", function()
  for _, address in ipairs(addresses) do
    local result = a:connect(address .. ":80", { timeout = "3s" })
    expect(result.error):eq(by_dataplane { iptables = "ETIMEDOUT", default = "ECONNREFUSED" })
    local uplink = capture "node/a:eth0"
    local leak = "tcp and src host " .. a:ip() .. " and dst host " .. address
    if dataplane == "iptables" then uplink:has(leak) else uplink:has_not(leak) end
  end
end)
