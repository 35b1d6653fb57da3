/* dns/zone.h: the kubernetes plugin: names of a cluster answered from a view.
 *
 * One `struct dns_kube` is one `kubernetes` directive. dns_kube_answer takes a
 * question in one of its zones apart and fills in the reply: rcode, answer,
 * authority (the SOA of a negative answer), additional. What it cannot answer itself
 * it says: DNS_KUBE_PASS is "fallthrough" to the next plugin. Targets of ExternalName
 * Services outside the zones are looked up through `lookup`, the server itself.
 *
 * Behaviour is that of CoreDNS 1.14.7 (plugin/kubernetes, plugin/backend_lookup.go):
 * names are compared without case, owners keep the question's case, targets take the
 * zone's part from the question and the rest from the objects.
 */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "dns/view.h"
#include "dns/wire.h"

enum dns_pods { DNS_PODS_DISABLED, DNS_PODS_INSECURE, DNS_PODS_VERIFIED };

struct dns_names { struct dns_name *items; uint32_t count; };

struct dns_kube {
	struct dns_names zones;          /* lower case */
	uint32_t primary;                /* first zone that is no reverse zone */
	enum dns_pods pods;
	uint32_t ttl;                    /* 5 */
	bool endpoint_pod_names, ignore_empty_service, no_endpoints, zonal;
	struct dns_names fall;           /* zones of `fallthrough`; the root for all */
	struct kube_strings namespaces;  /* empty: all */
	struct kube_selector labels, namespace_labels;
	const struct dns_view *view;
	const struct net_addr *local;    /* addresses CoreDNS is bound to, no loopback */
	uint32_t local_count;
	bool is_kube_dns;                /* else what Services its addresses are in */
	int64_t epoch_s;                 /* Unix time of virtual time 0, for the serial */
};

enum dns_kube_result {
	DNS_KUBE_DONE,     /* the reply is complete */
	DNS_KUBE_PASS,     /* not ours: next plugin */
	DNS_KUBE_REFUSED   /* zone transfer */
};

struct dns_kube_query {
	struct arena *arena;             /* for records of the reply */
	const struct dns_question *question;
	dns_lookup_fn *lookup;
	void *ctx;
};

/* `reply` has its header and question filled in; AA is set here. */
enum dns_kube_result dns_kube_answer(const struct dns_kube *k, const struct dns_kube_query *q,
				     struct dns_message *reply);
/* The longest zone that holds the name, or NULL. */
const struct dns_name *dns_names_match(const struct dns_names *zones, const struct dns_name *name);

#endif
