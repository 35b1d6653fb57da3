-- The bridge of the node must be willing to send a frame back through the port that it came by
-- (hairpin mode). Where it is not, a pod's connection to itself is lost behind the node's rules.
scenario {
  name = "bridge ports without hairpin mode",
  refs = { "MSQ-04", "#20475" },
  nodes = { "a", { name = "b", no_hairpin = true } },
}
for _, n in ipairs { "a", "b" } do
  pod { name = "server-" .. n, node = n, labels = { app = n }, ports = { 80 } }
  apply(([[
apiVersion: v1
kind: Service
metadata:
  name: self-%s
spec:
  selector: {app: %s}
  ports:
  - port: 80
]]):format(n, n))
end

it("works with hairpin mode", function()
  settle()
  expect(pod("server-a"):request("svc/self-a:80").backend):eq "default/server-a"
end)

it("times out without, though others reach the pod", function()
  local result = pod("server-b"):connect("svc/self-b:80", { timeout = "3s" })
  by_dataplane {
    -- The proxy is another host to the bridge: nothing turns back.
    userspace = function() expect(result.error):is_nil() end,
    -- IPVS routes the packet to the port; it is the answer that is turned back in the bridge and lost.
    ipvs = function()
      expect(result.error):eq "ETIMEDOUT"
      capture("pod/server-b"):has "tcp[tcpflags] & tcp-syn != 0 and src host 10.244.2.1"
    end,
    default = function()
      expect(result.error):eq "ETIMEDOUT"
      capture("pod/server-b"):has_not "tcp[tcpflags] & tcp-syn != 0 and src host 10.244.2.1"
    end,
  }
  expect(pod("server-a"):request("svc/self-b:80").backend):eq "default/server-b"
end)
