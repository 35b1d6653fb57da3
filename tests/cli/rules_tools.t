#!/bin/sh
# The rules of random clusters, and of one full of oddities, in the hands of the real tools:
# iptables takes the listed state and saves it as it was listed; nft and ipset take what is
# written.
. tests/cli/lib.sh

clusters='rules/102:gke-prod-pool-1-5f3c-0xkq:iptables rules/119:ip-10-0-13-7.eu-west-1.compute.internal:ip6tables odd:a:iptables'
XTABLES_LOCKFILE=$folder/lock
export XTABLES_LOCKFILE

# One table after the other, in order of their names: the tools differ in that order.
by_table()
{
	for table in filter mangle nat; do
		sed -n "/^\*$table\$/,/^COMMIT\$/p" "$1"
	done
}

saved()
{
	unshare -Urn sh -c "$1-$2-restore <$folder/list && $1-$2-save" >"$folder/saved" 2>"$folder/err"
	by_table "$folder/saved" >"$folder/saved.ordered"
	diff "$folder/list.ordered" "$folder/saved.ordered" 2>&1 | head -n 4
	cat "$folder/err"
}

# Elements of maps and sets come in hash order: one a line, all lines sorted.
elements_apart()
{
	sed 's/elements = {//; s/, *$//; s/ }$//' | tr ',' '\n' | sed 's/^[ \t]*//' | sort
}

plan 27
namespaces=true
unshare -Urn true 2>/dev/null || namespaces=false

for cluster in $clusters; do
	name=${cluster%%:*}
	rest=${cluster#*:}
	node=${rest%%:*}
	tool=${rest#*:}
	file=tests/golden/kube-proxy/$name/cluster.yaml
	for version in 1.30 1.34; do
		if ! $namespaces; then
			for kind in legacy nft; do
				skip "$name v$version: $tool-$kind keeps the listed state" 'no namespaces here'
			done
			skip "$name v$version: nft takes what is written" 'no namespaces here'
			skip "$name v$version: nft keeps the listed state" 'no namespaces here'
			continue
		fi
		"$SVCLAB" rules -f $file --node $node --mode iptables --kube-version $version \
			--format list --view iptables >"$folder/list"
		by_table "$folder/list" >"$folder/list.ordered"
		for kind in legacy nft; do
			is "$name v$version: $tool-$kind keeps the listed state" "" "$(saved $tool $kind)"
		done
		"$SVCLAB" rules -f $file --node $node --mode nftables --kube-version $version \
			--view nft >"$folder/nft"
		run unshare -Urn nft -c -f "$folder/nft"
		is "$name v$version: nft takes what is written" "0 " "$code $err"
		"$SVCLAB" rules -f $file --node $node --mode nftables --kube-version $version \
			--format list --view nft | elements_apart >"$folder/listed"
		is "$name v$version: nft keeps the listed state" "" "$(unshare -Urn sh -c \
			"nft -f $folder/nft && nft list ruleset" | elements_apart |
			diff "$folder/listed" - 2>&1 | head -n 4)"
	done
	"$SVCLAB" rules -f $file --node $node --mode ipvs --view ipset >"$folder/ipset"
	if $namespaces && unshare -Urn ipset list -n >/dev/null 2>&1; then
		run unshare -Urn ipset restore -exist -file "$folder/ipset"
		is "$name: ipset takes what is written" "0 " "$code $err"
	else
		skip "$name: ipset takes what is written" 'no sets here'
	fi
done
