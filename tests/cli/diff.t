#!/bin/sh
# svclab diff: which behaviours of a cluster change with the mode, and for whom. What each
# mode does was seen with real kube-proxy v1.30.5 or is said by its source.
. tests/cli/lib.sh
CLUSTERS=tests/golden/diff

diff_modes()
{
	run "$SVCLAB" diff -f "$CLUSTERS/$1" --from "$2" --to "$3" -o json
}

# services ID: those that the behaviour touches
services()
{
	printf '%s\n' "$out" | jq -c "[.changes[] | select(.id == \"$1\") | .service] | unique"
}

# outcome ID SERVICE: before and after
outcome()
{
	printf '%s\n' "$out" |
		jq -r ".changes[] | select(.id == \"$1\" and .service == \"$2\") | .before + \" -> \" + .after"
}

plan 62

diff_modes ipvs.yaml ipvs nftables
is 'changes: exit code 1' 1 "$code"
is 'one object with both modes' '["ipvs","nftables"]' "$(printf '%s\n' "$out" | jq -c '[.from, .to]')"
is 'each change has its six fields' true "$(printf '%s\n' "$out" |
	jq 'all(.changes[]; keys == ["advice","after","before","id","service","what"])')"
is 'only the Service with affinity forgets later in ipvs' '["default/sticky:http"]' "$(services AFF-07)"
is 'its NodePort has a record of its own in ipvs' \
	'a record for each address -> one record for all addresses of the port' \
	"$(outcome AFF-09 default/sticky:http)"
is 'the scheduler is lost' 'by the IPVS scheduler lc -> at random, each equally likely' \
	"$(outcome SEL-04 default/sticky:http)"
is 'policy Local without endpoints: forwarded in vain in ipvs, dropped in nftables' \
	'no answer: the client waits until it gives up -> dropped: the client waits until it gives up' \
	"$(outcome POL-03 default/local:http)"
is 'internal policy Local: ipvs falls back to all endpoints on a NodePort Service' \
	"delivered; the server sees the client's own address -> dropped: the client waits until it gives up" \
	"$(outcome POL-09 default/local:http)"
is 'it touches the Services that have the policy' '["default/local:http"]' "$(services POL-09)"
is 'graceful termination touches both TCP Services' '["default/local:http","default/sticky:http"]' \
	"$(services CHN-03)"
is 'ClusterIPs leave the nodes: the whole cluster' '[""]' "$(services CIP-03)"
like 'the node with the old kernel is named' 'refuses to start: a \(5\.4\.0' "$(outcome SYN-11 '')"
is 'a port that is undefined is refused in both' '[]' "$(services CIP-04)"

diff_modes ipvs.yaml nftables ipvs
is 'the other way round: the modules are needed' 1 "$(printf '%s\n' "$out" |
	jq '[.changes[] | select(.id == "SYN-09")] | length')"
is 'the other way round: no kernel is too old' '[]' "$(services SYN-11)"

diff_modes iptables.yaml iptables nftables
is 'undefined ports leak in iptables and are refused in nftables' \
	'leaves the cluster by the default route; the client waits until it gives up -> refused at once' \
	"$(outcome CIP-04 default/plain:http)"
is 'an unallocated address leaks in iptables and is dropped in nftables' \
	'leaves the cluster by the default route; the client waits until it gives up -> dropped: the client waits until it gives up' \
	"$(outcome CIP-05 '')"
is 'localhost NodePorts: only the Service that has one' '["default/open:http"]' "$(services NPT-04)"
is 'a NodePort at 127.0.0.1 is refused in nftables' \
	"delivered; the server sees the client's own address -> refused at once" \
	"$(outcome NPT-04 default/open:http)"
is 'the pods'\'' gateway no longer serves NodePorts' 'served -> refused at once' \
	"$(outcome NPT-03 default/open:http)"
is 'nobody has affinity: nothing is said of it' '[]' "$(services AFF-04)"
is 'without dumps nothing is said of the firewall' '[]' "$(services MSQ-07)"
first=$out
diff_modes iptables.yaml iptables nftables
is 'the same command gives the same bytes' "$first" "$out"
run sh -c "'$SVCLAB' diff -f - --from iptables --to nftables -o json < $CLUSTERS/iptables.yaml"
is 'standard input serves both modes' "$first" "$out"

run "$SVCLAB" diff -f $CLUSTERS/iptables.yaml --from iptables --to nftables -o json \
	--rules $CLUSTERS/forward-drop.save
is 'a host that drops what it forwards: nftables mode accepts nothing' \
	"accepted by KUBE-FORWARD -> dropped by the host's firewall" "$(outcome MSQ-07 '')"

run "$SVCLAB" diff -f $CLUSTERS/iptables.yaml --from iptables --to ipvs
like 'text: before and after in one line' '^  no interface has them -> every node has all' "$out"
like 'text: old chains stay' '^SYN-10  ' "$out"

sed 's/^clusterCIDR.*/detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}/' \
	$CLUSTERS/iptables.yaml > "$folder/prefix.yaml"
run "$SVCLAB" diff -f "$folder/prefix.yaml" --from iptables --to nftables
like 'detection by interface prefix breaks nftables mode' '^SYN-13  ' "$out"

diff_modes iptables.yaml userspace nftables
is 'leaving userspace mode, servers see their clients again' \
	"delivered; the server sees a node's address -> delivered; the server sees the client's own address" \
	"$(outcome USR-01 default/plain:http)"
is 'leaving userspace mode, nobody dials the next endpoint' '["default/open:http","default/plain:http"]' \
	"$(services USR-02)"

diff_modes headless.yaml iptables nftables
is 'a cluster of headless Services: nothing changes, exit code 0' '0 0' \
	"$code $(printf '%s\n' "$out" | jq '.changes | length')"

run "$SVCLAB" diff -f $CLUSTERS/ipvs.yaml --from ipvs --to wireguard
is 'an unknown mode: exit code 2' 2 "$code"
run "$SVCLAB" diff -f $CLUSTERS/ipvs.yaml --from ipvs
is 'a missing mode: exit code 2' 2 "$code"
run "$SVCLAB" diff -f $CLUSTERS/ipvs.yaml --from ipvs --to nftables --rules $CLUSTERS/ipvs.yaml
is 'a dump that is none: one line, exit 2' \
	"2 svclab diff: $CLUSTERS/ipvs.yaml:1:1: no firewall: expected iptables-save or nft list ruleset text" \
	"$code $err"

# Clusters as people have them. Which behaviours change follows from what the modes do (the
# IDs) and from what the cluster has; nothing else may be said.
ids() { printf '%s\n' "$out" | jq -r '[.changes[].id] | unique | join(" ")'; }
# What every cluster with TCP Services sees that leaves ipvs mode.
always="CHN-03 CHN-09 CIP-03 CIP-05"
complete() { printf '%s\n' "$out" | jq '[.changes[] | .before != .after and .before != "" and .after != "" and .advice != "" and .what != "" and (.id | test("^[A-Z]{3}-[0-9]+$"))] | all'; }

diff_modes kubeadm.yaml ipvs nftables
is 'kubeadm, a full export: exit code 1, no warning' '1 ' "$code $err"
is 'kubeadm: what changes' "AFF-04 AFF-07 CHN-03 CHN-04 CHN-09 CIP-03 CIP-05 NPT-02 NPT-03 POL-03 SEL-04 SYN-06" "$(ids)"
is 'kubeadm: each change has outcomes, ID and what to do' true "$(complete)"
is 'kubeadm: system namespaces are part of it' '["kube-system/kube-dns:dns"]' "$(services CHN-04)"
is 'kubeadm: only the Service with affinity' '["shop/shop:http"]' "$(services AFF-07)"
is 'kubeadm: policy Local without an endpoint on some nodes' \
	'["ingress-nginx/ingress-nginx-controller:http","ingress-nginx/ingress-nginx-controller:https"]' "$(services POL-03)"
is 'kubeadm: Services of one endpoint have no choice to change' \
	'["kube-system/kube-dns:dns","kube-system/kube-dns:dns-tcp","kube-system/kube-dns:metrics","shop/shop:http"]' "$(services SEL-04)"
is 'kubeadm: a kernel of 6.8 is new enough' '[]' "$(services SYN-11)"
run "$SVCLAB" diff -f $CLUSTERS/kubeadm.yaml --from ipvs --to nftables
like 'kubeadm, text: what a person reads has the ID, the outcomes and the advice' '^CIP-03 ' "$out"
like 'kubeadm: what manifests cannot say is said: the version of nft' 'version of nft: nftables mode needs 1\.0\.1' "$out"
run "$SVCLAB" diff -f $CLUSTERS/kubeadm.yaml --from ipvs --to iptables -o json
is 'kubeadm to iptables: what ipvs mode left stays on the nodes' '[""]' "$(services SYN-10)"

diff_modes metallb.yaml ipvs nftables
is 'metallb: what changes' "$always LBR-02 LBR-05 LBR-11 NPT-02 NPT-03 POL-03 POL-05 SYN-06" "$(ids)"
is 'metallb: each change has outcomes, ID and what to do' true "$(complete)"
is 'metallb: source ranges move, for the Service that has them' '["default/admin:https"]' "$(services LBR-05)"
is 'metallb: nodes give up every load balancer address' \
	'["default/admin:https","default/empty:http","default/ingress:https"]' "$(services LBR-11)"
is 'metallb: a node itself reaches an ingress of policy Local that is elsewhere' '["default/ingress:https"]' "$(services POL-05)"

diff_modes external.yaml ipvs nftables
is 'external IPs: what changes' "$always LBR-11 SYN-06" "$(ids)"
is 'external IPs: other ports of the address come free' \
	'yes, on kube-ipvs0: every port and ping of the address end on the node -> no: only the Service'\''s ports are caught' \
	"$(outcome LBR-11 default/web:http)"

diff_modes dualstack.yaml ipvs nftables
is 'dual stack: what changes' "AFF-04 AFF-07 AFF-09 $always NPT-02 NPT-03 SEL-04 SYN-06" "$(ids)"
is 'dual stack: a Service of IPv6 alone drains otherwise, too' '["default/both:http","default/six:http"]' "$(services CHN-03)"

diff_modes games.yaml ipvs nftables
is 'games, UDP and SCTP: what changes' "AFF-04 AFF-09 CHN-04 CIP-03 CIP-05 NPT-02 NPT-03 SEL-04 SYN-06" "$(ids)"
is 'games: source hashing is lost' 'by the IPVS scheduler sh -> at random, each equally likely' "$(outcome SEL-04 default/game:udp)"
is 'games: SCTP associations outlive their endpoint' \
	'the endpoint is deleted at once and the next packet ends the association -> they go on to the endpoint that left: kube-proxy deletes conntrack entries of UDP only' \
	"$(outcome CHN-04 default/signal:sctp)"

diff_modes database.yaml ipvs nftables
is 'database: what changes' "$always POL-08 SYN-06" "$(ids)"
is 'database: internal policy Local without an endpoint is no longer a quick refusal' \
	'refused at once -> dropped: the client waits until it gives up' "$(outcome POL-08 data/cache:mc)"
is 'database: headless Services are left out' '["data/cache:mc"]' "$(services CHN-03)"

diff_modes hardened.yaml iptables nftables
is 'old kernels: what changes' "CIP-04 CTK-11 ICM-01 SYN-06 SYN-11" "$(ids)"
is 'old kernels: those before 5.13 are named, 5.13 is not' \
	'it runs -> it refuses to start: a (4.18.0-553.el8_10.x86_64), c (5.10.0-28-amd64)' "$(outcome SYN-11 '')"
