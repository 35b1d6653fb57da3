-- In a dual-stack cluster each address family has rules of its own: a Service is reached at the
-- ClusterIP of either family, and the server sees a client of the same family.
scenario {
  name = "a dual-stack Service",
  refs = { "DUA-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no dual stack
  dual_stack = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: both}
spec:
  ipFamilyPolicy: RequireDualStack
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: six}
spec:
  ipFamilies: [IPv6]
  selector: {app: web}
  ports: [{port: 80}]
]]
local cli = pod { name = "cli", node = "a" }
local both, six

it("has a ClusterIP of each family it asked for", function()
  settle()
  both, six = get("service/both").spec.clusterIPs, get("service/six").spec.clusterIPs
  expect(#both):eq(2)
  expect(both[1]):matches "^10%."
  expect(both[2]):matches ":"
  expect(#six):eq(1)
  expect(six[1]):matches ":"
end)

it("is reached at both, by the family's own rules", function()
  local four = cli:request(both[1] .. ":80")
  expect(four.backend):eq "default/server"
  expect(four.seen.ip):eq(cli:ip(4))
  for _, address in ipairs { both[2], six[1] } do
    local result = cli:request("[" .. address .. "]:80")
    expect(result.backend):eq "default/server"
    expect(result.seen.ip):eq(cli:ip(6))
  end
end)

it("has no rules of a family it does not have", function()
  local rules = by_dataplane {
    nftables = function() return node("a"):dump("nft"):match "table ip kube%-proxy (.-)\n}" end,
    ipvs = function() return node("a"):dump "ipset" end,
    default = function() return node("a"):dump "iptables-save" end,
  }
  expect(rules):contains(both[1])
  expect(rules):never():contains "default/six"
end)
