-- kube-proxy never deletes the entries of TCP connections: they end with the connection or time out.
scenario {
  name = "no clean-up of TCP entries",
  refs = { "CTK-07" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
apply "servers.yaml"
local cli = pod { name = "cli", node = "a" }
local connection, first

local function entry(proto)
  return node("a"):dump("conntrack"):match(
    proto .. "[^\n]*src=" .. cli:ip() .. " dst=10.96.0.80 [^\n]*dport=80 src=" .. ip(first) .. " ")
end

it("keeps the entry when the endpoint is not ready", function()
  eventually("30s", function() expect(#endpoints "web"):eq(4) end)
  settle()
  connection = cli:open "svc/web:80"
  first = connection.first.backend:match "/(.+)$"
  pod(first):fail_readiness()
  eventually("15s", function() expect(#endpoints "web"):eq(2) end)
  settle()
  expect(entry "tcp"):matches "ESTABLISHED"
end)

it("keeps it when the Service is deleted", function()
  delete "service/web"
  settle()
  expect(entry "tcp"):matches "ESTABLISHED"
  -- ipvs has no virtual server any more, and so no way to the pod.
  if dataplane ~= "ipvs" then expect(connection:request("/").backend):eq("default/" .. first) end
end)
