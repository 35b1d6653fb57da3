-- nftables draws a number modulo the count of endpoints and looks the endpoint up in an anonymous
-- map, also when there is but one.
scenario {
  name = "random choice in nftables mode",
  refs = { "SEL-03" },
  nodes = { "a", "b" },
  dataplanes = { "nftables" },
}
for i = 1, 4 do
  pod { name = "server-" .. i, node = i % 2 == 0 and "a" or "b", labels = { app = "web", one = tostring(i) },
    ports = { 80 } }
end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
---
apiVersion: v1
kind: Service
metadata:
  name: single
spec:
  selector: {one: "1"}
  ports:
  - port: 80
]]
local cli = pod { name = "cli", node = "a" }

it("is a verdict map over numgen random", function()
  settle()
  local text = node("a"):rules("nft", "write")
  expect(text):matches("default/web/tcp/%s+numgen random mod 4 vmap { "
    .. "0 : goto %S+ , 1 : goto %S+ , 2 : goto %S+ , 3 : goto %S+ }")
  expect(text):matches "default/single/tcp/%s+numgen random mod 1 vmap { 0 : goto %S+ }"
end)

it("spreads connections evenly", function()
  local n, k = 1200, 4
  local result = cli:load("svc/web:80", { count = n })
  expect(result.failures):eq(0)
  local chi2 = 0
  for i = 1, k do chi2 = chi2 + ((result.spread["default/server-" .. i] or 0) - n / k) ^ 2 / (n / k) end
  expect(chi2):at_most(25.9) -- three degrees of freedom: one run in 100,000 is above
  expect(cli:load("svc/single:80", { count = 20 }).spread):eq { ["default/server-1"] = 20 }
end)
