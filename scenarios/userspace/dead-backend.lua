-- Userspace mode is the only one that tries another endpoint when one does not answer: it dials with
-- 250 ms, 500 ms, 1 s and 2 s, each time the next endpoint. The client notices only that it takes longer.
scenario {
  name = "a dead endpoint in userspace mode",
  refs = { "USR-02" },
  nodes = { "a", "b" },
  dataplanes = { "userspace" },
  no_dns = true,
}
pod { name = "server", node = "b", ports = { 80 } }
apply(([[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: 10.96.0.80
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80, protocol: TCP}]
endpoints:
- {addresses: [10.244.2.200], nodeName: b}
- {addresses: [%s], nodeName: b}
]]):format(ip "server"))
local cli = pod { name = "cli", node = "a" }

it("is passed over: every request is answered, every other one late", function()
  settle()
  local late = 0
  for _ = 1, 6 do
    local result = cli:request("10.96.0.80:80", { timeout = "4s" })
    expect(result.backend):eq "default/server"
    if result.seconds >= 0.25 then late = late + 1 end
    expect(result.seconds):at_most(1)
  end
  -- by turns: a request that met the dead one has taken the living one's turn, too
  expect(late):between(5, 6)
end)
