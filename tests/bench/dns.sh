#!/bin/sh
# Queries per second of svclab dns, beside NSD serving the same names in the same run.
# Prints a table: server, transport, queries per second, lost, share of NSD's.
# Usage: tests/bench/dns.sh [SECONDS]; needs dnsperf, dig and nsd.
cd "$(dirname "$0")/../.." || exit 1
SVCLAB=${SVCLAB:-build/svclab}
seconds=${1:-3}
folder=$(mktemp -d)
pids=
trap '[ -z "$pids" ] || kill $pids; rm -rf "$folder"' EXIT

for tool in dnsperf dig nsd; do
	command -v $tool >/dev/null || PATH=$PATH:/usr/sbin command -v $tool >/dev/null || {
		echo "dns.sh: $tool is missing" >&2
		exit 1
	}
done
PATH=$PATH:/usr/sbin

# A cluster of 500 Services, a tenth of them headless with three endpoints.
awk 'BEGIN {
	print "apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}"
	for (i = 0; i < 500; i++) {
		ip = i % 10 ? "10.96." int(i / 250) "." i % 250 + 1 : "None"
		print "---\napiVersion: v1\nkind: Service\nmetadata: {name: s" i ", namespace: bench}"
		print "spec: {clusterIP: " ip ", ports: [{name: http, port: 80}]}"
		if (ip == "None") {
			print "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice"
			print "metadata: {name: s" i "-a, namespace: bench, labels: {kubernetes.io/service-name: s" i "}}"
			print "addressType: IPv4\nports: [{name: http, port: 80, protocol: TCP}]\nendpoints:"
			for (k = 1; k < 4; k++)
				print "- {addresses: [10.244." i % 250 "." k "], hostname: e" k "}"
		}
	}
}' >"$folder/cluster.yaml"
awk 'BEGIN {
	for (i = 0; i < 500; i++) {
		print "s" i ".bench.svc.cluster.local A"
		print "_http._tcp.s" i ".bench.svc.cluster.local SRV"
		print "s" i ".default.svc.cluster.local A"
	}
}' >"$folder/queries"

"$SVCLAB" dns -f "$folder/cluster.yaml" --listen 127.0.0.1:0 2>"$folder/said" &
pids=$!
while ! grep -q 'answering on' "$folder/said"; do sleep 0.1; done
ours=$(sed -n 's/.*answering on 127.0.0.1:\([0-9]*\).*/\1/p' "$folder/said")

# The same records for NSD, as dig reads them off.
{
	echo 'cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30'
	echo 'cluster.local. 30 IN NS ns.dns.cluster.local.'
	grep -v default "$folder/queries" | sed 's/^/+noall +answer +additional /' >"$folder/all"
	dig @127.0.0.1 -p "$ours" -f "$folder/all" | sort -u
} >"$folder/cluster.zone"
theirs=$((ours + 1))
cat >"$folder/nsd.conf" <<EOF
server:
  ip-address: 127.0.0.1
  port: $theirs
  zonesdir: "$folder"
  username: ""
  chroot: ""
  database: ""
  pidfile: "$folder/nsd.pid"
  xfrdfile: "$folder/xfrd.state"
  zonelistfile: "$folder/zone.list"
  xfrdir: "$folder"
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: cluster.local
  zonefile: cluster.zone
EOF
nsd -d -c "$folder/nsd.conf" >"$folder/nsd.log" 2>&1 &
pids="$pids $!"
tries=0
until dig @127.0.0.1 -p $theirs +time=1 +tries=1 cluster.local soa >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ $tries -lt 20 ] || { cat "$folder/nsd.log" >&2; exit 1; }
	sleep 0.2
done

# measure PORT TRANSPORT: "qps lost"
measure()
{
	dnsperf -m "$2" -s 127.0.0.1 -p "$1" -d "$folder/queries" -c 8 -q 500 -l "$seconds" |
		awk '/Queries per second/ { q = $4 } /Queries lost/ { l = $3 } END { printf "%.0f %s", q, l }'
}

printf 'server\ttransport\tqueries_per_second\tlost\tshare_of_nsd\n'
for transport in udp tcp; do
	nsd=$(measure $theirs $transport)
	own=$(measure "$ours" $transport)
	printf 'nsd\t%s\t%s\t%s\t1.00\n' $transport $nsd
	printf 'svclab\t%s\t%s\t%s\t%s\n' $transport $own \
		"$(echo "$own $nsd" | awk '{ printf "%.2f", $1 / $3 }')"
done
