#!/bin/sh
# svclab trace: verdicts, backends and addresses of the JSON contract, on manifests.
# The cluster and what becomes of these packets: tests/golden/probes (real Linux 6.18).
. tests/cli/lib.sh

trace()
{
	run "$SVCLAB" trace -f $FIVE --kube-version 1.30 -o json "$@"
}

field()
{
	printf '%s\n' "$out" | jq -c "$1"
}

plan 30

trace pod/default/pod svc/web:http --exhaustive
is 'a Service with three endpoints has three outcomes' 3 "$(field '.outcomes | length')"
is 'their probabilities sum to 1' true "$(field '([.outcomes[].probability] | add) - 1 | fabs < 1e-9')"
is 'each is within 1e-9 of a third' true "$(field 'all(.outcomes[]; .probability - 1/3 | fabs < 1e-9)')"
is 'backends have pod, ip, port and node' '["ip","node","pod","port"]' \
	"$(field '.outcomes[0].backend | keys')"
is 'a pod keeps its address' '["10.244.1.99"]' "$(field '[.outcomes[].client_seen_by_server] | unique')"
is 'every step says its node' true "$(field 'all(.outcomes[].steps[]; .node != "")')"
is 'rules are counted' true "$(field 'all(.outcomes[]; .rules_evaluated > 5)')"

trace outside/192.168.0.100 10.96.0.10:80
is 'from outside a ClusterIP is reached by the first node, masqueraded' \
	'["delivered",true,"192.168.0.1","node-a"]' \
	"$(field '.outcomes[0] | [.verdict, .masqueraded, .client_seen_by_server, .entry_node]')"

trace outside/192.168.0.100 10.96.0.10:80 --enter node-b
is '--enter names another' '["192.168.0.2","node-b"]' \
	"$(field '.outcomes[0] | [.client_seen_by_server, .entry_node]')"

trace outside/192.168.0.100 node/node-b:30080
is 'a NodePort is entered by its own node; policy Local keeps the source' \
	'["delivered","10.244.2.20","192.168.0.100","node-b"]' \
	"$(field '.outcomes[0] | [.verdict, .backend.ip, .client_seen_by_server, .entry_node]')"

trace pod/default/pod svc/empty
is 'a Service without endpoints is rejected; it has no backend' '["rejected",null,null]' \
	"$(field '.outcomes[0] | [.verdict, .backend, .client_seen_by_server]')"

trace outside/192.0.2.9 172.16.0.50:443
is 'a source outside loadBalancerSourceRanges is dropped' dropped "$(field '.outcomes[0].verdict' | tr -d '"')"
like 'the reason names the rule' 'KUBE-PROXY-FIREWALL' "$(field '.outcomes[0].reason')"

trace pod/default/pod svc/web:81
is 'an undefined port leaves by the default route: unanswered' unanswered \
	"$(field '.outcomes[0].verdict' | tr -d '"')"
is 'exit 0 for any verdict' 0 "$code"

trace pod/default/pod 10.244.2.10:8080
is 'straight to a pod: it is the backend' '["delivered","10.244.2.10",8080,"node-b"]' \
	"$(field '.outcomes[0] | [.verdict, .backend.ip, .backend.port, .backend.node]')"

trace pod/default/pod 10.244.2.10:9999
is 'a closed port of a pod is rejected' rejected "$(field '.outcomes[0].verdict' | tr -d '"')"

trace pod/default/pod 10.244.2.10 --proto icmp
is 'ping' delivered "$(field '.outcomes[0].verdict' | tr -d '"')"

trace pod/default/pod web.default.svc.cluster.local:80
is 'a DNS name is resolved as the client would' delivered "$(field '.outcomes[0].verdict' | tr -d '"')"

trace node/node-a 127.0.0.1:30080
is 'a NodePort on loopback works in iptables mode' '["delivered","192.168.0.1"]' \
	"$(field '.outcomes[0] | [.verdict, .client_seen_by_server]')"

first=$("$SVCLAB" trace -f $FIVE pod/default/pod svc/web --exhaustive)
second=$("$SVCLAB" trace -f $FIVE pod/default/pod svc/web --exhaustive)
is 'the same command gives the same bytes' "$first" "$second"
like 'text ends with the outcomes' '^0\.33333333  delivered' "$first"

run "$SVCLAB" trace -f $FIVE --color=always pod/default/pod svc/web
like '--color=always colours the verdict' "$(printf '\033\\[32mdelivered')" "$out"

run "$SVCLAB" trace -f $FIVE pod/default/nobody svc/web
is 'an unknown pod: one line, exit 2' '2 svclab trace: no pod default/nobody' "$code $err"
run "$SVCLAB" trace -f $FIVE pod/default/pod svc/nothing
is 'an unknown Service: one line, exit 2' '2 svclab trace: no service default/nothing' "$code $err"
run "$SVCLAB" trace -f $FIVE pod/default/pod svc/web:nothing
is 'an unknown port name: one line, exit 2' \
	'2 svclab trace: service default/web has no port named "nothing"' "$code $err"
run "$SVCLAB" trace -f $FIVE somewhere svc/web
is 'a place that is none: exit code' 2 "$code"
like 'a place that is none: what is expected' 'expected pod/\[NS/\]NAME, node/NAME' "$err"
run "$SVCLAB" trace -f $FIVE pod/default/pod
is 'a missing TO: exit code' 2 "$code"
run "$SVCLAB" trace -f $FIVE --enter node-z outside/192.0.2.1 svc/web
is '--enter with an unknown node: exit code' 2 "$code"
