#!/bin/sh
# A kernel with IPVS takes what kube-proxy in ipvs mode writes: ipvsadm -R, ipset restore and
# iptables-restore in the VM, and lists it as svclab rules does. The VM is asked when it has been
# built (make vm), so that a fresh machine's `make test` downloads no kernel.
. tests/cli/lib.sh
plan 2
vm=${SVCLAB_VM:-$(dirname "$SVCLAB")/vm}
if [ -f "$vm/key" ]; then
	run "$SVCLAB" run --on vm -d ipvs scenarios/ipvs/text.lua
	is "the VM's tools take kube-proxy's text" 0 "$code"
	like "ipvsadm lists it there as svclab rules does" '^ok [0-9]+ - .*is listed as kube-proxy planned it' "$out"
else
	skip "the VM's tools take kube-proxy's text" "the VM is not built here; make vm builds it"
	skip "ipvsadm lists it there as svclab rules does" "the VM is not built here; make vm builds it"
fi
