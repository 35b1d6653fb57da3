/* kube/control/balancer.c: addresses for Services of type LoadBalancer.
 *
 * Stands for the cloud's service controller or MetalLB: takes the next address of the
 * pool (or loadBalancerIP), writes it into the status and keeps a finalizer, so that the
 * address is given back before the Service goes.
 *
 * Without loadBalancerClass nothing stands in front of the nodes: packets for the address
 * enter by the node that the client's traffic enters by anyway. The classes of balancer.h
 * have a load balancer there. The annotation svclab.dev/ip-mode overrules their mode: VIP in
 * front of a proxy is what providers do that know no ipMode.
 */
#include <string.h>

#include "core/arena.h"
#include "kube/control/balancer.h"
#include "kube/control/internal.h"

#define COMPONENT "service-controller"
#define FINALIZER "service.kubernetes.io/load-balancer-cleanup"

static bool ours(const struct kube_service *s)
{
	const char *class = s->spec.load_balancer_class;
	return kube_is(s->spec.type, "LoadBalancer") &&
	       (!class || !*class || kube_is(class, LB_CLASS_PROXY) ||
		kube_is(class, LB_CLASS_PASSTHROUGH));
}

static const char *mode_of(const struct control *c, const struct kube_service *s)
{
	const char *said = kube_map_get(&s->object.meta.annotations, "svclab.dev/ip-mode");
	if (said)
		return said;
	if (kube_is(s->spec.load_balancer_class, LB_CLASS_PROXY))
		return "Proxy";
	return kube_is(s->spec.load_balancer_class, LB_CLASS_PASSTHROUGH) ? "VIP"
									  : c->options.lb_ip_mode;
}

/* A proxy speaks TCP to node ports, as AWS's first load balancers. */
static const char *cannot(const struct kube_service *s)
{
	if (!kube_is(s->spec.load_balancer_class, LB_CLASS_PROXY))
		return NULL;
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		if (!kube_is(s->spec.ports.items[i].protocol, "TCP"))
			return "only TCP is supported by this class";
		if (!s->spec.ports.items[i].node_port)
			return "this class needs node ports";
	}
	return NULL;
}

static bool used(struct control *c, const char *ip)
{
	void *value;
	for (uint32_t i = 0; table_next(&c->index.records[KIND_SERVICE], &i, NULL, &value);) {
		const struct kube_service *s =
			(const struct kube_service *)(*(struct record **)value)->now;
		for (uint32_t j = 0; j < s->status.ingress.count; j++)
			if (kube_is(s->status.ingress.items[j].ip, ip))
				return true;
	}
	return false;
}

/* The next free address of the pool of this family; false: it is empty. */
static bool take(struct control *c, int family, char out[NET_ADDR_TEXT])
{
	const struct net_prefix *pool = &c->options.lb_pool[family];
	uint64_t *next = &c->balancer_next[family];
	bool wrapped = false;
	if (!pool->addr.family)
		return false;
	for (;;) {
		struct net_addr ip;
		if (!*next)
			*next = 1; /* the first address names the network */
		if (!net_prefix_nth(pool, (*next)++, &ip)) {
			if (wrapped)
				return false;
			wrapped = true;
			*next = 1;
			continue;
		}
		if (!used(c, net_addr_text(&ip, out)))
			return true;
	}
}

static void add_ingress(struct control *c, struct kube_service *s, const char *ip)
{
	struct kube_object *o = &s->object;
	const char *mode = mode_of(c, s);
	s->status.ingress.items[s->status.ingress.count++] = (struct kube_lb_ingress){
		.ip = kube_string(o, ip),
		.ip_mode = mode ? kube_string(o, mode) : NULL,
	};
}

static void ensure(struct control *c, const struct kube_service *s)
{
	const char *why = cannot(s);
	if (why) {
		control_event(c, &s->object, true, "SyncLoadBalancerFailed", COMPONENT,
			      "Error syncing load balancer: failed to ensure load balancer: %s", why);
		return;
	}
	struct kube_service *copy = (struct kube_service *)kube_copy(&s->object);
	char ip[NET_ADDR_TEXT];
	copy->status.ingress.count = 0;
	copy->status.ingress.items =
		arena_array(copy->object.arena, 2, sizeof *copy->status.ingress.items);
	control_event(c, &s->object, false, "EnsuringLoadBalancer", COMPONENT,
		      "Ensuring load balancer");
	if (s->spec.load_balancer_ip && *s->spec.load_balancer_ip) {
		add_ingress(c, copy, s->spec.load_balancer_ip);
	} else {
		for (uint32_t i = 0; i < 2; i++) {
			bool wants =
			    i < s->spec.ip_families.count || (!i && !s->spec.ip_families.count);
			bool v6 = i < s->spec.ip_families.count &&
				  kube_is(s->spec.ip_families.items[i], "IPv6");
			if (wants && take(c, v6, ip))
				add_ingress(c, copy, ip);
		}
	}
	if (!copy->status.ingress.count) {
		control_event(
		    c, &s->object, true, "SyncLoadBalancerFailed", COMPONENT,
		    "Error syncing load balancer: failed to ensure load balancer: no free "
		    "address");
		kube_unref(&copy->object);
		return;
	}
	control_add_finalizer(&copy->object, FINALIZER);
	control_event(c, &s->object, false, "EnsuredLoadBalancer", COMPONENT,
		      "Ensured load balancer");
	control_update(c, &copy->object, false);
}

static void release(struct control *c, const struct kube_service *s)
{
	struct kube_service *copy = (struct kube_service *)kube_copy(&s->object);
	copy->status.ingress.count = 0;
	control_forget_finalizer(&copy->object, FINALIZER);
	control_event(c, &s->object, false, "DeletedLoadBalancer", COMPONENT,
		      "Deleted load balancer");
	control_update(c, &copy->object, false);
}

void balancer_sync(struct control *c, const char *namespace, const char *name)
{
	struct service_record *r = index_service(&c->index, namespace, name);
	if (!r || c->options.no_load_balancer)
		return;
	const struct kube_service *s = (const struct kube_service *)r->record.now;
	if (ours(s) && !s->object.meta.deletion_ns) {
		if (!s->status.ingress.count)
			ensure(c, s);
	} else if (control_has_finalizer(&s->object, FINALIZER)) {
		release(c, s);
	}
}

void balancer_service_changed(struct control *c, const struct kube_service *now)
{
	if (now && !c->options.no_load_balancer &&
	    (ours(now) || control_has_finalizer(&now->object, FINALIZER)))
		queue_add(&c->balancer, now->object.meta.namespace, now->object.meta.name,
			  c->options.load_balancer);
}
