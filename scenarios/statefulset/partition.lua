-- A partition holds back the ordinals below it: they keep the old revision, and a pod among them that is
-- deleted comes back with the old one.
scenario {
  name = "StatefulSet with a partition",
  refs = { "STS-05" },
  nodes = { "a", "b" },
}
local function set(image, partition)
  apply(([[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 3
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: %d}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "%s", ports: [{containerPort: 80}]}]
]]):format(partition, image))
  rollout "statefulset/web"
end
local function images()
  local list_of = {}
  for i = 0, 2 do list_of[i + 1] = get("pod/web-" .. i).spec.containers[1].image end
  return list_of
end

it("updates the ordinals from the partition on", function()
  set("nginx:1.26", 2)
  set("nginx:1.27", 2)
  expect(images()):eq { "nginx:1.26", "nginx:1.26", "nginx:1.27" }
end)

it("re-creates lower ones with the old revision", function()
  local uid = get("pod/web-0").metadata.uid
  delete "pod/web-0"
  rollout "statefulset/web"
  expect(get("pod/web-0").metadata.uid):never():eq(uid)
  expect(images()):eq { "nginx:1.26", "nginx:1.26", "nginx:1.27" }
  local label = "controller-revision-hash"
  expect(get("pod/web-0").metadata.labels[label]):eq(get("statefulset/web").status.currentRevision)
  expect(get("pod/web-2").metadata.labels[label]):eq(get("statefulset/web").status.updateRevision)
end)

it("updates the rest when the partition is taken away", function()
  set("nginx:1.27", 0)
  expect(images()):eq { "nginx:1.27", "nginx:1.27", "nginx:1.27" }
end)
