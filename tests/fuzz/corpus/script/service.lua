-- A pod uses a Service that chooses the pod itself: that connection is masqueraded, so that the
-- answer takes the same way back; the others keep the pod's address. At a node port all are
-- masqueraded.
scenario {
  name = "a pod that reaches itself through its Service",
  refs = { "MSQ-02", "MSQ-03", "#20475", "#53775" },
  nodes = { "a", "b" },
}
for i, n in ipairs { "a", "a" } do
  pod { name = "server-" .. i, node = n, labels = { app = "web" }, ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]
local me = pod "server-1"
local function peers(target)
  local seen = {}
  for _ = 1, 16 do
    local result = me:request(target)
    expect(result.error):is_nil()
    seen[result.backend] = result.seen.ip
  end
  return seen
end

it("sees its gateway as the peer of its own connection only", function()
  settle()
  expect(peers "svc/web:80"):eq(by_dataplane {
    userspace = { ["default/server-1"] = "10.244.1.1", ["default/server-2"] = "10.244.1.1" },
    default = { ["default/server-1"] = "10.244.1.1", ["default/server-2"] = me:ip() },
  })
end)

it("sees the gateway as the peer of every connection through a node port", function()
  expect(peers "node/a:30080"):eq { ["default/server-1"] = "10.244.1.1", ["default/server-2"] = "10.244.1.1" }
end)

it("is a rule of the endpoint, or a set of the node's own endpoints in ipvs mode", function()
  local a = node "a"
  by_dataplane {
    iptables = function()
      expect(a:dump("iptables-save", "nat")):matches(
        "%-A KUBE%-SEP%-%w+ %-s " .. me:ip() .. "/32 [^\n]* %-j KUBE%-MARK%-MASQ")
    end,
    nftables = function()
      expect(a:rules("nft", "write")):contains("ip saddr " .. me:ip() .. " jump mark-for-masquerade")
    end,
    ipvs = function()
      expect(a:dump "ipset"):contains(("add KUBE-LOOP-BACK %s,tcp:80,%s\n"):format(me:ip(), me:ip()))
      expect(node("b"):dump "ipset"):never():contains("add KUBE-LOOP-BACK " .. me:ip())
      local chain = a:dump("iptables-save", "nat")
      -- Before the mark is looked at, and without --random-fully.
      expect(chain):matches("KUBE%-LOOP%-BACK dst,dst,src %-j MASQUERADE\n"
        .. "[^\n]*%-A KUBE%-POSTROUTING %-m mark ! %-%-mark 0x4000/0x4000 %-j RETURN")
    end,
    userspace = function() end,
  }
end)
