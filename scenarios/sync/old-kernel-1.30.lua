-- Up to v1.32 the check of the kernel's version is the wrong way round: it is made when
-- KUBE_PROXY_NFTABLES_SKIP_KERNEL_VERSION_CHECK is set (kubernetes/kubernetes#130401). So v1.30 runs on a
-- kernel of any age; the version of nft is looked at.
scenario {
  name = "nftables mode on old nodes, v1.30",
  refs = { "SYN-11", "#130401" },
  nodes = { "a", { name = "b", kernel = "5.10.0-35-amd64" }, { name = "c", nft = "1.0.0" } },
  dataplanes = { "nftables" },
  no_dns = true,
  kube_version = "1.30",
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80}]}"

it("serves on the node with the old kernel, not on the one with the old nft", function()
  settle()
  for _, name in ipairs { "a", "b" } do
    expect(pod { name = "cli-" .. name, node = name }:request("10.96.0.80:80").backend):eq "default/server"
  end
  expect(pod { name = "cli-c", node = "c" }:connect("10.96.0.80:80", { timeout = "2s" }).error):eq "ETIMEDOUT"
end)
