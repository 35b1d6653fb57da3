-- ExternalName is an alias. A target outside is looked up there and its records are appended, with
-- their own TTL of 5; one in the cluster is resolved inside; a target outside that fails leaves the
-- bare alias, one inside nothing at all.
scenario {
  name = "ExternalName in DNS", refs = { "DNS-08" },
  upstream = [[
. 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 2026081900 1800 900 604800 86400
www.baidu.com. 5 IN CNAME www.a.shifen.com.
www.a.shifen.com. 5 IN A 39.156.66.18
www.a.shifen.com. 5 IN A 39.156.66.14
;@ broken.example.org. SERVFAIL
]],
}
apply "services.yaml"
local function external(name, target)
  apply(([[{apiVersion: v1, kind: Service, metadata: {name: %s},
    spec: {type: ExternalName, externalName: %s}}]]):format(name, target))
end
external("ext", "www.baidu.com")
external("inside", "web.default.svc.cluster.local")
external("twice", "inside.default.svc.cluster.local")
external("broken", "broken.example.org")
external("lost", "nobody.default.svc.cluster.local")
external("circle", "circle.default.svc.cluster.local")
local cli = pod { name = "cli", node = "a" }

it("is an alias chain with a TTL of 5", function()
  local r = cli:dig("ext.default.svc.cluster.local", "A")
  expect(r.addresses):same_set { "39.156.66.18", "39.156.66.14" }
  expect(r.ttl):eq(5)
  expect(r.text):matches "ext%.default%.svc%.cluster%.local%. 5%s+IN%s+CNAME%s+www%.baidu%.com%."
  expect(r.text):matches "ANSWER: 4, AUTHORITY: 0, ADDITIONAL: 1"
end)

it("follows aliases inside the cluster", function()
  expect(cli:dig("inside.default.svc.cluster.local", "A").addresses):eq { ip "svc/web" }
  expect(cli:dig("twice.default.svc.cluster.local", "A").addresses):eq { ip "svc/web" }
end)

it("shows the bare alias when the target fails outside, nothing when it does inside", function()
  local r = cli:dig("broken.default.svc.cluster.local", "A", { options = "+noall +answer" })
  expect({ r.rcode, #r.addresses }):eq { "NOERROR", 0 }
  expect(r.text):contains "broken.example.org."
  for _, name in ipairs { "lost", "circle" } do
    r = cli:dig(name .. ".default.svc.cluster.local", "A", { options = "+noall +answer" })
    expect({ r.rcode, r.text }):eq { "NOERROR", "" }
  end
end)
