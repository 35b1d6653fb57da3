-- A pod is told to stop while nodes still send it connections: kubelet and kube-proxy learn of its
-- deletion at the same time, and the rules follow up to a second later. A server that ends at once
-- refuses what comes meanwhile; a preStop sleep hides the gap.
scenario {
  name = "connections while a pod is being deleted",
  refs = { "CHN-10", "#50977" },
  nodes = { "a", "b" },
}
local function server(name, app, lifecycle)
  apply(([[
apiVersion: v1
kind: Pod
metadata:
  name: %s
  labels: {app: %s}
spec:
  nodeName: b
  containers:
  - name: main
    image: nginx:1.27
    ports: [{containerPort: 80}]
    %s
]]):format(name, app, lifecycle))
end
local services = { hasty = "", patient = "lifecycle: {preStop: {sleep: {seconds: 5}}}" }
for app, lifecycle in pairs(services) do
  for i = 1, 2 do server(app .. "-" .. i, app, lifecycle) end
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  selector: {app: %s}
  ports: [{port: 80}]
]]):format(app, app))
end
local cli = pod { name = "cli", node = "a" }

-- Failures among the connections of three seconds, a pod's deletion in the first.
local function failures(app)
  settle()
  -- A sync has just been: the next one is a second away, and so is the news of the deletion.
  apply("apiVersion: v1\nkind: Service\nmetadata: {name: other-" .. app .. "}\nspec: {ports: [{port: 81}]}\n")
  wait "50ms"
  delete("pod/" .. app .. "-1", { nowait = true })
  return cli:load("svc/" .. app .. ":80", { count = 150, rate = 50, timeout = "1s" }).failures
end

it("fail when the server ends at once", function()
  local failed = failures "hasty"
  by_dataplane {
    userspace = function() expect(failed):eq(0) end, -- the proxy tries the next endpoint
    default = function() expect(failed):at_least(1) end,
  }
end)

it("don't with a preStop sleep", function()
  expect(failures "patient"):eq(0)
end)
