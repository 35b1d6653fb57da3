-- A kube-proxy in ipvs mode that starts finds the kernel's virtual servers: weights are 1 again, what
-- nobody wants is removed, what is excluded stays.
scenario {
  name = "kube-proxy restarts in ipvs mode",
  refs = { "CHN-08" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
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
local cli = pod { name = "cli", node = "a" }
local a = node "a"

it("sets weights to 1 and removes what it does not know", function()
  settle()
  local connection = cli:open "10.96.0.80:80"
  local backend = connection:request("/").backend
  a:run(("ipvsadm -e -t 10.96.0.80:80 -r %s:80 -m -w 0"):format(ip(backend:match "/(.+)$")))
  a:run "ipvsadm -a -t 10.96.0.80:80 -r 10.244.2.99:80 -m -w 7"
  a:run "ipvsadm -A -t 10.98.0.1:80 -s rr"
  a:run "ipvsadm -A -t 10.99.0.1:80 -s rr"
  a:restart_kube_proxy()
  settle()
  local text = a:dump "ipvsadm"
  for i = 1, 2 do expect(text):matches(ip("server-" .. i):gsub("%.", "%%.") .. ":80%s+Masq    1 ") end
  expect(text):never():contains "10.244.2.99:80"
  expect(text):never():contains "10.98.0.1:80"
  expect(text):contains "TCP  10.99.0.1:80 rr\n"
  expect(connection:request("/").backend):eq(backend)
end)
