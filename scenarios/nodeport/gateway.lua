-- A pod asks the gateway of its own network, the bridge of its node, for a node port: iptables and ipvs
-- take any address of the node, nftables only the primary one.
scenario {
  name = "a node port at the pods' gateway",
  refs = { "NPT-03" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local cli = pod { name = "cli", node = "a" }

it("is refused in nftables mode and served in the others", function()
  settle()
  local result = cli:request "10.244.1.1:30080"
  by_dataplane {
    nftables = function() expect(result.error):eq "ECONNREFUSED" end,
    default = function() expect(result.backend):eq "default/server" end,
  }
end)

it("is served at the node's primary address in every mode", function()
  expect(cli:request("node/a:30080").backend):eq "default/server"
end)
