-- Each port of a Service is a service port of its own: with its own chain, named by a hash of namespace,
-- name, port name and protocol, or its own virtual server, and with its own balancing.
scenario {
  name = "a Service with several ports",
  refs = { "PRT-04" },
  nodes = { "a", "b" },
}
for i = 1, 2 do
  pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80, 443, { port = 443, protocol = "UDP" } } }
end
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - {name: http, port: 80}
  - {name: https, port: 443}
  - {name: quic, port: 443, protocol: UDP}
]]
local cli = pod { name = "cli", node = "a" }

it("has one chain or virtual server a port", function()
  settle()
  local rules, found, count = node("a"):rules(), {}, 0
  by_dataplane {
    ipvs = function()
      rules = node("a"):dump "ipvsadm"
      for _, server in ipairs { "TCP  10.96.0.80:80 rr", "TCP  10.96.0.80:443 rr", "UDP  10.96.0.80:443 rr" } do
        expect(rules):contains(server)
      end
    end,
    nftables = function()
      for chain in rules:gmatch "10%.96%.0%.80 %. %w+ %. %d+ : goto (service%-%w+%-default/web/%w+/%w+)" do found[chain] = true end
    end,
    iptables = function()
      for chain in rules:gmatch "%-d 10%.96%.0%.80/32 [^\n]*%-j (KUBE%-SVC%-%w+)" do found[chain] = true end
    end,
    userspace = function()
      for port in rules:gmatch "%-A KUBE%-PORTALS%-CONTAINER %-d 10%.96%.0%.80/32 [^\n]*%-%-to%-ports (%d+)" do found[port] = true end
    end,
  }
  for _ in pairs(found) do count = count + 1 end
  if dataplane ~= "ipvs" then expect(count):eq(3) end
end)

it("balances each by itself", function()
  for _, target in ipairs { { 80, "tcp" }, { 443, "tcp" }, { 443, "udp" } } do
    local seen = {}
    for _ = 1, 12 do seen[cli:request("svc/web:" .. target[1], { proto = target[2] }).backend] = true end
    expect(seen):eq { ["default/server-1"] = true, ["default/server-2"] = true }
  end
end)
