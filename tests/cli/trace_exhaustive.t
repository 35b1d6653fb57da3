#!/bin/bash
# trace --exhaustive: every outcome with its probability, as the kernel draws.
#
# iptables: `statistic --mode random` compares 31 random bits with round(2^31 / k), so of n
# endpoints the i-th (from 0) has the product of what the rules before it let pass; the
# others have 1/n exactly. The round robin of userspace mode begins anywhere in a shuffled list.
# Tolerance: what JSON prints, fifteen digits.
. tests/cli/lib.sh

# cluster ENDPOINTS SPEC PORT: endpoints alternate between nodes a and b
cluster()
{
	cat <<EOF
apiVersion: v1
kind: Node
metadata: {name: a}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: b}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: 10.244.0.0/16
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: default}
spec: {nodeName: a, containers: [{name: c, image: x}]}
status: {phase: Running, podIP: 10.244.1.200}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{port: 80$3}]$2}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080}]
endpoints:
EOF
	for ((i = 0; i < $1; i++)); do
		echo "- {addresses: [10.244.$((1 + i % 2)).1$i], nodeName: $([ $((i % 2)) = 0 ] && echo a || echo b)}"
	done
}

# expected MODE N: N probabilities in the order of the rules
expected()
{
	awk -v mode="$1" -v n="$2" 'BEGIN {
		rest = 1
		for (k = n; k >= 1; k--) {
			p = mode == "iptables" ? int(2147483648 / k + 0.5) / 2147483648 : 1 / k
			printf "%.12f\n", rest * p
			rest *= 1 - p
		}
	}' | sort
}

# draws SENTENCE N FROM TO: in each mode N outcomes, all delivered, with these probabilities
draws()
{
	for mode in $modes; do
		run "$SVCLAB" trace -f "$folder/cluster.yaml" --mode $mode "$3" "$4" --exhaustive -o json
		is "$mode: $1" "$(expected $mode "$2")" "$(printf '%s' "$out" |
			jq -r '.outcomes[] | select(.verdict == "delivered" and .backend != null) | .probability' |
			awk '{ printf "%.12f\n", $1 }' | sort)"
	done
}

plan 33
modes='iptables ipvs nftables userspace'
for n in 1 2 3 7; do
	cluster $n "" "" >"$folder/cluster.yaml"
	draws "a Service with $n endpoints has $n outcomes of about the same chance" $n pod/cli svc/web:80
done
cluster 7 ", sessionAffinity: ClientIP" "" >"$folder/cluster.yaml"
draws "the first connection with affinity is drawn as without" 7 pod/cli svc/web:80
cluster 7 ", type: NodePort" ", nodePort: 30080" >"$folder/cluster.yaml"
draws "a node port leads to all seven" 7 outside/192.168.0.77 192.168.0.1:30080
cluster 7 ", internalTrafficPolicy: Local" "" >"$folder/cluster.yaml"
modes=userspace
draws "there is no internal policy Local" 7 pod/cli svc/web:80
modes='iptables ipvs nftables'
draws "with internal policy Local only this node's four endpoints are drawn" 4 pod/cli svc/web:80
cluster 7 ", type: NodePort, externalTrafficPolicy: Local" ", nodePort: 30080" >"$folder/cluster.yaml"
draws "with external policy Local the node port leads to four" 4 outside/192.168.0.77 192.168.0.1:30080

# Userspace mode says what it cannot know.
cluster 3 "" "" >"$folder/cluster.yaml"
run "$SVCLAB" trace -f "$folder/cluster.yaml" --mode userspace pod/cli svc/web:80 --exhaustive
like "userspace: whose turn it is in the round robin is not known" \
	"a round robin begins anywhere: a snapshot does not say whose turn it is" "$out"

# A refusal is an outcome too, and the only one.
cluster 0 "" "" | sed 's/^endpoints:$/endpoints: []/' >"$folder/cluster.yaml"
run "$SVCLAB" trace -f "$folder/cluster.yaml" pod/cli svc/web:80 --exhaustive -o json
is "no endpoint: refused, with certainty" "rejected 1" \
	"$(printf '%s' "$out" | jq -r '.outcomes[] | "\(.verdict) \(.probability)"')"
