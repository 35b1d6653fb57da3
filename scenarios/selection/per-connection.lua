-- An endpoint is chosen for a connection, not for a request: a client that keeps its connection,
-- as HTTP/2 and gRPC clients do, stays on one pod however many requests it sends.
scenario {
  name = "one choice a connection",
  refs = { "SEL-05" },
  nodes = { "a", "b" },
}
apply "../deployment/web.yaml"
local cli = pod { name = "cli", node = "a" }

it("keeps a hundred requests on one pod", function()
  rollout "deployment/web"
  local c = cli:open "svc/web:80"
  local first = c.first.backend
  expect(first):matches "^default/web%-"
  for _ = 1, 99 do expect(c:request("/").backend):eq(first) end
  c:close()
end)

it("chooses again for each new connection", function()
  local spread = cli:load("svc/web:80", { count = 60 }).spread
  for _, name in ipairs(pods "app=web") do expect(spread["default/" .. name]):at_least(1) end
end)
