-- publishNotReadyAddresses: unready and terminating pods count as ready in the slices, for kube-proxy and
-- for DNS alike.
scenario {
  name = "publishNotReadyAddresses",
  refs = { "EPS-02" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: web}}
spec:
  nodeName: b
  terminationGracePeriodSeconds: 60
  containers:
  - name: main
    image: nginx:1.27
    ports: [{containerPort: 80}]
    readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}
    lifecycle: {preStop: {sleep: {seconds: 50}}}
---
apiVersion: v1
kind: Service
metadata: {name: eager}
spec:
  selector: {app: web}
  publishNotReadyAddresses: true
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: names}
spec:
  clusterIP: None
  selector: {app: web}
  publishNotReadyAddresses: true
---
apiVersion: v1
kind: Service
metadata: {name: strict}
spec:
  selector: {app: web}
  ports: [{port: 80}]
]]
local cli = pod { name = "cli", node = "a" }
local function answers()
  expect(cli:request("svc/eager:80").backend):eq "default/server"
  expect(cli:dig("names.default.svc.cluster.local", "A").addresses):eq { ip "server" }
  expect(cli:request("svc/strict:80", { timeout = "2s" }).backend):is_nil()
end

it("uses a pod that is not ready", function()
  pod("server"):fail_readiness()
  eventually("30s", function() expect(#endpoints "eager"):eq(1) end)
  settle()
  expect(endpoints "strict"):eq {}
  answers()
end)

it("uses one that terminates", function()
  delete("pod/server", { nowait = true })
  wait "3s"
  local slice
  for _, s in ipairs(list("endpointslices", "default")) do
    if s.metadata.labels["kubernetes.io/service-name"] == "eager" then slice = s end
  end
  expect(slice.endpoints[1].conditions):eq { ready = true, serving = false, terminating = true }
  answers()
end)
