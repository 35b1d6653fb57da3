-- DNS names ready endpoints only: a pod that is being deleted leaves the headless name at once,
-- though it still answers whoever knows its address.
scenario { name = "terminating pods leave DNS at once", refs = { "DNS-20" } }
apply "services.yaml"
local cli = pod { name = "cli", node = "a" }

it("drops the name when deletion begins", function()
  rollout "deployment/web"
  local gone = pods("app=web")[1]
  local address = ip(gone)
  expect(cli:dig("pods.default.svc.cluster.local", "A").addresses):contains(address)
  delete("pod/" .. gone, { grace = 3, nowait = true })
  expect(cli:ping(address).received):eq(1)
  eventually("2s", function()
    expect(cli:dig("pods.default.svc.cluster.local", "A").addresses):never():contains(address)
  end)
end)
