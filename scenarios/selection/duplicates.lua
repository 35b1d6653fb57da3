-- The same address and port in two slices is one endpoint, and local if either says so; another port is
-- another endpoint. A slice's port counts only if name and protocol are the Service's.
scenario {
  name = "endpoints of overlapping slices",
  refs = { "SEL-07" },
  nodes = { "a", "b" },
}
pod { name = "one", node = "a", ports = { 80, 81 } }
pod { name = "two", node = "b", ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  internalTrafficPolicy: Local
  ports:
  - {name: http, port: 80}
---
apiVersion: v1
kind: Service
metadata:
  name: all
spec:
  ports:
  - {name: http, port: 80}
]]
local function slice(service, name, port, address, node_name)
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s-%s
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [%s]
endpoints:
- addresses: [%s]
  nodeName: %s
]]):format(service, name, service, port, address, node_name))
end
for _, service in ipairs { "web", "all" } do
  slice(service, "1", "{name: http, port: 80}", ip "one", "b") -- says that it is on b
  slice(service, "2", "{name: http, port: 80}", ip "one", "a") -- says that it is on a
  slice(service, "3", "{name: http, port: 80}", ip "two", "b")
end
slice("all", "4", "{name: http, port: 81}", ip "one", "a")
slice("all", "5", "{name: other, port: 82}", ip "one", "a")
slice("all", "6", "{name: http, port: 83, protocol: UDP}", ip "one", "a")

it("counts each address and port once", function()
  settle()
  expect(cli:load("svc/all:80", { count = 40 }).failures):eq(0)
  capture("pod/one"):has "tcp and dst port 80":has "tcp and dst port 81":has_not "dst port 82 or dst port 83"
  capture("pod/two"):has "tcp and dst port 80"
  by_dataplane {
    iptables = function()
      local n = select(2, node("a"):dump("iptables-save", "nat"):gsub('"default/all:http %-> ', ""))
      expect(n):eq(3)
    end,
    nftables = function() expect(node("a"):rules("nft", "write")):contains "numgen random mod 3 vmap" end,
    ipvs = function()
      local block = node("a"):dump("ipvsadm"):match("TCP  " .. ip("svc/all"):gsub("%.", "%%.") .. ":80 rr\n(.-)\n%u")
      expect(select(2, (block .. "\n"):gsub("Masq", ""))):eq(3)
    end,
    userspace = function() end, -- its list is in kube-proxy's memory
  }
end)

it("takes the address as local because one slice says so", function()
  local spread = cli:load("svc/web:80", { count = 20 }).spread
  by_dataplane {
    -- userspace mode has no internal traffic policy
    userspace = function() expect(spread["default/two"]):at_least(1) end,
    default = function() expect(spread):eq { ["default/one"] = 20 } end,
  }
end)
