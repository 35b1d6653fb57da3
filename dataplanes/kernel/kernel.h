/* dataplanes/kernel/kernel.h: the executor on real Linux, in network namespaces.
 *
 * Places become network namespaces of this very process: it creates them with
 * unshare, keeps a descriptor of each, and enters one with setns whenever it opens a
 * socket, a packet capture or starts a tool there. A socket stays in the namespace it
 * was opened in, so one process and one epoll serve all places, no agent processes are
 * needed, and all of it vanishes with the process, also after a crash or Ctrl-C.
 *
 * As root the namespaces are plain; anybody else gets a user namespace first, where
 * he is root (uid 0 mapped to his own). /run becomes a private tmpfs for the tools'
 * lock files.
 *
 * The network is the same that the Linux model's executor builds (model/model.h):
 *
 *   gateway   bridge "eth0" with a port to every eth0 of the LAN, and "overlay"
 *   node      eth0, cni0 (or routed veths), default route to the gateway, a route to
 *             each other node's pod range, forwarding on
 *   pod       eth0, a veth to its node           outside   eth0 on the LAN
 *
 * Rules are loaded with the real tools; packets leave real sockets; libpcap listens at
 * every interface with offloads switched off; crafted packets are injected with libnet.
 *
 * Time follows CLOCK_MONOTONIC, less what this process was busy with other things than
 * waiting: one process is all clients and servers, and none of them gets on meanwhile.
 * `hurry` lets the clock jump over spans in which no client socket is open, so that the
 * control plane's delays cost no wall time; the kernel's own timers do not jump.
 */
#ifndef DATAPLANES_KERNEL_KERNEL_H
#define DATAPLANES_KERNEL_KERNEL_H

#include "dataplane.h"

/* iptables is spoken by the legacy tools where the kernel has them (netns_executor) or
 * by iptables-nft (netns_nft_executor, --on netns-nft). */
extern const struct executor_class netns_executor;
extern const struct executor_class netns_nft_executor;

/* Once a process: a user namespace when not root, a mount namespace with a private /run,
 * which goes with the process however that ends. ENOTSUP and the reason where the machine
 * does not allow it. */
int namespace_prepare(struct err *err);

#endif
