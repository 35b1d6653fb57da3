-- Deleting a Service removes its virtual server at once, open connections or not, and the addresses that
-- nothing else uses from kube-ipvs0.
scenario {
  name = "a Service with open connections is deleted in ipvs mode",
  refs = { "CHN-07" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
apply "server.yaml"
local cli = pod { name = "cli", node = "a" }
local connection

it("has a virtual server and an address", function()
  eventually("30s", function() expect(#endpoints "web"):eq(1) end)
  settle()
  connection = cli:open "svc/web:80"
  expect(connection.first.backend):eq "default/server"
  expect(node("a"):dump "ipvsadm"):contains "TCP  10.96.0.80:80 rr"
  expect(node("a"):dump("addr", "kube-ipvs0")):contains "10.96.0.80/32"
end)

it("has neither after the sync", function()
  delete "service/web"
  wait "2s"
  expect(node("a"):dump "ipvsadm"):never():contains "10.96.0.80"
  expect(node("a"):dump("addr", "kube-ipvs0")):never():contains "10.96.0.80"
  expect(connection:request("/").backend):is_nil()
end)
