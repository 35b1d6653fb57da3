-- A datagram that is sent before a Service's rules exist. In iptables mode it leaves the node
-- untranslated and an entry remembers that, so the same socket would stay broken for as long as it
-- sends; kube-proxy deletes such entries with a UDP Service's first endpoints. In nftables mode the
-- datagram is dropped before its entry is confirmed, and nothing has to be deleted.
scenario {
  name = "datagrams before the rules are there",
  refs = { "CTK-09", "#48370" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "b", labels = { app = "log" }, ports = { { port = 8125, protocol = "UDP" } } }
local cli = pod { name = "cli", node = "a" }
local function datagram(port)
  return cli:request("10.96.0.25:8125", { proto = "udp", from_port = port, timeout = "500ms" })
end
local function entry(port)
  return node("a"):dump("conntrack"):match(("udp[^\n]*dst=10.96.0.25 sport=%d dport=8125 [^\n]*"):format(port))
end

it("are lost", function()
  settle()
  expect(datagram(4000).backend):is_nil()
  by_dataplane {
    nftables = function() expect(entry(4000)):is_nil() end,
    default = function() expect(entry(4000)):matches "%[UNREPLIED%] src=10.96.0.25 " end,
  }
end)

it("reach the pod from the same socket once the Service is there", function()
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
  settle()
  expect(datagram(4000).backend):eq "default/server"
end)

it("stay lost where nobody deletes the entry", function()
  if dataplane ~= "iptables" then return end
  local rule = "PREROUTING -d 10.96.0.26 -p udp -j DNAT --to-destination " .. ip "server" .. ":8125"
  local function other(port)
    return cli:request("10.96.0.26:8125", { proto = "udp", from_port = port, timeout = "500ms" }).backend
  end
  other(4001)
  node("a"):run("iptables -t nat -A " .. rule)
  expect(other(4001)):is_nil()
  expect(other(4002)):eq "default/server"
  node("a"):run "conntrack -D -p udp --orig-dst 10.96.0.26"
  expect(other(4001)):eq "default/server"
end)
