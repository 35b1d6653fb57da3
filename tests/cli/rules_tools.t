#!/bin/sh
# The rules of random clusters in the hands of the real tools: iptables takes the listed
# state and saves it as it was listed; nft and ipset take what is written.
. tests/cli/lib.sh

clusters='102:gke-prod-pool-1-5f3c-0xkq:iptables 119:ip-10-0-13-7.eu-west-1.compute.internal:ip6tables'
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

plan 18
namespaces=true
unshare -Urn true 2>/dev/null || namespaces=false

for cluster in $clusters; do
	number_=${cluster%%:*}
	rest=${cluster#*:}
	node=${rest%%:*}
	tool=${rest#*:}
	file=tests/golden/kube-proxy/rules/$number_/cluster.yaml
	for version in 1.30 1.34; do
		if ! $namespaces; then
			for name in legacy nft; do
				skip "$number_ v$version: $tool-$name keeps the listed state" 'no namespaces here'
			done
			skip "$number_ v$version: nft takes what is written" 'no namespaces here'
			skip "$number_ v$version: nft keeps the listed state" 'no namespaces here'
			continue
		fi
		"$SVCLAB" rules -f $file --node $node --mode iptables --kube-version $version \
			--format list --view iptables >"$folder/list"
		by_table "$folder/list" >"$folder/list.ordered"
		for name in legacy nft; do
			is "$number_ v$version: $tool-$name keeps the listed state" "" "$(saved $tool $name)"
		done
		"$SVCLAB" rules -f $file --node $node --mode nftables --kube-version $version \
			--view nft >"$folder/nft"
		run unshare -Urn nft -c -f "$folder/nft"
		is "$number_ v$version: nft takes what is written" "0 " "$code $err"
		"$SVCLAB" rules -f $file --node $node --mode nftables --kube-version $version \
			--format list --view nft | elements_apart >"$folder/listed"
		is "$number_ v$version: nft keeps the listed state" "" "$(unshare -Urn sh -c \
			"nft -f $folder/nft && nft list ruleset" | elements_apart |
			diff "$folder/listed" - 2>&1 | head -n 4)"
	done
	"$SVCLAB" rules -f $file --node $node --mode ipvs --view ipset >"$folder/ipset"
	if $namespaces && unshare -Urn ipset list -n >/dev/null 2>&1; then
		run unshare -Urn ipset restore -exist -file "$folder/ipset"
		is "$number_: ipset takes what is written" "0 " "$code $err"
	else
		skip "$number_: ipset takes what is written" 'no sets here'
	fi
done
