-- An Ingress controller is a pod that dials the Service's endpoints itself: kube-proxy, the
-- ClusterIP and its session affinity have no part in it. Paths: Exact beats Prefix, Prefix takes
-- whole elements, the longest first (Kubernetes docs, concepts/services-networking/ingress).
scenario {
  name = "an Ingress controller dials endpoints",
  refs = { "ING-01", "ING-02" },
  nodes = { "a", "b" },
}
apply [[
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
]]
for _, app in ipairs { "web", "web", "foo", "bar", "exact" } do
  local n = #pods("app=" .. app)
  pod { name = app .. "-" .. n, node = "b", labels = { app = app }, ports = { 80 } }
end
for _, app in ipairs { "web", "foo", "bar", "exact" } do
  apply("apiVersion: v1\nkind: Service\nmetadata: {name: " .. app .. "}\nspec: {sessionAffinity: ClientIP,"
    .. " selector: {app: " .. app .. "}, ports: [{port: 8080, targetPort: 80}]}\n")
end
local controller = pod { name = "controller", node = "a", image = "registry.k8s.io/ingress-nginx/controller:v1.12.1", ports = { 80 } }
apply [[
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: all}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}
      - {path: /foo, pathType: Prefix, backend: {service: {name: foo, port: {number: 8080}}}}
      - {path: /foo/bar, pathType: Prefix, backend: {service: {name: bar, port: {number: 8080}}}}
      - {path: /foo, pathType: Exact, backend: {service: {name: exact, port: {number: 8080}}}}
]]
settle()
wait "4s" -- it loads a new configuration at most 0.3 times a second
local client = outside "203.0.113.9"
local function ask(path, host)
  return client:request(controller:ip() .. ":80", { path = path, host = host or "shop.example.com" })
end

it("takes the endpoints in turn, whatever the Service's affinity", function()
  local seen = {}
  for _ = 1, 4 do seen[#seen + 1] = ask("/").backend end
  expect(seen[1]):eq(seen[3]); expect(seen[2]):eq(seen[4])
  expect({ seen[1], seen[2] }):same_set { "default/web-0", "default/web-1" }
  capture("pod/controller"):has("dst host " .. ip "web-0" .. " and tcp dst port 80")
  capture("pod/controller"):has_not("host " .. ip "svc/web")
end)

it("shows the servers its own address", function()
  expect(ask("/").seen.ip):eq(controller:ip())
end)

for path, backend in pairs { ["/foo"] = "exact", ["/foo/"] = "foo", ["/foo/ba"] = "foo", ["/foo/bar"] = "bar",
  ["/foo/bar/x"] = "bar", ["/foobar"] = "web" } do
  it("sends " .. path .. " to " .. backend, function()
    expect(ask(path).backend):matches("^default/" .. backend .. "%-%d$")
  end)
end

it("answers for hosts that no rule names itself: 404", function()
  expect(ask("/", "other.example.com").status):eq(404)
end)
