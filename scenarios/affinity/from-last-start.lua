-- Only a connection's first packet refreshes the record: a client that has been talking on one
-- connection for longer than the timeout is forgotten all the same. ipvs keeps it as long as a
-- connection is open.
scenario {
  name = "affinity counts from the start of the last connection",
  refs = { "AFF-03", "AFF-07" },
  nodes = { "a", "b" },
  dataplanes = { "iptables", "nftables", "ipvs" },
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", labels = { app = "web" }, ports = { 80 } } end
apply [[
apiVersion: v1
kind: Service
metadata:
  name: sticky
spec:
  selector: {app: web}
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}
  ports:
  - port: 80
]]
local clients = {}
for i = 1, 12 do clients[i] = pod { name = "cli-" .. i, node = "a" } end

it("forgets a client whose only connection is older, unless IPVS does it", function()
  settle()
  local open, moved = {}, 0
  for i, cli in ipairs(clients) do open[i] = cli:open "svc/sticky:80" end
  for _ = 1, 7 do
    wait "100s"
    for i in ipairs(clients) do open[i]:request "/" end
  end
  for i, cli in ipairs(clients) do
    local backend = cli:request("svc/sticky:80").backend
    if backend ~= open[i].first.backend then moved = moved + 1 end
  end
  -- IPVS re-arms a template that has connections for another minute (ip_vs_conn.c).
  by_dataplane {
    ipvs = function() expect(moved):eq(0) end,
    default = function() expect(moved):at_least(1) end,
  }
end)
