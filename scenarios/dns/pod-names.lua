-- A pod's address is a name too: with "pods insecure", kubeadm's choice, any text that spells one
-- in a namespace that exists; with "pods verified" only a pod's own; disabled, none.
scenario { name = "names of pods by address", refs = { "DNS-09" } }
local cli = pod { name = "cli", node = "a" }
local other = pod { name = "other", node = "b" }
local function rcode(address, namespace)
  return cli:dig(address:gsub("%.", "-") .. "." .. namespace .. ".pod.cluster.local", "A").rcode
end
local function configured(mode)
  apply(([[
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        health
        ready
        kubernetes cluster.local {
            pods %s
        }
    }
]]):format(mode))
  rollout_restart("deployment/coredns", "kube-system")
  rollout("deployment/coredns", { namespace = "kube-system" })
  wait "6s" -- the old ones answer on for health's lame duck
end

it("insecure: answers whatever parses, pod or not", function()
  expect(rcode(other:ip(), "default")):eq "NOERROR"
  expect(rcode("10.255.255.254", "default")):eq "NOERROR"
  expect(rcode("10.255.255.256", "default")):eq "NXDOMAIN"
  expect(rcode(other:ip(), "nowhere")):eq "NXDOMAIN"
end)

it("verified: answers for pods of that namespace", function()
  configured "verified"
  expect(rcode(other:ip(), "default")):eq "NOERROR"
  expect(rcode(other:ip(), "kube-system")):eq "NXDOMAIN"
  expect(rcode("10.255.255.254", "default")):eq "NXDOMAIN"
end)

it("disabled: knows none", function()
  configured "disabled"
  expect(rcode(other:ip(), "default")):eq "NXDOMAIN"
end)
