-- appProtocol tells other programs what is spoken at a port. It is copied to the EndpointSlice and changes
-- no rule.
scenario {
  name = "appProtocol",
  refs = { "PRT-05" },
  nodes = { "a" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
local function service(app_protocol)
  apply([[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - name: http
    port: 80
]] .. app_protocol)
  settle()
end
local function rules() return (node("a"):rules():gsub("%[%d+:%d+%]", "")) end
local before

it("is not in the slice of a Service without", function()
  service ""
  before = rules()
  expect(list("endpointslices", "default")[2].ports[1].appProtocol):is_nil()
end)

it("is copied, and the rules stay as they are", function()
  service "    appProtocol: kubernetes.io/h2c\n"
  expect(list("endpointslices", "default")[2].ports[1].appProtocol):eq "kubernetes.io/h2c"
  expect(rules()):eq(before)
end)
