#!/bin/sh
# svclab run: TAP, exit codes, errors in one line, the same bytes for the same seed,
# captures that tshark reads.
. tests/cli/lib.sh
plan 24
scale=scenarios/statefulset/scale.lua

run "$SVCLAB" run "$scale" --dataplane iptables --pcap "$folder/one" --seed 7
first=$out
is "a scenario passes with exit 0" 0 "$code"
like "the plan comes before the tests" '^1\.\.4$' "$(printf '%s\n' "$out" | sed -n 2p)"
run "$SVCLAB" run "$scale" --dataplane iptables --pcap "$folder/two" --seed 7
is "the same seed gives the same TAP" "$first" "$out"
is "the same seed gives the same captures" "" "$(diff -r "$folder/one" "$folder/two")"

if command -v tshark >/dev/null 2>&1; then
	bad=
	for file in "$folder"/one/*/*; do
		malformed=$(tshark -r "$file" -Y _ws.malformed 2>/dev/null) || bad="$bad $file"
		[ -z "$malformed" ] || bad="$bad $file: $malformed"
	done
	is "tshark reads every capture and finds no malformed packet" "" "$bad"
	all=$(echo "$folder"/one/*/all.pcapng)
	seen=$(tshark -r "$all" -Y frame.comment -T fields -e frame.interface_name -e frame.comment 2>/dev/null)
	like "the pcapng names interfaces and says which rule decided" 'node/a:[a-z0-9]+.*DNAT' "$seen"
else
	skip "tshark reads every capture and finds no malformed packet" "tshark is not installed"
	skip "the pcapng names interfaces and says which rule decided" "tshark is not installed"
fi

cat >"$folder/fails.lua" <<'LUA'
scenario { name = "fails", nodes = { "a" }, no_dns = true }
it("is wrong", function()
  local one = pod { name = "one", node = "a", ports = { 80 } }
  local two = pod { name = "two", node = "a" }
  expect(two:request(ip "one" .. ":80").backend):eq "default/three"
end)
LUA
run "$SVCLAB" run "$folder/fails.lua" -d iptables
is "a failed expectation is exit 1" 1 "$code"
like "a failure names the script's line" 'fails\.lua:5: eq' "$out"
like "expected stands above actual" '#   expected: "default/three"' "$out"
like "then comes the trace of the packet" '^# trace of the last packet, pod/default/two' "$out"

error() { # NAME PATTERN FILE: exit 2, Bail out!, one line on standard error
	run "$SVCLAB" run "$3" -d iptables
	[ "$code" = 2 ] && [ "$(printf '%s\n' "$err" | wc -l)" = 1 ] &&
		printf '%s\n' "$err" | grep -Eq "$2" && printf '%s\n' "$out" | grep -q '^Bail out!'
	result $? "$1" "expected exit 2 and one line like: $2" "actual: exit $code, $err" "$out"
}
printf 'scenario { name = "x" }\nit("x", function() local t t.x = 1 end)\n' >"$folder/lua.lua"
error "a Lua error is one line with file, line and column" 'lua\.lua:2:[0-9]+: attempt to index a nil value' "$folder/lua.lua"
cat >"$folder/early.lua" <<'LUA'
scenario { name = "early", nodes = { "a" }, no_dns = true }
it("waits for what is not there yet", function()
  local late
  spawn(function() wait "3s" late = { status = { phase = "Running" } } end)
  eventually("5s", function() expect(late.status.phase):eq "Running" end)
end)
LUA
run "$SVCLAB" run "$folder/early.lua" -d iptables
is "eventually waits for a field that is not there yet" 0 "$code"
printf 'scenario { name = "x" }\nit("x", function() eventually("1s", function() expect(get("pod/no").status):eq(1) end) end)\n' >"$folder/never.lua"
error "what never comes is told with its place" 'never\.lua:2:[0-9]+: attempt to index a nil value' "$folder/never.lua"
printf 'scenario { name = "x" \nit(' >"$folder/syntax.lua"
error "a syntax error says what was expected" 'syntax\.lua:2:1: .* expected' "$folder/syntax.lua"
printf 'scenario { name = "x" }\napply "broken.yaml"\nit("x", function() end)\n' >"$folder/yaml.lua"
printf 'kind: Service\napiVersion: v1\nmetadata: {name: x}\nspec:\n  ports:\n  - port: many\n' >"$folder/broken.yaml"
error "broken YAML is one line with its own place" 'broken\.yaml:6:11: spec\.ports\[0\]\.port .* expected' "$folder/yaml.lua"
printf 'scenario { name = "x" }\napply "nowhere.yaml"\nit("x", function() end)\n' >"$folder/missing.lua"
error "a missing manifest is one line" 'nowhere\.yaml: No such file' "$folder/missing.lua"
printf 'scenario { name = "x" }\nlocal n = node "zz"\nit("x", function() end)\n' >"$folder/node.lua"
error "an unknown node is one line" 'node\.lua:2:1: no node "zz"' "$folder/node.lua"
error "a missing scenario is one line" 'nothing\.lua: No such file' "$folder/nothing.lua"
printf 'scenario { name = "x" }\n' >"$folder/empty.lua"
error "a scenario without tests is an error" 'has no tests' "$folder/empty.lua"
printf 'scenario { name = "x" }\nwhile true do end\n' >"$folder/loop.lua"
error "an endless loop ends" 'without waiting' "$folder/loop.lua"
printf 'scenario { name = "x" }\nwaiting = 1\nit("x", function() end)\n' >"$folder/global.lua"
error "an accidental global is an error" "'waiting' would become a global" "$folder/global.lua"

run "$SVCLAB" run "$scale" --dataplane nosuch
like "an unknown dataplane names the known ones" 'no dataplane "nosuch".*iptables' "$err"
run "$SVCLAB" run
is "no file is a usage error" 2 "$code"
printf 'scenario { name = "x", params = { n = 1 } }\nit("has " .. params.n, function() expect(params.n):eq(5) end)\n' >"$folder/param.lua"
run "$SVCLAB" run "$folder/param.lua" -d iptables -p n=5
is "-p sets a parameter of the scenario" 0 "$code"
