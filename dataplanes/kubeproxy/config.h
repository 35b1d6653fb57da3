/* kubeproxy/config.h: what one kube-proxy was told and knows about its node.
 *
 * Read from the KubeProxyConfiguration of the store with kube-proxy's defaults; without
 * one, kubeadm's ClusterConfiguration gives the pod range as kubeadm itself would write
 * it. The node's addresses, labels and pod ranges come from its Node object and from the
 * view. Everything is resolved per family here, so that planners ask no more questions.
 *
 * Families: kube-proxy runs one proxier a family. Here a family has a proxier when the
 * node has an address of it or a Service has a ClusterIP of it; on a single-stack cluster
 * the other family's empty base chains are left out.
 */
#ifndef KUBEPROXY_CONFIG_H
#define KUBEPROXY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "dataplane.h"

enum { PROXY_V4, PROXY_V6, PROXY_FAMILIES };

enum detect_kind { DETECT_NONE, DETECT_CIDR, DETECT_BRIDGE, DETECT_PREFIX };

struct local_detector { /* tells the node's own pods from the rest */
	enum detect_kind kind;
	const char *text; /* CIDR, interface or prefix */
};

struct prefix_list {
	struct net_prefix *items;
	uint32_t count;
};

struct addr_list {
	struct net_addr *items;
	uint32_t count;
};

struct family_config {
	bool used;                    /* the node has an address of it */
	uint8_t family;               /* NET_V4, NET_V6 */
	struct net_addr node_ip;      /* the loopback address when the Node has none */
	struct local_detector detect;
	/* nodePortAddresses of this family; match_all when there is none or a /0. */
	struct prefix_list node_port_cidrs;
	bool node_port_all, node_port_loopback;
	struct addr_list node_port_ips;   /* the node's addresses they match, sorted as text */
	struct addr_list node_addrs;      /* all of the node's, but kube-ipvs0's */
	struct prefix_list service_cidrs; /* of ServiceCIDR objects */
};

struct proxy_config {
	enum kube_version version;
	const char *node, *zone;      /* zone: label of the node, "" none */
	struct family_config families[PROXY_FAMILIES];
	uint32_t masquerade_mark;
	bool masquerade_all, localhost_node_ports, has_nfacct, be_liberal;
	int64_t min_sync_ns, sync_ns;
	/* ipvs */
	const char *scheduler;
	bool strict_arp;
	struct prefix_list exclude_cidrs;
	int64_t tcp_timeout_ns, tcp_fin_timeout_ns, udp_timeout_ns; /* 0: left alone */
	/* userspace */
	int64_t udp_idle_ns;
	/* conntrack; 0: left alone */
	int64_t conntrack_max, tcp_established_ns, tcp_close_wait_ns, udp_flow_ns, udp_stream_ns;
	/* health */
	bool node_eligible;           /* not being deleted, not to be removed by the autoscaler */
	uint16_t healthz_port;        /* 0: not served */
};

/* `mode`: whose section counts ("iptables", "ipvs", "nftables", "userspace"). Strings
 * live in `a`. EINVAL: a value kube-proxy does not take. */
int proxy_config_read(const struct proxy_view *view, const char *mode, struct arena *a,
		      struct proxy_config *out, struct err *err);

/* Reads node_eligible again: the Node may be tainted between two syncs. */
void proxy_config_node(const struct proxy_view *view, struct proxy_config *c);

#endif
