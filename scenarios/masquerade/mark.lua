-- Bit 14 of the mark says "masquerade": the last chain returns what does not have it, takes it off and
-- masquerades the rest.
scenario {
  name = "the masquerade mark",
  refs = { "MSQ-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
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

it("is 0x00004000 in what kube-proxy writes", function()
  settle()
  local a = node "a"
  if dataplane == "nftables" then
    local text = a:rules("nft", "write")
    expect(text):matches "mark%-for%-masquerade mark set mark or 0x00004000\n"
    expect(text):contains "masquerading mark and 0x00004000 == 0 return"
    expect(text):contains "masquerading mark set mark xor 0x00004000"
    expect(text):contains "masquerading masquerade fully-random"
    return
  end
  local text = a:rules("iptables", "write")
  expect(text):contains "-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000"
  expect(text):contains "-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN"
  expect(text):contains "-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000"
end)

it("is set and taken off on a packet's way", function()
  local result = outside("192.168.0.100"):request "node/a:30080"
  expect(result.seen.ip):eq(ip "node/a")
  local trace = result.trace()
  if trace.rules_evaluated > 0 then -- real Linux tells no steps
    expect(trace.text):contains "mark 0x0 -> 0x4000"
    expect(trace.text):contains "mark 0x4000 -> 0x0"
  end
end)
