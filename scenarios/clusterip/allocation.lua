-- Addresses that the API server chooses come from above a static band of min(max(16, size / 16), 256)
-- addresses, so that those that people choose seldom collide: 16 of a /24.
scenario {
  name = "allocation of ClusterIPs, /24",
  refs = { "CIP-10" },
  nodes = { "a" },
  service_cidr = "10.96.0.0/24",
}
local function service(name, address)
  return ([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  %s
  ports:
  - port: 80
]]):format(name, address and "clusterIP: " .. address or "selector: {app: web}")
end

it("chooses above the static band", function()
  for i = 1, 40 do
    apply(service("dynamic-" .. i))
    local last = tonumber(ip("svc/dynamic-" .. i):match "^10%.96%.0%.(%d+)$")
    expect(last):between(17, 254)
  end
end)

it("gives an address of the static band to who asks for it, once", function()
  apply(service("static", "10.96.0.7"))
  expect(ip "svc/static"):eq "10.96.0.7"
  expect(refused(service("second", "10.96.0.7"))):contains "10.96.0.7"
end)

it("uses the static band when the rest is full", function()
  for i = 41, 254 - 16 do apply(service("dynamic-" .. i)) end
  apply(service "overflow")
  expect(tonumber(ip("svc/overflow"):match "(%d+)$")):between(1, 16)
end)
