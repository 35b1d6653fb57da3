#!/bin/sh
# vm/run.sh: what the guest leaves comes back whole, or the run fails with the console's
# last lines. QEMU is played by a script: the machine that never came up, died half way or
# fell silent is not to be had from a real one at will.
. tests/cli/lib.sh
plan 17
if ! command -v cpio >/dev/null 2>&1; then
	for i in $(seq 17); do skip "the VM's run, part $i" "cpio is not installed"; done
	exit
fi
mkdir -p "$folder/vm" "$folder/cache" "$folder/bin" "$folder/tmp" "$folder/scenarios/one"
cp vm/run.sh "$folder/vm/"
printf '#!/bin/sh\nexit 0\n' >"$folder/vm/build.sh"
chmod 755 "$folder/vm/build.sh"
: >"$folder/cache/vmlinuz"
: >"$folder/cache/base.cpio"
echo '-- a scenario' >"$folder/scenarios/one/a.lua"

# The serial lines are the two files that -serial names, in order.
cat >"$folder/bin/qemu-system-x86_64" <<'SH'
#!/bin/sh
for word; do
	case $word in
	file:*console) console=${word#file:} ;;
	file:*) back=${word#file:} ;;
	esac
done
initrd=
while [ $# -gt 0 ]; do [ "$1" = -initrd ] && initrd=$2; shift; done
echo "Linux version 6.1" >"$console"
mkdir -p "$PLAY/guest/files"
cpio -i --quiet --to-stdout job/run <"$initrd" >"$PLAY/job" 2>/dev/null
cpio -it --quiet <"$initrd" >"$PLAY/carried" 2>/dev/null
echo "svclab: begins a.lua ipvs" >>"$console"
echo "ok 1 - from the guest" >"$PLAY/guest/stdout"
echo "a warning" >"$PLAY/guest/stderr"
echo packets >"$PLAY/guest/files/one.pcapng"
echo "${GUEST_CODE:-0}" >"$PLAY/guest/code"
tar -czf "$PLAY/whole" -C "$PLAY/guest" .
case $AS in
whole) cp "$PLAY/whole" "$back"
	echo "svclab: ends a.lua ipvs: 1 tests, 0 failed, 0 skipped, 0.5 s" >>"$console" ;;
half) head -c 60 "$PLAY/whole" >"$back"; echo "Kernel panic - not syncing: out of memory" >>"$console" ;;
dead) echo "BUG: unable to handle page fault" >>"$console"; exit 1 ;;
silent) echo "the last words" >>"$console"; echo $$ >"$PLAY/pid"; while :; do :; done ;;
esac
SH
chmod 755 "$folder/bin/qemu-system-x86_64"

boot() # HOW: sets $out, $err, $code
{
	run env PATH="$folder/bin:$PATH" TMPDIR="$folder/tmp" PLAY="$folder" AS="$1" "$folder/vm/run.sh" "$SVCLAB" \
		"$folder/cache" "$folder/taken" "$folder/scenarios/one/a.lua" -- run "it's" a.lua
}
boot whole
is "the guest's exit code is ours" 0 "$code"
is "its output is ours" "ok 1 - from the guest" "$out"
like "its errors are ours" '^a warning$' "$err"
like "what each run took is summed up" '^# the VM: 1 runs in one boot, [0-9]+ s .*longest: a.lua ipvs, [0-9]+ s$' "$err"
is "its files come out" packets "$(cat "$folder/taken/one.pcapng" 2>&1)"
like "arguments arrive as they were given" "'run' 'it'.''s' 'a.lua'" "$(cat "$folder/job")"
like "a scenario by its absolute path lies there in the guest" "^${folder#/}/scenarios/one/a.lua$" "$(cat "$folder/carried")"
(cd "$folder/scenarios/one" && PATH=$folder/bin:$PATH TMPDIR=$folder/tmp PLAY=$folder AS=whole \
	../../vm/run.sh "$SVCLAB" "$folder/cache" "" a.lua -- run a.lua >/dev/null 2>&1)
like "one of the current folder in the guest's" '^job/at/a.lua$' "$(cat "$folder/carried")"
mkdir "$folder/home" && cp "$folder/scenarios/one/a.lua" "$folder/home"
head -c 110000000 /dev/zero >"$folder/home/large"
run "$folder/vm/run.sh" "$SVCLAB" "$folder/cache" "" "$folder/home/a.lua" -- run a.lua
rm "$folder/home/large"
like "a folder too large to take along is an error that says what to do" '^2 svclab: .*/home: over 100 MB.*folder of its own$' "$code $err"
GUEST_CODE=1
export GUEST_CODE
boot whole
is "a failed test in the guest is exit 1" 1 "$code"
boot half
is "output cut off half way is exit 3" 3 "$code"
is "nothing of it is printed" "" "$out"
like "the console's last lines are" 'Kernel panic - not syncing: out of memory' "$err"
boot dead
like "a QEMU that fails is told with its exit code and the console" 'QEMU exit 1.*BUG: unable to handle' \
	"$(echo "$code" "$err" | tr '\n' ' ')"
SVCLAB_VM_PATIENCE=1
export SVCLAB_VM_PATIENCE
boot silent
like "a guest that fell silent is given up" '^3 .*said nothing for [0-9]+ seconds of processor time.*the last words' \
	"$(echo "$code" "$err" | tr '\n' ' ')"
kill -0 "$(cat "$folder/pid")" 2>/dev/null
is "and its QEMU is gone" 1 $?
is "no temporary file stays" "" "$(ls "$folder/tmp")"
