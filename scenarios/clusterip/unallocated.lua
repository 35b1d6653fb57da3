-- An address of the service range that no Service has: nftables drops it on the node, the other
-- modes know nothing of it, and the packet leaves by the default route. Nobody answers either way.
scenario {
  name = "an unallocated ClusterIP",
  refs = { "CIP-05" },
  nodes = { "a", "b" },
}
local cli = pod { name = "cli", node = "a" }

local function leaks()
  local uplink = capture "node/a:eth0"
  -- kube-proxy of v1.34 learns the range from the ServiceCIDR object.
  if dataplane == "nftables" then uplink:has_not "host 10.96.77.77"
  else uplink:has "tcp[tcpflags] & tcp-syn != 0 and dst host 10.96.77.77" end
end

it("leaks or is dropped when a pod connects", function()
  settle()
  expect(cli:connect("10.96.77.77:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
  leaks()
end)

it("leaks or is dropped on the node itself", function()
  local result = node("a"):connect("10.96.77.77:80", { timeout = "3s" })
  expect(result.error):eq "ETIMEDOUT"
  leaks()
end)
