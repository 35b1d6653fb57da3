-- http://localhost:NODEPORT on a node: iptables serves it, because kube-proxy sets route_localnet, and
-- the server sees an address of the node; ipvs and nftables do not. [::1] works in no mode.
scenario {
  name = "a node port on loopback",
  refs = { "NPT-04", "NPT-05", "NPT-06", "#67730", "#111840", "k0sproject/k0s#5760" },
  nodes = { "a", "b" },
  dual_stack = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local function service(name, policy, port)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: NodePort
  ipFamilyPolicy: PreferDualStack
  externalTrafficPolicy: %s
  selector: {app: web}
  ports:
  - port: 80
    nodePort: %d
]]):format(name, policy, port))
end
service("web", "Cluster", 30080)
service("local", "Local", 30081)
local a = node "a"

it("works in iptables mode only, masqueraded", function()
  settle()
  local result = a:request "127.0.0.1:30080"
  by_dataplane {
    iptables = function()
      expect(result.backend):eq "default/server"
      expect(result.seen.ip):eq(a:ip())
    end,
    userspace = function() expect(result.backend):eq "default/server" end,
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
end)

it("works there with policy Local and no local endpoint", function()
  if dataplane ~= "iptables" then return end
  local result = a:request "127.0.0.1:30081"
  expect(result.backend):eq "default/server"
  expect(result.seen.ip):eq(a:ip())
end)

it("does not work on the loopback address of IPv6", function()
  if dataplane == "userspace" then return end -- its listeners are on IPv6 as well
  expect(a:connect("[::1]:30080", { timeout = "3s" }).error):eq "ECONNREFUSED"
end)

it("hangs when something takes route_localnet away", function()
  if dataplane ~= "iptables" then return end
  expect(a:sysctl "net.ipv4.conf.all.route_localnet"):eq(1)
  a:sysctl("net.ipv4.conf.all.route_localnet", 0)
  expect(a:connect("127.0.0.1:30080", { timeout = "4s" }).error):eq "ETIMEDOUT"
end)
