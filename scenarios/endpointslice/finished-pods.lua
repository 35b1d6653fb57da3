-- Pods that have run to their end, well or badly, and pods without an address are in no slice.
scenario {
  name = "finished pods are no endpoints",
  refs = { "EPS-04" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Pod
metadata: {name: done, labels: {app: web}}
spec:
  nodeName: b
  restartPolicy: Never
  containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: broken, labels: {app: web}}
spec:
  nodeName: b
  restartPolicy: Never
  containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: pending, labels: {app: web}}
spec:
  nodeSelector: {no-such: node}
  containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80}]}]
]]
local cli = pod { name = "cli", node = "a" }

local function phase(name) return get("pod/" .. name).status.phase end

it("run to their end", function()
  eventually("60s", function()
    expect(phase "done"):eq "Running"
    expect(phase "broken"):eq "Running"
  end)
  pod("done"):kill(0)
  pod("broken"):kill(1)
  eventually("30s", function()
    expect(phase "done"):eq "Succeeded"
    expect(phase "broken"):eq "Failed"
    expect(phase "pending"):eq "Pending"
  end)
end)

it("leaves only the one that runs, though unready addresses are published", function()
  apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  publishNotReadyAddresses: true
  ports: [{port: 80}]
]]
  settle()
  expect(endpoints "web"):eq { ip "server" .. ":80" }
  for _ = 1, 8 do expect(cli:request("svc/web:80").backend):eq "default/server" end
end)
