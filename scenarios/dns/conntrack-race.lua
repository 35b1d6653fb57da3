-- glibc and musl send A and AAAA at once from one port. Where both reach the node's NAT before
-- either is confirmed and are given different CoreDNS pods, their conntrack entries clash:
-- kernels before 5.7 drop one query (insert_failed), and the client waits 5 s (glibc) or 2.5 s
-- (musl). Later ones let both pass: on 6.18, of 5,000 pairs sent by two threads to a DNAT with two
-- targets, 1,328 clashed (clash_resolve) and all 10,000 datagrams arrived.
scenario {
  name = "the A and AAAA race in conntrack", refs = { "CTK-15", "#56903" }, nodes = { "a", "b" },
}
local NAME = "kubernetes.default.svc.cluster.local."

local function client(name, image, options)
  apply(([[
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeName: a
  dnsConfig: {options: [%s]}
  containers: [{name: c, image: "%s"}]
]]):format(name, options and "{name: " .. options .. "}" or "", image))
  eventually("30s", function() expect(get("pod/" .. name).status.phase):eq "Running" end)
  return pod(name)
end
local glibc, musl = client("glibc", "debian:12"), client("musl", "alpine:3.16")
local reopen, vc = client("reopen", "debian:12", "single-request-reopen"), client("vc", "debian:12", "use-vc")

-- Seconds that look-ups took, as "rounded seconds" -> how many.
local function times(place)
  local seen = {}
  for _ = 1, 12 do
    local result = place:resolve(NAME)
    expect(#result.addresses):eq(1)
    local key = ("%.1f"):format(result.seconds)
    seen[key] = (seen[key] or 0) + 1
  end
  return seen
end
local function counted(what) return node "a":dump("conntrack", "-S"):match(what .. "=(%d+)") + 0 end

it("loses nothing on a kernel of today", function()
  node "a":race()
  expect(times(glibc)):eq { ["0.0"] = 12 }
  expect(counted "insert_failed"):eq(0)
  expect(counted "clash_resolve"):at_least(by_dataplane { ipvs = 0, userspace = 0, default = 1 })
end)

it("on one before 5.7 is 5 s for glibc and 2.5 s for musl, where NAT draws per packet", function()
  node "a":race "old"
  local slow_glibc, slow_musl = times(glibc)["5.0"], times(musl)["2.5"]
  -- ipvs and the userspace proxy give both packets of a port to one server: the same entry twice.
  by_dataplane {
    ipvs = function() expect({ slow_glibc, slow_musl, counted "insert_failed" }):eq { nil, nil, 0 } end,
    userspace = function() expect({ slow_glibc, slow_musl, counted "insert_failed" }):eq { nil, nil, 0 } end,
    default = function()
      expect(slow_glibc):between(1, 11)
      expect(slow_musl):between(1, 11)
      expect(counted "insert_failed"):at_least(slow_glibc + slow_musl)
    end,
  }
end)

it("does not touch single-request-reopen and use-vc", function()
  expect(times(reopen)):eq { ["0.0"] = 12 }
  expect(times(vc)):eq { ["0.0"] = 12 }
end)
