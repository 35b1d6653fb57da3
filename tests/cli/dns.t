#!/bin/sh
# svclab dns asked by real dig, nslookup, host and dnsperf; svclab resolve.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
DATA=tests/golden/dns
SERVER=

# Starts a server on a free port; its process is $SERVER, its port $port.
start()
{
	"$SVCLAB" dns "$@" --listen 127.0.0.1:0 2>"$folder/said" &
	SERVER=$!
	tries=0
	port=
	while [ -z "$port" ] && [ $tries -lt 100 ]; do
		sleep 0.05
		tries=$((tries + 1))
		port=$(sed -n 's/.*answering on 127.0.0.1:\([0-9]*\).*/\1/p' "$folder/said")
	done
}

# Ends it; its exit code is $code.
stop()
{
	kill -"${1:-TERM}" "$SERVER"
	wait "$SERVER"
	code=$?
	SERVER=
}
trap '[ -z "$SERVER" ] || kill "$SERVER"; rm -rf "$folder"' EXIT

ask()
{
	dig @127.0.0.1 -p "$port" +time=2 +tries=1 "$@"
}

plan 33

{
	cat $DATA/tools/upstream.zone
	printf 'slow.test. 60 IN A 192.0.2.1\n;@ slow.test. DELAY 300\n'
} >"$folder/upstream.zone"
start -f $DATA/tools/cluster.yaml --upstream "$folder/upstream.zone"
run ask kubia.default.svc.cluster.local
like "dig shows the record as for real CoreDNS" \
	'^kubia\.default\.svc\.cluster\.local\. 30 IN	A	10\.96\.45\.3$' "$out"
like "flags without recursion" '^;; flags: qr aa rd; QUERY: 1, ANSWER: 1' "$out"
like "the cookie is echoed" '^; COOKIE: [0-9a-f]{16} \(echoed\)$' "$out"
run ask +noall +answer ext.default.svc.cluster.local
is "an ExternalName is an alias chain with the upstream's addresses" 4 "$(lines "$out")"
run ask +tcp +noall +answer web.default.svc.cluster.local
is "TCP gives the same" 2 "$(lines "$out")"
run ask +short -x 10.244.1.5
is "reverse names are endpoint names" web-0.web.default.svc.cluster.local. "$out"
run ask +noall +comments +ednsopt=65001:00 +bufsize=600 nope.default.svc.cluster.local
like "NXDOMAIN with the zone's SOA" 'status: NXDOMAIN.*' "$out"
like "the client's buffer size comes back, unknown options don't" 'udp: 600$' "$out"

if command -v nslookup >/dev/null; then
	run nslookup -port="$port" kubia.default.svc.cluster.local 127.0.0.1
	like "nslookup finds it" '^Address: 10\.96\.45\.3$' "$out"
	run host -p "$port" -t srv web.default.svc.cluster.local 127.0.0.1
	like "host shows SRV" 'has SRV record 0 50 80 web-0\.web\.default\.svc\.cluster\.local\.$' "$out"
else
	skip "nslookup finds it" "needs bind9-dnsutils"
	skip "host shows SRV" "needs bind9-host"
fi

# Rubbish of all lengths, then a question.
perl -MSocket -e '
	socket(my $s, PF_INET, SOCK_DGRAM, 0);
	my $to = sockaddr_in($ARGV[0], inet_aton("127.0.0.1"));
	srand(7);
	for my $length (0 .. 600) {
		send($s, join("", map { chr int rand 256 } 1 .. $length), 0, $to);
		send($s, "\0\1\1\0\0\1\0\0\0\0\0\1" . join("", map { chr int rand 256 } 1 .. $length), 0, $to);
	}
	for my $n (1 .. 50) { # streams that promise more than they send, or send rubbish
		socket(my $t, PF_INET, SOCK_STREAM, 0);
		connect($t, $to);
		send($t, "\xff\xff" . chr($n) x $n, 0) if $n % 2;
		send($t, "\0\3abc\0\0", 0) unless $n % 2;
		push @keep, $t if $n % 3;
	}' "$port"
run ask +short kubia.default.svc.cluster.local
is "malformed packets and streams don't stop it" 10.96.45.3 "$out"
run ask +short +tcp kubia.default.svc.cluster.local
is "nor keep others from TCP" 10.96.45.3 "$out"

run perl -MSocket -e '
	my $to = sockaddr_in($ARGV[0], inet_aton("127.0.0.1"));
	my $q = "\0\7\1\0\0\1\0\0\0\0\0\0\5kubia\7default\3svc\7cluster\5local\0\0\1\0\1";
	my @s;
	for (1 .. 200) {
		socket($s[$_], PF_INET, SOCK_STREAM, 0) && connect($s[$_], $to) or die "connect: $!";
	}
	my $good = 0;
	for (1 .. 200) { send($s[$_], pack("n", length $q) . $q . pack("n", length $q) . $q, 0); }
	for (1 .. 200) {
		my $in = "";
		while (length $in < 2 * 98) { recv($s[$_], my $part, 4096, 0); last if !length $part; $in .= $part; }
		$good++ if length $in == 2 * 98;
	}
	print $good' "$port"
is "200 clients at once, two questions each in one segment" 200 "$out"

# On a stream one query after the other is answered; it is closed 3 s after its opening or 10 s
# after its last query.
run perl -MSocket -MTime::HiRes=time -e '
	my $to = sockaddr_in($ARGV[0], inet_aton("127.0.0.1"));
	sub framed { my $q = shift; pack("n", length $q) . $q }
	my $slow = "\0\1\1\0\0\1\0\0\0\0\0\0\4slow\4test\0\0\1\0\1";
	my $fast = "\0\2\1\0\0\1\0\0\0\0\0\0\5kubia\7default\3svc\7cluster\5local\0\0\1\0\1";
	my ($s, $idle, $half);
	socket($s, PF_INET, SOCK_STREAM, 0) && connect($s, $to) or die;
	socket($idle, PF_INET, SOCK_STREAM, 0) && connect($idle, $to) or die;
	my $begun = time;
	send($s, framed($slow) . framed($fast), 0);
	my ($in, @ids) = ("");
	while (@ids < 2) {
		recv($s, my $part, 4096, 0);
		last if !length $part;
		$in .= $part;
		while (length $in >= 2 && length $in >= 2 + unpack "n", $in) {
			my $m = substr $in, 2, unpack "n", $in;
			$in = substr $in, 2 + length $m;
			push @ids, unpack "n", $m;
		}
	}
	print "@ids ", (time - $begun >= 0.3 ? "late" : "early"), "\n";
	socket($half, PF_INET, SOCK_STREAM, 0) && connect($half, $to) or die;
	send($half, framed($slow), 0);
	shutdown($half, 1);
	my $all = "";
	1 while sysread $half, $all, 4096, length $all;
	recv($idle, my $end, 1, 0);
	my $closed = time - $begun;
	print length $end, " ", ($closed > 2.5 && $closed < 8 ? "after 3 s" : "after $closed s"), "\n",
		length $all, "\n";' "$port"
is "a stream's queries are answered in turn" "1 2 late" "$(echo "$out" | sed -n 1p)"
is "a stream without a query is closed" "0 after 3 s" "$(echo "$out" | sed -n 2p)"
is "a client that sends no more gets its answer all the same" 54 "$(echo "$out" | sed -n 3p)"

if command -v dnsperf >/dev/null; then
	printf '%s\n' "kubia.default.svc.cluster.local A" "web.default.svc.cluster.local A" \
		"web.default.svc.cluster.local SRV" "nope.default.svc.cluster.local A" \
		"ext.default.svc.cluster.local A" "3.45.96.10.in-addr.arpa PTR" >"$folder/queries"
	run dnsperf -s 127.0.0.1 -p "$port" -d "$folder/queries" -c 4 -l 1
	like "dnsperf loses no query over UDP" 'Queries lost: +0 ' "$out"
	run dnsperf -m tcp -s 127.0.0.1 -p "$port" -d "$folder/queries" -c 4 -l 1
	like "nor over TCP" 'Queries lost: +0 ' "$out"
else
	skip "dnsperf loses no query over UDP" "needs dnsperf"
	skip "nor over TCP" "needs dnsperf"
fi
stop TERM
is "SIGTERM ends it with 0" 0 "$code"

# A Corefile of the ConfigMap.
start -f $DATA/handler.yaml -f $DATA/corefiles/serve-testns.yaml
run ask +noall +comments kube-dns.kube-system.svc.cluster.local
like "the ConfigMap's Corefile counts: other namespaces are hidden" 'status: NXDOMAIN' "$out"
run ask +noall +answer svc1.testns.svc.cluster.local
like "its ttl is the plugin's default" ' 5 IN	A	10\.0\.0\.1$' "$out"
stop INT
is "SIGINT ends it with 0" 0 "$code"

# --follow
cp $DATA/tools/cluster.yaml "$folder/cluster.yaml"
start -f "$folder/cluster.yaml" --follow
run ask +noall +comments late.default.svc.cluster.local
like "not there yet" 'status: NXDOMAIN' "$out"
cat >>"$folder/cluster.yaml" <<'EOF'
---
apiVersion: v1
kind: Service
metadata: {name: late, namespace: default}
spec: {clusterIP: 10.96.45.77, ports: [{port: 80}]}
EOF
tries=0
until [ "$(ask +short late.default.svc.cluster.local)" ] || [ $tries -gt 50 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
is "--follow takes up a changed file" 10.96.45.77 "$(ask +short late.default.svc.cluster.local)"
echo "kind: [" >>"$folder/cluster.yaml"
sleep 0.6
is "a file that is broken in between changes nothing" 10.96.45.77 \
	"$(ask +short late.default.svc.cluster.local)"
like "and is said with its place" 'cluster\.yaml:[0-9]+.*stays as it was' "$(cat "$folder/said")"
stop

# Errors
run "$SVCLAB" dns -f "$folder/none.yaml"
is "a missing file is an error of usage" 2 "$code"
cat >"$folder/bad.yaml" <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: ".:53 {\n  kubernetes cluster.local {\n    pods maybe\n  }\n}\n"
EOF
run "$SVCLAB" dns -f "$folder/bad.yaml"
like "a wrong Corefile is one line with its place" 'Corefile:3:5: pods: wrong value' "$err"
is "and exit code 2" 2 "$code"
echo "a.b. IN A 1.2.3.4.5" >"$folder/bad.zone"
run "$SVCLAB" dns -f $DATA/tools/cluster.yaml --upstream "$folder/bad.zone"
like "a wrong zone file too" 'bad\.zone:1: ' "$err"

# resolve
run "$SVCLAB" resolve -f $DATA/tools/cluster.yaml --upstream $DATA/tools/upstream.zone \
	--from pod/default/cli --libc glibc -o json example.com
is "resolve shows the search list" \
	"example.com.default.svc.cluster.local example.com.svc.cluster.local example.com.cluster.local example.com" \
	"$(printf %s "$out" | jq -r '[.queries[].qname] | join(" ")')"
is "with both types from one port, and the result" \
	'["A","AAAA"] true udp NXDOMAIN ["93.184.216.34"] null' \
	"$(printf %s "$out" | jq -rc '.queries[0] as $q | "\($q.qtypes) \($q.same_source_port) \($q.transport) \($q.rcodes.A) \(.addresses) \(.error)"')"
run "$SVCLAB" resolve -f $DATA/tools/cluster.yaml --from pod/default/nobody kubia
is "an unknown pod is one line" "svclab resolve: --from pod/default/nobody: there is no pod nobody in namespace default" "$err"
