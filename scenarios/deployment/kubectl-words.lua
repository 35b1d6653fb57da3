-- kubectl's own words in a scenario, and what a container finds when it starts: its files and the
-- variables of the Services that were there before it (kubectl 1.34; kubelet_pods.go).
scenario {
  name = "kubectl and a container's surroundings",
  refs = { "ENV-01", "DNS-16" },
  nodes = { "a" },
  dataplanes = { "iptables" },
}
kubectl("create service clusterip my-db --clusterip=10.96.0.99 --tcp=5432")
local cli = pod { name = "cli" }

it("prints what kubectl prints, and its exit code", function()
  expect((kubectl "get svc my-db")):matches("^NAME    TYPE        CLUSTER%-IP   EXTERNAL%-IP   PORT%(S%)    AGE\n"
    .. "my%-db   ClusterIP   10.96.0.99   <none>        5432/TCP   %d+s\n$")
  local text, code = kubectl "get svc nothing"
  expect(text):eq('Error from server (NotFound): services "nothing" not found\n')
  expect(code):eq(1)
  expect((kubectl("apply -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: b}\n"))):eq(
    "configmap/m created\n")
  expect((kubectl [[get cm m -o jsonpath='{.data.a}']])):eq "b"
end)

it("has the variables of older Services", function()
  local env = cli:env()
  expect(env.MY_DB_SERVICE_HOST):eq "10.96.0.99"
  expect(env.MY_DB_PORT_5432_TCP):eq "tcp://10.96.0.99:5432"
  expect(env.KUBERNETES_SERVICE_PORT):eq "443"
end)

it("has resolv.conf and hosts, and files of its own", function()
  expect(cli:cat "/etc/resolv.conf"):eq(
    "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n")
  expect(cli:cat "/etc/hosts"):contains(ip "cli" .. "\tcli\n")
  expect(cli:cat "/tmp/note"):is_nil()
  cli:write("/tmp/note", "kept\n")
  expect(cli:cat "/tmp/note"):eq "kept\n"
end)
