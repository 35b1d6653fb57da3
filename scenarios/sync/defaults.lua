-- Nothing is said about node port addresses: nftables mode takes the word `primary` for it, the node's
-- InternalIP; iptables mode takes every local address.
scenario {
  name = "defaults of a mode",
  refs = { "SYN-12", "NPT-02" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, nodePort: 30080}]
]]
local a = node "a"

it("accepts node ports at the primary address, or at any", function()
  settle()
  by_dataplane {
    nftables = function()
      local set = a:dump("nft"):match "set nodeport%-ips {(.-)\n\t}"
      expect(set):contains("elements = { " .. a:ip() .. " }")
    end,
    iptables = function()
      expect(a:dump("iptables-save", "nat")):contains "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
    end,
  }
end)

it("is iptables mode when the configuration names none", function()
  apply [[
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
]]
  a:restart_kube_proxy()
  settle()
  expect(a:dump("iptables-save", "nat")):contains ":KUBE-SERVICES "
  expect(a:dump("nft"):find("table ip kube-proxy", 1, true)):is_nil()
end)
