-- podManagementPolicy Parallel: pods are made and deleted without waiting for each other. (The batches of
-- 1, 2, 4 ... that the controller makes them in follow each other at once as long as the API server accepts.)
scenario {
  name = "StatefulSet with policy Parallel",
  refs = { "STS-02" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  podManagementPolicy: Parallel
  replicas: 7
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
]]

it("makes all pods before the first is ready", function()
  eventually("3s", function() expect(#pods "app=web"):eq(7) end, "10ms")
  for i = 0, 6 do
    local ready = "False"
    for _, c in ipairs(get("pod/web-" .. i).status.conditions or {}) do
      if c.type == "Ready" then ready = c.status end
    end
    expect(ready):eq "False"
  end
end)

it("deletes all of them at once", function()
  rollout "statefulset/web"
  scale("statefulset/web", 0)
  wait "1s"
  local names = pods "app=web"
  expect(#names):eq(7)
  for _, name in ipairs(names) do expect(get("pod/" .. name).metadata.deletionTimestamp):never():is_nil() end
end)
