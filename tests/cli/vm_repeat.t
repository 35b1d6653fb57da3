#!/bin/sh
# Two runs in the VM are the same bytes, captures too, and hours of virtual time pass in
# seconds. The VM is asked when it has been built (make vm), so that a fresh machine's `make
# test` downloads no kernel.
. tests/cli/lib.sh
plan 4
vm=${SVCLAB_VM:-$(dirname "$SVCLAB")/vm}
if [ ! -f "$vm/key" ]; then
	for name in "both runs pass" "two runs print the same bytes" "two runs capture the same bytes" "a timeout of three hours is waited out"; do
		skip "$name" "the VM is not built here; make vm builds it"
	done
	exit
fi
for i in 1 2; do
	"$SVCLAB" run --on vm -d ipvs,nftables --pcap "$folder/$i" scenarios/captures/clusterip.lua >"$folder/$i.tap" 2>"$folder/$i.err"
	echo $? >>"$folder/codes"
done
is "both runs pass" "0 0" "$(paste -sd ' ' "$folder/codes")"
is "two runs print the same bytes" "" "$(diff "$folder/1.tap" "$folder/2.tap")"
files=$(find "$folder/1" -type f | wc -l)
[ "$files" -gt 10 ] && difference=$(diff -rq "$folder/1" "$folder/2" 2>&1) && [ -z "$difference" ]
result $? "two runs capture the same bytes" "$files files" "$difference"
cat >"$folder/hours.lua" <<'LUA'
scenario { name = "hours", refs = { "AFF-02" }, nodes = { "a" }, no_dns = true }
for i = 1, 4 do pod { name = "web-" .. i, node = "a", labels = { app = "web" }, ports = { 80 } } end
local cli = pod { name = "cli", node = "a" }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.80
  sessionAffinity: ClientIP
  selector: {app: web}
  ports: [{port: 80}]
]]
it("keeps the client for 10,800 s after its last connection", function()
  settle()
  local backend = cli:request("svc/web:80").backend
  wait "10790s"
  expect(cli:request("svc/web:80").backend):eq(backend)
  expect(now()):at_least(10790)
end)
LUA
run "$SVCLAB" run --on vm -d iptables "$folder/hours.lua"
[ "$code" = 0 ] && printf '%s\n' "$out" | grep -q '^ok 1 - .*: keeps the client for 10,800 s after its last connection$'
result $? "a timeout of three hours is waited out" "exit $code" "$out" "$err"
printf '%s\n' "$err" | sed -n 's/^# the VM/# 10,800 s in the VM/p'
