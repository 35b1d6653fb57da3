-- PTR: a ClusterIP is its Service's name, a pod's address one name for each Service whose
-- endpoint it is; an address nobody has goes to the servers outside (fallthrough).
scenario {
  name = "PTR records", refs = { "DNS-07" },
  upstream = [[
in-addr.arpa. 300 IN SOA a.in-addr-servers.arpa. nstld.iana.org. 1 1800 900 604800 300
7.2.0.192.in-addr.arpa. 300 IN PTR outside.example.org.
]],
}
apply "services.yaml"
local cli = pod { name = "cli", node = "a" }
local function reverse(address)
  local a, b, c, d = address:match "(%d+)%.(%d+)%.(%d+)%.(%d+)"
  return cli:dig(("%s.%s.%s.%s.in-addr.arpa."):format(d, c, b, a), "PTR", { options = "+short" })
end

it("names a ClusterIP after its Service", function()
  rollout "deployment/web"
  expect(reverse(ip "svc/web").text):eq "web.default.svc.cluster.local.\n"
end)

it("names a pod once for each Service it is an endpoint of", function()
  local address = ip(pods("app=web")[1])
  local dashed = address:gsub("%.", "-")
  local text = reverse(address).text
  expect(text):contains(dashed .. ".pods.default.svc.cluster.local.")
  expect(text):contains(dashed .. ".web.default.svc.cluster.local.")
end)

it("asks outside for what it does not know", function()
  expect(reverse("192.0.2.7").text):eq "outside.example.org.\n"
  expect(reverse("10.96.250.250").rcode):eq "NXDOMAIN"
end)
