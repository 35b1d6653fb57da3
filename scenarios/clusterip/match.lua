-- A ClusterIP is one pair of address, protocol and port in each mode's rules; a datagram to the
-- number of a TCP port is translated by nobody.
scenario {
  name = "a ClusterIP is matched as address, protocol and port",
  refs = { "CIP-01" },
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
local cli = pod { name = "cli", node = "a" }

local function lines(text, part)
  local n = 0
  for line in text:gmatch "[^\n]+" do
    if line:find(part, 1, true) then n = n + 1 end
  end
  return n
end

it("is one rule, one map element or one virtual server", function()
  settle()
  local a = node "a"
  by_dataplane {
    iptables = function() expect(lines(a:dump("iptables-save", "nat"), "-A KUBE-SERVICES -d 10.96.0.80/32")):eq(1) end,
    nftables = function() expect(lines(a:dump "nft", "10.96.0.80 . tcp . 80 : goto")):eq(1) end,
    ipvs = function() expect(lines(a:dump "ipvsadm", "TCP  10.96.0.80:80 rr")):eq(1) end,
    -- one portal for pods and outsiders, one for the node's own processes
    userspace = function() expect(lines(a:dump("iptables-save", "nat"), "-d 10.96.0.80/32")):eq(2) end,
  }
end)

it("translates TCP to the port", function()
  expect(cli:request("svc/web:80").backend):eq "default/server"
end)

it("does not translate a datagram to the same number", function()
  local result = cli:send("10.96.0.80:80", "hello", { timeout = "2s" })
  expect(result.error):never():is_nil()
  capture("pod/server"):has_not "udp"
end)
