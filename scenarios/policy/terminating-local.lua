-- A ready endpoint on another node and a terminating one here: clients from outside, under policy
-- Local, get the local one; the ClusterIP, and the node and its pods at the other addresses, the
-- ready one. Meanwhile the health check says 503: that is how a load balancer takes the node out of
-- turn.
scenario {
  name = "a terminating local endpoint and a ready remote one",
  refs = { "POL-12", "HCK-02", "#85643" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
apply "terminating.yaml"
local cli, client = pod { name = "cli", node = "a" }, outside "192.168.0.100"
local function only(from, target, backend)
  for _ = 1, 8 do expect(from:request(target).backend):eq(backend) end
end

it("has both at first, and the node is healthy", function()
  eventually("30s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  expect(client:request("node/a:31000").status):eq(200)
end)

it("sends outside clients to the local one", function()
  delete("pod/server-a", { nowait = true })
  wait "3s"
  only(client, "node/a:30080", "default/server-a")
end)

it("answers 503 to the load balancer at the same time", function()
  expect(client:request("node/a:31000").status):eq(503)
  expect(client:request("node/b:31000").status):eq(200)
end)

it("sends everybody else to the ready one", function()
  only(cli, "svc/web:80", "default/server-b")
  -- In ipvs mode a node port or load balancer's address has one list of servers, whoever asks.
  local other = by_dataplane { ipvs = "default/server-a", default = "default/server-b" }
  only(cli, "node/a:30080", other)
  only(cli, "203.0.113.80:80", other)
  only(node "a", "node/a:30080", other)
end)
