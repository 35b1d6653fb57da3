-- Persistence is a template for each client and virtual server. It is looked at when its timer fires,
-- and far timers of Linux fire late: up to an eighth of their time. While its connections last it is
-- armed again by the minute.
scenario {
  name = "how long a persistence template lasts",
  refs = { "AFF-06", "AFF-07", "AFF-09" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
  no_dns = true,
  kube_proxy = "ipvs: {excludeCIDRs: [10.99.0.0/24]}",
}
for i = 1, 2 do pod { name = "server-" .. i, node = "b", ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
settle()
local a = node "a"
a:run "ip addr add 10.99.0.1/32 dev eth0"
local function serve(port, seconds)
  a:run(("ipvsadm -A -t 10.99.0.1:%d -s rr -p %d"):format(port, seconds))
  for i = 1, 2 do a:run(("ipvsadm -a -t 10.99.0.1:%d -r %s:80 -m"):format(port, ip("server-" .. i))) end
  return "10.99.0.1:" .. port
end
local function template(port)
  for line in a:dump("ipvsadm-connections"):gmatch "[^\n]+" do
    if line:find(cli:ip() .. ":0 ", 1, true) and line:find("10.99.0.1:" .. port .. " ", 1, true) then return line end
  end
end

it("is one for each virtual server, and says so in the list", function()
  local target = serve(80, 600)
  local backend = cli:request(target).backend
  expect(template(80)):matches(("^TCP %%d+:%%d%%d  ASSURED     %s:0       10.99.0.1:80       %s:0?8?0?$"):format(
    cli:ip():gsub("%.", "%%."), ip(backend:match "/(.+)$"):gsub("%.", "%%.")))
  cli:request(serve(81, 600))
  expect(template(81)):contains "10.99.0.1:81"
end)

for _, row in ipairs { { 82, 300, 299, 330 }, { 83, 10800, 10799, 11900 } } do
  local port, timeout, there, gone = row[1], row[2], row[3], row[4]
  it(("of %d s is there after %d s and gone after %d s"):format(timeout, there, gone), function()
    cli:request(serve(port, timeout))
    wait(there .. "s")
    expect(template(port)):never():is_nil()
    wait(gone - there .. "s")
    expect(template(port)):is_nil()
  end)
end

it("outlasts its timeout with a connection, by the minute", function()
  local target = serve(84, 30)
  local connection = cli:open(target)
  local backend = connection:request("/").backend
  wait "100s"
  expect(template(84)):never():is_nil()
  expect(cli:request(target).backend):eq(backend)
  connection:close()
  wait "400s"
  expect(template(84)):is_nil()
end)
