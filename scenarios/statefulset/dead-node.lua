-- A StatefulSet never has two pods of one name: a pod on a dead node is marked for deletion, but nobody is
-- there to end it, and its successor waits until the pod object is removed by force.
scenario {
  name = "StatefulSet pod on a dead node",
  refs = { "STS-07", "#38418" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]
]]
local home, uid

it("is marked for deletion after five minutes", function()
  rollout "statefulset/web"
  local o = get "pod/web-0"
  home, uid = o.spec.nodeName, o.metadata.uid
  node(home):down()
  eventually("7m", function() expect(get("pod/web-0").metadata.deletionTimestamp):never():is_nil() end, "5s")
end)

it("has no successor as long as it is there", function()
  always("150s", function() expect(get("pod/web-0").metadata.uid):eq(uid) end)
end)

it("has one when it is removed by force", function()
  delete("pod/web-0", { grace = 0 })
  rollout "statefulset/web"
  expect(get("pod/web-0").spec.nodeName):never():eq(home)
end)
