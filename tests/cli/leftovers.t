#!/bin/sh
# Runs on real Linux leave nothing behind: no process, no interface, mount or namespace, no
# file; after success, failure, Ctrl-C, SIGTERM and SIGKILL. The VM is asked when it has
# been built (make vm), so that a fresh machine's `make test` downloads no kernel.
. tests/cli/lib.sh
plan 12
mkdir "$folder/tmp" "$folder/out"
TMPDIR=$folder/tmp
SVCLAB_MARK=leftovers-$$ # what is started here, and all that it starts, has this in its environment
export TMPDIR SVCLAB_MARK
cat >"$folder/short.lua" <<'LUA'
scenario { name = "short", nodes = { "a" }, no_dns = true, params = { want = 1 } }
local one = pod { name = "one", node = "a", ports = { 80 } }
local two = pod { name = "two", node = "a" }
it("reaches a pod", function()
  two:request(ip "one" .. ":80")
  expect(params.want):eq(1)
end)
LUA
cat >"$folder/long.lua" <<'LUA'
scenario { name = "long", nodes = { "a" }, no_dns = true }
local one = pod { name = "one", node = "a", ports = { 80 } }
it("waits", function() for _ = 1, 30 do wait "4s" end end)
LUA

marked() # processes of this test that are no shell of it
{
	for environ in $(grep -las "SVCLAB_MARK=$SVCLAB_MARK" /proc/[0-9]*/environ 2>/dev/null); do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		[ "$pid" = $$ ] || cat "/proc/$pid/cmdline" 2>/dev/null | tr '\0' ' ' | grep -E 'svclab|iptables|nft|qemu|ipset|conntrack'
	done
}
state() # what a run could leave in the machine
{
	ls -A /run/netns 2>/dev/null
	ls -d /run/svclab* /dev/shm/svclab* 2>/dev/null
	grep nsfs /proc/self/mountinfo | cut -d ' ' -f 4-
	ls /sys/class/net
	find /sys/fs/cgroup -maxdepth 3 -name '*svclab*' 2>/dev/null
	find "$TMPDIR" "$folder/out" -mindepth 1
}
clean() # NAME: within a few seconds of the end
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		after=$(marked; state)
		[ "$after" != "$before" ] || break
		sleep 0.5
	done
	is "$1 leaves nothing behind" "$before" "$after"
}
group_int() { perl -e 'kill "INT", -$ARGV[0]' "$1"; }

# SIGNAL COMMAND...: the signal comes when the scenario is under way, with a tool at work.
# INT goes to the process group, as Ctrl-C does; the others to svclab alone.
interrupted()
{
	signal=$1
	shift
	perl -e 'setpgrp; $SIG{INT} = "DEFAULT"; exec @ARGV' "$@" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 120); do
		! marked | grep -q iptables-.*restore || break
		sleep 0.25
	done
	if [ "$signal" = INT ]; then group_int "$pid"; else kill "-$signal" "$pid"; fi
	wait "$pid" 2>/dev/null
}

before=$(state)
run "$SVCLAB" run --on netns -d iptables "$folder/short.lua"
why=$(printf '%s\n' "$out" | sed -n 's/.*# SKIP //p')
if [ -n "$why" ]; then
	for name in "a run that passes" "a run that fails" "Ctrl-C" "SIGTERM" "SIGKILL" "Ctrl-C of a capture" \
		"SIGKILL of a capture" "a capture"; do
		skip "$name leaves nothing behind" "$why"
	done
	skip "the run that passes has passed" "$why"
	skip "the run that fails has failed" "$why"
else
	is "the run that passes has passed" 0 "$code"
	clean "a run that passes"
	run "$SVCLAB" run --on netns -d iptables "$folder/short.lua" -p want=2
	is "the run that fails has failed" 1 "$code"
	clean "a run that fails"
	for signal in INT TERM KILL; do
		interrupted $signal "$SVCLAB" run --on netns -d iptables "$folder/long.lua"
		clean "SIG$signal"
	done
	for signal in INT KILL; do
		interrupted $signal "$SVCLAB" capture "$folder/long.lua" --mode iptables --on netns --out "$folder/out"
		clean "SIG$signal of a capture"
	done
	run "$SVCLAB" capture "$folder/short.lua" --mode iptables --on netns --out "$folder/out"
	rm -f "$folder"/out/short-iptables-netns.pcapng "$folder"/out/short-iptables-netns.txt
	clean "a capture"
fi

vm=${SVCLAB_VM:-$(dirname "$SVCLAB")/vm}
if [ -f "$vm/key" ]; then
	perl -e 'setpgrp; $SIG{INT} = "DEFAULT"; exec @ARGV' "$SVCLAB" run --on vm -d iptables "$folder/long.lua" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 120); do
		marked | grep -q qemu && break
		sleep 0.5
	done
	marked | grep -q qemu
	result $? "the VM is running when Ctrl-C comes" "$(marked)"
	group_int "$pid"
	wait "$pid"
	clean "Ctrl-C of a VM"
else
	skip "the VM is running when Ctrl-C comes" "the VM is not built here; make vm builds it"
	skip "Ctrl-C of a VM leaves nothing behind" "the VM is not built here; make vm builds it"
fi
