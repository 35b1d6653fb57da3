-- No interface holds a ClusterIP, except in ipvs mode: there every node has it as a /32 on
-- kube-ipvs0, and so in its table of local routes.
scenario {
  name = "which interface holds a ClusterIP",
  refs = { "CIP-03" },
  nodes = { "a", "b" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
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
]]

it("is kube-ipvs0 or none, on every node", function()
  settle()
  for _, name in ipairs { "a", "b" } do
    local addresses, routes = node(name):dump "addr", node(name):dump "route-local"
    by_dataplane {
      ipvs = function()
        expect(addresses):matches "kube%-ipvs0%s+inet 10%.96%.0%.80/32"
        expect(routes):contains "local 10.96.0.80 dev kube-ipvs0"
      end,
      default = function()
        expect(addresses):never():contains "10.96.0.80"
        expect(routes):never():contains "10.96.0.80"
      end,
    }
  end
end)
