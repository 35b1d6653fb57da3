-- kube-proxy's own health: /healthz says 503 when a change has waited for twice the sync period, or
-- when the node is about to be removed, so that load balancers leave it; /livez does not mind the
-- node.
scenario {
  name = "/healthz and /livez of kube-proxy",
  refs = { "HCK-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
local client = outside "192.168.0.100"
local function status(path) return client:request("node/a:10256", { path = path }).status end

it("is well at first", function()
  settle()
  expect({ status "/healthz", status "/livez" }):eq { 200, 200 }
end)

it("is not when the autoscaler has chosen the node", function()
  apply [[
apiVersion: v1
kind: Node
metadata:
  name: b
spec:
  podCIDR: 10.244.2.0/24
  podCIDRs: [10.244.2.0/24]
  taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]
]]
  wait "2s"
  expect(client:request("node/b:10256", { path = "/healthz" }).status):eq(503)
  expect(client:request("node/b:10256", { path = "/livez" }).status):eq(200)
end)

it("is not when no change has reached the kernel for a minute", function()
  node("a"):fault "sync-fails=10"
  apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - port: 80
]]
  wait "50s"
  expect({ status "/healthz", status "/livez" }):eq { 200, 200 }
  wait "20s"
  expect({ status "/healthz", status "/livez" }):eq { 503, 503 }
end)

it("is well again after the next sync", function()
  node("a"):fault "sync-fails=0"
  wait "35s"
  expect({ status "/healthz", status "/livez" }):eq { 200, 200 }
end)
