-- kube-proxy in ipvs mode compares sets, addresses and servers with the kernel in every sync: what an
-- administrator deleted is put back, what they added is taken away; a weight stays as they set it.
-- Source: pkg/proxy/ipvs/proxier.go, syncService, syncEndpoint, cleanLegacyService; ipset.go.
scenario {
  name = "an administrator's changes in ipvs mode",
  refs = { "SYN-06" },
  nodes = { "a" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.98.0.0/16]}",
}
local a, port = node "a", 80
local function service(name, ip, port)
  apply(("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"
    .. "spec: {clusterIP: %s, selector: {app: web}, ports: [{port: %d, targetPort: 80}]}\n"):format(name, ip, port))
end
for i = 1, 2 do pod { name = "server-" .. i, labels = { app = "web" }, ports = { 80 } } end
service("web", "10.96.0.80", 80)
service("other", "10.96.0.81", 80)
local function sync() -- any change of a Service is followed by one
  port = port + 1
  service("tick", "10.96.0.99", port)
  settle()
end
local function servers() return (a:dump("ipvsadm"):gsub("TCP  10%.96%.0%.99:%d+", "TCP  10.96.0.99:N")) end

it("is undone by the next sync where it is kube-proxy's", function()
  sync()
  local list = servers()
  for _, line in ipairs {
    "ipvsadm -D -t 10.96.0.80:80",
    "ipvsadm -d -t 10.96.0.81:80 -r " .. ip "server-1" .. ":80",
    "ipvsadm -a -t 10.96.0.81:80 -r 192.0.2.1:80 -m -w 1",
    "ipvsadm -E -t 10.96.0.1:443 -s wrr",
    "ipvsadm -A -t 10.97.0.1:80 -s rr",
    "ipset del KUBE-CLUSTER-IP 10.96.0.80,tcp:80",
    "ipset add KUBE-CLUSTER-IP 10.97.0.1,tcp:80",
    "ip addr del 10.96.0.81/32 dev kube-ipvs0",
    "ip addr add 10.97.0.1/32 dev kube-ipvs0",
  } do a:run(line) end
  expect(servers()):never():contains "10.96.0.80:80"
  sync()
  expect(servers()):eq(list)
  expect(a:dump "ipset"):contains "add KUBE-CLUSTER-IP 10.96.0.80,tcp:80\n"
  expect(a:dump "ipset"):never():contains "10.97.0.1"
  expect(a:dump("addr", "kube-ipvs0")):contains "10.96.0.81/32"
  expect(a:dump("addr", "kube-ipvs0")):never():contains "10.97.0.1"
  local cli = pod { name = "cli", node = "a" }
  for _, vip in ipairs { "10.96.0.80:80", "10.96.0.81:80" } do expect(cli:request(vip).ok):is_true() end
end)

it("stays where kube-proxy does not look: weights, and servers that are excluded", function()
  a:run("ipvsadm -e -t 10.96.0.80:80 -r " .. ip "server-1" .. ":80 -m -w 7")
  a:run "ipvsadm -A -t 10.98.0.1:80 -s rr"
  sync()
  expect(a:dump "ipvsadm"):matches((ip "server-1"):gsub("%.", "%%.") .. ":80 +Masq +7 ")
  expect(a:dump "ipvsadm"):contains "TCP  10.98.0.1:80 rr\n"
end)

it("takes the weight back when kube-proxy starts anew", function()
  a:restart_kube_proxy()
  settle()
  expect(a:dump "ipvsadm"):matches((ip "server-1"):gsub("%.", "%%.") .. ":80 +Masq +1 ")
end)
