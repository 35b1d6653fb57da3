-- A server is removed once no connection of its is remembered; an open one that was idle for longer than IPVS
-- remembers (15 minutes) does not keep it, and ends with the next segment. So graceful removal is no
-- promise to idle connections.
scenario {
  name = "an idle connection to a server that is being removed",
  refs = { "CHN-03", "CHN-09", "#99162" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
apply "server.yaml"
pod { name = "other", node = "b", labels = { app = "web" }, ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
local idle
local function listed() return node("a"):dump("ipvsadm"):match("%-> " .. ip "server" .. ":80 ") end

it("keeps the server at first", function()
  eventually("30s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  repeat
    idle = cli:open "svc/web:80"
  until idle.first.backend == "default/server"
  pod("server"):fail_readiness()
  wait "10m"
  expect(listed()):never():is_nil()
end)

it("does not when it was idle for too long", function()
  eventually("10m", function() expect(listed()):is_nil() end, "5s")
  expect(idle:request("/").error):eq "ECONNRESET"
end)
