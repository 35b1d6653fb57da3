-- The kernel's list of recent sources holds 100 a list, so that in iptables mode affinity fails
-- without a word for more than 100 clients an endpoint and node. A set of nftables holds 65535.
scenario {
  name = "affinity of 220 clients",
  refs = { "AFF-04", "AFF-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "a", labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
    nodePort: 30080
]]

-- A SYN of each of `count` clients; client number -> pod that got it.
local function knock(count, from_port)
  local a, where = node "a", {}
  for i = 1, count do
    a:inject({ src = "198.51.100." .. i, dst = a:ip(), sport = from_port, dport = 30080, flags = "S" }, "eth0")
  end
  wait "200ms"
  for s = 1, 2 do
    for _, line in ipairs(capture("pod/server-" .. s):lines()) do
      local i = line:match(" in .*198%.51%.100%.(%d+)%." .. from_port .. " >")
      if i then where[tonumber(i)] = s end
    end
  end
  return where
end

local function moved(count, from_port)
  local first, second, n = knock(count, from_port), knock(count, from_port + 1), 0
  for i = 1, count do
    expect(first[i]):one_of { 1, 2 }
    if first[i] ~= second[i] then n = n + 1 end
  end
  return n
end

it("holds for 60", function()
  settle()
  expect(moved(60, 40000)):eq(0)
end)

it("fails for about half of 220 in iptables mode", function()
  local n = moved(220, 40010)
  by_dataplane {
    iptables = function() expect(n):between(60, 160) end, -- 115 on Linux 6.18
    nftables = function() expect(n):eq(0) end,
  }
end)

it("shows in the kernel's list or set", function()
  if dataplane == "iptables" then
    local rules = node("a"):dump("iptables-save", "nat")
    for s = 1, 2 do
      local chain = rules:match("%-A (KUBE%-SEP%-%w+) [^\n]*default/sticky[^\n]*%-%-to%-destination "
        .. ip("server-" .. s):gsub("%.", "%%.") .. ":80")
      expect(select(2, node("a"):dump("recent", chain):gsub("src=", ""))):eq(100)
    end
  else
    local nft = node("a"):dump "nft"
    expect(nft):matches "set affinity%-%S+ {%s+type ipv4_addr%s+size 65535%s+flags dynamic,timeout"
    expect(select(2, nft:gsub("198%.51%.100%.%d+ expires", ""))):eq(220)
  end
end)
