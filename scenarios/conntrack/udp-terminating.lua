-- An endpoint that terminates and still serves keeps its UDP flows: only one that no longer serves
-- loses them.
scenario {
  name = "a UDP flow stays at an endpoint that terminates and serves",
  refs = { "CTK-03" },
  nodes = { "a", "b" },
  -- ipvs removes a UDP server from its virtual server at once (CHN-04), userspace mode (v1.25)
  -- knows nothing of terminating endpoints.
  dataplanes = { "iptables", "nftables" },
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }
local flow, first

it("stays while the pod terminates", function()
  eventually("30s", function() expect(#endpoints "web"):eq(4) end)
  settle()
  flow = cli:open("svc/web:80", { proto = "udp" })
  first = flow.first.backend
  delete("pod/" .. first:match "/(.+)$", { nowait = true })
  wait "3s"
  expect(#endpoints "web"):eq(2)
  for _ = 1, 5 do expect(flow:request("/", "again").backend):eq(first) end
end)

it("sends new flows elsewhere", function()
  for _ = 1, 12 do expect(cli:request("svc/web:80", { proto = "udp" }).backend):never():eq(first) end
end)

it("moves once the pod fails its probe", function()
  pod(first:match "/(.+)$"):fail_readiness()
  wait "4s"
  expect(flow:request("/", "later").backend):never():eq(first)
end)
