/* world/migration_internal.h: what the files of migration.h share. */
#ifndef WORLD_MIGRATION_INTERNAL_H
#define WORLD_MIGRATION_INTERNAL_H

#include "world/internal.h"
#include "world/migration.h"

enum mode { MODE_IPTABLES, MODE_IPVS, MODE_NFTABLES, MODE_USERSPACE, MODE_COUNT };

struct comparison {
	struct world *worlds[2];      /* before, after */
	enum mode modes[2];
	bool broken[2];               /* its rules do not load: nothing is measured */
	const struct kube_proxy_configuration *configuration; /* NULL: none was given */
	struct migration *out;
	uint32_t proxied;             /* Services that kube-proxy has rules for */
};

struct subject { /* one port of a Service that has rules */
	const struct kube_service *service;
	const struct kube_service_port *port;
	const char *name;             /* "ns/name:port" */
	const char *address;          /* its first ClusterIP */
	uint8_t proto;
	bool first;                   /* port of its Service */
	uint32_t endpoints;           /* ready, or terminating and still serving */
	bool affinity, external_local, internal_local;
	const char *virtual_ip;       /* a load balancer's that is kept on the node; NULL none */
	const char *external_ip;      /* NULL: none */
};

void migration_add(struct comparison *c, const char *id, const char *service, const char *what,
		   const char *before, const char *after, const char *advice);
/* A line that is there already is not said again. */
void migration_note(struct comparison *c, const char *line);

/* migration_fields.c */
void fields_compare_port(struct comparison *c, const struct subject *s);
void fields_compare_cluster(struct comparison *c);

/* migration_packets.c */
void packets_compare_port(struct comparison *c, const struct subject *s);
void packets_compare_cluster(struct comparison *c);

/* migration_nodes.c */
void nodes_compare(struct comparison *c);
int dumps_compare(struct comparison *c, const char *const *files, uint32_t count, struct err *err);
/* Whether a usable endpoint of the port is on the node (NULL: anywhere), or has the
 * address (NULL: any). */
uint32_t subject_endpoints(const struct comparison *c, const struct subject *s, const char *node,
			   const char *address);

#endif
