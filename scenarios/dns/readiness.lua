-- CoreDNS is ready once it has listed the API: /ready says so on 8181, /health is there from the
-- start; until the new pod is ready the Service's other one answers alone.
scenario { name = "CoreDNS becomes ready when it is synced", refs = { "DNS-13" } }
local cli = pod { name = "cli", node = "a" }
local function ready(name) return cli:request(ip(name, "kube-system") .. ":8181", { path = "/ready" }) end

it("answers /ready and /health", function()
  local name = pods("k8s-app=kube-dns", "kube-system")[1]
  expect(ready(name).status):eq(200)
  expect(cli:request(ip(name, "kube-system") .. ":8080", { path = "/health" }).body):eq "OK"
end)

it("answers names all the time while one pod is replaced", function()
  local before = pods("k8s-app=kube-dns", "kube-system")
  delete("pod/" .. before[1], { namespace = "kube-system", grace = 0 })
  for _ = 1, 8 do
    expect(cli:resolve("kubernetes.default").addresses):eq { ip "svc/kubernetes" }
    wait "100ms"
  end
end)

it("has a new pod behind the Service that is ready", function()
  eventually("60s", function() expect(#endpoints("kube-dns", "kube-system")):at_least(4) end)
  for _, name in ipairs(pods("k8s-app=kube-dns", "kube-system")) do expect(ready(name).status):eq(200) end
end)
