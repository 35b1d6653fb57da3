-- What becomes of an open connection when its server goes. At weight 0 it goes on. A server removed
-- for good leaves it in silence with expire_nodest_conn=0, and takes it up again when it comes back;
-- with 1, which kube-proxy sets, the client's next packets end it with a RST.
scenario {
  name = "an open connection whose server is removed",
  refs = { "CHN-03", "CHN-04" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
pod { name = "server", node = "b", ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
settle()
local a, target = node "a", "10.99.0.1:80"
local server = ("-t %s -r %s:80"):format(target, ip "server")
a:run "ip addr add 10.99.0.1/32 dev eth0"
a:run(("ipvsadm -A -t %s -s rr"):format(target))
a:run(("ipvsadm -a %s -m"):format(server))
local function counts() return a:dump("ipvsadm"):match(ip("server"):gsub("%.", "%%.") .. ":80%s+Masq%s+(%d+ +%d+ +%d+)") end
local connection

it("goes on at weight 0, while new ones are refused", function()
  connection = cli:open(target)
  expect(connection:request("/").backend):eq "default/server"
  a:run(("ipvsadm -e %s -m -w 0"):format(server))
  expect(connection:request("/").backend):eq "default/server"
  expect(counts():gsub(" +", " ")):eq "0 1 0"
  expect(cli:connect(target).error):eq "ECONNREFUSED"
end)

it("stalls without expire_nodest_conn, until the server is back with its connection", function()
  a:sysctl("net.ipv4.vs.expire_nodest_conn", 0)
  a:run(("ipvsadm -d %s"):format(server))
  local stalled = spawn(function() expect(connection:request("/").backend):eq "default/server" end)
  wait "1s"
  capture("pod/cli"):has_not "tcp[tcpflags] & tcp-rst != 0"
  a:run(("ipvsadm -a %s -m"):format(server))
  stalled:join()
  expect(counts():gsub(" +", " ")):eq "1 1 0"
end)

it("is reset with expire_nodest_conn", function()
  a:sysctl("net.ipv4.vs.expire_nodest_conn", 1)
  a:run(("ipvsadm -d %s"):format(server))
  expect(connection:request("/").error):eq "ECONNRESET"
end)
