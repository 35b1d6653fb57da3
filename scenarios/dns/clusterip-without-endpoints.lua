-- The name of a ClusterIP Service is there as long as the Service is: without a single pod it
-- resolves (and connections are refused), while a headless Service without pods is NXDOMAIN.
scenario { name = "names of Services without endpoints", refs = { "DNS-04", "DNS-03" } }
apply "services.yaml"
apply [[
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {clusterIP: None, selector: {app: nobody}, ports: [{port: 80}]}
]]
local cli = pod { name = "cli", node = "a" }

it("resolves a ClusterIP that nobody stands behind", function()
  expect(cli:dig("empty", "A").addresses):eq { ip "svc/empty" }
end)

it("does not resolve a headless Service without pods", function()
  expect(cli:dig("nobody.default.svc.cluster.local", "A").rcode):eq "NXDOMAIN"
end)
