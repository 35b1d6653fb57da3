-- Local traffic told by a prefix of interface names: nftables mode writes `iif "veth*"`, nft knows no
-- such interface and refuses the transaction, so no change of a Service arrives any more. iptables mode
-- writes "-i veth+" and works.
scenario {
  name = "InterfaceNamePrefix in nftables mode",
  refs = { "SYN-13" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local a, cli = node "a", pod { name = "cli", node = "a" }

it("fails in nftables mode and works in iptables mode", function()
  settle()
  local mode = dataplane
  apply(([[
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: %s
    detectLocalMode: InterfaceNamePrefix
    detectLocal: {interfaceNamePrefix: veth}
]]):format(mode))
  a:restart_kube_proxy()
  wait "3s"
  apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}"
  wait "3s"
  local served = cli:connect("svc/web:80", { timeout = "1s" }).ok
  by_dataplane {
    iptables = function()
      expect(served):is_true()
      expect(a:dump("iptables-save", "nat")):contains "! -i veth+"
    end,
    nftables = function()
      expect(served):is_false()
      expect(a:sync_stats().failures):at_least(1)
    end,
  }
end)
