#!/bin/sh
# svclab shell: tutorials' transcripts replayed, its language beside real bash, bad input.
# UPDATE=1 writes what is printed now into tests/golden/shell/*.out.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
DATA=tests/golden/shell
WITH_ARTICLE='services-notes service-types deployments-and-dns statefulset service-cases'
WITHOUT='ports-and-policies'

# replay NAME [OPTION...]: standard output and error are one file, as on a terminal
replay()
{
	script=$DATA/$1.sh
	shift
	options=$(sed -n '1s/^# options: //p' "$script")
	# shellcheck disable=SC2086
	"$SVCLAB" shell $options "$@" <"$script" >"$folder/out" 2>&1
	code=$?
}

golden()
{
	replay "$1"
	[ -z "${UPDATE:-}" ] || cp "$folder/out" "$DATA/$1.out"
	diff -u "$DATA/$1.out" "$folder/out" >"$folder/diff"
	result $? "$1: prints what it printed before" "$(head -n 40 "$folder/diff")"
}

article()
{
	said=$(perl tests/cli/shape.pl "$DATA/$1.article" "$folder/out")
	result $? "$1: $2" "$said"
}

# The language: status and standard output are those of bash on this machine.
beside_bash()
{
	printf '%b' "$2" >"$folder/script"
	bash <"$folder/script" >"$folder/bash" 2>/dev/null
	expected="$(cat "$folder/bash")
exit $?"
	run "$SVCLAB" shell <"$folder/script"
	is "as bash: $1" "$expected" "$out
exit $code"
}

# wrong NAME SCRIPT ERROR: the same line number and token as bash's
wrong()
{
	printf '%b' "$2" >"$folder/script"
	run "$SVCLAB" shell <"$folder/script"
	is "$1" "2 sh: $3" "$code $err"
}

plan 60

for name in $WITH_ARTICLE; do
	golden "$name"
	article "$name" "all that the tutorial printed is there, in its order"
	replay "$name" --seed 7
	article "$name" "the same with other draws"
done
for name in $WITHOUT; do
	golden "$name"
done
replay statefulset
cp "$folder/out" "$folder/first"
replay statefulset
cmp -s "$folder/first" "$folder/out"
result $? 'the same seed: the same bytes'
replay statefulset --seed 7
! cmp -s "$folder/first" "$folder/out"
result $? 'another seed: other names'
grep -v '^web-1 ' "$DATA/statefulset.article" >"$folder/short.article"
echo 'web-9   1/1     Running   0          26s' >>"$folder/short.article"
perl tests/cli/shape.pl "$folder/short.article" "$folder/first" >/dev/null
is 'the check of shapes sees a line that is not there' 1 $?

beside_bash 'for, while, arithmetic' 'for i in 1 2 3; do echo $i; done; N=0; while [ $N -lt 3 ]; do N=$((N+1)); done; echo $N $((2*(3+4)%5))\n'
beside_bash 'until, break, continue' 'n=0; until false; do n=$((n+1)); [ $n = 2 ] && continue; [ $n = 4 ] && break; echo $n; done\n'
beside_bash 'if, elif, else, case' 'for w in a bc d; do if [ $w = a ]; then echo one; elif [ ${#w} = 2 ]; then echo two; else case $w in [c-e]) echo three;; *) echo four;; esac; fi; done\n'
beside_bash 'and, or, not, the status of a pipe' 'true && echo a || echo b; false && echo c; ! false; echo $?; false | true; echo $?\n'
beside_bash 'quotes and words' 'x="a  b"; echo $x; echo "$x"; echo '\''$x'\''; set -- $x; echo $#; echo "${y:-unset} ${x#a}"\n'
beside_bash 'substitution, also nested' 'echo "$(echo a $(echo b)) `echo c`"; x=$(printf "1\\n2\\n"); echo $x\n'
beside_bash 'pipes to grep, head, tail, sort, uniq, wc, cut, tr' 'printf "b 2\\na 1\\nb 2\\n" | sort | uniq | cut -d" " -f1 | tr a-z A-Z; printf "1\\n2\\n3\\n" | tail -n 2 | head -1; printf "x\\ny\\n" | grep -c x; printf "x\\n" | wc -l\n'
beside_bash 'sed and awk' 'printf "a=1\\nb=2\\n" | sed -n "s/=\\([0-9]\\)/ is \\1/p"; printf "a 1\\nb 2\\n" | awk "{ s += \\$2 } END { print s, NR }"\n'
beside_bash 'here-documents' 'x=1; cat <<E\n$x\nE\ncat <<"E"\n$x\nE\ncat <<-E\n\ttab\n\tE\n'
beside_bash 'redirection, appending, errors' 'cd /tmp; f=/tmp/svclab-$$; echo a > $f; echo b >> $f; cat $f; cat $f.none 2>/dev/null; echo $?; rm $f; [ -e $f ]; echo $?\n'
beside_bash 'functions and their arguments' 'f() { echo "$2 $1 $#"; return 3; }; f a b; echo $?\n'
beside_bash 'groups and subshells' '{ echo a; echo b; } | wc -l; (x=2; exit 4); echo $? ${x:-none}\n'
beside_bash 'set -e ends the script, not in a condition' 'set -e; if false; then :; fi; false || true; echo a; false; echo never\n'
beside_bash 'a failing command does not end the script' 'false; echo after\n'
beside_bash 'exit with a code' 'echo a; exit 7; echo never\n'
beside_bash 'the last status is the exit code' 'true; false\n'
beside_bash 'a script that is made and run' 'cd /tmp; printf "echo in \\$1\\nexit 5\\n" > s-$$.sh; bash s-$$.sh x; echo $?; rm s-$$.sh\n'
beside_bash 'an unknown command: 127, and on' 'frobnicate; echo $?\n'
beside_bash 'a comment, an empty line, a line that goes on' '# nothing\n\necho a \\\\\n b\n'
beside_bash 'command lists over many lines' 'for i in a b\ndo\n\techo $i\ndone |\nsort -r\n'

wrong 'a token that does not fit: its line' 'echo\nfor x in 1 2; dooo echo; done\n' \
	"line 2: syntax error near unexpected token \`dooo'"
wrong 'a keyword out of place' 'if true; then\n\n done\n' "line 3: syntax error near unexpected token \`done'"
wrong 'two pipes' 'ls | | wc\n' "line 1: syntax error near unexpected token \`|'"
wrong 'a bracket too many' 'f() { echo a;\n )\n }\n' "line 2: syntax error near unexpected token \`)'"
wrong 'an if without end' 'if true; then\necho b\n' 'line 3: syntax error: unexpected end of file'
wrong 'a quote without end' 'echo\n\necho "a\n' 'line 3: syntax error: unexpected end of file'
run "$SVCLAB" shell -c 'echo a; )'
is 'a bad text of -c' "2 sh: line 1: syntax error near unexpected token \`)'" "$code $err"
run "$SVCLAB" shell -c 'echo a; exit 3'
is '-c: output and exit code' 'a 3' "$out $code"
run "$SVCLAB" shell -c 'frobnicate'
is 'an unknown command is named' '127 -bash: frobnicate: command not found' "$code $err"
run "$SVCLAB" shell -c 'kubectl get svc nothing'
is "kubectl's failure" '1 Error from server (NotFound): services "nothing" not found' "$code $err"
run "$SVCLAB" shell -c 'kubectl get po --bogus'
like "kubectl's usage errors: 1 too" '^error: unknown flag: --bogus' "$err"
run "$SVCLAB" shell -c 'curl -s http://nothing.example'
is "curl's exit code" 6 "$code"
run "$SVCLAB" shell -c 'while true; do true; done'
is 'an endless loop ends' 'sh: a loop was ended after 100000 rounds' "$err"
run "$SVCLAB" shell -c 'f() { f; }; f'
like 'endless recursion ends' 'deep' "$err"
run "$SVCLAB" shell -f "$folder/none.yaml"
is 'a file that is not there' "2 svclab shell: $folder/none.yaml: No such file or directory" "$code $err"
printf 'kind: [' >"$folder/bad.yaml"
run "$SVCLAB" shell -f "$folder/bad.yaml"
like 'a file that is no YAML: its line' "^svclab shell: $folder/bad.yaml:[0-9]+:[0-9]+: " "$err"
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 70000}]}\n' >"$folder/bad.yaml"
run "$SVCLAB" shell -f "$folder/bad.yaml"
like 'an object that the API server refuses: its line' 'bad.yaml:1: The Service "x" is invalid: ' "$err"
is 'and exit code 2' 2 "$code"
run "$SVCLAB" shell --bogus
is 'an unknown option' 2 "$code"
run "$SVCLAB" shell word
is 'a word too many' 2 "$code"
run "$SVCLAB" shell --seed x
is 'a seed that is no number' 2 "$code"
