-- Up to v1.25 a kube-proxy in ipvs mode that misses kernel modules says so and falls back to iptables
-- mode, on that node.
scenario {
  name = "ipvs mode falls back to iptables without modules, v1.25",
  refs = { "SYN-09" },
  nodes = { "a", { name = "b", missing_modules = "ip_vs" } },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_version = "1.25",
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local function log_of(name)
  for _, p in ipairs(list("pods", "kube-system")) do
    if p.metadata.labels["k8s-app"] == "kube-proxy" and p.spec.nodeName == name then
      return pod("kube-system/" .. p.metadata.name):logs()
    end
  end
end

it("is said in the log", function()
  settle()
  expect(log_of "b"):contains("\"Can't use the IPVS proxier\" err=\"IPVS proxier will not be used because the following "
    .. "required kernel modules are not loaded: [ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh]\"")
  expect(log_of "b"):contains '"Using iptables Proxier"'
  expect(log_of "a"):contains '"Using ipvs Proxier"'
end)

it("has iptables rules there, virtual servers elsewhere, and serves on both nodes", function()
  expect(node("b"):dump("iptables-save", "nat")):contains "KUBE-SVC-"
  expect(node("b"):dump "ipvsadm"):never():contains "10.96.0.80:80"
  expect(node("a"):dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr\n"
  for _, name in ipairs { "a", "b" } do
    expect(pod { name = "cli-" .. name, node = name }:request("10.96.0.80:80").backend):eq "default/server"
  end
end)
