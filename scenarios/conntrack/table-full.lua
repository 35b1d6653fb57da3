-- When the table is full of connections that are under way, new ones are dropped without a word, on the
-- node only; the open ones go on.
scenario {
  name = "the conntrack table is full",
  refs = { "CTK-13", "#18604" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" }, -- userspace mode's clients need several entries each
}
pod { name = "server", node = "b", ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
local max, connections = "net.netfilter.nf_conntrack_max", {}

it("takes no new connections", function()
  settle()
  for i = 1, 8 do connections[i] = cli:open "pod/server:80" end
  -- The size is the whole machine's: no network namespace may change it.
  if not pcall(function() node("a"):sysctl(max, 8) end) then skip "conntrack's size cannot be changed here" end
  expect(cli:connect("pod/server:80", { timeout = "2s", from_port = 40999 }).error):eq "ETIMEDOUT"
  capture("pod/cli"):has "src port 40999"
  capture("node/a:eth0"):has_not "src port 40999"
end)

it("goes on with the open ones", function()
  if #connections == 0 or node("a"):sysctl(max) > 8 then skip "conntrack's size cannot be changed here" end
  for _, connection in ipairs(connections) do expect(connection:request("/").backend):eq "default/server" end
end)

it("takes new ones again when there is room", function()
  if node("a"):sysctl(max) > 8 then skip "conntrack's size cannot be changed here" end
  node("a"):sysctl(max, 262144)
  expect(cli:request("pod/server:80").backend):eq "default/server"
end)
