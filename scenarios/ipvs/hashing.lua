-- Schedulers that hash: sh by the client's address (with sh-port by its port too), dh by the virtual
-- address, mh (Maglev) by the client's address. A hashed server of weight 0 refuses its clients,
-- unless the scheduler may fall back to another one.
scenario {
  name = "schedulers of IPVS that hash",
  refs = { "SEL-04", "#114305" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
for i = 1, 3 do pod { name = "server-" .. i, node = "b", ports = { 80 } } end
local clients = {}
for i = 1, 6 do clients[i] = pod { name = "cli-" .. i, node = "a" } end
settle()
node("a"):run "ip addr add 10.99.0.1/32 dev eth0"

local function serve(port, options)
  local target = "10.99.0.1:" .. port
  node("a"):run(("ipvsadm -A -t %s -s %s"):format(target, options))
  for i = 1, 3 do node("a"):run(("ipvsadm -a -t %s -r %s:80 -m -w 1"):format(target, ip("server-" .. i))) end
  return target
end
local function weight(target, backend, w)
  node("a"):run(("ipvsadm -e -t %s -r %s:80 -m -w %d"):format(target, ip(backend:match "/(.+)$"), w))
end
local function count(list)
  local seen, n = {}, 0
  for _, v in ipairs(list) do if not seen[v] then seen[v], n = true, n + 1 end end
  return n
end
local function backends(target, times)
  local out = {}
  for i, cli in ipairs(clients) do for k = 1, times do out[(i - 1) * times + k] = cli:request(target).backend end end
  return out
end

for port, options in ipairs { "sh", "mh" } do
  it(options .. " keeps each client on one server, and spreads clients", function()
    local got = backends(serve(1000 + port, options), 3)
    for i = 1, #got, 3 do expect({ got[i + 1], got[i + 2] }):eq { got[i], got[i] } end
    expect(count(got)):at_least(2)
  end)
end
for port, options in ipairs { "sh -b sh-port", "mh -b mh-port" } do
  it(options .. " spreads one client's connections", function()
    local target, got = serve(1010 + port, options), {}
    for i = 1, 12 do got[i] = clients[1]:request(target).backend end
    expect(count(got)):at_least(2)
  end)
end

it("dh sends all clients of a virtual address to one server", function()
  expect(count(backends(serve(1020, "dh"), 2))):eq(1)
end)

it("refuses the clients of a server of weight 0", function()
  local target = serve(1030, "sh")
  local first = clients[1]:request(target).backend
  weight(target, first, 0)
  expect(clients[1]:connect(target).error):eq "ECONNREFUSED"
  weight(target, first, 1)
  expect(clients[1]:request(target).backend):eq(first)
end)

for port, options in ipairs { "sh -b sh-fallback", "mh -b mh-fallback" } do
  it(options .. " takes another server then", function()
    local target = serve(1040 + port, options)
    local first = clients[2]:request(target).backend
    weight(target, first, 0)
    expect(clients[2]:request(target).backend):never():eq(first)
  end)
end
