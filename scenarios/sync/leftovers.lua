-- kube-proxy changes its mode on a running node. nftables mode removes what iptables and ipvs mode left;
-- these remove the nft table; but between iptables and ipvs everything stays: chains one way,
-- kube-ipvs0 with its virtual servers the other, until somebody runs kube-proxy --cleanup.
scenario {
  name = "another mode's leftovers",
  refs = { "SYN-10" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "ipvs", "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}"
local a, cli = node "a", pod { name = "cli", node = "a" }
a:dump "ipvsadm" -- a kernel without IPVS skips the scenario here

local function left()
  local save = a:dump("iptables-save", "nat")
  return {
    iptables = save:find("KUBE-SVC-", 1, true) ~= nil,
    ipvs = a:dump("ipvsadm"):find("10.96.", 1, true) ~= nil,
    nftables = a:dump("nft"):find("table ip kube-proxy", 1, true) ~= nil,
  }
end
local function to(mode)
  switch_mode(mode)
  settle()
  expect(cli:connect("svc/web:80", { timeout = "3s" }).ok):is_true()
  return left()
end

it("starts with its own rules only", function()
  settle()
  local there = left()
  for _, mode in ipairs { "iptables", "ipvs", "nftables" } do expect(there[mode]):eq(mode == dataplane) end
end)

it("goes to the other modes and leaves what the source says", function()
  by_dataplane {
    iptables = function()
      expect(to "ipvs"):eq { iptables = true, ipvs = true, nftables = false }
      expect(to "iptables"):eq { iptables = true, ipvs = true, nftables = false }
      expect(to "nftables"):eq { iptables = false, ipvs = false, nftables = true } -- both modes' go
    end,
    ipvs = function()
      expect(to "iptables"):eq { iptables = true, ipvs = true, nftables = false }
      expect(to "nftables"):eq { iptables = false, ipvs = false, nftables = true }
    end,
    nftables = function()
      expect(to "ipvs"):eq { iptables = false, ipvs = true, nftables = false }
      expect(to "nftables"):eq { iptables = false, ipvs = false, nftables = true }
      expect(to "iptables"):eq { iptables = true, ipvs = false, nftables = false }
      expect(to "nftables"):eq { iptables = false, ipvs = false, nftables = true }
    end,
  }
end)
