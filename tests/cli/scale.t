#!/bin/sh
# svclab scale: the table, and figures that are known of real kube-proxy.
. tests/cli/lib.sh

plan 6

run "$SVCLAB" scale --mode iptables --services 10,100 --endpoints 10
is 'a header and a row for each number' 3 "$(lines "$out")"
is 'the columns' "$(printf 'mode\tservices\tendpoints\trules\tbytes\trules_passed')" \
	"$(printf '%s\n' "$out" | head -n 1)"
is 'rules passed grow by one a Service' 90 \
	"$(printf '%s\n' "$out" | awk 'NR > 1 { print $6 }' | paste -sd' ' | awk '{ print $2 - $1 }')"

# kube-proxy v1.30.5 wrote 320,009 rules for 10,000 Services of 10 endpoints: 32 a Service.
is 'rules grow by 32 a Service of ten endpoints' 2880 \
	"$(printf '%s\n' "$out" | awk 'NR > 1 { print $4 }' | paste -sd' ' | awk '{ print $2 - $1 }')"

run "$SVCLAB" scale --mode iptables --services 0 --endpoints 1
is 'no Services: exit code' 2 "$code"
run "$SVCLAB" scale --mode iptables --endpoints 1
like 'what is missing is said' 'are needed' "$err"
