-- An endpoint that terminates and fails its readiness probe is used by nobody, even when it is the
-- last.
scenario {
  name = "a terminating endpoint that does not serve",
  refs = { "POL-13" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
apply "terminating.yaml"
local cli = pod { name = "cli", node = "a" }

it("gets no connection beside one that serves", function()
  eventually("30s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  delete("pod/server-a", { nowait = true })
  delete("pod/server-b", { nowait = true })
  pod("server-a"):fail_readiness()
  wait "4s"
  for _ = 1, 12 do expect(cli:request("svc/web:80").backend):eq "default/server-b" end
end)

it("gets none when it is the last", function()
  pod("server-b"):fail_readiness()
  wait "4s"
  expect(cli:connect("svc/web:80").error):eq "ECONNREFUSED"
end)
