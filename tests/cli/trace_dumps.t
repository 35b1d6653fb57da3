#!/bin/sh
# svclab trace --rules: what a real node would do, from what its tools printed.
. tests/cli/lib.sh

trace()
{
	run "$SVCLAB" trace "$@" -o json
}

field()
{
	printf '%s\n' "$out" | jq -c "$1"
}

for node in a b; do
	"$SVCLAB" rules -f $FIVE --node node-$node --format list --view iptables >"$folder/$node.rules"
done
cat >"$folder/a.routes" <<-END
	default via 192.168.0.254 dev eth0
	10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
	10.244.2.0/24 via 192.168.0.2 dev eth0
	192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.1
END
cat >"$folder/b.routes" <<-END
	default via 192.168.0.254 dev ens3
	blackhole 10.244.2.0/26 proto 80
	10.244.2.10 dev cali3f0e scope link
	10.244.2.20 dev cali8a11 scope link
	10.244.1.0/24 via 192.168.0.1 dev ens3
	192.168.0.0/24 dev ens3 proto kernel scope link src 192.168.0.2
END

plan 16

trace --rules "$folder/a.rules" --routes "$folder/a.routes" --node-ip 192.168.0.1 \
	10.244.1.9 10.96.0.10:80 --exhaustive
is 'the endpoints of the dump are the outcomes' '["10.244.1.10","10.244.1.11","10.244.2.10"]' \
	"$(field '[.outcomes[].backend.ip] | sort')"
is 'probabilities are the rules'"'"'' true "$(field 'all(.outcomes[]; .probability - 1/3 | fabs < 1e-9)')"
is 'steps name the node by its IP' true \
	"$(field '[.outcomes[0].steps[] | select(.chain != "") | .node] | unique == ["192.168.0.1"]')"
is 'a rule has its file and line' true \
	"$(field 'any(.outcomes[0].steps[]; .file == "'"$folder"'/a.rules" and .line > 0)')"
line=$(field 'first(.outcomes[0].steps[] | select(.chain == "KUBE-SERVICES" and .table == "nat")) | .line')
like 'and it is that line' 'KUBE-SERVICES .*10\.96\.0\.10' "$(sed -n "${line}p" "$folder/a.rules")"
like 'what was assumed is said' 'without --in' "$(field '.notes | join(" ")')"

trace --rules "$folder/a.rules" --routes "$folder/a.routes" --node-ip 192.168.0.1 --in eth0 \
	10.244.9.9 192.168.0.1:30080
is '--in names the ingress interface' true \
	"$(field 'any(.outcomes[0].steps[]; .node == "192.168.0.1" and (.text | startswith("eth0: ")))')"

trace --rules "$folder/a.rules" --routes "$folder/a.routes" --node-ip 192.168.0.1 \
	--rules "$folder/b.rules" --routes "$folder/b.routes" --node-ip 192.168.0.2 \
	outside/192.168.0.77 192.168.0.2:30080
is 'several nodes: traffic enters by the owner of the address' \
	'["delivered","10.244.2.20","192.168.0.77","192.168.0.2"]' \
	"$(field '.outcomes[0] | [.verdict, .backend.ip, .client_seen_by_server, .entry_node]')"
is 'a pod behind a routed veth has its interface name' true \
	"$(field 'any(.outcomes[0].steps[]; .text | contains("dev cali8a11"))')"

trace --rules "$folder/a.rules" --routes "$folder/a.routes" --node-ip 192.168.0.1 \
	--rules "$folder/b.rules" --routes "$folder/b.routes" --node-ip 192.168.0.2 \
	10.244.1.9 10.244.2.10:8080
is 'the whole path crosses both nodes' '["192.168.0.1","192.168.0.2"]' \
	"$(field '[.outcomes[0].steps[] | select(.hook == "FORWARD") | .node] | unique')"

trace --rules "$folder/a.rules" --node-ip 192.168.0.1 node/192.168.0.1 10.96.0.40:80
is 'without routes there is a default route; no endpoints: rejected' rejected \
	"$(field '.outcomes[0].verdict' | tr -d '"')"

cat >"$folder/docker.rules" <<-END
	*filter
	:INPUT DROP [0:0]
	:FORWARD DROP [0:0]
	:OUTPUT ACCEPT [0:0]
	-A FORWARD -m layer7 --l7proto http -j ACCEPT
	-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
	COMMIT
END
trace --rules "$folder/docker.rules" --node-ip 192.168.0.1 192.168.0.9 192.168.0.1:80
is 'a policy drops, too' dropped "$(field '.outcomes[0].verdict' | tr -d '"')"
like 'a construct that is not known is reported with line and column' \
	"docker.rules:5:[0-9]+:" "$(field '.notes | join(" ")')"

echo 'hello' >"$folder/other"
run "$SVCLAB" trace --rules "$folder/other" --node-ip 192.168.0.1 1.2.3.4 192.168.0.1:80
like 'a text of no known tool: what is expected, exit 2' \
	"^2 svclab trace: $folder/other:1:1: .*expected iptables-save" "$code $err"
run "$SVCLAB" trace --rules "$folder/a.rules" 1.2.3.4 192.168.0.1:80
is 'a group without --node-ip: exit code' 2 "$code"
echo '10.0.0.0/8 via nowhere dev eth0' >"$folder/bad.routes"
run "$SVCLAB" trace --rules "$folder/a.rules" --routes "$folder/bad.routes" --node-ip 192.168.0.1 \
	1.2.3.4 192.168.0.1:80
like 'a bad route: file and line' "^2 svclab trace: $folder/bad.routes:1: " "$code $err"
