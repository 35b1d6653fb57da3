#!/bin/sh
# Makes what `svclab run --on vm` boots: Debian's cloud kernel and an initramfs with
# busybox, the real netfilter tools and svclab's libraries.
#
# Usage: vm/build.sh FOLDER SVCLAB
# Writes FOLDER/vmlinuz, FOLDER/base.cpio (the same bytes for the same packages) and
# FOLDER/version (kernel and tools). Does nothing when FOLDER/key says that all is as it
# would be made now. The kernel is the one that linux-image-cloud-amd64 depends on, taken
# with apt-get download, so no root is needed.
set -eu
folder=$1
svclab=$2
die() { echo "vm: $*" >&2; exit 1; }
[ "$(uname -m)" = x86_64 ] || die "this machine is $(uname -m); the VM is made for x86_64 only"
for tool in qemu-system-x86_64 busybox cpio dpkg-deb apt-cache depmod ldd strip; do
	command -v "$tool" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null 2>&1 ||
		die "$tool is missing; install qemu-system-x86 busybox-static cpio kmod binutils"
done
PATH=$PATH:/usr/sbin:/sbin
export PATH
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

tools="iptables-legacy-restore iptables-nft-restore nft ipset ipvsadm conntrack ip tc ss"
package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -n 1)
[ -n "$package" ] || die "no package linux-image-cloud-amd64 in the package lists; run apt-get update"
files=
for tool in $tools; do
	path=$(command -v "$tool") || die "$tool is missing; install iptables nftables ipset ipvsadm conntrack iproute2"
	files="$files $(readlink -f "$path")"
done
# dpkg's status stands for all that packages bring; what came another way is in svclab's list.
key=$({ echo "$package $files"; cat "$0" "$(dirname "$0")/init" /var/lib/dpkg/status; ldd "$svclab" |
	sed 's/ (.*//'; } | sha256sum | cut -d ' ' -f 1)
if [ -f "$folder/key" ] && [ "$(cat "$folder/key")" = "$key" ] && [ -f "$folder/base.cpio" ]; then
	exit 0
fi

libraries=$(ldd "$svclab" $files /usr/lib/x86_64-linux-gnu/xtables/*.so 2>/dev/null |
	sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' | sort -u)
echo "vm: taking $package" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
(cd "$work" && apt-get download "$package" >apt.log 2>&1) || { tail -n 3 "$work/apt.log" >&2; die "could not download $package"; }
dpkg-deb -x "$work"/*.deb "$work/kernel"
release=$(basename "$work"/kernel/lib/modules/*)
root=$work/root
mkdir -p "$root"/bin "$root"/sbin "$root"/usr/sbin "$root"/dev "$root"/proc "$root"/sys "$root"/run \
	"$root"/tmp "$root"/out "$root"/etc "$root/lib/modules/$release"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $(busybox --list); do
	[ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
done
for tool in $tools iptables-legacy iptables-legacy-save ip6tables-legacy ip6tables-legacy-restore \
	ip6tables-legacy-save iptables-nft iptables-nft-save ip6tables-nft ip6tables-nft-restore ip6tables-nft-save; do
	real=$(readlink -f "$(command -v "$tool")")
	rm -f "$root/bin/$(basename "$real")" "$root/bin/$tool"
	cp "$real" "$root/bin/"
	[ "$tool" = "$(basename "$real")" ] || ln -s "$(basename "$real")" "$root/bin/$tool"
done
ln -s /bin/busybox "$root/sbin/modprobe" # where the kernel looks for it
for library in $libraries; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
done
mkdir -p "$root/usr/lib/x86_64-linux-gnu"
cp -r /usr/lib/x86_64-linux-gnu/xtables "$root/usr/lib/x86_64-linux-gnu/"
cp /etc/protocols /etc/services "$root/etc/" 2>/dev/null || true
# The modules of the tools and of vm/init, with what they need. Without signatures: checking
# them takes the emulated processor longer than all the rest of loading.
from=$work/kernel/lib/modules/$release
depmod -b "$work/kernel" "$release" 2>/dev/null
modules=$(cd "$from" && ls kernel/net/netfilter/*.ko kernel/net/netfilter/*/*.ko kernel/net/ipv4/netfilter/*.ko \
	kernel/net/ipv6/netfilter/*.ko kernel/net/bridge/br*.ko kernel/net/sched/sch_netem.ko kernel/net/sctp/sctp.ko \
	kernel/drivers/net/veth.ko kernel/drivers/net/dummy.ko)
for module in $modules; do
	sed -n "s|^$module: *||p" "$from/modules.dep" | tr ' ' '\n'
	echo "$module"
done | sed '/^$/d' | sort -u >"$work/modules"
while read -r module; do
	mkdir -p "$root/lib/modules/$release/$(dirname "$module")"
	strip --strip-debug -o "$root/lib/modules/$release/$module" "$from/$module"
done <"$work/modules"
cp "$from"/modules.order "$from"/modules.builtin "$root/lib/modules/$release/"
depmod -b "$root" "$release" 2>/dev/null
cp "$(dirname "$0")/init" "$root/init"
chmod 755 "$root/init"
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --reproducible -R 0:0 --quiet) >"$folder/base.cpio.tmp"
cp "$work"/kernel/boot/vmlinuz-* "$folder/vmlinuz"
{
	echo "kernel $release ($(dpkg-deb -f "$work"/*.deb Version))"
	iptables-legacy -V
	nft -v
	ipset -v | head -n 1
	ipvsadm -v 2>/dev/null | head -n 1
	qemu-system-x86_64 --version | head -n 1
} >"$folder/version"
mv "$folder/base.cpio.tmp" "$folder/base.cpio"
echo "$key" >"$folder/key"
echo "vm: $(sed -n 1p "$folder/version"), initramfs of $(du -m "$folder/base.cpio" | cut -f 1) MB" >&2
