#!/bin/sh
# svclab rules: what it takes, what it refuses, and that the real tool reads what it prints.
. tests/cli/lib.sh

plan 15

run "$SVCLAB" rules -f $FIVE --node node-a --mode iptables
is 'iptables: exit code' 0 "$code"
like 'iptables: the text that kube-proxy feeds to iptables-restore' '^\*nat$' "$out"
written=$out

run sh -c "'$SVCLAB' rules -f - --node node-a --mode iptables <$FIVE"
is 'a file on standard input gives the same' "$written" "$out"

run "$SVCLAB" rules -f $FIVE --node node-a
is 'iptables is the mode where the configuration names none' "$written" "$out"

run "$SVCLAB" rules -f $FIVE --node node-a
like 'without --view every view stands under a # title' '^# iptables-restore$' "$out"
run "$SVCLAB" rules -f $FIVE --node node-a --view iptables
is 'one view has no title' '*filter' "$(printf '%s\n' "$out" | head -n 1)"

run "$SVCLAB" rules -f $FIVE --node node-a --format list
printf '%s\n' "$out" | grep -v '^# iptables' >"$folder/list"
if unshare -rn iptables-restore --test </dev/null 2>/dev/null; then
	run unshare -rn iptables-restore --test "$folder/list"
	is 'iptables-restore accepts the listed state' "0 " "$code $err"
else
	skip 'iptables-restore accepts the listed state' 'no network namespaces here'
fi

run "$SVCLAB" rules -f $FIVE --node node-x
is 'an unknown node: exit code' 2 "$code"
is 'an unknown node: one line' 'svclab rules: no node "node-x" in the cluster' "$err"

run "$SVCLAB" rules -f "$folder/nothing.yaml" --node node-a
is 'a missing file: one line, exit 2' \
	"2 svclab rules: $folder/nothing.yaml: No such file or directory" "$code $err"

run "$SVCLAB" rules -f $FIVE --node node-a --mode carrier-pigeon
is 'an unknown mode: exit code' 2 "$code"
like 'an unknown mode: what is expected' 'expected one of: iptables' "$err"

run "$SVCLAB" rules -f $FIVE --node node-a --kube-version 1.29
is 'a version that is not modelled: exit code' 2 "$code"
like 'a version that is not modelled: what is expected' '1\.20, 1\.25, 1\.30 or 1\.34' "$err"

printf 'apiVersion: v1\nkind: Service\nmetadata: {name: x\n' >"$folder/broken.yaml"
run "$SVCLAB" rules -f "$folder/broken.yaml" --node node-a
like 'broken YAML: file, line and column' "^2 svclab rules: $folder/broken.yaml:[0-9]+:[0-9]+: " "$code $err"
