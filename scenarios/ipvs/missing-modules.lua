-- A node whose kernel has no IPVS: kube-proxy ends with an error since v1.26, again and again; services
-- work on the other nodes only. The same goes for a scheduler that the kernel does not have.
scenario {
  name = "ipvs mode without the kernel's modules",
  refs = { "SYN-09", "#111806" },
  nodes = { "a", { name = "b", missing_modules = "ip_vs" }, { name = "c", missing_modules = "ip_vs_rr" } },
  dataplanes = { "ipvs" },
  no_dns = true,
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
local function proxy_of(name)
  for _, p in ipairs(list("pods", "kube-system")) do
    if p.metadata.labels["k8s-app"] == "kube-proxy" and p.spec.nodeName == name then return p end
  end
end
local function log_of(name) return pod("kube-system/" .. proxy_of(name).metadata.name):logs() end

it("ends kube-proxy with an error, over and over", function()
  wait "5m"
  for _, name in ipairs { "b", "c" } do
    local status = proxy_of(name).status.containerStatuses[1]
    expect(status.restartCount):at_least(3)
    expect(status.lastState.terminated.exitCode):eq(1)
  end
  expect(proxy_of("a").status.containerStatuses[1].restartCount):eq(0)
end)

it("says why in its log", function()
  expect(log_of "a"):contains '"Using ipvs Proxier"'
  expect(log_of "b"):contains '"Error running ProxyServer" err="can\'t use the IPVS proxier: ipvs not supported"'
  expect(log_of "c"):contains '"Could not create dummy VS" err="no such file or directory" scheduler="rr"'
end)

it("leaves these nodes without services", function()
  expect(pod { name = "cli-a", node = "a" }:request("10.96.0.80:80").backend):eq "default/server"
  for _, name in ipairs { "b", "c" } do
    local cli = pod { name = "cli-" .. name, node = name }
    expect(cli:connect("10.96.0.80:80", { timeout = "2s" }).error):eq "ETIMEDOUT"
  end
end)
