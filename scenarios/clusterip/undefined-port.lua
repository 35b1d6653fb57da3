-- A port that the Service does not have: in iptables mode the packet leaves the node by its default
-- route and nobody answers; nftables and ipvs refuse at once.
scenario {
  name = "an undefined port of a ClusterIP",
  refs = { "CIP-04" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

local function meets(from, proto, expected)
  local result = proto == "udp" and from:send("10.96.0.80:81", "hello", { timeout = "3s" })
    or from:connect("10.96.0.80:81", { timeout = "3s" })
  expect(result.error):eq(expected)
  local uplink = capture "node/a:eth0"
  if expected == "ETIMEDOUT" then uplink:has(proto .. " and dst host 10.96.0.80 and dst port 81")
  else uplink:has_not "host 10.96.0.80" end
end

it("leaks or is refused when a pod connects", function()
  settle()
  meets(cli, "tcp", by_dataplane { iptables = "ETIMEDOUT", userspace = "ETIMEDOUT", default = "ECONNREFUSED" })
  if dataplane == "iptables" then capture("node/a:eth0"):has("src host " .. cli:ip()) end
end)

it("leaks or is refused when a pod sends a datagram", function()
  meets(cli, "udp", by_dataplane { iptables = "ETIMEDOUT", userspace = "ETIMEDOUT", default = "ECONNREFUSED" })
end)

it("leaks or is refused on the node itself", function()
  local a = node "a"
  meets(a, "tcp", by_dataplane { iptables = "ETIMEDOUT", userspace = "ETIMEDOUT", default = "ECONNREFUSED" })
  -- nftables rejects in its output hook, and the kernel tells the sender EPERM; ipvs rejects on the
  -- way in from loopback.
  meets(a, "udp", by_dataplane { iptables = "ETIMEDOUT", userspace = "ETIMEDOUT", nftables = "EPERM",
    ipvs = "ECONNREFUSED" })
end)
