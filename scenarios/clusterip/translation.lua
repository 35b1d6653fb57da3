-- Pods' packets are translated when they enter the node, the node's own when they leave a socket:
-- on the server's wire stands the pod's address and target port, at the client the ClusterIP.
scenario {
  name = "where a ClusterIP is translated",
  refs = { "CIP-02", "USR-01" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 8080 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8080
]]
local cli = pod { name = "cli", node = "a" }

it("translates a pod's packets on its node", function()
  settle()
  expect(cli:request("svc/web:80").backend):eq "default/server"
  capture("pod/cli"):has "tcp and dst host 10.96.0.80 and dst port 80":has_not "tcp and port 8080"
  capture("node/a:eth0"):has("tcp and dst port 8080 and dst host " .. ip "server"):has_not "host 10.96.0.80"
  capture("pod/server"):has "tcp and dst port 8080":has_not "host 10.96.0.80"
end)

it("translates the packets of a process on the node before they leave it", function()
  expect(node("a"):request("10.96.0.80:80").backend):eq "default/server"
  capture("node/a:eth0"):has("tcp and dst port 8080 and dst host " .. ip "server"):has_not "host 10.96.0.80"
end)

it("needs the address on the node where IPVS does it", function()
  by_dataplane {
    -- IPVS looks at what is delivered to the node itself (its LOCAL_IN hook).
    ipvs = function()
      node("a"):run "ip addr del 10.96.0.80/32 dev kube-ipvs0"
      expect(cli:connect("10.96.0.80:80", { timeout = "4s" }).error):eq "ETIMEDOUT"
    end,
    default = function() expect(node("a"):dump "addr"):never():contains "10.96.0.80" end,
  }
end)
