-- With ClientIP affinity a client keeps its endpoint until it does not answer: a failed dial gives it
-- another one, which it keeps when the first is back.
scenario {
  name = "a failed dial resets affinity",
  refs = { "USR-03", "#24648" },
  nodes = { "a", "b", "c" },
  dataplanes = { "userspace" },
  no_dns = true,
}
for i, on in ipairs { "b", "c" } do pod { name = "server-" .. i, node = on, labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }
local function ask() return cli:request("10.96.0.80:80", { timeout = "4s" }) end

it("keeps its endpoint while that answers", function()
  settle()
  local first = ask().backend
  for _ = 1, 4 do expect(ask().backend):eq(first) end
end)

it("gets the other one when it does not, and stays there", function()
  local first = ask().backend
  local on = node(first:match "%d$" == "1" and "b" or "c")
  local rule = ("FORWARD -d %s -j DROP"):format(ip(first:match "/(.+)$"))
  on:run("iptables -I " .. rule)
  local result = ask()
  expect(result.backend):matches "^default/server%-%d$"
  expect(result.backend):never():eq(first)
  expect(result.seconds):at_least(0.25)
  on:run("iptables -D " .. rule)
  for _ = 1, 4 do expect(ask().backend):eq(result.backend) end
end)
