-- Affinity is a matter of a Service's port, not of the Service: two ports may pin a client to two pods.
-- All addresses of a port share the record in iptables and nftables mode; ipvs keeps one for each.
scenario {
  name = "what shares an affinity record",
  refs = { "AFF-08", "AFF-09", "#103000" },
  nodes = { "a", "b" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80, 81 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  type: NodePort
  clusterIP: 10.96.0.80
  externalIPs: [203.0.113.80]
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - {name: one, port: 80, nodePort: 30080}
  - {name: two, port: 81, nodePort: 30081}
]]
local clients = {}
for i = 1, 16 do clients[i] = pod { name = "cli-" .. i, node = "a" } end

-- How many of clients `from` to `to` get another pod at `there` than at `here`.
local function differ(here, there, from, to)
  local n = 0
  for i = from or 1, to or #clients do
    local cli = clients[i]
    if cli:request(here).backend ~= cli:request(there).backend then n = n + 1 end
  end
  return n
end

it("is the port: another port may go elsewhere", function()
  settle()
  local n = differ("10.96.0.80:80", "10.96.0.80:81", 1, 8)
  -- Round robin may have given both ports the same pairs; now one port is a client ahead.
  clients[16]:request "10.96.0.80:80"
  expect(n + differ("10.96.0.80:80", "10.96.0.80:81", 9, 15)):at_least(1)
end)

it("is one for all addresses of the port", function()
  local np, ext = differ("10.96.0.80:80", "node/a:30080"), differ("10.96.0.80:80", "203.0.113.80:80")
  by_dataplane {
    ipvs = function()
      local text = node("a"):dump "ipvsadm-connections"
      for _, vip in ipairs { "10.96.0.80:80", "192.168.0.1:30080", "203.0.113.80:80" } do
        expect(text):matches(clients[1]:ip():gsub("%.", "%%.") .. ":0%s+" .. vip:gsub("%.", "%%."))
      end
    end,
    -- In userspace mode a pod's packets to an external IP are nobody's: its portal is for packets
    -- that came by no bridge port.
    userspace = function() expect(np):eq(0) end,
    default = function() expect({ np, ext }):eq { 0, 0 } end,
  }
end)
