-- The scenario language, over the bindings in lua/bind_*.c (the argument `s`).
-- lua/svclab.d.lua describes every global for editors; keep the two in step.
local s = ...
local given = s.given

local function fail(what, expected, actual)
  error({ expectation = ("%s: %s\n  expected: %s\n  actual:   %s\n"):format(s.where(), what, expected, actual) }, 0)
end

local function usage(message)
  error(("%s: %s"):format(s.where(), message), 0)
end

-- ---- values ------------------------------------------------------------------

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

local function sorted_copy(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = v end
  table.sort(out, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
    return tostring(a) < tostring(b)
  end)
  return out
end

local function contains(haystack, needle)
  if type(haystack) == "string" then return haystack:find(needle, 1, true) ~= nil end
  if type(haystack) ~= "table" then return false end
  for _, v in pairs(haystack) do
    if same(v, needle) then return true end
  end
  return false
end

-- ---- expectations --------------------------------------------------------------

local expectation = {}
expectation.__index = expectation

local function judge(self, ok, what, expected)
  if ok == self.negated then
    fail(what, (self.negated and "not " or "") .. expected, s.show(self.value))
  end
  return self
end

function expectation:never() return setmetatable({ value = self.value, negated = not self.negated }, expectation) end
function expectation:eq(v) return judge(self, same(self.value, v), "eq", s.show(v)) end
function expectation:is_nil() return judge(self, self.value == nil, "is_nil", "nil") end
function expectation:is_true() return judge(self, self.value and true or false, "is_true", "true") end
function expectation:is_false() return judge(self, not self.value, "is_false", "false") end
function expectation:contains(v) return judge(self, contains(self.value, v), "contains", "something with " .. s.show(v)) end
function expectation:matches(pattern)
  local ok = type(self.value) == "string" and self.value:find(pattern) ~= nil
  return judge(self, ok, "matches", "text like " .. s.show(pattern))
end
function expectation:one_of(list) return judge(self, contains(list, self.value), "one_of", "one of " .. s.show(list)) end
function expectation:same_set(list)
  local ok = type(self.value) == "table" and same(sorted_copy(self.value), sorted_copy(list))
  return judge(self, ok, "same_set", "in any order " .. s.show(sorted_copy(list)))
end
function expectation:at_least(n)
  return judge(self, type(self.value) == "number" and self.value >= n, "at_least", "at least " .. tostring(n))
end
function expectation:at_most(n)
  return judge(self, type(self.value) == "number" and self.value <= n, "at_most", "at most " .. tostring(n))
end
function expectation:between(low, high)
  local ok = type(self.value) == "number" and self.value >= low and self.value <= high
  return judge(self, ok, "between", ("%s to %s"):format(tostring(low), tostring(high)))
end
function expectation:near(n, tolerance)
  local ok = type(self.value) == "number" and math.abs(self.value - n) <= tolerance
  return judge(self, ok, "near", ("%s, give or take %s"):format(tostring(n), tostring(tolerance)))
end

function expect(value) return setmetatable({ value = value, negated = false }, expectation) end

-- ---- time ------------------------------------------------------------------------

function now() return s.now() / 1e9 end

-- On real Linux outside a VM every second is waited for; what takes longer is not done there.
local patience = 5000000000
local function needs_virtual_time() skip "needs virtual time" end

function wait(duration)
  local ns = s.duration(duration)
  if ns > patience and s.real_time() then needs_virtual_time() end
  s.sleep(ns)
end

-- An expectation that does not hold, or a field of an object that has none yet: it is early.
local function early(problem)
  if type(problem) == "table" then return problem.expectation end
  return tostring(problem):find("attempt to index a nil value", 1, true)
end

function eventually(duration, check, every)
  local deadline = s.now() + s.duration(duration)
  local step = s.duration(every or "250ms")
  while true do
    local ok, problem = pcall(check)
    if ok then return end
    if not early(problem) then error(problem, 0) end
    if s.now() >= deadline then
      if type(problem) == "table" then
        problem.expectation = problem.expectation .. ("  (still so after %s)\n"):format(tostring(duration))
      end
      error(problem, 0)
    end
    s.hurry(true)
    s.sleep(math.min(step, deadline - s.now()))
    s.hurry(false)
  end
end

-- Holds for the whole duration.
function always(duration, check, every)
  if s.real_time() and s.duration(duration) > patience then needs_virtual_time() end
  local deadline = s.now() + s.duration(duration)
  local step = s.duration(every or "250ms")
  while true do
    check()
    if s.now() >= deadline then return end
    s.sleep(math.min(step, deadline - s.now()))
  end
end

-- Runs beside the rest; wait for its end with task:join().
function spawn(body)
  local id = s.spawn(body)
  return { join = function() s.join(id) end }
end

-- ---- scenario, tests, dataplanes ---------------------------------------------------

params = {}

function scenario(t)
  if type(t) ~= "table" then usage("scenario: expected a table") end
  for k, v in pairs(t.params or {}) do
    local text = given[k]
    if text == nil then params[k] = v
    elseif type(v) == "number" then params[k] = tonumber(text) or usage(("-p %s=%s: expected a number"):format(k, text))
    elseif type(v) == "boolean" then params[k] = text == "true" or text == "1"
    else params[k] = text end
  end
  for k in pairs(given) do
    if (t.params or {})[k] == nil then usage(("-p %s: the scenario has no such parameter"):format(k)) end
  end
  s.scenario(t)
  if not s.started() then error({ located = "skipped" }, 0) end
end

-- What a test shows cannot be seen here, for this reason.
function skip(reason) error({ skip = reason }, 0) end

it = s.it
dataplane = s.dataplane()

function by_dataplane(choices)
  local v = choices[dataplane]
  if v == nil then v = choices.default end
  if v == nil and dataplane:find("^exec:") then skip("the scenario has no outcome for " .. dataplane) end
  if v == nil then usage(("by_dataplane: nothing for %s, and no default"):format(dataplane)) end
  if type(v) == "function" then return v() end
  return v
end

-- ---- objects -------------------------------------------------------------------------

function apply(text) return (s.apply(text)) end

-- As a controller writes the status of an object that is there.
function apply_status(text) return (s.apply(text, false, true)) end

-- kubectl's command line; `input` is what "-f -" reads. What it prints, and its exit code.
function kubectl(line, input) return s.kubectl(line, input) end

-- The API server's refusal of a manifest; fails when it is accepted.
function refused(text)
  local _, message = s.apply(text, true)
  if not message then fail("refused", "a refusal", "accepted") end
  return message
end

get = s.get
list = s.list

-- The control plane works meanwhile: on real Linux its time is not waited for.
local function waited(duration, done, what)
  local deadline = s.now() + s.duration(duration)
  s.hurry(true)
  while not done() do
    if s.now() >= deadline then
      s.hurry(false)
      fail(what, "done within " .. tostring(duration), "not done")
    end
    s.sleep(100000000)
  end
  s.hurry(false)
end

-- Waits until a workload is rolled out and every node's rules show it.
function rollout(key, options)
  options = options or {}
  local said
  waited(options.timeout or "10m", function()
    local done, line = s.rollout_state(key, options.namespace)
    said = line
    return done
  end, "rollout " .. key)
  settle()
  return said
end

-- Waits until controllers, kubelets and kube-proxies have nothing left to do.
function settle(timeout)
  s.sleep(50000000)
  waited(timeout or "10m", s.settled, "settle")
end

function scale(key, replicas, namespace) s.scale(key, namespace, replicas) end
function rollout_restart(key, namespace) s.rollout_verb(key, namespace, "restart") end
function rollout_undo(key, revision, namespace) return s.rollout_verb(key, namespace, "undo", revision or 0) end
function rollout_pause(key, namespace) s.rollout_verb(key, namespace, "pause") end
function rollout_resume(key, namespace) s.rollout_verb(key, namespace, "resume") end

function delete(key, options)
  options = options or {}
  s.delete(key, options.namespace, options.grace)
  if not options.nowait then
    local uid = (s.get(key, options.namespace) or { metadata = {} }).metadata.uid
    waited("10m", function()
      local o = s.get(key, options.namespace)
      return not o or o.metadata.uid ~= uid
    end, "delete " .. key)
  end
end

function cordon(node) s.cordon(node, true) end
function uncordon(node) s.cordon(node, false) end
function drain(node)
  s.drain(node)
  waited("10m", function() return s.drained(node) end, "drain " .. node)
end

-- Pod names that carry all labels of "k=v,k=v" (all pods of the namespace without).
function pods(selector, namespace)
  local wanted, names = {}, {}
  for k, v in (selector or ""):gmatch("([^=,]+)=([^,]*)") do wanted[k] = v end
  for _, p in ipairs(s.list("pods", namespace or "default")) do
    local ok = true
    for k, v in pairs(wanted) do ok = ok and (p.metadata.labels or {})[k] == v end
    if ok then names[#names + 1] = p.metadata.name end
  end
  return names
end

-- "ip:port" of a Service's ready endpoints.
function endpoints(service, namespace)
  local out = {}
  for _, slice in ipairs(s.list("endpointslices", namespace or "default")) do
    if (slice.metadata.labels or {})["kubernetes.io/service-name"] == service then
      for _, e in ipairs(slice.endpoints or {}) do
        if not e.conditions or e.conditions.ready ~= false then
          for _, p in ipairs(slice.ports or {}) do
            local a = e.addresses[1]
            out[#out + 1] = (a:find(":") and "[%s]:%d" or "%s:%d"):format(a, p.port)
          end
        end
      end
    end
  end
  return out
end

-- ---- places and traffic ------------------------------------------------------------------

local rcodes = { [0] = "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" }

local place = {}
place.__index = place
place.__tostring = function(p) return p.name end

local function as_place(name)
  local info = s.place(name)
  return setmetatable({ name = info.name, kind = info.kind, node = info.node }, place)
end

local function text_of(target) return type(target) == "table" and target.name or target end

local connection = {}
connection.__index = connection

local function finish(op)
  s.await(op, s.real_time() and patience or nil)
  if not s.finished(op) then
    s.abandon(op)
    needs_virtual_time()
  end
  local r = s.result(op)
  r.seconds = r.elapsed_ns / 1e9
  r.ok = r.error == nil
  r.trace = function() return s.trace(op) end
  return r
end

local function merged(options, more)
  local t = {}
  for k, v in pairs(options or {}) do t[k] = v end
  for k, v in pairs(more or {}) do t[k] = v end
  return t
end

-- What the bindings take: durations in ns.
local function options_of(target, options, more)
  local t = merged(options, more)
  t.target = text_of(target)
  if t.timeout then t.timeout = s.duration(t.timeout) end
  if t.interval then t.interval = s.duration(t.interval) end
  return t
end

-- HTTP GET (or a datagram with proto = "udp"); the result says who answered and whom
-- the server saw.
function place:request(target, options) return finish(s.request(self.name, options_of(target, options))) end
function place:connect(target, options)
  return finish(s.request(self.name, options_of(target, options, { connect_only = true })))
end
function place:send(target, data, options)
  local more = { data = data or "ping" }
  if not (options and options.proto) then more.proto = "udp" end
  return finish(s.request(self.name, options_of(target, options, more)))
end

-- A connection that stays: c:request(path), c:close(), c:reset().
function place:open(target, options)
  local op = s.request(self.name, options_of(target, options, { keep = true }))
  return setmetatable({ op = op, first = finish(op) }, connection)
end
function connection:request(path, data)
  s.again(self.op, path, data)
  return finish(self.op)
end
function connection:close() s.close(self.op, false) end
function connection:reset() s.close(self.op, true) end

function place:ping(target, options) return finish(s.ping(self.name, options_of(target, options))) end

-- A request without waiting for its end: p:begin(...):finish().
function place:begin(target, options)
  local op = s.request(self.name, options_of(target, options))
  return { finish = function() return finish(op) end, finished = function() return s.finished(op) end }
end

local function lookup(self, tool, name, qtype, options)
  local t = options_of("", options, { name = name, type = qtype, tool = tool })
  local r = finish(s.lookup(self.name, t))
  if r.rcode_number >= 0 then r.rcode = rcodes[r.rcode_number] or tostring(r.rcode_number) end
  r.ttl = r.answer_ttl
  return r
end
function place:resolve(name, options) return lookup(self, "libc", name, nil, options) end
-- Short names are searched for, as `dig +search` does.
function place:dig(name, qtype, options)
  local _, dots = name:gsub("%.", "")
  if dots < 4 and name:sub(-1) ~= "." then options = merged({ options = "+search" }, options) end
  return lookup(self, "dig", name, qtype or "A", options)
end
function place:nslookup(name, options) return lookup(self, "nslookup", name, nil, options) end
function place:host(name, options) return lookup(self, "host", name, nil, options) end

-- curl URL: like request, with the URL's host and path.
function place:curl(url, options)
  local host, path = url:match("^https?://([^/]+)(/?.*)$")
  if not host then host, path = url:match("^([^/]+)(/?.*)$") end
  return self:request(host, merged(options, { path = path ~= "" and path or "/" }))
end

-- `count` connections, `rate` a second (or one after another): counts by backend.
function place:load(target, options) return finish(s.load(self.name, options_of(target, options))) end

-- A crafted packet arrives at the place; it leaves a pod when no interface is named.
function place:inject(packet, interface) s.inject(self.name, interface or "", packet) end

function place:ip(family) local i = s.place(self.name); return family == 6 and i.ip6 or i.ip end
function place:dump(view, argument) return s.dump(self.name, view, argument) end

-- A file of the place (of a pod's first container): nil when there is none.
function place:cat(path) return s.file(self.name, path) end
function place:write(path, text) s.file(self.name, path, text) end

-- Variables of a pod's first container, as it was started.
function place:env()
  local namespace, name = self.name:match "^pod/([^/]+)/([^/]+)$"
  return s.environment(namespace or "default", name or self.name)
end
function place:sysctl(name, value) return s.sysctl(self.name, name, value) end
function place:counters() return s.counters(self.name) end
function place:logs(container) return s.logs(self.name, container) end
function place:run(line) s.command(self.name, line) end
function place:fault(what) s.fault(self.name, what) end
function place:partition(other) s.fault(self.name, "partition=" .. text_of(other)) end
function place:race(kernel) s.fault(self.name, kernel == "old" and "race=old" or "race") end
function place:heal() s.fault(self.name, "heal") end
function place:lose(per_million) s.fault(self.name, "loss=" .. tostring(per_million)) end
function place:delay(duration) s.fault(self.name, "delay=" .. tostring(s.duration(duration))) end
function place:reorder(jitter) s.fault(self.name, "jitter=" .. tostring(s.duration(jitter))) end

local function short(name) return (name:gsub("^.*/", "")) end
local function pod_key(self)
  local namespace, name = self.name:match("^pod/([^/]+)/(.+)$")
  if not namespace then usage(self.name .. " is not a pod") end
  return namespace, name
end
function place:fail_readiness(container) local n, p = pod_key(self); s.force_probe(n, p, container, "readiness", "fail") end
function place:pass_readiness(container) local n, p = pod_key(self); s.force_probe(n, p, container, "readiness", "pass") end
function place:fail_liveness(container) local n, p = pod_key(self); s.force_probe(n, p, container, "liveness", "fail") end
function place:heal_probes(container)
  local n, p = pod_key(self)
  for _, probe in ipairs { "readiness", "liveness", "startup" } do s.force_probe(n, p, container, probe, "none") end
end
function place:kill(exit_code, container) local n, p = pod_key(self); s.kill_container(n, p, container, exit_code) end
function place:kill_sandbox() s.kill_sandbox(pod_key(self)) end
function place:down() s.node_fault(short(self.name), "down") end
function place:up() s.node_fault(short(self.name), "up") end
function place:stop_kubelet() s.node_fault(short(self.name), "kubelet-stopped") end
function place:cut_off() s.node_fault(short(self.name), "partitioned") end
function place:cleanup_kube_proxy() s.cleanup_kube_proxy(short(self.name)) end
function place:restart_kube_proxy() s.restart_kube_proxy(short(self.name)) end
function place:sync_stats() return s.sync_stats(short(self.name)) end
function place:rules(view, format) return s.rules(short(self.name), format or "list", view or "all") end

function node(name) return as_place("node/" .. name) end
function outside(address) return as_place("outside/" .. address) end

local function quoted(v) return '"' .. tostring(v):gsub('[\\"]', "\\%0") .. '"' end

-- pod "name" is an existing pod; pod { name =, node =, image =, labels =, ports = } makes one
-- and waits until it is ready.
function pod(t)
  if type(t) == "string" then return as_place("pod/" .. t) end
  if type(t) ~= "table" or not t.name then usage("pod: expected a name, or a table with one") end
  local y = { "apiVersion: v1", "kind: Pod", "metadata:", "  name: " .. quoted(t.name) }
  local function add(line) y[#y + 1] = line end
  if t.namespace then add("  namespace: " .. quoted(t.namespace)) end
  for _, map in ipairs { "labels", "annotations" } do
    if t[map] then
      add("  " .. map .. ":")
      for k, v in pairs(t[map]) do add(("    %s: %s"):format(quoted(k), quoted(v))) end
    end
  end
  add("spec:")
  if t.node then add("  nodeName: " .. quoted(t.node)) end
  if t.host_network then add("  hostNetwork: true") end
  if t.dns_policy then add("  dnsPolicy: " .. quoted(t.dns_policy)) end
  add("  terminationGracePeriodSeconds: " .. tostring(t.grace or 0))
  add("  containers:")
  add("  - name: main")
  add("    image: " .. quoted(t.image or "nicolaka/netshoot"))
  if t.ports then
    add("    ports:")
    for _, p in ipairs(t.ports) do
      if type(p) == "number" then add(("    - containerPort: %d"):format(p))
      else
        add(("    - containerPort: %d"):format(p.port))
        if p.name then add("      name: " .. quoted(p.name)) end
        if p.protocol then add("      protocol: " .. p.protocol) end
      end
    end
  end
  s.apply(table.concat(y, "\n") .. "\n")
  local key = "pod/" .. (t.namespace and t.namespace .. "/" or "") .. t.name
  waited("5m", function()
    local o = s.get("pod/" .. t.name, t.namespace)
    for _, c in ipairs(o and o.status and o.status.conditions or {}) do
      if c.type == "Ready" and c.status == "True" then return true end
    end
    return false
  end, "pod " .. t.name)
  return as_place(key)
end

-- The address of a pod ("web-0"), Service ("svc/web") or node ("node/a").
function ip(name, namespace)
  local kind, rest = name:match("^(%w+)/(.+)$")
  if kind == "svc" or kind == "service" then
    local o = s.get("service/" .. rest, namespace) or usage("there is no Service " .. rest)
    return o.spec.clusterIP
  elseif kind == "node" then return s.place(name).ip end
  local o = s.get("pod/" .. (rest or name), namespace) or usage("there is no pod " .. (rest or name))
  return o.status and o.status.podIP
end

function node_port(service, port_name, namespace)
  local o = s.get("service/" .. service, namespace) or usage("there is no Service " .. service)
  for _, p in ipairs(o.spec.ports) do
    if not port_name or p.name == port_name then return p.nodePort end
  end
end

switch_mode = s.switch_mode

-- ---- packets ----------------------------------------------------------------------------

-- Packets seen at a place ("pod/x", "node/a", "node/a:eth0", "*") since the test began, or
-- since this capture was made.
local tap = {}
tap.__index = tap

function capture(where)
  where = where or "*"
  if type(where) == "table" then where = where.name end
  if where ~= "*" and not where:find(":") then where = s.place(where).name end
  return setmetatable({ where = where, since = 0 }, tap)
end
function tap:from_now() return setmetatable({ where = self.where, since = s.now() }, tap) end
function tap:count(filter)
  if s.real_time() then s.sleep(30000000) end -- libpcap hands over what it has
  return s.seen(self.where, filter or "", self.since)
end
function tap:has(filter)
  if self:count(filter) == 0 then
    fail("capture at " .. self.where, "a packet that matches '" .. filter .. "'", "none")
  end
  return self
end
function tap:has_not(filter)
  local n = self:count(filter)
  if n > 0 then fail("capture at " .. self.where, "no packet that matches '" .. filter .. "'", tostring(n)) end
  return self
end
function tap:lines() return s.packets(self.where) end

-- What happens to one packet: verdict, reason, steps, rules_evaluated, text.
function trace(from, target, options)
  local once = merged({ timeout = "3s" }, merged(options, { once = true }))
  return as_place(text_of(from)):request(target, once).trace()
end

function expect_output(name, text)
  local same_text, difference = s.golden(name, text)
  if not same_text then
    error({ expectation = ("%s: output %s differs\n%s"):format(s.where(), name, difference) }, 0)
  end
end
