-- A NodePort is reached from outside on every node, whichever node the pods are on.
scenario {
  name = "NodePort 30080 from outside",
  refs = { "NPT-02", "NPT-09", "CIP-11" },
  nodes = { "a", "b", "c" },
}
apply "../deployment/web.yaml"
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web-np
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local client = outside "192.168.0.100"

it("answers on every node", function()
  rollout "deployment/web"
  expect(node_port "web-np"):eq(30080)
  for _, name in ipairs { "a", "b", "c" } do
    local result = client:request("node/" .. name .. ":30080")
    expect(result.error):is_nil()
    expect(result.status):eq(200)
    expect(result.seen.ip):never():eq "192.168.0.100"
  end
end)

it("refuses a port that is no NodePort", function()
  expect(client:connect("node/a:30099").error):eq "ECONNREFUSED"
end)
