-- A rolling update runs within 25 % of the replicas: that many more pods, rounded up, may be there, and
-- that many fewer, rounded down, available. Ten replicas: at most 13 pods, at least 8 available.
scenario {
  name = "rolling update of a Deployment",
  refs = { "DEP-01" },
  nodes = { "a", "b" },
}
local function deployment(image)
  apply(([[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 10
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: %s
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
]]):format(image))
end

it("has the default bounds", function()
  deployment "nginx:1.26"
  rollout "deployment/web"
  local bounds = get("deployment/web").spec.strategy.rollingUpdate
  expect(bounds):eq { maxSurge = "25%", maxUnavailable = "25%" }
end)

it("keeps within them, and uses them", function()
  deployment "nginx:1.27"
  local most, least = 0, 10
  eventually("5m", function()
    local live, available = 0, 0
    for _, p in ipairs(list("pods", "default")) do
      if not p.metadata.deletionTimestamp then
        live = live + 1
        for _, c in ipairs(p.status.conditions or {}) do
          if c.type == "Ready" and c.status == "True" then available = available + 1 end
        end
      end
    end
    most, least = math.max(most, live), math.min(least, available)
    local o = get "deployment/web"
    expect(o.status.observedGeneration):eq(o.metadata.generation)
    expect(o.status.updatedReplicas):eq(10)
    expect(live):eq(10)
  end, "20ms")
  expect(most):eq(13)
  expect(least):eq(8)
end)
