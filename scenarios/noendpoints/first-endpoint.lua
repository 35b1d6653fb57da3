-- The first endpoint comes and the last one goes while a client connects again and again: refusal and
-- translation change places in one step, so every attempt is refused or served and none times out.
scenario {
  name = "from no endpoint to one and back",
  refs = { "NEP-07", "NEP-01" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: other}, ports: [{port: 80}]}
]]
local cli = pod { name = "cli", node = "a" }

local function pick(app)
  apply(("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: %s}, ports: [{port: 80}]}")
    :format(app))
end
-- Outcomes until one is `last`, at least one each way.
local function until_outcome(last)
  local seen = {}
  local stop = now() + 5
  repeat
    local result = cli:connect("svc/web:80", { timeout = "2s" })
    seen[result.error or "served"] = true
    wait "0.2s"
  until (result.error or "served") == last or now() > stop
  return seen
end

it("is refused, then served", function()
  settle()
  expect(cli:connect("svc/web:80").error):eq "ECONNREFUSED"
  wait "1s"
  pick "web"
  local seen = until_outcome "served"
  seen.ECONNREFUSED = nil
  expect(seen):eq { served = true }
end)

it("is served, then refused", function()
  settle()
  wait "1.1s"
  pick "other"
  local seen = until_outcome "ECONNREFUSED"
  seen.served = nil
  expect(seen):eq { ECONNREFUSED = true }
end)
