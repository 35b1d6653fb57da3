-- Deleting a UDP Service leaves the entries of its flows: they keep their translation as long as
-- datagrams come.
scenario {
  name = "UDP flows of a Service that is deleted",
  refs = { "CTK-05" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" }, -- ipvs and userspace mode translate by themselves
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }
local first
local function datagram(port)
  return cli:request("10.96.0.80:80", { proto = "udp", from_port = port, timeout = "500ms" })
end

it("reaches a pod", function()
  eventually("30s", function() expect(#endpoints "web"):eq(4) end)
  settle()
  first = datagram(4000).backend
  expect(first):never():is_nil()
end)

it("goes on without the Service, for the flow that is there", function()
  delete "service/web"
  settle()
  expect(node("a"):dump("conntrack")):matches "udp[^\n]*dst=10.96.0.80 sport=4000 dport=80"
  expect(datagram(4000).backend):eq(first)
end)

it("has ended for a new flow", function()
  expect(datagram(4001).backend):is_nil()
end)
