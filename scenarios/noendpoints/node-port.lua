-- A node port without endpoints is refused, for everybody: clients outside, pods of this and the other
-- node, the node itself, also on loopback.
scenario {
  name = "a node port without endpoints",
  refs = { "NEP-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, nodePort: 30080}]
]]
local a, near, far = node "a", pod { name = "near", node = "a" }, pod { name = "far", node = "b" }
local client = outside "192.168.0.100"

local function refused_at(from, target)
  expect(from:connect(target, { timeout = "3s" }).error):eq "ECONNREFUSED"
end

it("is refused from outside, by the node's own address", function()
  settle()
  refused_at(client, "node/a:30080")
  capture("outside/192.168.0.100"):has("icmp[0] = 3 and icmp[1] = 3 and src host " .. a:ip())
end)

it("is refused to pods of the node and of the other one", function()
  refused_at(near, "node/a:30080")
  refused_at(far, "node/a:30080")
end)

it("is refused to the node itself, on loopback too", function()
  refused_at(a, "node/a:30080")
  refused_at(a, "127.0.0.1:30080")
end)
