-- iptables gives the i-th of n endpoints the probability 1/(n-i), the last no condition, so that
-- all are equally likely; the kernel keeps a probability as a multiple of 2^-31, and iptables-save
-- shows that.
scenario {
  name = "random choice in iptables mode",
  refs = { "SEL-01", "SEL-02" },
  nodes = { "a", "b" },
  dataplanes = { "iptables" },
}
for i = 1, 6 do
  pod { name = "server-" .. i, node = i % 2 == 0 and "a" or "b", labels = { app = "web" }, ports = { 80 } }
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
]]
local cli = pod { name = "cli", node = "a" }

local function probabilities(text)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    if line:find("default/web -> ", 1, true) then found[#found + 1] = line:match "%-%-probability (%S+)" or "rest" end
  end
  return found
end

it("writes ten digits of 1/n", function()
  settle()
  expect(probabilities(node("a"):rules("iptables", "write"))):eq {
    "0.1666666667", "0.2000000000", "0.2500000000", "0.3333333333", "0.5000000000", "rest" }
end)

it("reads back what the kernel keeps", function()
  expect(probabilities(node("a"):dump("iptables-save", "nat"))):eq {
    "0.16666666651", "0.20000000019", "0.25000000000", "0.33333333349", "0.50000000000", "rest" }
end)

it("spreads connections evenly", function()
  local n, k = 1200, 6
  local result = cli:load("svc/web:80", { count = n })
  expect(result.failures):eq(0)
  local chi2 = 0
  for i = 1, k do
    local share = result.spread["default/server-" .. i] or 0
    chi2 = chi2 + (share - n / k) ^ 2 / (n / k)
  end
  expect(chi2):at_most(30.9) -- five degrees of freedom: one run in 100,000 is above
end)
