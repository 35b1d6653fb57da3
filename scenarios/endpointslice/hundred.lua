-- A slice holds 100 endpoints at most: the 101st is in a second one, and kube-proxy uses both.
scenario {
  name = "more than a hundred endpoints",
  refs = { "EPS-05" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 100
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
]]
local function sizes()
  local list_of = {}
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "web" then list_of[#list_of + 1] = #slice.endpoints end
  end
  return list_of
end

it("is one slice up to a hundred", function()
  rollout "deployment/web"
  expect(sizes()):eq { 100 }
end)

it("is two from 101 on", function()
  scale("deployment/web", 101)
  rollout "deployment/web"
  expect(sizes()):same_set { 100, 1 }
  expect(#endpoints "web"):eq(101)
end)
