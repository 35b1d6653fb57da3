/* kubeproxy/tracker.c: see tracker.h. */
#include "dataplanes/kubeproxy/tracker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

struct proxy_shared {
	struct snapshot *now[PROXY_FAMILIES];
	uint64_t version[PROXY_FAMILIES];
	uint64_t content;
	struct table contexts; /* text -> uint32_t */
	struct table remains;  /* node -> struct remains */
	struct arena *texts;
	struct arena *scratch; /* of one service_new */
};

struct remains {
	void *what;
	void (*drop)(void *what);
};

static void shared_free(void *data)
{
	proxy_shared_free(data);
}

static void shared_forget(void *data, const char *node)
{
	struct proxy_shared *s = data;
	struct remains *r = table_find(&s->remains, node);
	if (r && r->what)
		r->drop(r->what);
	if (r)
		r->what = NULL;
}

struct proxy_shared *proxy_shared_get(const struct proxy_view *view, bool *owned)
{
	*owned = !view->shared;
	if (view->shared && view->shared->data)
		return view->shared->data;
	struct proxy_shared *s = mem_alloc(sizeof *s);
	table_init(&s->contexts, TABLE_STRING_KEYS, sizeof(uint32_t));
	table_init(&s->remains, TABLE_STRING_KEYS, sizeof(struct remains));
	s->texts = arena_new();
	s->scratch = arena_new();
	if (view->shared)
		*view->shared = (struct planner_shared){ s, shared_free, shared_forget };
	return s;
}

void proxy_shared_free(struct proxy_shared *s)
{
	const void *node;
	void *value;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		snapshot_unref(s->now[f]);
	for (uint32_t i = 0; table_next(&s->remains, &i, &node, &value);) {
		struct remains *r = value;
		if (r->what)
			r->drop(r->what);
	}
	table_free(&s->remains);
	table_free(&s->contexts);
	arena_free(s->texts);
	arena_free(s->scratch);
	free(s);
}

uint32_t proxy_context(struct proxy_shared *s, const char *text)
{
	uint32_t *id = table_find(&s->contexts, text);
	if (id)
		return *id;
	const char *kept = arena_strdup(s->texts, text);
	uint32_t next = s->contexts.count + 1;
	id = table_put(&s->contexts, kept, NULL);
	*id = next;
	return next;
}

void proxy_leave(struct proxy_shared *s, const char *node, void *what, void (*drop)(void *what))
{
	struct remains *r = table_find(&s->remains, node);
	if (!r)
		r = table_put(&s->remains, arena_strdup(s->texts, node), NULL);
	if (r->what)
		r->drop(r->what);
	*r = (struct remains){ what, drop };
}

void *proxy_take(struct proxy_shared *s, const char *node)
{
	struct remains *r = table_find(&s->remains, node);
	void *what = r ? r->what : NULL;
	if (r)
		r->what = NULL;
	return what;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || --s->references)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		service_unref(s->items[i]);
	free(s->items);
	free(s);
}

static int compare(const struct service *a, const char *namespace, const char *name)
{
	int order = strcmp(a->namespace, namespace);
	return order ? order : strcmp(a->name, name);
}

static void snapshot_add(struct snapshot *s, struct service *service, uint32_t *capacity)
{
	if (s->count == *capacity) {
		uint32_t want = *capacity ? *capacity * 2 : 16;
		s->items = mem_grow(s->items, *capacity, want, sizeof *s->items);
		*capacity = want;
	}
	s->items[s->count++] = service;
	for (uint32_t i = 0; i < service->port_count; i++)
		s->endpoint_count += service->ports[i].distinct_count;
}

/* `was` is the service of the same name in the snapshot before, or NULL. */
static struct service *renew(struct proxy_shared *s, const struct kube_store *store,
			     const struct kube_service *object, struct service *was,
			     unsigned family)
{
	if (was && service_current(was, store))
		return service_ref(was);
	struct service *now = service_new(store, object, family == PROXY_V6 ? NET_V6 : NET_V4,
					  s->scratch);
	if (now && was && service_equal(was, now))
		service_adopt(now, was);
	else if (now)
		now->content = ++s->content;
	return now;
}

static struct snapshot *build(struct proxy_shared *s, const struct kube_store *store,
			      unsigned family)
{
	const struct snapshot *old = s->now[family];
	struct snapshot *fresh = mem_alloc(sizeof *fresh);
	uint32_t cursor = 0, at = 0, capacity = 0;
	const struct kube_object *o;
	fresh->references = 1;
	while ((o = kube_store_next(store, KIND_SERVICE, NULL, &cursor)) != NULL) {
		const char *ns = o->meta.namespace ? o->meta.namespace : "";
		while (old && at < old->count && compare(old->items[at], ns, o->meta.name) < 0)
			at++;
		struct service *was = NULL;
		if (old && at < old->count && compare(old->items[at], ns, o->meta.name) == 0)
			was = old->items[at];
		struct service *now =
			renew(s, store, (const struct kube_service *)o, was, family);
		if (now)
			snapshot_add(fresh, now, &capacity);
	}
	return fresh;
}

struct snapshot *proxy_snapshot(struct proxy_shared *s, const struct kube_store *store,
				unsigned family)
{
	uint64_t version = kube_store_version(store);
	if (!s->now[family] || s->version[family] != version) {
		struct snapshot *fresh = build(s, store, family);
		snapshot_unref(s->now[family]);
		s->now[family] = fresh;
		s->version[family] = version;
	}
	s->now[family]->references++;
	return s->now[family];
}

/* Whether nobody has it yet, or the same owner. */
static bool claim(struct table *claims, struct arena *a, const void *owner, const char *ip,
		  const char *proto, unsigned port)
{
	bool added;
	char *key = arena_printf(a, "%s %s %u", ip, proto, port);
	const void **holder = table_put(claims, key, &added);
	if (added)
		*holder = owner;
	return *holder == owner;
}

/* An address and port belong to one service port, the address itself to one Service. */
static bool claim_port(struct table *claims, struct arena *a, const struct service_port *p)
{
	bool alone = claim(claims, a, p, p->cluster_ip_text, p->proto, p->port);
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		alone &= claim(claims, a, p, p->external_ips[i], p->proto, p->port) &&
			 claim(claims, a, p->service, p->external_ips[i], "", 0);
	for (uint32_t i = 0; i < p->vip_count; i++)
		alone &= claim(claims, a, p, p->vips[i], p->proto, p->port) &&
			 claim(claims, a, p->service, p->vips[i], "", 0);
	return alone && (!p->node_port || claim(claims, a, p, "", p->proto, p->node_port));
}

bool snapshot_conflicts(struct snapshot *s)
{
	struct table claims;
	struct arena *a;
	if (s->conflicts)
		return s->conflicts == 'y';
	a = arena_new();
	table_init(&claims, TABLE_STRING_KEYS, sizeof(void *));
	s->conflicts = 'n';
	for (uint32_t i = 0; i < s->count && s->conflicts == 'n'; i++)
		for (uint32_t k = 0; k < s->items[i]->port_count; k++)
			if (!claim_port(&claims, a, &s->items[i]->ports[k]))
				s->conflicts = 'y';
	table_free(&claims);
	arena_free(a);
	return s->conflicts == 'y';
}

bool snapshot_next(const struct snapshot *was, const struct snapshot *now,
		   struct snapshot_step *step)
{
	struct service *a = was && step->was_index < was->count ? was->items[step->was_index] : NULL;
	struct service *b = now && step->now_index < now->count ? now->items[step->now_index] : NULL;
	if (!a && !b)
		return false;
	int order = !a ? 1 : !b ? -1 : compare(a, b->namespace, b->name);
	step->was = order <= 0 ? a : NULL;
	step->now = order >= 0 ? b : NULL;
	step->was_index += order <= 0;
	step->now_index += order >= 0;
	step->changed = !step->was || !step->now || step->was->content != step->now->content;
	return true;
}
