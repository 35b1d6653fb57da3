-- A StatefulSet waits for a pod that never gets ready before it looks at anything else. So to take back a
-- broken template does not help: the pod must be deleted by hand.
scenario {
  name = "StatefulSet stuck with a broken image",
  refs = { "STS-06", "#67250" },
  nodes = { "a", "b" },
}
local function set(image)
  apply(([[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "%s", ports: [{containerPort: 80}]}]
]]):format(image))
end
local function image(name) return get("pod/" .. name).spec.containers[1].image end

it("stops at the first pod with the image", function()
  set "nginx:1.27"
  rollout "statefulset/web"
  set "nginx:missing-tag"
  eventually("2m", function()
    expect(image "web-1"):eq "nginx:missing-tag"
    expect(get("pod/web-1").status.containerStatuses[1].state.waiting.reason):one_of { "ErrImagePull", "ImagePullBackOff" }
  end)
  expect(image "web-0"):eq "nginx:1.27"
end)

it("stays so when the template is taken back", function()
  set "nginx:1.27"
  settle "11m"
  local uid = get("pod/web-1").metadata.uid
  always("100s", function() expect(image "web-1"):eq "nginx:missing-tag" end)
  expect(get("pod/web-1").metadata.uid):eq(uid)
end)

it("goes on when the pod is deleted by hand", function()
  delete "pod/web-1"
  rollout "statefulset/web"
  expect(image "web-1"):eq "nginx:1.27"
end)
