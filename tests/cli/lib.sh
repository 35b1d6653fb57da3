# tests/cli/lib.sh: TAP for shell tests of the command line. Source it from the top folder.
# Each test names a behaviour in plain words; a failure shows expected above actual.

SVCLAB=${SVCLAB:-build/svclab}
FIVE=tests/golden/probes/five-0.yaml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0

plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

# Runs a command; standard output, standard error and exit code: $out, $err, $code.
run()
{
	out=$("$@" 2>"$folder/err")
	code=$?
	err=$(cat "$folder/err")
}

result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		shift 2
		printf '%s\n' "$@" | sed 's/^/# /'
	fi
}

# is NAME EXPECTED ACTUAL
is()
{
	[ "$2" = "$3" ]
	result $? "$1" "expected: $2" "actual:   $3"
}

# like NAME PATTERN TEXT: an extended regular expression somewhere in the text
like()
{
	printf '%s\n' "$3" | grep -Eq -- "$2"
	result $? "$1" "expected something like: $2" "actual: $3"
}

skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

lines()
{
	printf '%s\n' "$1" | wc -l | tr -d ' '
}
