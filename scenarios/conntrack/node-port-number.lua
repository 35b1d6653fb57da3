-- kube-proxy finds the flows of a UDP node port by the number alone: its clean-up deletes the entry
-- of a flow to some other host's port of the same number, too.
scenario {
  name = "an unrelated flow to a port with a node port's number",
  refs = { "CTK-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
local udp = { port = 53, protocol = "UDP" }
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "dns" }, ports = { udp } } end
pod { name = "game", node = "b", ports = { { port = 30053, protocol = "UDP" }, { port = 30054, protocol = "UDP" } } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: dns
spec:
  type: NodePort
  selector: {app: dns}
  ports: [{port: 53, protocol: UDP, nodePort: 30053}]
]]
local cli = pod { name = "cli", node = "a" }
local function entry(port)
  return node("a"):dump("conntrack"):match(("udp[^\n]*dst=%s sport=4000 dport=%d "):format(ip "game", port))
end

it("has an entry", function()
  settle()
  for _, port in ipairs { 30053, 30054 } do
    expect(cli:request("pod/game:" .. port, { proto = "udp", from_port = 4000 }).backend):eq "default/game"
    expect(entry(port)):never():is_nil()
  end
end)

it("loses it when an endpoint of the Service leaves", function()
  delete "pod/server-1"
  settle()
  expect(entry(30053)):is_nil()
  expect(entry(30054)):never():is_nil()
end)
