-- loadBalancerSourceRanges: clients in range are served, others dropped in silence; pods and the node
-- count as clients too. Each mode drops at a place of its own.
scenario {
  name = "loadBalancerSourceRanges",
  refs = { "LBR-04", "LBR-05", "LBR-06", "LBR-08", "#119656" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
local function service(name, address, ranges)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: LoadBalancer
  loadBalancerIP: %s
  loadBalancerSourceRanges: [%s]
  selector: {app: web}
  ports:
  - {name: tcp, port: 80}
  - {name: udp, port: 80, protocol: UDP}
]]):format(name, address, ranges))
end
service("web", "203.0.113.80", "192.168.0.96/28")
service("pods", "203.0.113.81", "10.244.0.0/16")
local cli = pod { name = "cli", node = "a" }
local function blocked(from, target)
  expect(from:connect(target, { timeout = "3s" }).error):eq "ETIMEDOUT"
  capture("pod/server"):has_not "tcp[tcpflags] & tcp-syn != 0 and dst port 80"
end

it("serves a client in range", function()
  settle()
  expect(outside("192.168.0.100"):request("203.0.113.80:80").backend):eq "default/server"
end)

it("drops one out of range", function() blocked(outside "192.168.0.120", "203.0.113.80:80") end)
it("drops a pod whose address is in no range", function() blocked(cli, "203.0.113.80:80") end)
it("drops the node whose address is in no range", function()
  blocked(node "a", "203.0.113.80:80")
  local udp = node("a"):send("203.0.113.80:80", "hello", { timeout = "2s" })
  -- Dropped on the way out, and the kernel tells the sender; but IPVS has taken the packet by then, and
  -- nobody is told.
  expect(udp.error):eq(by_dataplane { ipvs = "ETIMEDOUT", default = "EPERM" })
end)

it("serves pods, and masquerades them, where their range is listed", function()
  local result = cli:request "203.0.113.81:80"
  expect(result.backend):eq "default/server"
  expect(result.seen.ip):eq "10.244.1.1"
  expect(pod("server"):request("203.0.113.81:80").seen.ip):eq "10.244.1.1" -- itself
end)

it("stands where each mode drops", function()
  local a = node "a"
  by_dataplane {
    iptables = function()
      expect(a:dump("iptables-save", "filter")):contains "-A KUBE-PROXY-FIREWALL -d 203.0.113.80/32 -p tcp"
    end,
    nftables = function()
      expect(a:rules("nft", "write")):matches "firewall%-%S+default/web/tcp/tcp ip saddr != { 192.168.0.96/28 } drop"
      expect(a:dump "nft"):contains "type filter hook prerouting priority dstnat - 10"
    end,
    ipvs = function()
      expect(a:dump "ipset"):contains "add KUBE-LOAD-BALANCER-SOURCE-CIDR 203.0.113.80,tcp:80,192.168.0.96/28"
      expect(a:dump("iptables-save", "filter")):matches "%-A OUTPUT .*KUBE%-IPVS%-OUT%-FILTER"
    end,
  }
end)
