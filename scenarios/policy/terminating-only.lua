-- When no endpoint is ready, those that terminate and still serve are used, so that a Service does not
-- fail while its last pods drain. userspace mode (v1.25) knows nothing of it.
scenario {
  name = "only terminating endpoints are left",
  refs = { "POL-11", "#85643" },
  nodes = { "a", "b" },
}
apply "terminating.yaml"
local cli = pod { name = "cli", node = "a" }
local function backends(target)
  local names, result = {}, cli:load(target, { count = 16, timeout = "1s" })
  for name in pairs(result.spread) do names[#names + 1] = name end
  return names
end

it("uses ready endpoints while there are any", function()
  eventually("30s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  delete("pod/server-a", { nowait = true })
  wait "3s"
  expect(backends "svc/web:80"):eq { "default/server-b" }
end)

it("uses the terminating ones when none is ready", function()
  delete("pod/server-b", { nowait = true })
  wait "3s"
  by_dataplane {
    userspace = function() expect(cli:request("svc/web:80", { timeout = "3s" }).backend):is_nil() end,
    default = function() expect(backends "svc/web:80"):same_set { "default/server-a", "default/server-b" } end,
  }
end)

it("uses them for policy Local, too", function()
  if dataplane == "userspace" then return end
  local result = outside("192.168.0.100"):request "node/a:30080"
  expect(result.backend):eq "default/server-a"
  expect(result.seen.ip):eq "192.168.0.100"
end)
