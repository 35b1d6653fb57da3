-- What passes through the userspace proxy is copied up from the kernel and down again, both ways, on
-- the client's node; the other modes rewrite packets where they are. That is the price of the mode.
scenario {
  name = "bytes that go through user space",
  refs = { "USR-01" },
  nodes = { "a", "b" },
  no_dns = true,
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("are all that a connection carries, in userspace mode", function()
  settle()
  local before = node("a"):counters().copied
  local count = 20
  for _ = 1, count do expect(cli:request("10.96.0.80:80").backend):eq "default/server" end
  local copied = node("a"):counters().copied - before
  by_dataplane {
    -- request and answer: some 70 and 200 bytes with their HTTP headers
    userspace = function() expect(copied):between(count * 150, count * 1000) end,
    default = function() expect(copied):eq(0) end,
  }
  expect(node("b"):counters().copied):eq(0)
end)
