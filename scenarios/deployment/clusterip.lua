-- A Deployment behind a ClusterIP: every pod gets a share of the connections, and the
-- server sees the client's own address.
scenario {
  name = "a ClusterIP spreads connections over the Deployment's pods",
  refs = { "CIP-01", "CIP-02", "SEL-01", "SEL-03", "SEL-04", "USR-01" },
  nodes = { "a", "b", "c" },
}
apply "web.yaml"
local cli = pod { name = "cli", node = "a" }

it("reaches all three pods", function()
  rollout "deployment/web"
  local result = cli:load("svc/web:80", { count = 90 })
  expect(result.failures):eq(0)
  local served = 0
  for _, name in ipairs(pods "app=web") do
    local share = result.spread["default/" .. name] or 0
    served = served + share
    -- Random choice: five standard deviations around 30. Round robin: exactly 30.
    by_dataplane {
      ipvs = function() expect(share):eq(30) end,
      userspace = function() expect(share):eq(30) end,
      default = function() expect(share):between(30 - 23, 30 + 23) end,
    }
  end
  expect(served):eq(90)
end)

it("shows the server the client's address, but in userspace mode", function()
  local result = cli:request "svc/web:80"
  by_dataplane {
    userspace = function() expect(result.seen.ip):never():eq(cli:ip()) end,
    default = function() expect(result.seen.ip):eq(cli:ip()) end,
  }
end)

it("shows the ClusterIP at the client and the pod's address at the server", function()
  local result = cli:request "svc/web:80"
  capture "pod/cli":has("tcp[tcpflags] & tcp-syn != 0 and dst host " .. ip "svc/web")
  local server = capture("pod/" .. result.backend)
  server:has("tcp and dst host " .. result.backend_ip):has_not("dst host " .. ip "svc/web")
end)
