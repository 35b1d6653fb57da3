-- A pod that fails its readiness probe leaves the endpoints and gets no new connections;
-- when it passes again it comes back.
scenario {
  name = "readiness removes an endpoint and gives it back",
  refs = { "EPS-01", "SYN-02" },
  nodes = { "a", "b" },
}
apply "../deployment/web.yaml"
local cli = pod { name = "cli", node = "a" }

it("stops sending to a pod that is not ready", function()
  rollout "deployment/web"
  local victim = pods "app=web"[1]
  expect(#endpoints "web"):eq(3)
  pod(victim):fail_readiness()
  eventually("15s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  local result = cli:load("svc/web:80", { count = 40 })
  expect(result.failures):eq(0)
  expect(result.spread["default/" .. victim]):is_nil()
end)

it("sends to it again when it is ready", function()
  local victim = pods "app=web"[1]
  pod(victim):heal_probes()
  eventually("15s", function() expect(#endpoints "web"):eq(3) end)
  settle()
  expect(cli:load("svc/web:80", { count = 60 }).spread["default/" .. victim]):at_least(1)
end)
