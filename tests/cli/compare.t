#!/bin/sh
# svclab compare: what two runs may differ in is no difference; what differs is named with its
# field and flow, both packets one above the other, and the decisions that led there.
. tests/cli/lib.sh
plan 15
capture_of() # SCENARIO SEED DATAPLANE: prints the path of its capture
{
	"$SVCLAB" run "scenarios/captures/$1.lua" -d "$3" --seed "$2" --pcap "$folder/$2" >/dev/null 2>&1
	echo "$folder/$2/$1-$3/all.pcapng"
}
refusal=$(capture_of refusal 1 iptables)
other=$(capture_of refusal 2 iptables)

run "$SVCLAB" compare "$refusal" "$refusal"
is "a capture equals itself" 0 "$code"
run "$SVCLAB" compare "$refusal" "$other"
is "another seed draws other numbers and ports, which is no difference" 0 "$code"
like "the number of packets compared is said" '^[1-9][0-9]* packets compared, 0 differences' "$out"

# The header that an ICMP error quotes: 10.96.0.100 becomes 10.96.0.101 in the first one.
perl -0777 -pe 's/(\x03\x03..\x00{4}\x45.{15})\x0a\x60\x00\x64/$1\x0a\x60\x00\x65/s' "$refusal" >"$folder/quoted.pcapng"
run "$SVCLAB" compare "$folder/quoted.pcapng" "$refusal"
is "a changed quoted header is exit 1" 1 "$code"
like "the field is named" 'quoted destination address differs: 10\.96\.0\.101 / 10\.96\.0\.100' "$out"
like "and the interface and the flow" '^[a-z/]+:[a-z0-9]+, flow (tcp|udp) .* -> 10\.96\.0\.10[01]:[0-9]+: ' "$out"
above=$(printf '%s\n' "$out" | grep -A2 'quoted destination' | sed 1d | sed 's/.*\/\([a-z]*\)\.pcapng.*ICMP.*/\1/' | tr '\n' ' ')
is "both packets stand one above the other" "quoted all " "$above"
# One datagram's TTL, behind the DNAT.
udp=$(capture_of udp 1 nftables)
perl -0777 -pe 's/(\x45\x00\x00\x23....)\x40(\x11..\x0a\xf4\x01.\x0a\xf4\x01.\x9c\x41\x1b\x58)/$1\x3f$2/s' "$udp" \
	>"$folder/ttl.pcapng"
run "$SVCLAB" compare "$udp" "$folder/ttl.pcapng"
like "a datagram's TTL counts" 'flow udp .*TTL differs: 64 / 63' "$out"
like "the flow's decisions in the second capture come with it" \
	'#[0-9]+ node/a:[a-z0-9]+: kube-proxy endpoint-.* 10\.96\.0\.100:7 -> 10\.244\.1\.[0-9]+:7000' "$out"

# Who sees which packet: the capture of a pod that reaches itself has nothing of a node port.
run "$SVCLAB" compare --limit 0 "$udp" "$refusal"
like "an interface that only one capture has is told with its first packet" \
	'pod/default/echo-[12]:eth0, flow .*only one capture has packets of this interface: [0-9]+ packets / 0 packets; the first:' "$out"

# Real Linux drew other ports; a request to another pod is another story.
run "$SVCLAB" compare --limit 1 tests/captures/affinity-iptables-netns.pcapng tests/captures/affinity-nftables-netns.pcapng
like "the limit of differences shown is kept" '^\.\.\. and [0-9]+ more$|, 0 differences|, 1 difference' "$out"
run "$SVCLAB" compare "$folder/none.pcapng" "$udp"
is "a file that is missing is exit 2" 2 "$code"
like "and said in one line" '^svclab: .*none\.pcapng: No such file' "$err"
head -c 200 "$udp" >"$folder/cut.pcapng"
run "$SVCLAB" compare "$folder/cut.pcapng" "$udp"
is "a capture that is cut off is exit 2" 2 "$code"
run "$SVCLAB" compare "$udp"
like "one capture alone is not enough" 'expected two captures' "$err"
