#!/bin/sh
# DNS in a simulated cluster's captures, as Wireshark's dissector reads it: the client asks the
# ClusterIP along its search list, one of the CoreDNS pods gets each query, every query is answered.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
plan 3

# read FILE: "RESPONSE PORT NAME TYPE" of each DNS message
read_dns()
{
	tshark -r "$1" -Y dns -T fields -e dns.flags.response -e udp.dstport -e dns.qry.name \
		-e dns.qry.type 2>/dev/null | tr '\t' ' '
}

if ! command -v tshark >/dev/null; then
	for name in "the client asks along its search list" "each query is answered" \
		"the CoreDNS pods share the queries"; do
		skip "$name" "needs tshark"
	done
	exit
fi
"$SVCLAB" run -d iptables --pcap "$folder/pcap" scenarios/dns/search.lua >"$folder/tap" 2>&1
at=$folder/pcap/search-iptables
read_dns "$at/pod-default-cli-eth0.pcap" >"$folder/client"
for pod in "$at"/pod-kube-system-coredns-*; do read_dns "$pod"; done >"$folder/servers"
is "the client asks along its search list" \
	"0 53 example.com.default.svc.cluster.local 1
0 53 example.com.default.svc.cluster.local 28
0 53 example.com.svc.cluster.local 1
0 53 example.com.svc.cluster.local 28
0 53 example.com.cluster.local 1
0 53 example.com.cluster.local 28
0 53 example.com 1
0 53 example.com 28" "$(grep '^0 .*example' "$folder/client" | head -8)"
asked=$(sed -n 's/^0 53 //p' "$folder/client" | sort)
is "each query is answered" "$asked" "$(sed -n 's/^1 [0-9]* //p' "$folder/client" | sort)"
is "the CoreDNS pods share the queries" "$asked" \
	"$(sed -n 's/^0 53 //p' "$folder/servers" | grep -v in-addr | sort)"
