-- Between the zone and a Service are names that exist without records (no data, not NXDOMAIN);
-- more than two labels in front of a Service never exist; a type that CoreDNS does not serve has
-- no data where the name has an address, else it is NXDOMAIN.
scenario { name = "names that exist without records", refs = { "DNS-10", "DNS-11", "DNS-12", "DNS-14" } }
apply "services.yaml"
local cli = pod { name = "cli", node = "a" }
local ZONE = "cluster.local."
local function asked(name, type)
  local r = cli:dig(name .. ZONE, type or "A", { options = "+noall +answer +authority" })
  return r.rcode, r.text
end

it("has no data for the zone, svc, pod and namespaces", function()
  for _, name in ipairs { "", "svc.", "pod.", "default.svc.", "kube-system.pod." } do
    local rcode, text = asked(name)
    expect(rcode):eq "NOERROR"
    expect(text):matches "^cluster%.local%.%s+30%s+IN%s+SOA%s+ns%.dns%.cluster%.local%. hostmaster%.cluster%.local%. %d+ 7200 1800 86400 30\n$"
  end
end)

it("knows no other name there", function()
  for _, name in ipairs { "web.", "default.", "nowhere.svc.", "a.b.c.web.default.svc." } do
    expect((asked(name))):eq "NXDOMAIN"
  end
end)

it("has no data of other types where there is an address", function()
  for _, type in ipairs { "MX", "TXT", "CAA", "HTTPS", "ANY", "NS" } do
    expect((asked("web.default.svc.", type))):eq "NOERROR"
    expect((asked("nobody.default.svc.", type))):eq "NXDOMAIN"
  end
end)
