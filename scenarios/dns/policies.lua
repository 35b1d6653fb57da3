-- dnsPolicy: a pod on the host's network has the node's resolv.conf, unless it says
-- ClusterFirstWithHostNet; None has only what dnsConfig gives; of the search entries 32 count.
scenario {
  name = "a pod's dnsPolicy", refs = { "DNS-18", "DNS-19" },
  upstream = ". 300 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 300\n",
}
apply "services.yaml"
local function client(name, spec)
  apply(([[
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeName: a
  containers: [{name: c, image: "debian:12"}]
%s]]):format(name, spec))
  eventually("30s", function() expect(get("pod/" .. name).status.phase):eq "Running" end)
  return pod(name)
end
local host = client("host", "  hostNetwork: true\n")
local host_first = client("host-first", "  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet\n")
local none = client("none", "  dnsPolicy: None\n  dnsConfig: {nameservers: [" .. ip("svc/kube-dns", "kube-system") ..
  "], searches: [default.svc.cluster.local]}\n")
local entries = {}
for i = 1, 30 do entries[i] = "s" .. i .. ".example" end
local long = client("long", "  dnsConfig: {searches: [" .. table.concat(entries, ", ") .. "]}\n")

it("on the host's network the cluster's names are not known", function()
  expect(host:resolve("web.default.svc.cluster.local.").error):never():is_nil()
end)

it("ClusterFirstWithHostNet knows them", function()
  expect(host_first:resolve("web").addresses):eq { ip "svc/web" }
end)

it("None has what dnsConfig says: one search entry, ndots 1", function()
  local at = capture "pod/default/none":from_now()
  expect(none:resolve("web").addresses):eq { ip "svc/web" }
  expect(none:resolve("web.default.svc.cluster.local").addresses):eq { ip "svc/web" }
  expect(at:count "udp and dst port 53"):eq(4)
end)

it("of 33 search entries 32 are used", function()
  local at = capture "pod/default/long":from_now()
  expect(long:resolve("nobody").error):never():is_nil()
  expect(at:count "udp and dst port 53"):eq(66)
end)
