-- sessionAffinity: ClientIP pins a client to one pod; another client is free to get another.
scenario {
  name = "sessionAffinity ClientIP keeps a client on one pod",
  refs = { "AFF-01", "AFF-02", "AFF-05", "AFF-06" },
  nodes = { "a", "b" },
}
apply "../deployment/web.yaml"
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
]]
local clients = {}
for i = 1, 6 do clients[i] = pod { name = "cli-" .. i, node = i % 2 == 0 and "a" or "b" } end

it("defaults the timeout to three hours", function()
  expect(get("service/sticky").spec.sessionAffinityConfig.clientIP.timeoutSeconds):eq(10800)
end)

it("sends each client's connections to one pod", function()
  rollout "deployment/web"
  for _, cli in ipairs(clients) do
    local first = cli:request("svc/sticky:80").backend
    for _ = 1, 5 do expect(cli:request("svc/sticky:80").backend):eq(first) end
  end
end)

it("does not pin all clients to the same pod", function()
  local backends = {}
  for _, cli in ipairs(clients) do backends[cli:request("svc/sticky:80").backend] = true end
  local count = 0
  for _ in pairs(backends) do count = count + 1 end
  expect(count):at_least(2)
end)
