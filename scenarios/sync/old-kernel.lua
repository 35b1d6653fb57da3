-- kube-proxy in nftables mode asks for nft 1.0.1 and, as other programs' nft is not to be seen, for a
-- kernel of at least 5.13 (pkg/proxy/nftables/supported.go). On older nodes it ends with an error, over
-- and over; services work on the other nodes only.
scenario {
  name = "nftables mode on old nodes",
  refs = { "SYN-11" },
  nodes = { "a", { name = "b", kernel = "5.10.0-35-amd64" }, { name = "c", nft = "0.9.8" } },
  dataplanes = { "nftables" },
  no_dns = true,
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80}]}"

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
  expect(get("node/b").status.nodeInfo.kernelVersion):eq "5.10.0-35-amd64"
  expect(log_of "a"):never():contains "Error running"
  expect(log_of "b"):contains "kube-proxy in nftables mode requires kernel 5.13 or later"
  expect(log_of "c"):contains "nft version must be v1.0.1 or later (got nftables v0.9.8"
end)

it("leaves these nodes without services", function()
  expect(pod { name = "cli-a", node = "a" }:request("10.96.0.80:80").backend):eq "default/server"
  for _, name in ipairs { "b", "c" } do
    local cli = pod { name = "cli-" .. name, node = name }
    expect(cli:connect("10.96.0.80:80", { timeout = "2s" }).error):eq "ETIMEDOUT"
  end
end)
