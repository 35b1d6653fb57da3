-- A connection attempt that began before the Service's rules existed. In iptables mode the first SYN
-- left untranslated and an entry remembers that; every repetition refreshes it, so the attempt
-- fails however long it goes on. In nftables mode the SYN is dropped and leaves no entry: the next
-- repetition gets through.
scenario {
  name = "a SYN before the rules are there",
  refs = { "CTK-10", "#48719" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
pod { name = "server", node = "b", ports = { 80 } }
local cli = pod { name = "cli", node = "a" }
local attempt
-- The endpoint is known first: a Service without endpoints would refuse for a second.
apply(([[
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [%s]}]
]]):format(ip "server"))

it("goes nowhere", function()
  settle()
  attempt = cli:begin("10.96.0.80:80", { timeout = "4500ms", connect_only = true })
  wait "300ms"
  expect(attempt.finished()):is_false()
end)

it("is repeated once the rules are there", function()
  apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  ports: [{port: 80}]
]]
  settle()
  -- A new attempt works at once in every mode.
  expect(cli:connect("svc/web:80").error):is_nil()
  local result = attempt.finish()
  by_dataplane {
    iptables = function()
      expect(result.error):eq "ETIMEDOUT"
      expect(node("a"):dump("conntrack")):matches "SYN_SENT src=10.244.1.%d+ dst=10.96.0.80 [^\n]*%[UNREPLIED%] src=10.96.0.80 "
    end,
    default = function()
      expect(result.error):is_nil()
      expect(result.seconds):between(0.9, 3.2) -- SYNs are repeated after 1 s and 3 s
    end,
  }
end)
