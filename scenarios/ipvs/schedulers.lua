-- Which server each scheduler of IPVS takes, with servers added in the order 1, 2, 3: what a 6.1
-- kernel took. IPVS keeps its newest server first, so the rounds begin with 3. "Held" connections
-- stay open, the others are over before the next one begins (and count as inactive).
scenario {
  name = "schedulers of IPVS",
  refs = { "SEL-04" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
local number = {}
for i = 1, 3 do
  pod { name = "server-" .. i, node = "b", ports = { 80 } }
  number["default/server-" .. i] = tostring(i)
end
local cli = pod { name = "cli", node = "a" }
settle()
node("a"):run "ip addr add 10.99.0.1/32 dev eth0"

local open = {} -- a connection that nobody holds is closed
local function choices(port, options, weights, held, count)
  local taken, target = {}, "10.99.0.1:" .. port
  node("a"):run(("ipvsadm -A -t %s -s %s"):format(target, options))
  for i, weight in ipairs(weights) do
    node("a"):run(("ipvsadm -a -t %s -r %s:80 -m -w %d"):format(target, ip("server-" .. i), weight))
  end
  for i = 1, count do
    if held then open[#open + 1] = cli:open(target) end
    local result = held and open[#open]:request "/" or cli:request(target)
    taken[i] = number[result.backend]
  end
  return table.concat(taken)
end

for i, row in ipairs {
  { "rr", { 1, 1, 1 }, false, "321321321" },
  { "wrr", { 3, 2, 1 }, false, "321121321" },
  { "wrr", { 4, 2, 0 }, false, "211211211" },
  { "wrr", { 5, 1, 1 }, false, "321111132" },
  { "lc", { 1, 1, 1 }, false, "321321321" },
  { "lc", { 1, 1, 1 }, true, "321321321" },
  { "wlc", { 3, 2, 1 }, true, "321121321" },
  { "sed", { 1, 1, 1 }, false, "333333333" },
  { "sed", { 1, 1, 1 }, true, "321321321" },
  { "sed", { 3, 2, 1 }, false, "111111111" },
  { "sed", { 3, 2, 1 }, true, "121321121" },
  { "nq", { 3, 2, 1 }, false, "333333333" },
  { "nq", { 3, 2, 1 }, true, "321121121" },
  { "fo", { 1, 3, 2 }, false, "222222222" },
  { "ovf", { 2, 3, 4 }, true, "333332222" },
} do
  local name, weights, held, sequence = row[1], row[2], row[3], row[4]
  it(("%s with weights %s, %s"):format(name, table.concat(weights, "/"), held and "held" or "closed"), function()
    expect(choices(1000 + i, name, weights, held, #sequence)):eq(sequence)
  end)
end
