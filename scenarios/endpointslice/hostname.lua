-- A pod's hostname is in the slice, and so a name in DNS, only if its subdomain is the Service's name.
scenario {
  name = "hostnames of endpoints",
  refs = { "EPS-07" },
  nodes = { "a", "b" },
}
for name, subdomain in pairs { right = "names", wrong = "others", none = "" } do
  apply(([[
apiVersion: v1
kind: Pod
metadata: {name: server-%s, labels: {app: web}}
spec:
  nodeName: b
  hostname: host-%s
  subdomain: "%s"
  containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80}]}]
]]):format(name, name, subdomain))
end
apply [[
apiVersion: v1
kind: Service
metadata: {name: names}
spec:
  clusterIP: None
  selector: {app: web}
  ports: [{port: 80}]
]]
local cli = pod { name = "cli", node = "a" }

it("are in the slice where the subdomain fits", function()
  eventually("30s", function() expect(#endpoints "names"):eq(3) end)
  local found = {}
  for _, slice in ipairs(list("endpointslices", "default")) do
    if slice.metadata.labels["kubernetes.io/service-name"] == "names" then
      for _, e in ipairs(slice.endpoints) do found[e.targetRef.name] = e.hostname or "" end
    end
  end
  expect(found):eq { ["server-right"] = "host-right", ["server-wrong"] = "", ["server-none"] = "" }
end)

it("are names in DNS there", function()
  expect(cli:dig("host-right.names.default.svc.cluster.local", "A").addresses):eq { ip "server-right" }
  expect(cli:dig("host-wrong.names.default.svc.cluster.local", "A").rcode):eq "NXDOMAIN"
end)
