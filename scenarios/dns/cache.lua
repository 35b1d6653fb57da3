-- kubeadm's CoreDNS keeps what comes from outside for up to 30 s, counting its TTL down (never
-- below 5 at first), and cluster names not at all: a new Service is there within the watch.
scenario {
  name = "CoreDNS's cache", refs = { "DNS-15", "DNS-02" }, nodes = { "a" },
  upstream = [[
. 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 3600
www.example.org. 300 IN A 192.0.2.1
short.example.org. 1 IN A 192.0.2.2
]],
}
apply "services.yaml"
-- One CoreDNS, so that there is one cache.
scale("deployment/coredns", 1, "kube-system")
local cli = pod { name = "cli", node = "a" }
eventually("10s", function() expect(#pods("k8s-app=kube-dns", "kube-system")):eq(1) end)

it("caps the TTL from outside at 30, lifts one of 1 to 5", function()
  expect(cli:dig("www.example.org.", "A").ttl):eq(30)
  expect(cli:dig("short.example.org.", "A").ttl):eq(5)
end)

it("counts it down", function()
  wait "2100ms"
  local r = cli:dig("www.example.org.", "A")
  expect(r.ttl):between(25, 28)
  expect(r.text):matches "flags: qr aa rd ra;" -- a kept answer has AA as well
end)

it("has a Service at once that was not there before", function()
  expect(cli:dig("late.default.svc.cluster.local", "A").rcode):eq "NXDOMAIN"
  apply [[
apiVersion: v1
kind: Service
metadata: {name: late}
spec: {ports: [{port: 80}]}
]]
  eventually("2s", function() expect(cli:dig("late", "A").addresses):eq { ip "svc/late" } end)
end)
