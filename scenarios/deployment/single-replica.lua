-- One replica and the default bounds: 25 % of one is a whole pod more and none fewer. So the new pod is ready
-- before the old one leaves, which it does when it is marked for deletion, and there is always an endpoint.
scenario {
  name = "rolling update of a single replica",
  refs = { "DEP-02" },
  nodes = { "a", "b" },
}
local function deployment(image)
  apply(([[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: web
        image: %s
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
        lifecycle: {preStop: {exec: {command: [sleep, "10"]}}}
]]):format(image))
end
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
local cli = pod { name = "cli", node = "a" }

it("never leaves the Service without a ready endpoint", function()
  deployment "nginx:1.26"
  rollout "deployment/web"
  local old = endpoints "web"
  deployment "nginx:1.27"
  local timeline = {}
  eventually("2m", function()
    local now_there = endpoints "web"
    if table.concat(now_there, " ") ~= timeline[#timeline] then timeline[#timeline + 1] = table.concat(now_there, " ") end
    expect(#now_there):at_least(1)
    expect(now_there):never():contains(old[1])
  end, "20ms")
  expect(timeline[1]):eq(old[1])
  expect(#timeline):between(2, 3) -- the old one, perhaps both, the new one
end)

it("serves all the time", function()
  settle()
  expect(cli:request("svc/web:80").backend):matches "^default/web%-"
  deployment "nginx:1.25"
  expect(cli:load("svc/web:80", { count = 400, rate = 10, timeout = "1s" }).failures):eq(0)
end)
