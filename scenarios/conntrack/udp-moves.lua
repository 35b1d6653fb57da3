-- A UDP flow has no end that a new one could follow. So kube-proxy deletes the entries of flows to an
-- endpoint that no longer serves, and the same socket's next datagram is sent to another.
scenario {
  name = "a UDP flow leaves an endpoint that is gone",
  refs = { "CTK-02", "#125467" },
  nodes = { "a", "b" },
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }
local first
local function datagram() return cli:request("svc/web:80", { proto = "udp", from_port = 5353, timeout = "1s" }) end

local function entries()
  return node("a"):dump("conntrack"):match("udp[^\n]*dst=10.96.0.80 sport=%d+ dport=80[^\n]*src=" .. ip(first) .. " ")
end

it("keeps to one pod", function()
  eventually("30s", function() expect(#endpoints "web"):eq(4) end)
  settle()
  first = datagram().backend:match "/(.+)$"
  for _ = 1, 5 do expect(datagram().backend):eq("default/" .. first) end
  -- userspace mode's flows end at its own socket.
  if dataplane ~= "userspace" then expect(entries()):never():is_nil() end
end)

it("moves to the other when the pod is not ready", function()
  pod(first):fail_readiness()
  eventually("15s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  -- ipvs: the first datagram finds its server gone and is lost with the entry (expire_nodest_conn).
  if dataplane == "ipvs" then datagram() end
  expect(datagram().backend):eq(first == "server-1" and "default/server-2" or "default/server-1")
  if dataplane ~= "userspace" then expect(entries()):is_nil() end
end)
