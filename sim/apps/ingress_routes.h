/* apps/ingress_routes.h: where an Ingress controller sends a request.
 *
 * A picture of the Ingresses, Services and EndpointSlices of one moment, as ingress-nginx
 * makes an nginx.conf of them (internal/ingress/controller). Hosts: the exact one, then a
 * wildcard that stands for one label, then the rules without a host. Paths of a host:
 * Exact, then Prefix by path elements and ImplementationSpecific by characters, the longest
 * first. Where two Ingresses say the same host and path the older one has it. What no path
 * takes goes to the defaultBackend of the host's Ingress, else to the controller's own
 * default backend.
 *
 * A backend's upstreams are the ready endpoints themselves. With the annotation
 * nginx.ingress.kubernetes.io/service-upstream it is the Service's ClusterIP. A Service of
 * type ExternalName has none: names are not resolved here.
 */
#ifndef APPS_INGRESS_ROUTES_H
#define APPS_INGRESS_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/store.h"
#include "net/sockets.h"

struct ingress_class { /* which Ingresses are ours; borrowed texts */
	const char *controller;      /* of an IngressClass: "k8s.io/ingress-nginx" */
	const char *annotation;      /* of kubernetes.io/ingress.class: "nginx" */
	bool without_class;          /* also those that name no class */
	const char *default_service; /* "NS/NAME" behind the default backend; NULL: 404 */
};

struct ingress_upstream { /* what one backend leads to */
	const char *name;            /* "default-web-80", as in the controller's log */
	struct sock_name *endpoints; /* in the order of the slices */
	uint32_t count;
};

struct ingress_routes;

bool ingress_is_ours(const struct kube_store *s, const struct ingress_class *class,
		     const struct kube_ingress *g);
struct ingress_routes *ingress_routes_new(const struct kube_store *s,
					  const struct ingress_class *class);
void ingress_routes_free(struct ingress_routes *r); /* NULL is allowed */
/* `host` may have a port, `path` a query. NULL: the default backend, which has nothing
 * behind it. */
const struct ingress_upstream *ingress_route(const struct ingress_routes *r, const char *host,
					     const char *path);

#endif
