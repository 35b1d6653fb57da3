-- With more than 1000 endpoints iptables mode deletes chains once a sync period at most. The chain
-- of an endpoint that went, and with it the kernel's list of its clients, may live on for a while,
-- and a client whose pod comes back in that time is the pod's again.
scenario {
  name = "affinity records of a large cluster",
  refs = { "AFF-11", "SYN-08" },
  nodes = { "a", "b" },
  dataplanes = { "iptables" },
  no_dns = true,
}
local function slice(name, service, addresses)
  local lines = {}
  for i, address in ipairs(addresses) do lines[i] = "- addresses: [" .. address .. "]\n" end
  apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [{port: 80}]
endpoints:
]]):format(name, service) .. table.concat(lines))
end
apply [[
apiVersion: v1
kind: Service
metadata: {name: big}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {sessionAffinity: ClientIP, ports: [{port: 80}]}
]]
for i = 1, 2 do pod { name = "server-" .. i, node = "b", ports = { 80 } } end
local both = { ip "server-1", ip "server-2" }
slice("sticky-1", "sticky", both)
for s = 1, 11 do
  local addresses = {}
  for i = 1, 100 do addresses[i] = ("10.245.%d.%d"):format(s, i) end
  slice("big-" .. s, "big", addresses)
end
local clients = {}
for i = 1, 8 do clients[i] = pod { name = "cli-" .. i, node = "a" } end

local function chain_of(address)
  return node("a"):dump("iptables-save", "nat"):match("%-A (KUBE%-SEP%-%w+) [^\n]*%-%-to%-destination "
    .. address:gsub("%.", "%%.") .. ":80\n")
end
local function with(addresses)
  slice("sticky-1", "sticky", addresses)
  settle()
end
local function chain_is_there(chain)
  return node("a"):dump("iptables-save", "nat"):find(":" .. chain .. " ", 1, true) ~= nil
end

it("deletes a chain at once when the last deletion is long ago", function()
  settle()
  wait "35s"
  local chain = chain_of(both[1])
  with { both[2] }
  expect(chain_is_there(chain)):is_false()
  with(both)
end)

it("keeps the next one, with its clients, for the rest of the sync period", function()
  local first = {}
  for i, cli in ipairs(clients) do first[i] = cli:request("svc/sticky:80").backend end
  local chain = chain_of(both[1])
  with { both[2] }
  expect(chain_is_there(chain)):is_true()
  with(both)
  for i, cli in ipairs(clients) do expect(cli:request("svc/sticky:80").backend):eq(first[i]) end
end)

it("deletes it when a sync comes after that", function()
  local chain = chain_of(both[1])
  with { both[2] }
  wait "35s"
  slice("big-1", "big", { "10.245.1.1" })
  settle()
  expect(chain_is_there(chain)):is_false()
end)
