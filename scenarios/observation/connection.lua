-- What one connection through a Service leaves to be seen has the same form wherever the rules
-- are carried out: the result at the client, packets at a place, the counters of the rules, and
-- the lists that conntrack and ipvsadm print.
scenario {
  name = "what is seen of one connection",
  refs = { "CIP-02", "CTK-14" },
  nodes = { "a" },
  no_dns = true,
}
local web = pod { name = "web", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.100
  selector: {app: web}
  ports:
  - port: 80
]]
local cli, a = pod { name = "cli", node = "a" }, node "a"
local userspace = dataplane == "userspace" -- a proxy on the node: two connections instead of one
settle()

it("ends with a backend and the peer that it saw, or with an errno", function()
  local result = cli:request("svc/web:80", { from_port = 40001 })
  expect(result.backend):eq "default/web"
  expect(result.backend_ip):eq(web:ip())
  if not userspace then expect(result.seen):eq { ip = cli:ip(), port = 40001 } end
  expect(result.error):is_nil()
  expect(cli:connect(web:ip() .. ":81").error):eq "ECONNREFUSED"
  capture("pod/web"):has "tcp[tcpflags] & tcp-rst != 0 and src port 81"
end)

it("is a number of packets at each place", function()
  cli:request("svc/web:80", { from_port = 40002 })
  local syn = "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and src port 40002"
  expect(capture("pod/cli"):count(syn)):eq(1)
  expect(capture("pod/web"):count(syn .. " and dst host " .. web:ip())):eq(userspace and 0 or 1)
end)

if dataplane == "iptables" then
  it("counts in the rules", function()
    local rule = "%[(%d+):%d+%] %-A KUBE%-SEP%-%w+ %-p tcp [^\n]*10.244.1.%d+:80"
    local before = a:dump("iptables-save", "nat"):match(rule)
    cli:request "svc/web:80"
    expect(a:dump("iptables-save", "nat"):match(rule) - before):eq(1)
  end)
end

it("stands in conntrack's list", function()
  cli:request("svc/web:80", { from_port = 40003 })
  wait "0.5s" -- the last FIN is on its way
  local line = a:dump("conntrack"):match "[^\n]* sport=40003 dport=80 [^\n]*"
  expect(line):matches "^tcp      6 11%d TIME_WAIT "
  if userspace then
    expect(line):matches("TIME_WAIT src=10.244.1.%d dst=10.96.0.100 sport=40003 dport=80 "
      .. "src=10.244.1.1 dst=10.244.1.%d sport=%d+ dport=40003 %[ASSURED%] mark=0 use=1$")
  else
    expect(line:match "TIME_WAIT .*"):eq(("TIME_WAIT src=%s dst=10.96.0.100 sport=40003 dport=80 "
      .. "src=%s dst=%s sport=80 dport=40003 [ASSURED] mark=0 use=1"):format(cli:ip(), web:ip(), cli:ip()))
  end
end)

if dataplane == "ipvs" then
  it("stands in ipvsadm's list", function()
    expect(a:dump "ipvsadm"):matches("TCP  10.96.0.100:80 rr\n"
      .. "  %-> 10.244.1.%d:80                Masq    1      0          %d         \n")
  end)
end
