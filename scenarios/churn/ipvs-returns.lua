-- An endpoint that comes back while its server still has weight 0 is a server with weight 1 again: it
-- gets new connections.
scenario {
  name = "an endpoint returns before its server is gone",
  refs = { "CHN-05" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
apply "server.yaml"
pod { name = "other", node = "b", labels = { app = "web" }, ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
local connections = {}
local function weight() return node("a"):dump("ipvsadm"):match("%-> " .. ip "server" .. ":80 +Masq +(%d+)") end

it("has weight 0 while a connection is open", function()
  eventually("30s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  for i = 1, 2 do connections[i] = cli:open "svc/web:80" end
  pod("server"):fail_readiness()
  eventually("15s", function() expect(weight()):eq "0" end)
  for _ = 1, 6 do expect(cli:request("svc/web:80").backend):eq "default/other" end
end)

it("has weight 1 when the pod is ready again", function()
  pod("server"):heal_probes()
  eventually("15s", function() expect(weight()):eq "1" end)
  local seen = {}
  for _ = 1, 6 do seen[cli:request("svc/web:80").backend] = true end
  expect(seen):eq { ["default/server"] = true, ["default/other"] = true }
end)
