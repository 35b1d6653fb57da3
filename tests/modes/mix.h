/* tests/modes/mix.h: random clusters and traffic.
 *
 * A *mix* is a small cluster (nodes, pods with their states, Services), the questions
 * that are asked of it (*probes*: a client, a Service, how the client names it) and one
 * change in the middle of open connections. It is plain data without pointers: a copy
 * is an assignment, and a mix is made simpler by changing a field. The same mix runs on
 * every dataplane; what differs between them must have a behaviour's ID.
 */
#ifndef TESTS_MODES_MIX_H
#define TESTS_MODES_MIX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"

enum { MIX_NODES = 3, MIX_PODS = 5, MIX_SERVICES = 4, MIX_PROBES = 14, MIX_GROUPS = 2 };

enum mix_state { POD_READY, POD_UNREADY, POD_DRAINING, POD_DRAINING_UNREADY };

struct mix_pod {
	bool there;
	uint8_t group, node;
	enum mix_state state;
};

enum mix_type { SERVICE_CLUSTER, SERVICE_NODE_PORT, SERVICE_BALANCED };
enum mix_ranges { RANGES_NONE, RANGES_OUTSIDER, RANGES_PODS, RANGES_NOBODY };

struct mix_service {
	bool there;
	uint8_t group;          /* MIX_GROUPS: selects no pod */
	enum mix_type type;
	bool udp, external_local, internal_local, affinity, external_ip, dual, not_ready;
	enum mix_ranges ranges; /* of a balanced one */
};

enum mix_client { CLIENT_POD, CLIENT_SERVER, CLIENT_NODE, CLIENT_LAN, CLIENT_FAR };
enum mix_front {
	FRONT_CLUSTER, FRONT_UNDEFINED, FRONT_PING, FRONT_NODE_PORT, FRONT_LOOPBACK, FRONT_GATEWAY,
	FRONT_BALANCER, FRONT_EXTERNAL, FRONT_COUNT
};

struct mix_probe {
	bool there, v6;
	enum mix_client client;
	uint8_t at;             /* node of the client; of CLIENT_SERVER the pod */
	uint8_t service;
	enum mix_front front;
	uint8_t node;           /* FRONT_NODE_PORT: whose address */
};

enum mix_change { CHANGE_NONE, CHANGE_LABEL, CHANGE_UNREADY, CHANGE_SERVICE, CHANGE_RESTART,
		  CHANGE_COUNT };

struct mix {
	uint64_t seed;
	uint8_t nodes;
	bool routed, dual, masquerade_all, no_detector, node_cidr;
	struct mix_pod pods[MIX_PODS];
	struct mix_service services[MIX_SERVICES];
	struct mix_probe probes[MIX_PROBES];
	enum mix_change change; /* after each connection of the probes to ClusterIPs was opened */
};

void mix_draw(struct mix *m, uint64_t seed);
/* The step-th way to make a mix simpler (from 0); false: there are no more. The mix may
 * come out unchanged. */
bool mix_simplify(struct mix *m, uint32_t step);

/* Manifests of pods and Services, and what kube-proxy's configuration gets. */
void mix_yaml(const struct mix *m, struct strbuf *out);
void mix_proxy_config(const struct mix *m, struct strbuf *out);
/* The contract's names of a probe's ends; `cluster_ip` is the Service's address in the
 * probe's family. */
const char *mix_from(const struct mix_probe *p, char out[64]);
const char *mix_to(const struct mix_probe *p, const char *cluster_ip, const char *node_address,
		   const char *gateway, char out[96]);

uint16_t mix_port(const struct mix_probe *p);

#endif
