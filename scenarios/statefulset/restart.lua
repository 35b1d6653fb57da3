-- A pod that is deleted comes back with its name and its DNS name, and with a new address.
scenario {
  name = "a restarted StatefulSet pod keeps its name, not its address",
  refs = { "STS-08", "STS-10" },
  nodes = { "a", "b" },
}
apply "web-sts.yaml"
local cli = pod { name = "cli", node = "a" }

it("gets a new address and uid under the old name", function()
  rollout "statefulset/web"
  local before = get "pod/web-1"
  delete "pod/web-1"
  rollout "statefulset/web"
  local after = get "pod/web-1"
  expect(after.metadata.uid):never():eq(before.metadata.uid)
  expect(after.status.podIP):never():eq(before.status.podIP)
end)

it("is found under the same DNS name once the old answer has expired", function()
  eventually("31s", function()
    expect(cli:dig("web-1.nginx.default.svc.cluster.local", "A").addresses):eq { ip "web-1" }
  end)
  expect(cli:request("web-1.nginx:80").backend):eq "default/web-1"
end)
