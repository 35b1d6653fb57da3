-- Affinity lasts timeoutSeconds, from 1 to 86400, three hours by default; each new connection
-- starts the time anew. iptables asks a list of recent sources, nftables a set whose elements
-- expire.
scenario {
  name = "how long ClientIP affinity lasts",
  refs = { "AFF-01", "AFF-02", "AFF-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "userspace" },
}
local function service(name, timeout)
  return ([[
apiVersion: v1
kind: Service
metadata:
  name: %s
spec:
  selector: {app: web}
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: %d}}
  ports:
  - port: 80
]]):format(name, timeout)
end
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
apply(service("sticky", 10800))
local clients, first = {}, {}
for i = 1, 13 do clients[i] = pod { name = "cli-" .. i, node = "a" } end
local function moved()
  local n = 0
  for i, cli in ipairs(clients) do
    local backend = cli:request("svc/sticky:80").backend
    if first[i] and first[i] ~= backend then n = n + 1 end
    first[i] = backend
  end
  return n
end

it("must be 1 to 86400 seconds", function()
  expect(refused(service("long", 86401))):contains "timeoutSeconds"
  expect(refused(service("short", 0))):contains "timeoutSeconds"
end)

it("stands in the rules", function()
  settle()
  if dataplane == "iptables" then
    expect(node("a"):dump("iptables-save", "nat")):matches("%-m recent %-%-rcheck %-%-seconds 10800 %-%-reap "
      .. "%-%-name KUBE%-SEP%-%w+ %-%-mask 255.255.255.255 %-%-rsource")
  elseif dataplane == "nftables" then
    expect(node("a"):rules("nft", "write")):matches(
      "add set ip kube%-proxy affinity%-%S+ { type ipv4_addr ; [^\n]*timeout 10800s ;")
  end
end)

it("holds a second before the end, counted from the last connection", function()
  moved()
  for _ = 1, 2 do
    wait "10799s"
    expect(moved()):eq(0)
  end
end)

it("is over a second after the end", function()
  wait "10801s"
  expect(moved()):at_least(1) -- each client is free to get the other pod; by turns, an odd number shifts all
end)
