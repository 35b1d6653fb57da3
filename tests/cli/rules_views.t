#!/bin/sh
# svclab rules --mode ipvs, view by view, and --mode userspace, as lists: beside what real
# kube-proxy v1.30.5 and v1.20.2 left in tools that wrote down what they were told. Those kept
# no order of sets and servers, so lines are sorted, a real server's with its virtual server's.
. tests/cli/lib.sh
plan 14
five=tests/golden/kube-proxy/five

list() # VERSION VIEW [FORMAT]: into $folder/ours
{
	"$SVCLAB" rules -f $five/cluster.yaml --node node-a --mode ipvs --kube-version "$1" --view "$2" \
		--format "${3:-list}" >"$folder/ours" 2>"$folder/err"
}
same() # NAME
{
	diff -u "$folder/theirs" "$folder/ours" >"$folder/diff"
	result $? "$1" "$(cat "$folder/diff")"
}
# Virtual servers with their real ones on one line. Where kube-proxy v1.20.2 ran, no interface had
# an address of loopback.
servers() { awk '!/->/ { head = $0 } { sub(/ *$/, ""); print head " | " $0 }' "$1" | grep -v '^TCP  127\.' | sort; }

for version in 1.30 1.20; do
	real=$five/v1.30.5-ipvs
	[ $version = 1.30 ] || real=$five/v1.20.2-ipvs
	list $version ipvsadm
	cp "$folder/ours" "$folder/listed"
	servers "$folder/listed" >"$folder/ours"
	servers $real/step0-ipvsadm.txt >"$folder/theirs"
	same "ipvsadm -Ln, $version: virtual servers, schedulers, persistence, real servers, weights"
	list $version ipset
	sort "$folder/ours" >"$folder/sorted" && mv "$folder/sorted" "$folder/ours"
	sed 's,/32$,,' $real/step0-ipset.txt | sort >"$folder/theirs" # ipset prints a single address without it
	same "ipset save, $version: sets, types, members"
	list $version addr
	sed -n 's,.*: kube-ipvs0  *inet \([0-9.]*\)/32 .*,kube-ipvs0 \1,p' "$folder/ours" | sort >"$folder/sorted"
	mv "$folder/sorted" "$folder/ours"
	sort $real/step0-addresses.txt >"$folder/theirs"
	same "ip addr, $version: what kube-ipvs0 holds"
	list $version iptables write
	cp $real/step0-iptables-restore.txt "$folder/theirs"
	same "iptables, $version: the text for iptables-restore, byte for byte"
done

# Three hours are the API's default for ClientIP.
cat >"$folder/sticky.yaml" <<'YAML'
{apiVersion: v1, kind: Node, metadata: {name: a}, status: {addresses: [{type: InternalIP, address: 192.168.0.41}]}}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {clusterIP: 10.107.159.92, sessionAffinity: ClientIP, ports: [{port: 80}]}
YAML
is "ipvsadm -Ln: ClientIP is persistent 10800" "TCP  10.107.159.92:80 rr persistent 10800" \
	"$("$SVCLAB" rules -f "$folder/sticky.yaml" --node a --mode ipvs --view ipvsadm --format list 2>&1 | grep ^TCP)"

# What ipvsadm -Sn prints of the same servers, as they are listed.
list 1.34 ipvsadm
sed -n 's/^  -> \([0-9.:]*\) .*/\1/p' "$folder/ours" | sort >"$folder/theirs"
list 1.34 ipvsadm write
sed -n 's/^-a .* -r \([^ ]*\) -m -w 1$/\1/p' "$folder/ours" | sort >"$folder/sorted"
is "ipvsadm -Sn names the real servers that -Ln lists" "$(cat "$folder/theirs")" "$(cat "$folder/sorted")"

# The order in which ipvsadm lists addresses is that of their signed differences; so printed on a
# node of Kubernetes v1.20: 172.17, 192.168, 10.96, 10.107, 10.244, 127.
list 1.30 ipvsadm
is "ipvsadm -Ln lists 192.168.0.1 and 172.16.0.50 before 10.96.0.10, as the signed difference says" \
	"172.16.0.50 192.168.0.1 10.96.0.10" \
	"$(sed -n 's/^TCP  \([0-9.]*\):.*/\1/p' "$folder/ours" | uniq | grep -E '^(172.16.0.50|192.168.0.1|10.96.0.10)$' | tr '\n' ' ' | sed 's/ $//')"

# Words of a rule in any order, ports of the proxy by their service: the kernel chose them.
rules()
{
	perl -ne 'next unless /^-A KUBE-/; s/"//g;
		s/(--to-ports |--to-destination [\d.]+:)\d+/$1PORT/; s/--dport 4\d{4} (?=.*--state)/--dport PORT /;
		print join(" ", sort split), "\n"' "$1" | sort
}
"$SVCLAB" rules -f $five/cluster.yaml --node node-a --mode userspace --kube-version 1.20 --format list \
	--view iptables >"$folder/us" 2>"$folder/err"
rules "$folder/us" >"$folder/ours"
rules $five/v1.20.2-userspace/step0-iptables-save.txt >"$folder/theirs"
same "userspace: portals' chains"
for view in ipvsadm ipset; do
	is "userspace has nothing to show as $view" "" \
		"$("$SVCLAB" rules -f $five/cluster.yaml --node node-a --mode userspace --format list --view $view 2>&1)"
done
