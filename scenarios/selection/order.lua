-- Endpoints are sorted as the text ADDRESS:PORT, so 10.244.1.10:80 comes before 10.244.1.9:80 (and
-- 10.244.1.100:80 before both, as a digit is less than a colon); that is the order of the
-- rules, and of the numbers in an nftables map.
scenario {
  name = "endpoints sort as strings",
  refs = { "SEL-06" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables" },
}
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports:
- port: 80
endpoints:
- addresses: [10.244.1.9]
- addresses: [10.244.1.10]
- addresses: [10.244.1.100]
]]

it("writes .100:80, .10:80, .9:80", function()
  settle()
  local order = {}
  if dataplane == "iptables" then
    for address in node("a"):dump("iptables-save", "nat"):gmatch '"default/web %-> ([%d.]+):80"' do
      order[#order + 1] = address
    end
  else
    local map = node("a"):rules("nft", "write"):match "default/web/tcp/%s+numgen random mod 3 vmap { ([^}]+) }"
    for address in map:gmatch "default/web/tcp/__([%d.]+)/80" do order[#order + 1] = address end
  end
  expect(order):eq { "10.244.1.100", "10.244.1.10", "10.244.1.9" }
end)
