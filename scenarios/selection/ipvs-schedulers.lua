-- Virtual servers as an administrator types them: which server each scheduler takes for one
-- connection after another, and how ipvsadm lists them. The orders were seen on Linux 6.1, with
-- the servers added in the order 1, 2, 3: rr begins with the one that was added last.
scenario {
  name = "IPVS schedulers",
  refs = { "SEL-04" },
  nodes = { "a" },
  dataplanes = { "ipvs" },
  no_dns = true,
}
local servers, a = {}, node "a"
for i = 1, 3 do servers[i] = pod { name = "server-" .. i, node = "a", ports = { 80 } } end
settle()

local port = 1000
local function virtual_server(scheduler, weights)
  port = port + 1
  local address = "10.99.0.1:" .. port
  a:run(("ipvsadm -A -t %s -s %s"):format(address, scheduler))
  for i, server in ipairs(servers) do
    a:run(("ipvsadm -a -t %s -r %s:80 -m -w %d"):format(address, server:ip(), weights[i]))
  end
  return address
end

for _, case in ipairs {
  { "rr", { 1, 1, 1 }, "3 2 1 3 2 1" },
  { "wrr", { 3, 2, 1 }, "3 2 1 1 2 1 3 2 1" },
  { "wrr", { 5, 1, 1 }, "3 2 1 1 1 1 1 3 2" },
  { "wrr", { 4, 2, 0 }, "2 1 1" },
  { "lc", { 1, 1, 1 }, "3 2 1" },
  { "wlc", { 3, 2, 1 }, "3 2 1 1 2 1 3 2 1" },
  { "sed", { 3, 2, 1 }, "1 1 1 1" },
  { "nq", { 3, 2, 1 }, "3 3 3 3" },
} do
  local scheduler, weights, order = case[1], case[2], case[3]
  it(("%s with weights %s takes %s"):format(scheduler, table.concat(weights, "/"), order), function()
    local address, taken = virtual_server(scheduler, weights), {}
    for _ in order:gmatch "%d" do
      taken[#taken + 1] = a:request(address).backend:match "server%-(%d)"
    end
    expect(table.concat(taken, " ")):eq(order)
  end)
end

it("is listed by ipvsadm -Ln, servers sorted by address", function()
  local address = virtual_server("wrr", { 1, 20, 300 })
  a:request(address)
  wait "0.5s" -- the last FIN is on its way
  local text = a:dump "ipvsadm"
  expect(text):matches("^IP Virtual Server version 1%.2%.1 %(size=4096%)\nProt LocalAddress:Port Scheduler Flags\n"
    .. "  %-> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n")
  expect(text):contains(("TCP  %s wrr\n"
    .. "  -> %-28s Masq    1      0          0         \n"
    .. "  -> %-28s Masq    20     0          0         \n"
    .. "  -> %-28s Masq    300    0          1         \n")
    :format(address, servers[1]:ip() .. ":80", servers[2]:ip() .. ":80", servers[3]:ip() .. ":80"))
end)
