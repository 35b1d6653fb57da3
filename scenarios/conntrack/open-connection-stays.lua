-- nat looks at the first packet of a connection only: an open one goes on to the endpoint that it
-- has, whatever the rules say by now, and only new ones go elsewhere.
scenario {
  name = "an open connection outlives its endpoint's rules",
  refs = { "CTK-01", "CHN-01" },
  nodes = { "a", "b" },
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }
local connection, first

it("goes to one of two pods", function()
  eventually("30s", function() expect(#endpoints "web"):eq(4) end)
  settle()
  connection = cli:open "svc/web:80"
  first = connection.first.backend
  expect(first):one_of { "default/server-1", "default/server-2" }
end)

it("stays there when the pod is no endpoint any more", function()
  pod(first:match "/(.+)$"):fail_readiness()
  eventually("15s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  for _ = 1, 5 do expect(connection:request("/").backend):eq(first) end
end)

it("is the only one that goes there", function()
  for _ = 1, 16 do expect(cli:request("svc/web:80").backend):never():eq(first) end
  expect(connection:request("/").backend):eq(first)
end)
