-- internalTrafficPolicy: Local and no endpoint on the node: iptables and nftables drop, ipvs has a
-- virtual server without real servers and refuses. Where the Service has other addresses too, ipvs
-- does not honour the policy at all.
scenario {
  name = "internalTrafficPolicy Local",
  refs = { "POL-07", "POL-08", "POL-09" },
  nodes = { "a", "b" },
}
pod { name = "server-b", node = "b", labels = { app = "web" }, ports = { 80 } }
local function service(name, kind)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  type: %s
  internalTrafficPolicy: Local
  selector: {app: web}
  ports:
  - {name: tcp, port: 80}
  - {name: udp, port: 80, protocol: UDP}
]]):format(name, kind))
end
service("plain", "ClusterIP")
service("wide", "NodePort")
local cli_a, cli_b = pod { name = "cli-a", node = "a" }, pod { name = "cli-b", node = "b" }

it("serves the node that has an endpoint", function()
  settle()
  for _, target in ipairs { "svc/plain:80", "svc/wide:80" } do
    expect(cli_b:request(target).backend):eq "default/server-b"
  end
end)

it("drops or refuses on a node without", function()
  for _, from in ipairs { cli_a, node "a" } do
    local tcp = from:connect("svc/plain:80", { timeout = "3s" })
    by_dataplane {
      userspace = function() expect(tcp.error):is_nil() end, -- it knows no policies
      ipvs = function() expect(tcp.error):eq "ECONNREFUSED" end,
      default = function() expect(tcp.error):eq "ETIMEDOUT" end,
    }
  end
end)

it("does the same with datagrams", function()
  if dataplane == "userspace" then return end
  local udp = cli_a:send("svc/plain:80", "hello", { timeout = "3s" })
  expect(udp.error):eq(by_dataplane { ipvs = "ECONNREFUSED", default = "ETIMEDOUT" })
end)

it("is not honoured by ipvs when the Service has node ports", function()
  local result = cli_a:request("svc/wide:80", { timeout = "3s" })
  by_dataplane {
    iptables = function() expect(result.error):eq "ETIMEDOUT" end,
    nftables = function() expect(result.error):eq "ETIMEDOUT" end,
    default = function() expect(result.backend):eq "default/server-b" end,
  }
end)
