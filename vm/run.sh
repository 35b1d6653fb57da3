#!/bin/sh
# Runs `svclab ARGUMENTS` in the VM: `svclab run --on vm` calls it.
#
# Usage: vm/run.sh SVCLAB FOLDER OUT FILE... -- ARGUMENTS
# FOLDER is vm/build.sh's (made when missing), FILEs are scenarios: what lies beside them,
# and tests/golden of their tree, goes along. The guest's standard output and error come
# back on ours; what it leaves in /out/files lands in OUT (or nowhere when OUT is "").
# Exit: the guest's code; 3 with the console's last lines when it did not come back whole.
# A guest that says nothing on its console while QEMU uses SVCLAB_VM_PATIENCE seconds of the
# processor (default 600; the longest scenario takes under 60) is given up: that is the same
# on a slow machine. What each run took by the clock is summed up on standard error.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
svclab=$1
folder=$2
out=$3
shift 3
"$here/build.sh" "$folder" "$svclab" || exit 3
work=$(mktemp -d "${TMPDIR:-/tmp}/svclab-vm.XXXXXX")
pid=
finish() { [ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT
trap 'finish; trap - INT TERM; exit 130' INT TERM
mkdir -p "$work/job/job/at" "$work/guest"
cp "$svclab" "$work/job/job/svclab"

# A relative path keeps its place below the guest's working folder, an absolute one its
# place in the tree.
carried="|"
carry() { # folder
	[ -d "$1" ] || return 0
	case $1 in
	/*) to=$work/job$1 ;;
	*) to=$work/job/job/at/$1 ;;
	esac
	case $carried in *"|$1|"*) return 0 ;; esac
	carried="$carried$1|"
	if [ "$(du -sm "$1" | cut -f 1)" -gt 100 ]; then
		echo "svclab: $1: over 100 MB; --on vm takes along all that lies beside a scenario: give it a folder of its own" >&2
		exit 2
	fi
	mkdir -p "$to"
	cp -r "$1/." "$to/"
}
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	../* | */../*) echo "svclab: $1: --on vm takes files at or below this folder, or absolute paths" >&2; exit 2 ;;
	esac
	[ -f "$1" ] || { echo "svclab: $1: no such file" >&2; exit 2; }
	case $1 in # a scenario may apply what lies beside another
	*scenarios/*)
		carry "${1%%scenarios/*}scenarios"
		carry "${1%%scenarios/*}tests/golden" ;;
	esac
	carry "$(dirname "$1")"
	shift
done
shift
{
	echo "export SVCLAB_VIRTUAL_TIME=1 SVCLAB_PROGRESS=/dev/console"
	echo "cd at && mkdir -p /out/files && exec ../svclab \\"
	for argument; do
		printf "'%s' " "$(printf %s "$argument" | sed "s/'/'\\\\''/g")"
	done
	echo
} >"$work/job/job/run"
find "$work/job" -exec touch -h -d @0 {} +
(cd "$work/job" && find . | LC_ALL=C sort | cpio -o -H newc --reproducible -R 0:0 --quiet) >"$work/job.cpio"
cat "$folder/base.cpio" "$work/job.cpio" >"$work/initrd"
# QEMU's two threads wait for each other at every timer of the guest. On one processor that
# takes half as long; a second boot beside this one gets the other end.
processors=$(taskset -cp $$ | sed 's/.*: *//')
case " $* " in
*" netns-nft "*) processor=${processors%%[-,]*} ;;
*) processor=${processors##*[-,]} ;;
esac
taskset -c "$processor" qemu-system-x86_64 -M q35,hpet=on,smm=off,sata=off,vmport=off -accel tcg,thread=single \
	-icount shift=0,sleep=off,align=off -rtc base=2024-01-01T00:00:00,clock=vm -seed 1 -cpu max,erms=off,fsrm=off,la57=off,smap=off,smep=off,umip=off -m 1024 \
	-smp 1 -nodefaults -no-user-config -no-reboot -display none -monitor none \
	-serial "file:$work/console" -serial "file:$work/back.tgz" \
	-kernel "$folder/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyS0 quiet panic=-1 nokaslr norandmaps random.trust_cpu=on tsc=reliable nowatchdog nolapic_timer \
	no_timer_check mitigations=off init_on_alloc=0 randomize_kstack_offset=off hardened_usercopy=off psi=0 audit=0 lsm=" &
pid=$!
began=$(date +%s)
seen=0
used=0
used_then=0
: >"$work/times" # seconds since the start, and the console's line
read_news() { # false: none
	lines=$(wc -l 2>/dev/null <"$work/console" || echo 0)
	[ "$lines" -gt "$seen" ] || return 1
	tail -n +$((seen + 1)) "$work/console" | head -n $((lines - seen)) | tr -d '\r' |
		sed "s/^/$(($(date +%s) - began)) /" >>"$work/times"
	seen=$lines
}
while kill -0 "$pid" 2>/dev/null; do
	sleep 0.5
	if read -r stat 2>/dev/null <"/proc/$pid/stat"; then # user and system time, in 1/100 s
		set -- ${stat##*) }
		used=$(((${12:-0} + ${13:-0}) / 100))
	fi
	if read_news; then
		used_then=$used
	elif [ $((used - used_then)) -ge "${SVCLAB_VM_PATIENCE:-600}" ]; then
		echo "svclab: the VM has said nothing for $((used - used_then)) seconds of processor time" >&2
		kill "$pid" 2>/dev/null || true
	fi
done
wait "$pid" && code=0 || code=$?
pid=
read_news || true
if [ "$code" != 0 ] || ! tar -xzf "$work/back.tgz" -C "$work/guest" 2>/dev/null || [ ! -f "$work/guest/code" ]; then
	echo "svclab: the VM did not come back whole (QEMU exit $code); its console ended with:" >&2
	tail -n 15 "$work/console" >&2 || true
	exit 3
fi
awk -v total=$(($(date +%s) - began)) '
	/svclab: begins / { at[$4 " " $5] = $1; if (!first) first = $1 }
	/svclab: ends / { name = $4 " " substr($5, 1, length($5) - 1); took = $1 - at[name]; runs++
		if (took >= most) { most = took; slowest = name } }
	END { if (runs) printf "# the VM: %d runs in one boot, %d s (%d s until the first), %.1f s each; longest: %s, %d s\n",
		runs, total, first, (total - first) / runs, slowest, most }' "$work/times" >&2
cat "$work/guest/stdout"
cat "$work/guest/stderr" >&2
if [ -n "$out" ] && [ -d "$work/guest/files" ]; then
	mkdir -p "$out"
	cp -r "$work/guest/files/." "$out/"
fi
exit "$(cat "$work/guest/code")"
