#!/bin/sh
# Installs the Debian packages that a target needs and that are missing.
# Usage: tools/deps.sh build|test|conformance|netns|vm|bench|plots...
# Says what it installs; does nothing when all is there.
set -eu

build="gcc make pkg-config libc6-dev libfyaml-dev libjansson-dev libldns-dev uthash-dev libmd-dev libedit-dev liblua5.4-dev libpcap-dev libnet1-dev"
test="$build perl git iptables nftables ipset ipvsadm iproute2 tshark lua-check gnuplot-nox jq python3 bind9-dnsutils dnsperf"
conformance="$build perl"
netns="iptables nftables ipset iproute2 conntrack ethtool kmod procps util-linux"
vm="$netns ipvsadm qemu-system-x86 busybox-static cpio dpkg"
bench="$build valgrind time bind9-dnsutils dnsperf nsd"
plots="$build gnuplot-nox"

want=
for target; do
	case $target in
	build) want="$want $build" ;;
	test) want="$want $test" ;;
	conformance) want="$want $conformance" ;;
	netns) want="$want $netns" ;;
	vm) want="$want $vm" ;;
	bench) want="$want $bench" ;;
	plots) want="$want $plots" ;;
	*) want=; break ;;
	esac
done
[ -n "$want" ] || {
	echo "usage: tools/deps.sh build|test|conformance|netns|vm|bench|plots..." >&2
	exit 2
}

command -v dpkg-query >/dev/null 2>&1 || {
	echo "deps: this is not Debian; install by hand what these packages give: $want" >&2
	exit 0
}

missing=
for package in $(printf '%s\n' $want | sort -u); do
	dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
# The VM's kernel is taken with apt-get download, which needs the package lists.
lists=
case " $* " in
*" vm "*) apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || lists=missing ;;
esac
[ -n "$missing$lists" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	echo "deps: missing packages:${missing:- (only their lists)}" >&2
	echo "deps: not root and sudo asks for a password. Run: sudo apt-get update; sudo apt-get install$missing" >&2
	exit 1
fi
echo "deps: ${missing:+installing$missing}${lists:+ fetching the package lists}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $as_root apt-get update -qq &&
	{ [ -z "$missing" ] ||
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; }; } >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	echo "deps: could not install$missing (see above)" >&2
	exit 1
fi
