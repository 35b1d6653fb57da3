-- A host firewall with FORWARD policy DROP: kube-proxy's iptables rules accept what is marked, and
-- its answers, so node ports go on working, while traffic that is not masqueraded stops. nftables
-- mode accepts nothing: its table cannot overrule another.
scenario {
  name = "FORWARD policy DROP",
  refs = { "MSQ-07", "MSQ-08", "#124383", "#59656" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
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
local cli = pod { name = "cli", node = "b" }

it("lets node ports through in iptables and ipvs mode", function()
  settle()
  node("a"):run "iptables -P FORWARD DROP"
  local result = outside("192.168.0.100"):request("node/a:30080", { timeout = "3s" })
  by_dataplane {
    nftables = function() expect(result.error):eq "ETIMEDOUT" end,
    default = function() expect(result.backend):eq "default/server" end,
  }
end)

it("stops what is not marked, in every mode", function()
  expect(cli:request("svc/web:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
end)

it("needs a rule of the host's own", function()
  node("a"):run "iptables -A FORWARD -d 10.244.0.0/16 -j ACCEPT"
  node("a"):run "iptables -A FORWARD -s 10.244.0.0/16 -j ACCEPT"
  expect(cli:request("svc/web:80").backend):eq "default/server"
  expect(outside("192.168.0.100"):request("node/a:30080").backend):eq "default/server"
end)

it("is not where INVALID packets are dropped in ipvs mode", function()
  if dataplane == "nftables" then return end
  local rule = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"
  local invalid = node("a"):dump("iptables-save", "filter"):find(rule, 1, true)
  expect(invalid ~= nil):eq(dataplane == "iptables")
end)
