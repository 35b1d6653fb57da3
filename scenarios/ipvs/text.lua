-- Virtual and real servers as ipvsadm takes and prints them: lines of `ipvsadm -Sn` go in and come
-- back as they were, the list has their columns, and what kube-proxy makes is listed as its plan says.
scenario {
  name = "text of ipvsadm",
  refs = { "AFF-06", "#114305" },
  nodes = { "a" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
for i = 1, 2 do pod { name = "server-" .. i, labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  clusterIP: 10.96.0.80
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - {name: http, port: 80, nodePort: 30080}
  - {name: dns, port: 53, protocol: UDP}
]]
local a = node "a"
local saved = [[
-A -t 10.99.0.1:80 -s mh -p 10800 -b mh-port
-a -t 10.99.0.1:80 -r 10.244.0.11:8080 -m -w 1
-a -t 10.99.0.1:80 -r 10.244.0.13:8080 -m -w 3
-A -t 10.99.0.1:81 -s mh -b mh-fallback,mh-port
-A -t 10.99.0.1:82 -s sh -p 60 -M 255.255.255.0 -b sh-fallback
-A -t 10.99.0.1:443 -s rr -p 360
-A -u 10.99.0.1:53 -s wlc
-a -u 10.99.0.1:53 -r 10.244.0.11:53 -m -w 0
-A -u 10.99.0.2:53 -s wrr -o
-A --sctp-service 10.99.0.1:99 -s lblcr
]]
local listed = [[
TCP  10.99.0.1:80 mh (mh-port) persistent 10800
  -> 10.244.0.11:8080             Masq    1      0          0         
  -> 10.244.0.13:8080             Masq    3      0          0         
TCP  10.99.0.1:81 mh (mh-fallback,mh-port)
TCP  10.99.0.1:82 sh (sh-fallback) persistent 60 mask 255.255.255.0
TCP  10.99.0.1:443 rr persistent 360
UDP  10.99.0.1:53 wlc
  -> 10.244.0.11:53               Masq    0      0          0         
UDP  10.99.0.2:53 wrr ops
SCTP 10.99.0.1:99 lblcr
]]
local function of(text, address) -- the blocks of these virtual addresses
  local out, inside = {}, false
  for line in text:gmatch "[^\n]+" do
    if not line:find "^  %->" and not line:find "^%-a " then inside = line:find(address, 1, true) end
    if inside then out[#out + 1] = line .. "\n" end
  end
  return table.concat(out)
end

it("is listed as kube-proxy planned it", function()
  settle()
  expect(a:dump "ipvsadm"):eq(a:rules("ipvsadm", "list"))
  expect(a:dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr persistent 10800\n"
  -- ipvsadm compares addresses by their signed difference
  expect(a:dump "ipvsadm"):matches "InActConn\nTCP  192%.168%.0%.1:30080 "
end)

it("goes in and comes back the same", function()
  for line in saved:gmatch "[^\n]+" do
    a:run("ipvsadm " .. line .. (line:find "w 0$" and " -x 100 -y 50" or "")) -- thresholds are not saved
  end
  expect(of(a:dump "ipvsadm-save", " 10.99.0.")):eq(saved)
  expect(of(a:dump "ipvsadm", " 10.99.0.")):eq(listed)
end)

it("has columns for packets and bytes, and for their rates", function()
  expect(a:dump "ipvsadm-stats"):contains("Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
    .. "  -> RemoteAddress:Port\n")
  expect(of(a:dump "ipvsadm-stats", " 10.99.0.1:80 ")):eq(
    "TCP  10.99.0.1:80                        0        0        0        0        0\n"
    .. "  -> 10.244.0.11:8080                    0        0        0        0        0\n"
    .. "  -> 10.244.0.13:8080                    0        0        0        0        0\n")
  expect(a:dump "ipvsadm-rate"):contains("Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
    .. "  -> RemoteAddress:Port\n")
end)
