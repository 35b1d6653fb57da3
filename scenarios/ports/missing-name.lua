-- A pod that lacks a named port is no endpoint for that port, and is one for the Service's others.
scenario {
  name = "a pod without the named port",
  refs = { "PRT-03" },
  nodes = { "a", "b" },
}
pod { name = "full", node = "b", labels = { app = "web" }, ports = { { port = 80, name = "http" }, { port = 9100, name = "metrics" } } }
pod { name = "plain", node = "b", labels = { app = "web" }, ports = { { port = 80, name = "http" } } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: http}
  - {name: metrics, port: 9100, targetPort: metrics}
]]
local cli = pod { name = "cli", node = "a" }
local function backends(port)
  local names = {}
  for name in pairs(cli:load("svc/web:" .. port, { count = 24 }).spread) do names[#names + 1] = name end
  return names
end

it("is an endpoint of the other ports only", function()
  settle()
  expect(endpoints "web"):same_set { ip "full" .. ":80", ip "full" .. ":9100", ip "plain" .. ":80" }
  expect(backends(80)):same_set { "default/full", "default/plain" }
  expect(backends(9100)):eq { "default/full" }
end)
