-- SRV: a ClusterIP Service is its own target, once per port; a headless one names an endpoint per
-- pod. Priority 0; the weight is 100 shared out over the entries, floored.
scenario { name = "SRV records", refs = { "DNS-06" } }
apply "services.yaml"
local cli = pod { name = "cli", node = "a" }
local ZONE = ".default.svc.cluster.local"
local function short(name) return cli:dig(name .. ZONE, "SRV", { options = "+short" }).text end
local function dashed(name) return (ip(name):gsub("%.", "-")) end

it("gives a ClusterIP's port under its name", function()
  rollout "deployment/web"
  expect(short "_http._tcp.web"):eq("0 100 80 web" .. ZONE .. ".\n")
  local both = short "web"
  expect(both):matches("0 50 80 web" .. ZONE:gsub("%.", "%%."))
  expect(both):matches("0 50 9100 web" .. ZONE:gsub("%.", "%%."))
end)

it("gives an endpoint of each pod of a headless Service, with the target port", function()
  local text = short "_http._tcp.pods"
  for _, name in ipairs(pods "app=web") do
    expect(text):contains("0 50 8080 " .. dashed(name) .. ".pods" .. ZONE .. ".")
  end
end)

it("puts the addresses of the targets behind it", function()
  local text = cli:dig("_http._tcp.pods" .. ZONE, "SRV", { options = "+noall +additional" }).text
  for _, name in ipairs(pods "app=web") do expect(text):contains(ip(name)) end
end)

it("knows no port that is not declared", function()
  expect(cli:dig("_https._tcp.web" .. ZONE, "SRV").rcode):eq "NXDOMAIN"
  expect(cli:dig("_http._udp.web" .. ZONE, "SRV").rcode):eq "NXDOMAIN"
end)
