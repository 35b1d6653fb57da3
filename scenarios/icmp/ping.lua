-- Ping of a ClusterIP. iptables has no rule for it: the request leaves by the default route and nobody
-- answers. nftables refuses: a pod hears its gateway, a process of the node may not even send.
scenario {
  name = "ping of a ClusterIP without a virtual server",
  refs = { "ICM-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80}]}
]]
local a, cli = node "a", pod { name = "cli", node = "a" }

it("leaves the node, or is refused by the gateway", function()
  settle()
  expect(cli:ping("10.96.0.80", { count = 1, timeout = "1s" }).received):eq(0)
  by_dataplane {
    iptables = function()
      capture("node/a:eth0"):has("icmp[0] = 8 and src host " .. cli:ip() .. " and dst host 10.96.0.80")
      capture("pod/cli"):has_not "icmp[0] = 3"
    end,
    nftables = function()
      capture("node/a:eth0"):has_not "host 10.96.0.80"
      capture("pod/cli"):has "icmp[0] = 3 and icmp[1] = 3"
    end,
  }
end)

it("is the same from the node itself", function()
  expect(a:ping("10.96.0.80", { count = 1, timeout = "1s" }).received):eq(0)
  local uplink = capture "node/a:eth0"
  if dataplane == "iptables" then uplink:has "icmp[0] = 8 and dst host 10.96.0.80"
  else uplink:has_not "icmp and dst host 10.96.0.80" end
end)
