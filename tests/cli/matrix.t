#!/bin/sh
# tools/cells and tools/matrix, on a small tree with a svclab that answers as the scenario
# says: which cells are run, which come from the cache, what fails.
. tests/cli/lib.sh
plan 34
top=$PWD
tree=$folder/tree
mkdir -p "$tree/tools" "$tree/sim/core" "$tree/sim/linux" "$tree/lua" "$tree/cli/shell" \
	"$tree/dataplanes/kernel" "$tree/dataplanes/model" "$tree/scenarios/one" "$tree/scenarios/two"
cp tools/cells tools/matrix "$tree/tools/"
cd "$tree" || exit 1
for file in sim/core/a.c sim/linux/a.c sim/linux/a.h lua/prelude.lua cli/run.c cli/shell/a.c \
	dataplanes/kernel/a.c dataplanes/model/a.c README.md; do
	echo "/* $file */" >$file
done

# Answers "-- on PLACE MODE: ok|not ok|skip REASON|todo ok|bail" lines of the scenario, "ok"
# where there is none; notes each call. ABSENT is what this machine's kernel has not.
cat >svclab <<'SH'
#!/bin/sh
on=sim modes="iptables nftables" file=
while [ $# -gt 0 ]; do
	case $1 in
	run) ;;
	--on) on=$2; shift ;;
	-d) modes=$(echo "$2" | tr , ' '); shift ;;
	*) file=$1 ;;
	esac
	shift
done
case $file in
scenarios/*) echo "$on $file" >>calls ;;
*) [ -z "${ABSENT:-}" ] || { for mode in $modes; do echo "ok 1 - $mode on $on: probe # SKIP $ABSENT"; done; exit 0; } ;;
esac
number=0 code=0
echo "TAP version 13"
for mode in $modes; do
	number=$((number + 1))
	where=$mode
	[ "$on" = sim ] || where="$mode on $on"
	said=$(sed -n "s/^-- on $on $mode: //p" "$file")
	echo "# scenario: a name ($file) refs: REF-1"
	case $said in
	'' | ok) echo "ok $number - $where: works" ;;
	'not ok') echo "not ok $number - $where: works"; code=1 ;;
	skip*) echo "ok $number - $where: works # SKIP ${said#skip }" ;;
	'todo ok') echo "ok $number - $where: works # TODO later" ;;
	bail) echo "1..$number"; echo "Bail out! $file:1:1: broken"; exit 2 ;;
	esac
done
echo "1..$number"
exit $code
SH
chmod +x svclab
export SVCLAB="$tree/svclab" SVCLAB_CACHE="$folder/cache" SAMPLE=0 PLACES="sim netns"
unset REQUIRE FULL SEED

# Plans, runs the jobs, prints the matrix: plan's words in $planned, the jobs' TAP in $tap,
# their code in $jobs, the matrix in $out and $code, the calls on real Linux in $calls.
conformance()
{
	: >calls
	planned=$(tools/cells plan out scenarios/one/a.lua scenarios/one/b.lua scenarios/two/c.lua 2>&1)
	jobs=0
	tap=$(code=0; while read -r job; do "$job" || code=$?; done <out/jobs.list; exit $code) || jobs=$?
	run tools/matrix out
	calls=$(sed -n 's/^netns //p' calls | tr '\n' ' ' | sed 's/ $//')
}
fresh() { for f in one/a one/b two/c; do echo "scenario { name = '$f' }" >scenarios/$f.lua; done; rm -rf "$folder/cache"; }
all="scenarios/one/a.lua scenarios/one/b.lua scenarios/two/c.lua"

fresh
conformance
is "all cells of three scenarios pass: exit 0" "0 0" "$jobs $code"
is "every scenario is put to real Linux" "$all" "$calls"
like "a row has a column for each mode at each place" '^one/a +\| ok +ok +\| ok +ok +ok +\| REF-1' "$out"
like "the matrix says how many cells were run" '^cells: 6 run, 0 from the cache' "$out"
like "the seconds are told for each place" '^netns +3 +[0-9.]+ +[0-9.]+ +[0-9.]+ +scenarios' "$out"
is "the table beside the folder has the same cells" "scenarios/two/c.lua	ok	ok	ok	ok	ok	REF-1" "$(grep two/c out.tsv)"

PLACES=netns
conformance
is "nothing has changed: no cell on real Linux is run" "0 " "$code $calls"
like "what the cache gave is in the matrix" '^one/a +\| ok +ok +ok ' "$out"
like "the matrix says how many came from the cache" '^cells: 0 run, 3 from the cache' "$out"
like "what the cache gave goes through prove, too" '^ok 9 - userspace on netns' "$tap"
echo "-- a word more" >>scenarios/one/b.lua
conformance
is "a changed scenario is run, the others are not" "scenarios/one/b.lua" "$calls"
echo "kind: Pod" >scenarios/two/pod.yaml
conformance
is "a manifest beside a scenario is part of it" "scenarios/two/c.lua" "$calls"
echo 'apply "../two/pod.yaml"' >>scenarios/one/a.lua
conformance
echo "kind: Service" >scenarios/two/pod.yaml
conformance
is "so is a manifest elsewhere that it names" "scenarios/one/a.lua scenarios/two/c.lua" "$calls"
for file in sim/linux/a.c cli/shell/a.c dataplanes/model/a.c README.md; do echo "/* new */" >>$file; done
conformance
is "the Linux model, the shell and texts have no part in a cell on real Linux" "" "$calls"
for file in dataplanes/kernel/a.c sim/linux/a.h lua/prelude.lua; do
	echo "/* new */" >>$file
	conformance
	is "a change of $file runs all cells again" "$all" "$calls"
done
FULL=1 conformance
is "FULL=1 runs all" "$all" "$calls"
SAMPLE=1 SEED=5 conformance
first=$calls
like "a sample of the unchanged is run, its seed is told" 'sample: 1 of 3 .*SEED=5' "$planned"
is "a sample of one is one cell" 1 "$(echo "$first" | wc -w)"
SAMPLE=1 SEED=5 conformance
is "the same seed takes the same sample" "$first" "$calls"
PLACES="sim netns"

echo "-- on netns nftables: not ok" >>scenarios/one/a.lua
conformance
is "a failure on real Linux is exit 1" "1 1" "$jobs $code"
like "the failed cell is named" '^problem: scenarios/one/a.lua: failed on nftables@netns$' "$out"
conformance
is "a cell that failed is run again at once, and not kept" "scenarios/one/a.lua scenarios/one/a.lua scenarios/one/a.lua 1" "$calls $code"

fresh
echo "-- on netns userspace: skip needs virtual time" >>scenarios/one/a.lua
echo "-- on netns nftables: skip the scenario is about other dataplanes" >>scenarios/one/a.lua
conformance
like "a skip is no failure, its reason is told" '^skipped on netns: 1 x needs virtual time$' "$out"
like "a mode that the scenario is not about is no gap" '^one/a +\| ok +ok +\| ok +- +skip' "$out"
echo "-- on sim iptables: skip because" >>scenarios/one/b.lua
conformance
is "a skip in one mode of the simulator is no failure" 0 "$code"
echo "-- on sim nftables: skip because" >>scenarios/one/b.lua
conformance
like "a scenario skipped everywhere on the simulator is one" '^1 .*b.lua: skipped everywhere on the simulator' "$code $(echo "$out" | grep problem)"

fresh
echo "-- on sim iptables: todo ok" >>scenarios/two/c.lua
conformance
like "a TODO that passes is a failure" '^1 .*c.lua: a TODO passed on iptables' "$code $(echo "$out" | grep problem | head -n 1)"
fresh
echo "-- on netns nftables: bail" >>scenarios/one/a.lua
conformance
is "a scenario that breaks fails and does not end the rest" "1 0" "$code $(echo "$tap" | grep -c '^Bail out')"
like "where it broke is told" '^# scenarios/one/a.lua:1:1: broken' "$tap"
fresh
conformance
rm out/netns/scenarios_one_b.lua.tap
run tools/matrix out
like "a cell without a result is a failure" '^1 .*b.lua: no result on netns' "$code $(echo "$out" | grep problem | head -n 1)"

ABSENT="user namespaces are not allowed here"
export ABSENT
conformance
like "what this machine cannot do is a skip with its reason" \
	'^0 ok 1 - iptables on netns # SKIP user namespaces are not allowed here; .*sysctl' "$jobs $(echo "$tap" | grep 'on netns' | head -n 1)"
REQUIRE=netns conformance
like "REQUIRE makes a failure of it, and says the next step" '^1 # next: .*sysctl' "$jobs $(echo "$tap" | grep next | head -n 1)"
