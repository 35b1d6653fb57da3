-- A Corefile that is changed in its ConfigMap takes effect in a running cluster: the kubelet
-- writes it into the pods' volumes within 90 s, the reload plugin finds it there within 37.5 s.
scenario {
  name = "a changed Corefile is reloaded", refs = { "DNS-09" }, nodes = { "a", "b" },
  dataplanes = "all",
}

local function corefile(pods, more)
  return [[
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        errors
        health
        ready
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            pods ]] .. pods .. [[

        }
        reload
        ]] .. (more or "") .. [[

    }
]]
end

local cli = pod { name = "cli", node = "a" }

it("answers with the Corefile of the start", function()
  expect(cli:dig("10-0-0-9.default.pod.cluster.local", "A").rcode):eq "NOERROR"
end)

it("still does so right after the change, and has the new one within 130 s", function()
  apply(corefile "disabled")
  expect(cli:dig("10-0-0-9.default.pod.cluster.local", "A").rcode):eq "NOERROR"
  wait "130s"
  for _ = 1, 4 do
    expect(cli:dig("10-0-0-9.default.pod.cluster.local", "A").rcode):eq "NXDOMAIN"
  end
end)

it("keeps what it has when the new one is wrong", function()
  apply(corefile("insecure", "nonsense"))
  wait "130s"
  expect(cli:dig("10-0-0-9.default.pod.cluster.local", "A").rcode):eq "NXDOMAIN"
end)
