-- EndpointSlices hold addresses of one family: a dual-stack Service has at least two, and each pod's
-- addresses are divided among them.
scenario {
  name = "EndpointSlices of a dual-stack Service",
  refs = { "DUA-02" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode knows no dual stack
  dual_stack = true,
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ipFamilyPolicy: PreferDualStack
  selector: {app: web}
  ports: [{port: 80}]
]]

it("are one a family", function()
  settle()
  local addresses = {}
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then
      expect(addresses[slice.addressType]):is_nil()
      addresses[slice.addressType] = {}
      for _, e in ipairs(slice.endpoints) do
        expect(#e.addresses):eq(1)
        table.insert(addresses[slice.addressType], e.addresses[1])
      end
    end
  end
  expect(addresses.IPv4):same_set { pod("server-1"):ip(4), pod("server-2"):ip(4) }
  expect(addresses.IPv6):same_set { pod("server-1"):ip(6), pod("server-2"):ip(6) }
end)
