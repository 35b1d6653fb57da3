-- ipvs takes one server after another (its scheduler rr), userspace mode too: each window of as many
-- connections as there are endpoints meets each endpoint once. The order is nobody's promise.
scenario {
  name = "round robin",
  refs = { "SEL-04", "USR-02" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs", "userspace" },
}
for i = 1, 3 do
  pod { name = "server-" .. i, node = i % 2 == 0 and "a" or "b", labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("meets every endpoint in every three connections", function()
  settle()
  local order = {}
  for i = 1, 12 do order[i] = cli:request("svc/web:80").backend end
  for i = 1, 10 do
    expect({ order[i], order[i + 1], order[i + 2] }):same_set {
      "default/server-1", "default/server-2", "default/server-3" }
  end
end)

it("is the scheduler rr with equal weights", function()
  if dataplane ~= "ipvs" then return end
  local text = node("a"):dump "ipvsadm"
  expect(text):contains(("TCP  %s:80 rr\n"):format(ip "svc/web"))
  for i = 1, 3 do expect(text):matches(("%s:80%%s+Masq    1 "):format((ip("server-" .. i):gsub("%.", "%%.")))) end
end)
