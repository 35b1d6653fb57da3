/* dns/zone_internal.h: what the parts of the kubernetes plugin share; see zone.h. */
#ifndef DNS_ZONE_INTERNAL_H
#define DNS_ZONE_INTERNAL_H

#include "dns/zone.h"

#define ZONE_LABEL 256 /* a label in text, whatever octets it has */

/* What a name left of the zone says. Texts are lower case; "" where there is none. */
struct zone_request {
	char port[ZONE_LABEL], protocol[ZONE_LABEL], endpoint[ZONE_LABEL];
	char service[ZONE_LABEL], namespace[ZONE_LABEL];
	char topology_zone[DNS_NAME_TEXT];
	bool prefer;             /* fall back to all endpoints */
	bool pod, svc;           /* neither: the zone itself, "svc" or "pod" */
};

/* False: no such name can exist. */
bool zone_parse(const struct dns_name *name, unsigned zone_labels, bool zonal,
		struct zone_request *out);

/* One thing found: an address, a name (ExternalName) or a text. */
struct zone_item {
	struct net_addr addr;         /* NET_NONE: host or text */
	const char *host, *text;
	int32_t port;                 /* -1: no port declared */
	uint32_t ttl;
	struct dns_name target;       /* the name that SRV and NS records give it */
};

struct zone_items {
	struct zone_item *items;
	uint32_t count, capacity;
};

/* A question under way; `zone` has the question's case. */
struct zone_query {
	const struct dns_kube *kube;
	struct arena *arena;
	struct dns_name zone;
	unsigned zone_labels;
};

/* What exists under the name for a type; false: the name does not exist. */
bool zone_services(const struct zone_query *q, const struct dns_name *name, uint16_t type,
		   struct zone_items *out);
/* Addresses of the servers of the zone, with their names. */
void zone_servers(const struct zone_query *q, struct zone_items *out);
/* Names of an address: hosts; false: none, or no address. */
bool zone_reverse(const struct zone_query *q, const struct dns_name *name, struct zone_items *out);
/* "10.0.0.1" or a name; an IPv4 address written as IPv6 is IPv4, as in Go. */
void zone_item_host(struct zone_item *item, const char *host);

#endif
