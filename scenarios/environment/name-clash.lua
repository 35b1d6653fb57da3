-- A Service named like a program's own setting breaks it: beside a Service kafka, an image that reads KAFKA_PORT
-- as a number finds an URL there. enableServiceLinks: false avoids it.
scenario {
  name = "a Service named like a program",
  refs = { "ENV-03" },
  nodes = { "a" },
}
apply [[
apiVersion: v1
kind: Service
metadata: {name: kafka}
spec: {clusterIP: 10.96.0.92, selector: {app: kafka}, ports: [{port: 9092}]}
---
apiVersion: v1
kind: Pod
metadata: {name: careful, labels: {app: kafka}}
spec:
  nodeName: a
  enableServiceLinks: false
  containers: [{name: main, image: "apache/kafka:3.8.0", ports: [{containerPort: 9092}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: explicit, labels: {app: kafka}}
spec:
  nodeName: a
  containers:
  - name: main
    image: apache/kafka:3.8.0
    env: [{name: KAFKA_PORT, value: "9092"}]
    ports: [{containerPort: 9092}]
]]
local broker = pod { name = "broker", node = "a", image = "apache/kafka:3.8.0", labels = { app = "kafka" }, ports = { 9092 } }

it("sets the program's variable to an URL", function()
  expect(broker:env().KAFKA_PORT):eq "tcp://10.96.0.92:9092"
end)

it("sets nothing without service links, nor where the container sets it", function()
  eventually("30s", function()
    expect(get("pod/careful").status.phase):eq "Running"
    expect(get("pod/explicit").status.phase):eq "Running"
  end)
  expect(pod("careful"):env().KAFKA_PORT):is_nil()
  expect(pod("explicit"):env().KAFKA_PORT):eq "9092"
end)
