-- A UDP Service whose last endpoint goes is left out of kube-proxy's clean-up (v1.32 until a fix of
-- 2026): a flow keeps its translation to the dead pod's address as long as datagrams keep coming, and
-- new flows are refused.
scenario {
  name = "a UDP flow to a Service that lost its last endpoint",
  refs = { "CTK-04", "#139628" },
  nodes = { "a", "b" },
  -- userspace mode's flows end at its own socket.
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "b", labels = { app = "log" }, ports = { { port = 8125, protocol = "UDP" } } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: log
spec:
  clusterIP: 10.96.0.25
  selector: {app: log}
  ports: [{port: 8125, protocol: UDP}]
]]
local cli = pod { name = "cli", node = "a" }
local server
local function datagram(port)
  return cli:request("svc/log:8125", { proto = "udp", from_port = port, timeout = "500ms" })
end
local function entry(port)
  return node("a"):dump("conntrack"):match(("udp[^\n]*dst=10.96.0.25 sport=%d dport=8125[^\n]*src=%s "):format(port, server))
end

it("works while the pod is there", function()
  settle()
  server = ip "server"
  expect(datagram(4000).backend):eq "default/server"
  expect(entry(4000)):never():is_nil()
end)

it("keeps the flow translated to the address of the dead pod", function()
  delete "pod/server"
  settle()
  local result = datagram(4000)
  by_dataplane {
    -- IPVS forgets the server and the flow with it; no server is left: port unreachable.
    ipvs = function()
      datagram(4000)
      expect(datagram(4000).error):eq "ECONNREFUSED"
    end,
    default = function()
      expect(result.error):never():is_nil()
      capture("node/a:eth0"):has("udp and dst port 8125 and dst host " .. server)
      expect(entry(4000)):never():is_nil()
    end,
  }
end)

it("refuses a new flow", function()
  expect(datagram(4001).error):eq "ECONNREFUSED"
end)
