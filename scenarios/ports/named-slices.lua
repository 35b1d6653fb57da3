-- An EndpointSlice has one list of ports for all its endpoints: pods that give a port's name different
-- numbers are in different slices.
scenario {
  name = "pods that disagree about a port's number",
  refs = { "PRT-02" },
  nodes = { "a", "b" },
}
for name, port in pairs { ["old-1"] = 8080, ["old-2"] = 8080, new = 9090 } do
  pod { name = name, node = "b", labels = { app = "web" }, ports = { { port = port, name = "http" } } }
end
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
]]
local cli = pod { name = "cli", node = "a" }

it("are in two slices", function()
  settle()
  local sizes = {}
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then
      expect(#slice.ports):eq(1)
      sizes[tostring(slice.ports[1].port)] = #slice.endpoints
    end
  end
  expect(sizes):eq { ["8080"] = 2, ["9090"] = 1 }
end)

it("all get connections, each at its own port", function()
  local result, ports = cli:load("svc/web:80", { count = 60 }), {}
  for name in pairs(result.spread) do ports[#ports + 1] = name end
  expect(result.failures):eq(0)
  expect(ports):same_set { "default/old-1", "default/old-2", "default/new" }
end)
