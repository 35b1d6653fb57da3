-- When a Service's last endpoint goes, connections that are open continue; new ones are refused.
scenario {
  name = "an open connection to a Service without endpoints",
  refs = { "CHN-02" },
  nodes = { "a", "b" },
}
apply "server.yaml"
local cli = pod { name = "cli", node = "a" }
local connection

it("is open", function()
  eventually("30s", function() expect(#endpoints "web"):eq(1) end)
  settle()
  connection = cli:open "svc/web:80"
  expect(connection.first.backend):eq "default/server"
end)

it("goes on when the pod is no endpoint any more", function()
  pod("server"):fail_readiness()
  eventually("15s", function() expect(#endpoints "web"):eq(0) end)
  settle()
  for _ = 1, 3 do expect(connection:request("/").backend):eq "default/server" end
end)

it("is the last one", function()
  local result = cli:request("svc/web:80", { timeout = "3s" })
  by_dataplane {
    -- The proxy accepts, finds no endpoint and closes.
    userspace = function() expect(result.backend):is_nil() end,
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
  expect(connection:request("/").backend):eq "default/server"
end)
