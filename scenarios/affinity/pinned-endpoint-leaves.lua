-- A client whose pod is no longer ready is given another, and stays there when the first comes back:
-- the record went with the rules of the endpoint.
scenario {
  name = "the pinned endpoint is not ready",
  refs = { "AFF-11", "#110302" },
  nodes = { "a", "b" },
}
for i = 1, 2 do
  apply(([[
apiVersion: v1
kind: Pod
metadata:
  name: server-%d
  labels: {app: web}
spec:
  nodeName: b
  containers:
  - name: main
    image: nginx:1.27
    ports: [{containerPort: 80}]
    readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
]]):format(i))
end
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
local cli = pod { name = "cli", node = "a" }
local first, other

it("moves the client to another pod", function()
  eventually("30s", function() expect(#endpoints "sticky"):eq(2) end)
  settle()
  first = cli:request("svc/sticky:80").backend
  pod(first:match "/(.+)$"):fail_readiness()
  eventually("15s", function() expect(#endpoints "sticky"):eq(1) end)
  settle()
  other = cli:request("svc/sticky:80").backend
  expect(other):never():eq(first)
end)

it("leaves it there when the first pod is back", function()
  pod(first:match "/(.+)$"):heal_probes()
  eventually("15s", function() expect(#endpoints "sticky"):eq(2) end)
  settle()
  for _ = 1, 8 do expect(cli:request("svc/sticky:80").backend):eq(other) end
end)

it("pins no client to it that has not been there since", function()
  if dataplane ~= "iptables" then return end
  local rules = node("a"):dump("iptables-save", "nat")
  local chain = rules:match("%-A (KUBE%-SEP%-%w+) [^\n]*default/sticky[^\n]*%-%-to%-destination "
    .. ip(first:match "/(.+)$"):gsub("%.", "%%.") .. ":80")
  expect(node("a"):dump("recent", chain)):never():contains("src=" .. cli:ip())
end)
