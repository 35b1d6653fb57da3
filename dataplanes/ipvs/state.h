/* ipvs/state.h: what ipvs mode wants on a node: addresses, set members, virtual servers.
 *
 * A state is collected from services and compared with another one; the difference is
 * what a sync does. All members are texts as the tools write them.
 *
 * Source of behaviour: pkg/proxy/ipvs/proxier.go and ipset.go of v1.30, v1.25 and v1.20.
 */
#ifndef IPVS_STATE_H
#define IPVS_STATE_H

#include "dataplanes/kubeproxy/kubeproxy.h"

enum ipvs_set { /* in the order in which kube-proxy makes them */
	SET_LOOP_BACK, SET_CLUSTER_IP, SET_EXTERNAL_IP, SET_EXTERNAL_IP_LOCAL, SET_LOAD_BALANCER,
	SET_LOAD_BALANCER_FW, SET_LOAD_BALANCER_LOCAL, SET_SOURCE_IP, SET_SOURCE_CIDR,
	SET_NODE_PORT_TCP, SET_NODE_PORT_LOCAL_TCP, SET_NODE_PORT_UDP, SET_NODE_PORT_LOCAL_UDP,
	SET_NODE_PORT_SCTP, SET_NODE_PORT_LOCAL_SCTP, SET_HEALTH_CHECK, SET_IPVS_IPS, SET_COUNT
};

struct ipvs_set_kind {
	const char *name;      /* "KUBE-CLUSTER-IP" */
	const char *type;      /* "hash:ip,port" */
	const char *comment;   /* in iptables rules */
	enum kube_version from;
};
extern const struct ipvs_set_kind ipvs_sets[SET_COUNT];
#define IPVS_SET_NAME 40
/* With the family's prefix, cut as kube-proxy cuts it. */
const char *ipvs_set_name(enum ipvs_set set, uint8_t family, char out[IPVS_SET_NAME]);

struct virtual_server {
	const char *options;   /* "-s rr -p 10800" */
	bool streams;          /* TCP: connections outlive a removal */
	const char **reals;    /* "10.244.1.5:80", sorted as text */
	uint32_t real_count;
	bool kept;             /* wanted by the state it is compared with */
};

struct ipvs_state {
	struct arena *memory;
	struct table addresses;              /* to bind to kube-ipvs0 */
	struct table members[SET_COUNT];
	struct table servers;                /* "-t 10.96.0.1:443" -> struct virtual_server */
};

void ipvs_state_init(struct ipvs_state *s);
void ipvs_state_free(struct ipvs_state *s);
/* Adds what one service asks for, all but KUBE-LOOP-BACK. `scratch`: for the call. */
void ipvs_collect(struct ipvs_state *s, const struct proxy_config *c, unsigned family,
		  const struct service *service, struct arena *scratch);
/* Adds the KUBE-LOOP-BACK members of one service: its endpoints on this node. */
void ipvs_collect_loop_back(struct ipvs_state *s, const struct proxy_config *c,
			    const struct service *service);
/* A member that the kernel refuses: a source range of length 0. */
bool ipvs_member_refused(const char *member);
/* The node's addresses that node ports get virtual servers on. */
uint32_t ipvs_node_ips(const struct proxy_config *c, unsigned family, struct arena *a,
		       const char ***out);

#endif
