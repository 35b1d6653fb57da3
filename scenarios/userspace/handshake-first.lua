-- kube-proxy accepts before it knows a backend: without any endpoint the client is connected, and then
-- cut off, where the other modes refuse.
scenario {
  name = "the handshake comes before the choice of a backend",
  refs = { "USR-04" },
  nodes = { "a", "b" },
  no_dns = true,
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: empty
spec:
  clusterIP: 10.96.0.80
  selector: {app: none}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("connects a client without any endpoint in userspace mode only", function()
  settle()
  local result = cli:connect "10.96.0.80:80"
  by_dataplane {
    userspace = function() expect(result.error):is_nil() end,
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
end)

it("ends the connection without an answer", function()
  local result = cli:request("10.96.0.80:80")
  expect(result.backend):is_nil()
  by_dataplane {
    userspace = function()
      expect(result.error):never():eq "ECONNREFUSED"
      capture("pod/cli"):has "tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack) and src host 10.96.0.80"
    end,
    default = function() expect(result.error):eq "ECONNREFUSED" end,
  }
end)
