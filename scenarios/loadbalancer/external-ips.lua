-- Whoever may create Services may take any address: packets to an externalIP are captured on every
-- node, also those that pods send to somebody on the Internet. Policy Cluster masquerades, Local
-- does not; the internal policy has no say.
scenario {
  name = "externalIPs capture traffic",
  refs = { "EXI-01", "EXI-03", "#97076", "#124260" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = "web" }, ports = { 80 } }
end
local cli, victim, client = pod { name = "cli", node = "a" }, outside "192.168.0.200", outside "192.168.0.100"
local function service(name, address, policy)
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  externalIPs: [%s]
  externalTrafficPolicy: %s
  internalTrafficPolicy: Local
  selector: {app: web}
  ports:
  - port: 80
]]):format(name, address, policy))
end

it("goes to its owner before", function()
  settle()
  cli:connect("192.168.0.200:80", { timeout = "1s" })
  capture("outside/192.168.0.200"):has("tcp and dst port 80 and src host " .. cli:ip())
end)

it("goes to a pod of the cluster after", function()
  service("hijack", "192.168.0.200", "Cluster")
  settle()
  expect(cli:request("192.168.0.200:80").backend):matches "^default/server%-"
  capture("outside/192.168.0.200"):has_not "tcp port 80"
end)

it("is masqueraded with policy Cluster, and goes to every node's pods", function()
  local seen = {}
  for _ = 1, 16 do
    local result = cli:request "192.168.0.200:80"
    seen[result.backend] = result.seen.ip
  end
  expect(seen):eq { ["default/server-a"] = "10.244.1.1", ["default/server-b"] = ip "node/a" }
end)

it("keeps the source with policy Local", function()
  service("kept", "203.0.113.81", "Local")
  settle()
  for _ = 1, 6 do
    local result = client:request "203.0.113.81:80"
    expect(result.backend):eq "default/server-a"
    expect(result.seen.ip):eq "192.168.0.100"
  end
end)
