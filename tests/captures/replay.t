#!/bin/sh
# Every capture of real Linux is repeated by the simulator, packet by packet; and a capture
# with one byte changed is not.
SVCLAB=${SVCLAB:-build/svclab}
captures=$(ls tests/captures/*.pcapng 2>/dev/null)
set -- $captures
echo "TAP version 13"
echo "1..$(($# + 2))"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; echo "$3" | sed 's/^/# /'; fi
}
replay() # CAPTURE as CONDITIONS say; output in $out, exit code in $code
{
	scenario=$(sed -n 's/^scenario: //p' "$2")
	mode=$(sed -n 's/^mode: //p' "$2")
	seed=$(sed -n 's/^seed: //p' "$2")
	out=$("$SVCLAB" run "$scenario" -d "$mode" --seed "$seed" --replay "$1" 2>&1)
	code=$?
}
for capture; do
	replay "$capture" "${capture%.pcapng}.txt"
	result $code "the simulator equals $(basename "$capture" .pcapng)" "$out"
done

# One byte of an address: the last byte of the destination 10.244.1.x (bytes 0a f4 01 xx,
# then at most a TCP header with options) of the first request.
first=tests/captures/clusterip-iptables-netns.pcapng
perl -0777 -pe 's/(\x0a\xf4\x01).(.{20,60}GET \/ )/$1\x63$2/s' "$first" >"$folder/mutated.pcapng"
replay "$folder/mutated.pcapng" "${first%.pcapng}.txt"
[ "$code" = 1 ]
result $? "a capture with one byte of an address changed fails" "exit $code: $out"
echo "$out" | grep -Eq '(source|destination) address differs' && echo "$out" | grep -Eq 'mutated.pcapng #[0-9]+ '
result $? "the failure says which packet and which field" "$out"
