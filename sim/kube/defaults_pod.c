/* kube/defaults_pod.c: see defaults.h. */
#include <stdlib.h>
#include <string.h>

#include "kube/defaults.h"
#include "kube/pool.h"
#include "kube/store.h"

/* Lists may be shared with other objects of a load, so what changes is a copy of
 * theirs; and the copy is shared again, as 150,000 pods of one template are. */
static void *changeable(const void *items, uint32_t count, size_t size)
{
	void *copy = mem_array(count, size);
	if (count)
		memcpy(copy, items, count * size);
	return copy;
}

static void *keep(struct kube_object *o, void *copy, uint32_t count, size_t size)
{
	void *kept = o->pool ? kube_pool_bytes(o->pool, copy, count * size) :
			       memcpy(arena_array(o->arena, count, size), copy, count * size);
	free(copy);
	return kept;
}

static void set_text(const char **member, const char *value)
{
	if (!*member || !**member)
		*member = value;
}

static void set_int(struct opt_int *member, int64_t value)
{
	if (!member->set)
		*member = (struct opt_int){ true, value };
}

/* ":latest", or neither tag nor digest. */
static bool pulls_always(const char *image)
{
	const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
	const char *tag = strchr(name, ':');
	if (strchr(name, '@'))
		return false;
	return !tag || strcmp(tag, ":latest") == 0;
}

static void default_handler(struct kube_probe_handler *h)
{
	if (!h->http_get.set)
		return;
	set_text(&h->http_get.path, "/");
	set_text(&h->http_get.scheme, "HTTP");
}

static void default_probe(struct kube_probe *p)
{
	if (!p->set)
		return;
	default_handler(&p->handler);
	set_int(&p->timeout_s, 1);
	set_int(&p->period_s, 10);
	set_int(&p->success_threshold, 1);
	set_int(&p->failure_threshold, 3);
}

static bool port_is_complete(const struct kube_container_port *p, bool host_network)
{
	return p->protocol && *p->protocol && !(host_network && p->host_port == 0);
}

static void default_ports(struct kube_object *o, struct kube_container *c, bool host_network)
{
	bool complete = true;
	for (uint32_t i = 0; i < c->ports.count; i++)
		complete &= port_is_complete(&c->ports.items[i], host_network);
	if (complete)
		return;
	struct kube_container_port *ports =
		changeable(c->ports.items, c->ports.count, sizeof *ports);
	for (uint32_t i = 0; i < c->ports.count; i++) {
		set_text(&ports[i].protocol, "TCP");
		if (host_network && ports[i].host_port == 0)
			ports[i].host_port = ports[i].container_port;
	}
	c->ports.items = keep(o, ports, c->ports.count, sizeof *ports);
}

static void default_container(struct kube_object *o, struct kube_container *c, bool host_network)
{
	default_ports(o, c, host_network);
	if (c->image)
		set_text(&c->image_pull_policy, pulls_always(c->image) ? "Always" : "IfNotPresent");
	set_text(&c->termination_message_path, "/dev/termination-log");
	set_text(&c->termination_message_policy, "File");
	default_probe(&c->liveness);
	default_probe(&c->readiness);
	default_probe(&c->startup);
	default_handler(&c->lifecycle.post_start);
	default_handler(&c->lifecycle.pre_stop);
}

/* Whether a container looks as if it had been defaulted: then its list is left shared. */
static bool container_is_complete(const struct kube_container *c, bool host_network)
{
	for (uint32_t i = 0; i < c->ports.count; i++)
		if (!port_is_complete(&c->ports.items[i], host_network))
			return false;
	return c->image_pull_policy && c->termination_message_path &&
	       c->termination_message_policy && !c->liveness.set && !c->readiness.set &&
	       !c->startup.set && !c->lifecycle.has_post_start && !c->lifecycle.has_pre_stop;
}

static void default_containers(struct kube_object *o, struct kube_containers *list,
			       bool host_network)
{
	bool complete = true;
	for (uint32_t i = 0; i < list->count; i++)
		complete &= container_is_complete(&list->items[i], host_network);
	if (complete)
		return;
	const struct kube_container *before = list->items;
	struct kube_container *known =
	    o->pool ? kube_pool_result(o->pool, before, host_network) : NULL;
	if (known) {
		list->items = known;
		return;
	}
	struct kube_container *items = changeable(list->items, list->count, sizeof *items);
	for (uint32_t i = 0; i < list->count; i++)
		default_container(o, &items[i], host_network);
	list->items = keep(o, items, list->count, sizeof *items);
	if (o->pool)
		kube_pool_remember(o->pool, before, host_network, list->items);
}

void kube_default_pod_spec(struct kube_object *o, struct kube_pod_spec *spec)
{
	bool host_network = spec->host_network == TRI_TRUE;
	set_text(&spec->restart_policy, "Always");
	set_text(&spec->dns_policy, "ClusterFirst");
	set_text(&spec->scheduler_name, "default-scheduler");
	set_int(&spec->termination_grace_s, 30);
	default_containers(o, &spec->containers, host_network);
	default_containers(o, &spec->init_containers, host_network);
}

/* Requests are the limits where they are missing; in Pods only, not in templates. */
static void default_requests(struct kube_object *o, struct kube_container *c)
{
	for (uint32_t i = 0; i < c->resources.limits.count; i++) {
		const struct kube_pair *limit = &c->resources.limits.items[i];
		if (!kube_map_get(&c->resources.requests, limit->key))
			kube_map_set(o, &c->resources.requests, limit->key, limit->value);
	}
}


static void default_all_requests(struct kube_object *o, struct kube_containers *list)
{
	bool limits = false;
	for (uint32_t i = 0; i < list->count; i++)
		limits |= list->items[i].resources.limits.count >
			  list->items[i].resources.requests.count;
	if (!limits)
		return;
	struct kube_container *items = changeable(list->items, list->count, sizeof *items);
	for (uint32_t i = 0; i < list->count; i++)
		default_requests(o, &items[i]);
	list->items = keep(o, items, list->count, sizeof *items);
}

void kube_default_pod(struct kube_object *o)
{
	struct kube_pod *p = (struct kube_pod *)o;
	kube_default_pod_spec(o, &p->spec);
	default_all_requests(o, &p->spec.containers);
	default_all_requests(o, &p->spec.init_containers);
	if (!p->spec.enable_service_links)
		p->spec.enable_service_links = TRI_TRUE;
	set_text(&p->spec.service_account, "default");
	set_text(&p->status.phase, "Pending");
}
