-- lblc keeps one server for each virtual address until it has more connections than its weight while
-- another one has less than half of its own; lblcr then adds a server to the address's set. That is
-- made for caches: a Service has one address.
scenario {
  name = "schedulers of IPVS that remember the virtual address",
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

local function held(port, scheduler, count)
  local target, taken = "10.99.0.1:" .. port, {}
  node("a"):run(("ipvsadm -A -t %s -s %s"):format(target, scheduler))
  for i = 1, 3 do node("a"):run(("ipvsadm -a -t %s -r %s:80 -m -w 2"):format(target, ip("server-" .. i))) end
  for i = 1, count do
    open[#open + 1] = cli:open(target)
    taken[i] = number[open[#open]:request("/").backend]
  end
  return table.concat(taken)
end

-- 3 takes three (more than its weight 2), then the next free one takes three, then the last.
it("lblc goes on to the next server once one is full", function()
  expect(held(1001, "lblc", 12)):eq "333222111111"
end)

it("lblcr fills the set of servers evenly", function()
  expect(held(1002, "lblcr", 12)):eq "333222111123"
end)
