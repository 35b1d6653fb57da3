-- What tutorials show with busybox:1.28: nslookup of a headless Service lists its pods by their
-- names, of a ClusterIP Service the ClusterIP, of a StatefulSet's pod that pod.
scenario { name = "nslookup in tutorials", refs = { "STS-09", "DNS-03", "DNS-07" } }
apply "services.yaml"
apply "../statefulset/web-sts.yaml"
local cli = pod { name = "busybox", node = "a", image = "busybox:1.28" }
local ZONE = ".default.svc.cluster.local"

-- The block of the server, then the name with its addresses; theirs in any order.
local function shows(name, addresses)
  local text, lines = cli:nslookup(name).text, {}
  local server = ip("svc/kube-dns", "kube-system")
  local head = ("Server:    %s\nAddress 1: %s kube-dns.kube-system.svc.cluster.local\n\nName:      %s\n"):format(server, server, name)
  expect(text:sub(1, #head)):eq(head)
  for line in text:sub(#head + 1):gmatch "Address %d+: ([^\n]*)\n" do lines[#lines + 1] = line end
  expect(lines):same_set(addresses)
end

it("lists the pods of a headless Service", function()
  rollout "deployment/web"
  local wanted = {}
  for i, name in ipairs(pods "app=web") do
    local address = ip(name)
    -- The first PTR counts: the pod is an endpoint of "pods" and of "web".
    wanted[i] = address .. " " .. address:gsub("%.", "-") .. ".pods" .. ZONE
  end
  shows("pods", wanted)
end)

it("shows a ClusterIP", function()
  shows("empty", { ip "svc/empty" .. " empty" .. ZONE })
end)

it("gives a StatefulSet's pods their names", function()
  rollout "statefulset/web"
  local set = get "statefulset/web"
  local service, wanted = set.spec.serviceName, {}
  for i = 1, set.spec.replicas do
    local name = "web-" .. i - 1
    wanted[i] = ip(name) .. " " .. name .. "." .. service .. ZONE
  end
  shows(service, wanted)
  shows("web-0." .. service, { wanted[1] })
end)

it("says what it cannot resolve", function()
  expect(cli:nslookup("nobody").text):matches "nslookup: can't resolve 'nobody'\n$"
end)
