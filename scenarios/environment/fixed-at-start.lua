-- The environment is made when the container starts and never changes: a Service that comes later is missing.
-- Services of other namespaces are not there but for default/kubernetes, and with enableServiceLinks false only
-- that one is.
scenario {
  name = "the environment of a running container",
  refs = { "ENV-02" },
  nodes = { "a" },
}
apply [[
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: Service
metadata: {name: early}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec:
  nodeName: a
  enableServiceLinks: false
  containers: [{name: main, image: "nginx:1.27"}]
]]
local cli = pod { name = "cli", node = "a" }
local foreign = pod { name = "cli", node = "a", namespace = "other" }

it("does not get Services that come later", function()
  expect(cli:env().EARLY_SERVICE_HOST):eq(ip "svc/early")
  apply "apiVersion: v1\nkind: Service\nmetadata: {name: late}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
  settle()
  expect(cli:env().LATE_SERVICE_HOST):is_nil()
  expect(pod { name = "new", node = "a" }:env().LATE_SERVICE_HOST):eq(ip "svc/late")
end)

it("has no Services of other namespaces, but kubernetes", function()
  local env = foreign:env()
  expect(env.EARLY_SERVICE_HOST):is_nil()
  expect(env.KUBERNETES_SERVICE_HOST):eq(ip "svc/kubernetes")
end)

it("has only kubernetes without service links", function()
  eventually("30s", function() expect(get("pod/bare").status.phase):eq "Running" end)
  local env = pod("bare"):env()
  expect(env.EARLY_SERVICE_HOST):is_nil()
  expect(env.KUBERNETES_SERVICE_HOST):eq(ip "svc/kubernetes")
end)
