-- nftables mode of v1.37 can open a user-space proxy on loopback for node ports (nodePortAddresses
-- `primary,localhost`); no release up to v1.34 has it, and nothing listens on loopback.
scenario {
  name = "no node port proxy on loopback up to v1.34",
  refs = { "NPT-07" },
  nodes = { "a", "b" },
  dataplanes = { "nftables" },
}
pod { name = "server", node = "b", labels = { app = "web" }, ports = { 80 } }
apply [[
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - port: 80
    nodePort: 30080
]]

it("opens no socket and refuses", function()
  settle()
  expect(node("a"):dump "sockets"):never():contains ":30080"
  expect(node("a"):connect("127.0.0.1:30080").error):eq "ECONNREFUSED"
end)
