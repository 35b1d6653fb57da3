-- A container finds the Services of its namespace in its environment: those that had a ClusterIP when
-- it started, each with host and port, the ports by name, and the variables of Docker's old links.
scenario {
  name = "environment variables of Services",
  refs = { "ENV-01" },
  nodes = { "a" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: redis-cache}
spec:
  clusterIP: 10.96.0.63
  selector: {app: redis}
  ports:
  - {name: main-port, port: 6379}
  - {name: gossip, port: 7946, protocol: UDP}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: redis}, ports: [{port: 80}]}
]]
local cli = pod { name = "cli", node = "a" }
local env

it("tell host and ports", function()
  env = cli:env()
  expect(env.REDIS_CACHE_SERVICE_HOST):eq "10.96.0.63"
  expect(env.REDIS_CACHE_SERVICE_PORT):eq "6379"
  expect(env.REDIS_CACHE_SERVICE_PORT_MAIN_PORT):eq "6379"
  expect(env.REDIS_CACHE_SERVICE_PORT_GOSSIP):eq "7946"
end)

it("have the links' form, too", function()
  expect(env.REDIS_CACHE_PORT):eq "tcp://10.96.0.63:6379"
  expect(env.REDIS_CACHE_PORT_6379_TCP):eq "tcp://10.96.0.63:6379"
  expect(env.REDIS_CACHE_PORT_6379_TCP_PROTO):eq "tcp"
  expect(env.REDIS_CACHE_PORT_6379_TCP_PORT):eq "6379"
  expect(env.REDIS_CACHE_PORT_6379_TCP_ADDR):eq "10.96.0.63"
  expect(env.REDIS_CACHE_PORT_7946_UDP):eq "udp://10.96.0.63:7946"
end)

it("leave out Services without a ClusterIP", function()
  for name in pairs(env) do expect(name):never():matches "^HEADLESS_" end
end)
