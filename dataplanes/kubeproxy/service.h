/* kubeproxy/service.h: a Service as kube-proxy sees it, for one IP family.
 *
 * A `service` is made from a Service object and its EndpointSlices (or, where it has
 * none, its Endpoints object). It is immutable and reference-counted, and knows nothing
 * of a node: all planners of one store share it. What depends on the node is which of
 * the endpoints it uses: service_choose.
 *
 * Variants. Planners hang the text blocks that they make on the service port, keyed by
 * everything the text depends on beside the port itself: mode, family settings (an
 * interned number) and the choice of endpoints. Two nodes with the same key share the
 * blocks; they go when the service goes.
 *
 * Source of behaviour: pkg/proxy serviceport.go, endpointslicecache.go, topology.go.
 */
#ifndef KUBEPROXY_SERVICE_H
#define KUBEPROXY_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "dataplane.h"
#include "dataplanes/kubeproxy/config.h"
#include "kube/store.h"

struct endpoint {
	struct net_addr addr;
	uint16_t port;
	bool ready, serving, terminating;
	bool copy;                     /* same address and port as the one before */
	const char *node;              /* "" unknown */
	const char *text;              /* "10.0.0.1:80", "[fd00::1]:80" */
	const char *ip;                /* "10.0.0.1" */
	const struct kube_strings *zones, *nodes; /* hints; count 0: none */
};

struct variant { /* blocks of a service port, or of a run of services, for one key */
	struct variant *next;
	uint32_t context, key_length;
	struct block *blocks[4];       /* what each is: the planner's; NULL empty */
	uint8_t key[];
};

struct service_port {
	struct service *service;
	const char *name;              /* "ns/name:port" or "ns/name" */
	const char *port_name;         /* "" none */
	const char *proto;             /* "tcp", "udp", "sctp" */
	uint8_t proto_number;
	uint16_t port, node_port, health_check_node_port;
	struct net_addr cluster_ip;
	const char *cluster_ip_text;
	const char **external_ips, **vips, **ranges; /* text; ranges masked */
	uint32_t external_ip_count, vip_count, range_count;
	struct net_prefix *range_prefixes;
	bool affinity, etp_local, itp_local, hints_annotated, hints_auto;
	int32_t affinity_seconds;
	struct endpoint *endpoints;    /* sorted by text, copies side by side */
	uint32_t endpoint_count;       /* with copies */
	uint32_t distinct_count;
	bool same_everywhere;          /* the choice is the same on every node */
	struct variant *variants;
	char hash[17];                 /* iptables: of name and protocol */
	char (*endpoint_hashes)[17];   /* iptables: one an endpoint */
};

struct service { /* one allocation, with all that it points to but objects and variants */
	uint32_t references;
	const char *namespace, *name, *full_name; /* "ns/name" */
	struct service_port *ports;    /* sorted by port name */
	uint32_t port_count;
	uint64_t content;              /* equal numbers: equal ports and endpoints */
	/* What it was made of; keeps alive what the endpoints point to. */
	const struct kube_object *object;
	const struct kube_object **slices;
	uint32_t slice_count;
};

/* What a node uses of a service port's endpoints. */
struct endpoint_choice {
	const struct endpoint **cluster, **local, **all;
	uint32_t cluster_count, local_count, all_count;
	bool has_endpoints;
	bool internal, external;       /* whether that traffic has an endpoint */
};

/* NULL: the Service has no rules in this family (headless, ExternalName, no ClusterIP). */
struct service *service_new(const struct kube_store *store, const struct kube_service *object,
			    uint8_t family, struct arena *scratch);
struct service *service_ref(struct service *s);
void service_unref(struct service *s); /* NULL is allowed */
/* Whether it was made of what the store holds now. */
bool service_current(const struct service *s, const struct kube_store *store);
/* Gives `s` the blocks that were made for an equal service. */
void service_adopt(struct service *s, const struct service *equal);
/* Whether both have the same ports and endpoints. */
bool service_equal(const struct service *a, const struct service *b);

bool port_externally_accessible(const struct service_port *p);
bool port_uses_cluster(const struct service_port *p);
bool port_uses_local(const struct service_port *p);
/* Whether a source range of the port contains the address. */
bool port_range_contains(const struct service_port *p, const struct net_addr *a);

/* The endpoints that this node uses; lists live in `a`. */
void service_choose(const struct service_port *p, const struct proxy_config *c, struct arena *a,
		    struct endpoint_choice *out);

/* The variant of a context and choice, NULL when there is none yet; `flags` are further
 * bits of the key. The key is written to `a` for variant_add. */
struct variant_key {
	uint32_t context, length;
	const uint8_t *bytes;
};
struct variant_key variant_key(const struct service_port *p, const struct endpoint_choice *choice,
			       uint32_t context, uint8_t flags, struct arena *a);
struct variant *variant_find(struct variant *list, const struct variant_key *key);
struct variant *variant_add(struct variant **list, const struct variant_key *key);
void variants_free(struct variant *list);

/* iptables' hashes, made when first asked for. */
const char *port_hash(struct service_port *p);
const char *endpoint_hash(struct service_port *p, const struct endpoint *e);

#endif
