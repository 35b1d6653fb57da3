-- What is different in IPv6's rules: destinations with brackets, node ports that leave out ::1, sets
-- whose names begin with KUBE-6- and end after 31 characters, and a table of its own.
scenario {
  name = "rules of IPv6",
  refs = { "DUA-03" },
  nodes = { "a" },
  dataplanes = { "iptables", "nftables", "ipvs" },
  dual_stack = true,
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  ipFamilies: [IPv6]
  ipFamilyPolicy: SingleStack
  selector: {app: web}
  ports: [{port: 80, nodePort: 30080}]
]]

it("are written for it", function()
  settle()
  local a, address = node "a", pod("server"):ip(6)
  by_dataplane {
    iptables = function()
      local rules = a:dump "ip6tables-save"
      expect(rules):contains("--to-destination [" .. address .. "]:80")
      expect(rules):matches "%-A KUBE%-SERVICES ! %-d ::1/128 [^\n]*%-m addrtype %-%-dst%-type LOCAL %-j KUBE%-NODEPORTS"
      expect(a:dump "iptables-save"):never():contains "default/web"
    end,
    nftables = function()
      local rules = a:dump("nft"):match "table ip6 kube%-proxy (.-)\n}"
      expect(rules):contains("dnat to [" .. address .. "]:80")
      expect(a:dump("nft"):match "table ip kube%-proxy (.-)\n}"):never():contains "default/web"
    end,
    ipvs = function()
      local sets = a:dump "ipset"
      for _, name in ipairs { "KUBE-6-CLUSTER-IP", "KUBE-6-LOAD-BALANCER-SOURCE-CID", "KUBE-6-HEALTH-CHECK-NODE-PORT" } do
        expect(sets):contains("create " .. name .. " ")
      end
      for name in sets:gmatch "create (%S+)" do expect(#name):at_most(31) end
      expect(a:dump "ipvsadm"):contains("[" .. address .. "]:80")
    end,
  }
end)
