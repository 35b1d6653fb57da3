-- A rolling update replaces the highest ordinal first and waits until it is healthy again before the next.
scenario {
  name = "rolling update of a StatefulSet",
  refs = { "STS-04" },
  nodes = { "a", "b" },
  params = { image = "nginx:1.27" },
}
apply "web3.yaml"
local cli = pod { name = "cli", node = "a" }
local function set(image)
  apply(([[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "%s", ports: [{containerPort: 80}]}]
]]):format(image))
end
local function is_ready(name)
  local o = get("pod/" .. name)
  for _, c in ipairs(o and o.status.conditions or {}) do
    if c.type == "Ready" then return c.status == "True" and not o.metadata.deletionTimestamp end
  end
  return false
end

it("goes from the highest ordinal down, one pod at a time", function()
  rollout "statefulset/web"
  set(params.image)
  local order = {}
  eventually("5m", function()
    local away = 0
    for i = 0, 2 do
      local name = "web-" .. i
      if not is_ready(name) then
        away = away + 1
        if order[#order] ~= name then order[#order + 1] = name end
      end
    end
    if away > 1 then error("two pods are away at once: " .. table.concat(order, " "), 0) end
    expect(away):eq(0)
    for i = 0, 2 do expect(get("pod/web-" .. i).spec.containers[1].image):eq(params.image) end
  end, "50ms")
  expect(order):eq { "web-2", "web-1", "web-0" }
end)

it("leaves all pods at the new revision, under their names", function()
  rollout "statefulset/web"
  for i = 0, 2 do
    expect(get("pod/web-" .. i).spec.containers[1].image):eq(params.image)
    eventually("31s", function() expect(cli:request("web-" .. i .. ".web:80").backend):eq("default/web-" .. i) end)
  end
end)
