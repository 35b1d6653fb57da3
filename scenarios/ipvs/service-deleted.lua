-- A deleted Service takes its virtual server and its address with it at once, without any grace: what
-- an open connection sends then leaves the node, unanswered.
scenario {
  name = "a Service is deleted in ipvs mode",
  refs = { "CHN-07" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
local function service(name, address, port)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  clusterIP: %s
  selector: {app: web}
  ports:
  - {port: %d, targetPort: 80}
]]):format(name, address, port))
end
service("web", "10.96.0.80", 80)
local cli = pod { name = "cli", node = "a" }
local a, connection = node "a", nil

it("has its address on kube-ipvs0 and a virtual server", function()
  settle()
  connection = cli:open "10.96.0.80:80"
  expect(connection:request("/").backend):eq "default/server"
  expect(a:dump("addr", "kube-ipvs0")):contains "10.96.0.80/32"
  expect(a:dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr\n"
end)

it("loses both at once", function()
  delete "service/web"
  settle()
  expect(a:dump("addr", "kube-ipvs0")):never():contains "10.96.0.80/32"
  expect(a:dump "ipvsadm"):never():contains "10.96.0.80:80"
end)

it("leaves its connections unanswered: they leave by the default route", function()
  spawn(function() connection:request "/" end)
  wait "2s"
  capture("node/a:eth0"):has "dst host 10.96.0.80 and tcp dst port 80"
  capture("pod/cli"):has_not "src host 10.96.0.80"
end)
