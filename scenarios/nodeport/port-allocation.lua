-- Node ports that the API server chooses lie in 30000 to 32767, above a static band of 86 ports that it
-- leaves to people as long as it can.
scenario {
  name = "allocation of node ports",
  refs = { "NPT-01" },
  nodes = { "a" },
  no_dns = true,
}
local function service(name, port)
  return ([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: NodePort
  ports:
  - port: 80
%s]]):format(name, port and "    nodePort: " .. port .. "\n" or "")
end

it("chooses ports above the static band", function()
  for i = 1, 30 do
    apply(service("dynamic-" .. i))
    expect(node_port("dynamic-" .. i)):between(30086, 32767)
  end
end)

it("gives a port of the static band to who asks for it, once", function()
  apply(service("static", 30000))
  expect(node_port "static"):eq(30000)
  expect(refused(service("again", 30000))):contains "provided port is already allocated"
end)

it("refuses a port outside the range", function()
  expect(refused(service("low", 29999))):contains "The range of valid ports is 30000-32767"
end)
