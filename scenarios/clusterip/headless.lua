-- A headless Service and an ExternalName leave no trace in any mode's rules; a headless Service's
-- traffic goes from pod to pod, untranslated, so that targetPort means nothing.
scenario {
  name = "Services that kube-proxy skips",
  refs = { "HDL-01", "HDL-02", "HDL-03" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 8080 } }
local cli = pod { name = "cli", node = "a" }
local before

it("leaves the rules as they were", function()
  settle()
  before = node("a"):rules()
  apply [[
apiVersion: v1
kind: Service
metadata:
  name: headless
spec:
  clusterIP: None
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: portless
spec:
  clusterIP: None
  selector: {app: web}
---
apiVersion: v1
kind: Service
metadata:
  name: elsewhere
spec:
  type: ExternalName
  externalName: www.example.com
]]
  settle()
  expect(node("a"):rules()):eq(before)
end)

it("connects pod to pod, on the pod's own port", function()
  eventually("31s", function()
    expect(cli:dig("headless.default.svc.cluster.local", "A").addresses):eq { ip "server" }
  end)
  local result = cli:request "headless.default.svc.cluster.local:8080"
  expect(result.backend):eq "default/server"
  expect(result.seen.ip):eq(cli:ip())
  capture("pod/cli"):has("tcp and dst port 8080 and dst host " .. ip "server")
  expect(cli:connect("headless.default.svc.cluster.local:80").error):eq "ECONNREFUSED"
end)

it("has addresses but no service records without ports", function()
  expect(cli:dig("portless.default.svc.cluster.local", "A").addresses):eq { ip "server" }
  expect(cli:dig("_http._tcp.portless.default.svc.cluster.local", "SRV").rcode):eq "NXDOMAIN"
end)
