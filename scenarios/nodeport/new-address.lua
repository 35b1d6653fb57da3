-- An address that the node gets later: iptables asks the kernel whether a destination is the node's own
-- and serves it at once; ipvs made its virtual servers for the addresses of its last sync; nftables
-- serves the Node object's primary address only.
scenario {
  name = "a node port at an address added later",
  refs = { "NPT-02" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local function service(name, port)
  return ([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: %d
]]):format(name, port)
end
apply(service("web", 30080))
local client = outside "192.168.0.100"

it("serves the primary address", function()
  settle()
  expect(client:request("node/a:30080").backend):eq "default/server"
end)

it("serves the new one at once, or not", function()
  node("a"):run "ip addr add 192.168.0.77/24 dev eth0"
  local result = client:connect("192.168.0.77:30080", { timeout = "3s" })
  by_dataplane {
    iptables = function() expect(result.error):is_nil() end,
    userspace = function() expect(result.error):is_nil() end, -- addrtype LOCAL as well
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
end)

it("is known to ipvs after the next full sync", function()
  node("a"):restart_kube_proxy()
  settle()
  local result = client:connect("192.168.0.77:30080", { timeout = "3s" })
  expect(result.error):eq(by_dataplane { nftables = "ECONNREFUSED" , default = false } or nil)
end)
