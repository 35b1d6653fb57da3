-- A headless Service answers with the address of every ready pod, a ClusterIP Service
-- with its ClusterIP; a name that does not exist is NXDOMAIN.
scenario {
  name = "headless and ClusterIP names in DNS",
  refs = { "DNS-01", "DNS-02", "DNS-03", "DNS-16" },
  nodes = { "a", "b" },
}
apply "../deployment/web.yaml"
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("lists all pods of a headless Service", function()
  rollout "deployment/web"
  local wanted = {}
  for _, name in ipairs(pods "app=web") do wanted[#wanted + 1] = ip(name) end
  local answer = cli:dig("web-headless.default.svc.cluster.local", "A")
  expect(answer.addresses):same_set(wanted)
  expect(answer.ttl):between(1, 30)
end)

it("answers a ClusterIP Service with its one address", function()
  expect(cli:dig("web.default.svc.cluster.local", "A").addresses):eq { ip "svc/web" }
end)

it("finds short names by the search list", function()
  expect(cli:resolve("web").addresses):contains(ip "svc/web")
  expect(cli:resolve("web.default").addresses):contains(ip "svc/web")
end)

it("knows no name that does not exist", function()
  expect(cli:dig("nobody.default.svc.cluster.local", "A").rcode):eq "NXDOMAIN"
end)
