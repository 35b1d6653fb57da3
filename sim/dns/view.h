/* dns/view.h: what CoreDNS knows of the cluster: its informers' caches.
 *
 * A view holds references to the Namespaces, Services, EndpointSlices and Pods that
 * it has been told of, with the indexes CoreDNS has: Services and slices by service
 * name, both by address, Pods by address. It is fed by a store: dns_view_watch lists
 * what is there and follows the changes, each after the watch delay, so that a view
 * lags behind the store as a real CoreDNS lags behind the API server.
 *
 * `generation` changes with every change that can alter an answer; caches of finished
 * answers compare it. `modified_ns` is the time of the last change to a Service or to
 * endpoints: the SOA serial.
 *
 * Until `synced` is set, what would be NXDOMAIN is SERVFAIL.
 */
#ifndef DNS_VIEW_H
#define DNS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/store.h"

struct dns_view;

struct dns_view *dns_view_new(void);
void dns_view_free(struct dns_view *v);
/* Lists the store into the view and follows it. The store must outlive the view, or
 * dns_view_unwatch be called. */
void dns_view_watch(struct dns_view *v, struct kube_store *s, int64_t delay_ns);
void dns_view_unwatch(struct dns_view *v);
/* Makes the view show this store (which it does not follow): objects that are gone are
 * deleted, all others are new. */
void dns_view_replace(struct dns_view *v, const struct kube_store *s, int64_t now_ns);
/* One change by hand. */
void dns_view_apply(struct dns_view *v, enum kube_change change, const struct kube_object *old,
		    const struct kube_object *now, int64_t now_ns);
void dns_view_set_synced(struct dns_view *v, bool synced);
bool dns_view_synced(const struct dns_view *v);
uint64_t dns_view_generation(const struct dns_view *v);
int64_t dns_view_modified_ns(const struct dns_view *v);

/* Look-ups; names are lower case, as the objects' are. NULL: not there. */
const struct kube_namespace *dns_view_namespace(const struct dns_view *v, const char *name);
const struct kube_service *dns_view_service(const struct dns_view *v, const char *namespace,
					    const char *name);
/* Lists: the count, and the items in *out, in order of namespace and name. Valid
 * until the next change. */
uint32_t dns_view_slices(const struct dns_view *v, const char *namespace, const char *service,
			 const struct kube_endpoint_slice *const **out);
uint32_t dns_view_services_by_ip(const struct dns_view *v, const struct net_addr *ip,
				 const struct kube_service *const **out);
uint32_t dns_view_slices_by_ip(const struct dns_view *v, const struct net_addr *ip,
			       const struct kube_endpoint_slice *const **out);
uint32_t dns_view_pods_by_ip(const struct dns_view *v, const struct net_addr *ip,
			     const struct kube_pod *const **out);

#endif
