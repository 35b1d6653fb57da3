-- A server that is gone without its endpoint: the ICMP error of the server's node reaches the client
-- in the virtual server's name, and says "No route to host".
scenario {
  name = "a dead server in ipvs mode",
  refs = { "CHN-06", "#81775" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80, protocol: TCP}]
endpoints: [{addresses: [10.244.2.200], nodeName: b}]
]]
local cli = pod { name = "cli", node = "a" }

it("is EHOSTUNREACH to the client", function()
  settle()
  expect(cli:connect("10.96.0.80:80").error):eq "EHOSTUNREACH"
  capture("pod/cli"):has "icmp[0] = 3 and icmp[1] = 1 and src host 10.96.0.80"
end)

it("is EHOSTUNREACH to the node too", function()
  expect(node("a"):connect("10.96.0.80:80").error):eq "EHOSTUNREACH"
end)
