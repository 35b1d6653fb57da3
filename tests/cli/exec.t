#!/bin/sh
# --dataplane exec:PROGRAM: a planner in another language carries Services, on the Linux model
# and on real Linux; a program that is broken ends the run with one line and exit 2.
. tests/cli/lib.sh
plan 17
PATH=/usr/bin:/bin:$PATH # the system's python3, not a wrapper that takes a second to start
example=exec:$PWD/dataplanes/exec/example.py
if ! command -v python3 >/dev/null 2>&1; then
	while [ $number -lt 17 ]; do skip "a planner in another language $((number + 1))" "python3 is not installed"; done
	exit 0
fi

for name in deployment/clusterip readiness/removes-endpoint nodeport/from-outside selection/per-connection; do
	run "$SVCLAB" run scenarios/$name.lua -d "$example"
	is "the example in Python does what $name says" "0 0" "$code $(echo "$out" | grep -cE '^not ok|SKIP')"
done
first=$("$SVCLAB" run scenarios/deployment/clusterip.lua -d "$example")
is "the same seed gives the same TAP" "$first" "$("$SVCLAB" run scenarios/deployment/clusterip.lua -d "$example")"
run "$SVCLAB" run scenarios/affinity/client-ip.lua -d "$example"
like "what it does not do is seen: session affinity" '^1 .*not ok .* sends each client' "$code $(echo "$out" | grep '^not ok' | head -n 1)"
run "$SVCLAB" run scenarios/hairpin/service.lua -d "$example"
like "a test that has no outcome for it is skipped with the reason" '^[01] .*SKIP.*no outcome for exec:' "$code $(echo "$out" | grep SKIP)"
out=$("$SVCLAB" run scenarios/deployment/clusterip.lua -d "$example" --on netns 2>&1)
if echo "$out" | grep -q SKIP; then
	skip "the same program plans for real Linux" "$(echo "$out" | sed -n 's/.*# SKIP //p' | head -n 1)"
else
	is "the same program plans for real Linux" "3 0" "$(echo "$out" | grep -c '^ok') $(echo "$out" | grep -c '^not ok')"
fi

# Each broken program: one line that says what is wrong, a Bail out!, exit 2.
broken() # NAME PATTERN, the program on standard input
{
	cat >"$folder/planner"
	chmod +x "$folder/planner"
	run env SVCLAB_EXEC_SECONDS=1 timeout 20 "$SVCLAB" run scenarios/deployment/clusterip.lua -d "exec:$folder/planner"
	like "$1" "^2 1 1 svclab: .*$2" "$code $(lines "$err") $(echo "$out" | grep -c '^Bail out! ') $err"
}
open='read -r line; echo "{\"protocol\":1}"'
rm -f "$folder/planner"
run "$SVCLAB" run scenarios/deployment/clusterip.lua -d "exec:$folder/planner"
like "a program that is not there" '^2 1 svclab: .*planner cannot be started: No such file' "$code $(lines "$err") $err"
broken "one that ends at once" 'planner ended with exit code 3 before it answered' <<'SH'
#!/bin/sh
exit 3
SH
broken "one that dies in the middle" 'planner was ended by signal 9 .* before it answered' <<SH
#!/bin/sh
$open
read -r line; kill -9 \$\$
SH
broken "one that says something else" 'planner: the answer to "plan" is no JSON object in one line' <<SH
#!/bin/sh
$open
while read -r line; do echo hello; done
SH
broken "one that never answers" 'planner did not answer within 1 s' <<'SH'
#!/bin/sh
exec sleep 60
SH
broken "one of another version" 'this svclab speaks version 1' <<'SH'
#!/bin/sh
while read -r line; do echo '{"protocol":2}'; done
SH
broken "one with a tool that there is not" 'transaction 1: tool "ebtables"; expected iptables-restore' <<SH
#!/bin/sh
$open
while read -r line; do echo '{"transactions":[{"tool":"ebtables","text":""}]}'; done
SH
broken "one without transactions" 'the answer to "plan" has no array "transactions"' <<SH
#!/bin/sh
$open
while read -r line; do echo '{}'; done
SH
# What it is told: a line a question, with what is written in dataplanes/README.md.
cat >"$folder/planner" <<SH
#!/bin/sh
$open
echo "\$line" >"$folder/told"
while read -r line; do echo "\$line" >>"$folder/told"; echo '{"transactions":[]}'; done
SH
cat >"$folder/one.lua" <<'LUA'
scenario { name = "one", nodes = { "a" }, no_dns = true }
apply [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
]]
it("starts", function() wait "3s" end)
LUA
"$SVCLAB" run "$folder/one.lua" -d "exec:$folder/planner" >/dev/null 2>&1
is "a program is told node, addresses, Services, slices, Nodes, configuration" "a true web true a true" \
	"$(jq -r 'select(.op == "open") | .node' "$folder/told") $(tail -n 1 "$folder/told" | jq -r '[(.addresses[0] | has("address") and has("interface")), (.services[] | .metadata.name | select(. == "web")), (.endpointSlices | type == "array"), .nodes[0].metadata.name, (.configuration | type == "array")] | map(tostring) | join(" ")')"
