#!/bin/sh
# svclab trace --rules on what docker, kind, flannel, calico and cilium keep on a node
# (tests/golden/dumps): their own chains decide, and what is not known is said.
. tests/cli/lib.sh

dumps=tests/golden/dumps
XTABLES_LOCKFILE=$folder/lock
export XTABLES_LOCKFILE

# trace PROGRAM FROM TO [OPTION...]
trace()
{
	program=$1
	shift
	set -- "$@" -o json
	[ ! -e $dumps/$program.routes ] || set -- --routes $dumps/$program.routes --node-ip 192.168.0.1 "$@"
	[ -e $dumps/$program.routes ] || set -- --node-ip 192.168.0.1 "$@"
	[ ! -e $dumps/$program.ipset ] || set -- $dumps/$program.ipset "$@"
	run "$SVCLAB" trace --rules $dumps/$program.save "$@"
}

field()
{
	printf '%s\n' "$out" | jq -c "$1"
}

plan 20

for program in docker kind flannel calico cilium; do
	if unshare -Urn true 2>/dev/null; then
		sets=$dumps/$program.ipset
		[ -e $sets ] || sets=/dev/null
		run unshare -Urn sh -c "ipset restore <$sets && iptables-legacy-restore --test \
			$dumps/$program.save && iptables-nft-restore --test $dumps/$program.save"
		is "$program: iptables takes the rules" '0 ' "$code $err"
	else
		skip "$program: iptables takes the rules" 'no namespaces here'
	fi
done

trace docker outside/192.168.0.9 192.168.0.1:8080
is 'docker: a published port is translated and let through' \
	'["delivered","172.17.0.2",80,"192.168.0.9"]' \
	"$(field '.outcomes[0] | [.verdict, .backend.ip, .backend.port, .client_seen_by_server]')"
trace docker outside/192.168.0.9 172.17.0.2:81
is 'docker: another port of the container is dropped by the policy' dropped \
	"$(field '.outcomes[0].verdict' | tr -d '"')"
trace docker 172.17.0.2 203.0.113.7:443
is 'docker: what leaves is masqueraded' true "$(field '.outcomes[0].masqueraded')"
like 'docker: by the rule of its network' 'docker.save:9' \
	"$(field '.outcomes[0].steps[] | select(.chain == "POSTROUTING") | "\(.file):\(.line)"')"

trace kind 10.244.1.9 203.0.113.7:443
is 'kind: what leaves the cluster is masqueraded' true "$(field '.outcomes[0].masqueraded')"
trace kind 10.244.1.9 10.244.2.9:80
is 'kind: pods keep their addresses' false "$(field '.outcomes[0].masqueraded')"
trace kind node/192.168.0.1 172.18.0.1:53 --proto udp
like 'kind: DNS takes the detour to the resolver of docker' '127\.0\.0\.11:45829' "$out"

trace flannel 10.244.2.9 10.244.1.9:80
is 'flannel: a pod of another node is forwarded as it is' '["delivered",false]' \
	"$(field '.outcomes[0] | [.verdict, .masqueraded]')"
trace flannel outside/192.168.0.9 203.0.113.7:80
is 'flannel: foreign traffic is not forwarded' dropped "$(field '.outcomes[0].verdict' | tr -d '"')"

trace calico 10.244.1.9 10.244.1.10:8080
is 'calico: the policy lets a member of the set through' delivered \
	"$(field '.outcomes[0].verdict' | tr -d '"')"
trace calico 10.244.1.9 10.244.1.10:9090
is 'calico: another port is dropped' dropped "$(field '.outcomes[0].verdict' | tr -d '"')"
like 'calico: by the last rule of the workload chain' 'cali-tw-cali2222' \
	"$(field '.outcomes[0].reason')"
trace calico 10.244.1.9 203.0.113.7:443
is 'calico: what leaves the pools is masqueraded' true "$(field '.outcomes[0].masqueraded')"
trace cilium outside/192.168.0.9 10.0.1.50:80
is 'cilium: what comes by a wire passes the chains of the proxy' delivered \
	"$(field '.outcomes[0].verdict' | tr -d '"')"
like 'cilium: what svclab does not know is said, with line and column' \
	'cilium.save:9:[0-9]+: .*-j TPROXY' "$(field '.notes | join(" ")')"
