-- ndots:5 and three search entries: a name outside costs eight queries, with a final dot two; a
-- Service in the own namespace two. Counted where they arrive: at the CoreDNS pods.
scenario {
  name = "queries of a search list", refs = { "DNS-17", "DNS-16", "#14051" },
  upstream = [[
. 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 3600
example.com. 3600 IN A 93.184.216.34
]],
}
apply "services.yaml"
local cli = pod { name = "cli", node = "a" }
local function queries(name)
  local at = capture "pod/default/cli":from_now()
  expect(#cli:resolve(name).addresses):eq(1)
  return at:count "udp and dst port 53"
end

it("asks twice for a Service of the own namespace, four times in another one", function()
  expect(queries "web"):eq(2)
  expect(queries "kube-dns.kube-system"):eq(4)
end)

it("asks eight times for a name outside", function()
  expect(queries "example.com"):eq(8)
end)

it("asks twice when the name ends in a dot", function()
  expect(queries "example.com."):eq(2)
  expect(queries "web.default.svc.cluster.local."):eq(2)
end)
