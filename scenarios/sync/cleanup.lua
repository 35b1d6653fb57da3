-- `kube-proxy --cleanup` takes away the rules of every mode, whoever made them; a few things stay. A
-- kube-proxy that starts afterwards makes its own anew.
-- Source: platformCleanup of cmd/kube-proxy/app/server_linux.go, CleanupLeftovers of each mode.
scenario {
  name = "kube-proxy --cleanup",
  refs = { "SYN-10" },
  nodes = { "a", "b" },
  no_dns = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - {port: 80, nodePort: 30080}
]]
local a, cli = node "a", pod { name = "cli", node = "a" }
local function iptables() return a:dump "iptables-save" .. a:dump("iptables-save", "nat") end

it("leaves no rule that concerns a Service", function()
  settle()
  expect(cli:request("10.96.0.80:80").backend):eq "default/server"
  a:cleanup_kube_proxy()
  expect(iptables()):never():contains "10.96.0.80"
  expect(iptables()):never():contains "-j KUBE-SERVICES"
  expect(iptables()):never():contains ":KUBE-POSTROUTING "
  expect(a:dump "nft"):never():contains "table ip kube-proxy"
  expect(cli:connect("10.96.0.80:80", { timeout = "2s" }).ok):is_false()
end)

it("leaves these chains and nothing else", function()
  local left, save = {}, iptables()
  for name in save:gmatch ":(KUBE%-[%w-]+) " do left[#left + 1] = name end
  by_dataplane {
    -- where the kernel has IPVS, ipvs mode's part takes KUBE-MARK-MASQ and KUBE-PROXY-FIREWALL along
    iptables = function()
      expect(save):contains ":KUBE-FIREWALL "
      expect(save):contains ":KUBE-PROXY-CANARY "
      expect(save):never():contains ":KUBE-SVC-"
      expect(save):never():contains "-A KUBE-FORWARD"
    end,
    ipvs = function()
      expect(left):eq {}
      expect(a:dump "ipvsadm"):never():contains "10.96.0.80"
      expect(a:dump "ipset"):never():contains "KUBE-"
    end,
    default = function() expect(left):eq {} end,
  }
end)

it("is made good by a kube-proxy that starts", function()
  a:restart_kube_proxy()
  settle()
  expect(cli:request("10.96.0.80:80").backend):eq "default/server"
end)
