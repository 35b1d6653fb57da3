#!/bin/sh
# Every fuzz target survives its corpus: good inputs, and inputs that broke it once.
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
set -- tests/fuzz/*.c
echo "TAP version 13"
echo "1..$#"
n=0
code=0
for source; do
	n=$((n + 1))
	name=$(basename "$source" .c)
	corpus=tests/fuzz/corpus/$name
	if [ ! -d "$corpus" ]; then
		echo "not ok $n - $name has a corpus"
		code=1
	elif said=$("$build/tests/fuzz/$name" "$corpus" 2>&1); then
		echo "ok $n - $name survives its corpus"
	else
		echo "not ok $n - $name survives its corpus"
		code=1
	fi
	[ -z "${said:-}" ] || printf '%s\n' "$said" | tail -n 20 | sed 's/^/# /'
	said=
done
exit $code
