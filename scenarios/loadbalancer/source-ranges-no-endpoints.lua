-- Source ranges and no endpoints: iptables writes no firewall for a Service without endpoints and
-- refuses everybody; nftables drops those out of range as before. In range, and at the node port,
-- all are refused.
scenario {
  name = "loadBalancerSourceRanges without endpoints",
  refs = { "LBR-09" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  loadBalancerIP: 203.0.113.80
  loadBalancerSourceRanges: [192.168.0.96/28]
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local inside, outsider, cli = outside "192.168.0.100", outside "192.168.0.120", pod { name = "cli", node = "a" }

it("refuses a client in range", function()
  settle()
  expect(inside:connect("203.0.113.80:80", { timeout = "3s" }).error):eq "ECONNREFUSED"
end)

it("refuses or drops one out of range, and pods", function()
  for _, from in ipairs { outsider, cli } do
    expect(from:connect("203.0.113.80:80", { timeout = "3s" }).error):eq(
      by_dataplane { iptables = "ECONNREFUSED", nftables = "ETIMEDOUT" })
  end
end)

it("refuses at the node port", function()
  expect(outsider:connect("node/b:30080", { timeout = "3s" }).error):eq "ECONNREFUSED"
end)
