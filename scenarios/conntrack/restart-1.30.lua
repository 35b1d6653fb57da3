-- To a kube-proxy of v1.31 or older that starts, every UDP Service is new: it deletes the entries of all
-- their flows, and those that are under way, QUIC's for instance, move to other pods.
scenario {
  name = "UDP flows when kube-proxy of v1.30 is restarted",
  refs = { "CTK-08", "#122740" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  kube_version = "1.30",
}
local udp = { port = 443, protocol = "UDP" }
for i = 1, 4 do pod { name = "server-" .. i, node = "b", labels = { app = "quic" }, ports = { udp } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: quic
spec:
  clusterIP: 10.96.0.44
  selector: {app: quic}
  ports: [{port: 443, protocol: UDP}]
]]
local cli = pod { name = "cli", node = "a" }
local function flows()
  local list = {}
  for reply in node("a"):dump("conntrack"):gmatch "udp[^\n]*dst=10.96.0.44 sport=%d+ dport=443 [^\n]-src=([%d.]+)" do
    list[#list + 1] = reply
  end
  return list
end
local before

it("has eight of them", function()
  settle()
  for port = 4001, 4008 do cli:request("svc/quic:443", { proto = "udp", from_port = port }) end
  before = flows()
  expect(#before):eq(8)
end)

it("has lost them all", function()
  node("a"):restart_kube_proxy()
  settle()
  expect(flows()):eq {}
end)
