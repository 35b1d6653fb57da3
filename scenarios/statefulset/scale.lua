-- A StatefulSet keeps names and order while it scales: 2 -> 3 -> 4 -> 2. Pods appear
-- from the lowest ordinal up, go from the highest down, and each has a DNS name of its own.
scenario {
  name = "StatefulSet web scales 2 -> 3 -> 4 -> 2",
  refs = { "STS-01", "STS-03", "STS-08", "STS-09", "DNS-03", "DNS-05" },
  nodes = { "a", "b", "c" },
  params = { to = 4 },
}
apply "web-sts.yaml"
local cli = pod { name = "cli", node = "a" }

local function names_to(n)
  local out = {}
  for i = 0, n - 1 do out[#out + 1] = "web-" .. i end
  return out
end

local function addresses_to(n)
  local out = {}
  for _, name in ipairs(names_to(n)) do out[#out + 1] = ip(name) end
  return out
end

local function created(name) return get("pod/" .. name).metadata.creationTimestamp end

it("starts with web-0, then web-1", function()
  rollout "statefulset/web"
  expect(pods "app=nginx"):eq(names_to(2))
  expect(created "web-0" <= created "web-1"):is_true()
  expect(cli:dig("nginx.default.svc.cluster.local", "A").addresses):same_set(addresses_to(2))
end)

it("adds the next ordinals in order", function()
  scale("statefulset/web", 3)
  rollout "statefulset/web"
  scale("statefulset/web", params.to)
  rollout "statefulset/web"
  expect(pods "app=nginx"):eq(names_to(params.to))
  expect(created "web-2" <= created("web-" .. params.to - 1)):is_true()
end)

it("names every pod once cached answers have expired", function()
  eventually("31s", function()
    expect(cli:dig("nginx.default.svc.cluster.local", "A").addresses):same_set(addresses_to(params.to))
  end)
  for _, name in ipairs(names_to(params.to)) do
    expect(cli:dig(name .. ".nginx.default.svc.cluster.local", "A").addresses):eq { ip(name) }
    expect(cli:request(name .. ".nginx:80").backend):eq("default/" .. name)
  end
end)

it("removes the highest ordinals and keeps the others untouched", function()
  local address = ip "web-0"
  scale("statefulset/web", 2)
  rollout "statefulset/web"
  expect(pods "app=nginx"):eq(names_to(2))
  expect(ip "web-0"):eq(address)
  eventually("31s", function()
    expect(cli:dig("web-3.nginx.default.svc.cluster.local", "A").rcode):eq "NXDOMAIN"
  end)
end)
