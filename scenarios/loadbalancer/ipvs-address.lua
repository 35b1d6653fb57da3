-- ipvs puts a load balancer's address, and an external one, on kube-ipvs0 of every node, unless another
-- interface has it already; its virtual server is made anyway.
scenario {
  name = "load balancer and external addresses in ipvs mode",
  refs = { "LBR-11", "k3s-io/k3s#7183" },
  nodes = { "a", "b" },
  dataplanes = { "ipvs" },
}
pod { name = "server", node = "a", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  loadBalancerIP: 203.0.113.80
  externalIPs: [203.0.113.81, 192.168.0.1]
  selector: {app: web}
  ports:
  - port: 80
]]

it("are bound and listed, but those of another interface", function()
  settle()
  local on_a, on_b = node("a"):dump("addr", "kube-ipvs0"), node("b"):dump("addr", "kube-ipvs0")
  for _, address in ipairs { "203.0.113.80", "203.0.113.81" } do
    expect(on_a):contains(address .. "/32")
    expect(node("a"):dump "ipset"):contains("add KUBE-IPVS-IPS " .. address .. "\n")
  end
  expect(on_a):never():contains "192.168.0.1/32" -- a's own
  expect(node("a"):dump "ipset"):never():contains "add KUBE-IPVS-IPS 192.168.0.1\n"
  expect(on_b):contains "192.168.0.1/32"
end)

it("have virtual servers, all of them", function()
  local text = node("a"):dump "ipvsadm"
  for _, address in ipairs { "203.0.113.80", "203.0.113.81", "192.168.0.1" } do
    expect(text):contains(("TCP  %s:80 rr"):format(address))
  end
  expect(outside("192.168.0.100"):request("192.168.0.1:80").backend):eq "default/server"
end)

-- v1.26 listed them, and refused every other port of the node: ssh, the API server.
it("leave the other ports of a node's own address open", function()
  pod { name = "ssh", node = "a", host_network = true, ports = { 2222 } }
  expect(outside("192.168.0.100"):request("192.168.0.1:2222").backend):eq "default/ssh"
end)
