#!/bin/sh
# svclab new scenario writes a file that passes; svclab run --watch runs again when a file
# that the scenario reads changes, and ends at Ctrl-C.
. tests/cli/lib.sh
plan 15
top=$PWD
case $SVCLAB in /*) ;; *) SVCLAB=$top/$SVCLAB ;; esac
mkdir "$folder/tree"
cd "$folder/tree" || exit 1

run "$SVCLAB" new scenario nodeport/outside-client
is "a new scenario lies under its topic" "0 nodeport/outside-client.lua" "$code $(echo "$out" | head -n 1)"
run "$SVCLAB" run nodeport/outside-client.lua
is "it passes as it stands, in every mode" "0 4" "$code $(echo "$out" | grep -c '^ok')"
like "its name is what the file is called" '^# scenario: outside client \(' "$out"
if command -v luacheck >/dev/null 2>&1; then
	run luacheck --config "$top/.luacheckrc" nodeport/outside-client.lua
	is "luacheck finds nothing in it" 0 "$code"
else
	skip "luacheck finds nothing in it" "luacheck is not installed"
fi
echo "-- mine" >>nodeport/outside-client.lua
run "$SVCLAB" new scenario nodeport/outside-client.lua
is "a file that is there is left alone" "2 svclab new: nodeport/outside-client.lua is there already -- mine" \
	"$code $err $(tail -n 1 nodeport/outside-client.lua)"
mkdir scenarios
run "$SVCLAB" new scenario ports/one
is "where there is a folder scenarios it lies there" "0 yes" "$code $([ -f scenarios/ports/one.lua ] && echo yes)"
run "$SVCLAB" new scenario ../ports/two
like "a name that leaves the tree is refused" '^2 svclab new: NAME "\.\./ports/two": expected TOPIC/BEHAVIOUR' "$code $err"
run "$SVCLAB" new dataplane x
like "nothing else can be begun" '^2 .*"dataplane"; expected scenario' "$code $err"

cat >watched.lua <<'LUA'
scenario { name = "watched", nodes = { "a" }, no_dns = true }
apply "watched.yaml"
it("has the port", function()
  expect(get("service/web").spec.ports[1].port):eq(80)
end)
LUA
service() { printf 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: %s}]}\n' "$1" >watched.yaml; }
service 80
: >said
"$SVCLAB" run --watch -d iptables watched.lua >tap 2>said &
watcher=$!
# Waits until the command has said a thing so many times; false: not within 20 seconds.
said()
{
	turns=0
	while [ "$(grep -c "$1" said)" -lt "$2" ]; do
		turns=$((turns + 1))
		[ $turns -lt 200 ] || return 1
		sleep 0.1
	done
}
said watching 1
result $? "it runs at once, then watches" "$(cat said)"
service 8080
said watching 2
result $? "it runs again when a manifest changes" "$(cat said)"
like "what changed is named" 'watched\.yaml changed' "$(cat said)"
is "the first run passed, the second failed" "ok 1 not ok 1" "$(grep -oE '^(not )?ok 1' tap | paste -sd ' ')"
echo "broken(" >>watched.lua
said watching 3
like "a scenario that cannot be loaded does not end the watch" 'watched\.lua:' "$(grep '^svclab: watched.lua:' said)"
sed -i '$d' watched.lua
service 80
said watching 4
kill -INT $watcher 2>/dev/null || kill -TERM $watcher
wait $watcher
is "a signal ends it with the last run's exit code" 0 "$?"
cd "$top" || exit 1
run "$SVCLAB" run --watch --on vm x.lua
like "what cannot be watched is refused" '^2 .*--watch: not in the VM' "$code $err"
