-- A range that has the node's address: the node is served, and so is what comes from the load
-- balancer's own address, which is how a node's packet looks after it went round.
scenario {
  name = "loadBalancerSourceRanges with the node's own address",
  refs = { "LBR-07" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  loadBalancerIP: 203.0.113.80
  loadBalancerSourceRanges: [192.168.0.1/32]
  selector: {app: web}
  ports:
  - port: 80
]]

it("serves the node", function()
  settle()
  expect(node("a"):request("203.0.113.80:80").backend):eq "default/server"
end)

it("allows the load balancer's address as source, on that node only", function()
  local function allowed(name)
    local a = node(name)
    return by_dataplane {
      iptables = function()
        return a:dump("iptables-save", "nat"):find "%-A KUBE%-FW%-%w+ %-s 203.0.113.80/32 [^\n]* %-j KUBE%-EXT" ~= nil
      end,
      nftables = function()
        return a:rules("nft", "write"):find "ip saddr != { 192.168.0.1/32 , 203.0.113.80 } drop" ~= nil
      end,
      ipvs = function()
        return a:dump("ipset"):find "add KUBE%-LOAD%-BALANCER%-SOURCE%-IP 203.0.113.80,tcp:80,203.0.113.80" ~= nil
      end,
    }
  end
  expect({ allowed "a", allowed "b" }):eq { true, false }
end)

it("drops the other node", function()
  expect(node("b"):connect("203.0.113.80:80", { timeout = "3s" }).error):eq "ETIMEDOUT"
end)
