/* kubeproxy/tracker.c: see tracker.h. */
#include "dataplanes/kubeproxy/tracker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

struct proxy_shared {
	struct snapshot *now[PROXY_FAMILIES];
	uint64_t version[PROXY_FAMILIES];
	struct claims *claims[PROXY_FAMILIES]; /* NULL: nobody asked */
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
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		claims_free(s->claims[f]);
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

bool proxy_conflicts(struct proxy_shared *shared, unsigned family, struct snapshot *s)
{
	if (s && !shared->claims[family])
		shared->claims[family] = claims_new();
	return s && claims_conflict(shared->claims[family], s);
}

/* ---- building a snapshot ------------------------------------------------------------- */

struct name {
	const char *namespace, *name;
};

struct revision { /* what becomes of a service */
	struct service *was, *now;     /* NULL: not there; a reference to `now` */
};

struct building {
	struct name *names;            /* that may have changed */
	struct revision *revisions;    /* that have, in order */
	uint32_t count, capacity, revision_count;
};

static int compare(const struct service *a, const char *namespace, const char *name)
{
	int order = strcmp(a->namespace, namespace);
	return order ? order : strcmp(a->name, name);
}

static int by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->namespace, y->namespace);
	return order ? order : strcmp(x->name, y->name);
}

static void add_name(struct building *b, const char *namespace, const char *name)
{
	if (b->count == b->capacity) {
		uint32_t want = b->capacity ? b->capacity * 2 : 8;
		b->names = mem_grow(b->names, b->capacity, want, sizeof *b->names);
		b->capacity = want;
	}
	b->names[b->count++] = (struct name){ namespace ? namespace : "", name };
}

/* The names of what has changed since that version, or of all where nobody knows. */
static void collect_names(struct building *b, const struct kube_store *store, uint64_t since,
			  const struct snapshot *old)
{
	struct snapshot_cursor walk = { 0 };
	const struct kube_object *o;
	const struct service *s;
	const char *namespace, *name;
	uint32_t cursor = 0, unique = 0;
	if (old && kube_store_recalls(store, since)) {
		while (kube_store_next_touched(store, since, &cursor, &namespace, &name))
			add_name(b, namespace, name);
	} else {
		while ((o = kube_store_next(store, KIND_SERVICE, NULL, &cursor)) != NULL)
			add_name(b, o->meta.namespace, o->meta.name);
		while ((s = snapshot_walk(old, &walk)) != NULL)
			add_name(b, s->namespace, s->name);
	}
	if (b->count)
		qsort(b->names, b->count, sizeof *b->names, by_name);
	for (uint32_t i = 0; i < b->count; i++)
		if (!i || by_name(&b->names[i], &b->names[i - 1]) != 0)
			b->names[unique++] = b->names[i];
	b->count = unique;
}

/* A service whose content is that of the one before keeps its number and its text. */
static struct service *renew(struct proxy_shared *s, const struct kube_store *store,
			     const struct name *name, struct service *was, unsigned family)
{
	const struct kube_object *o =
		kube_store_get(store, KIND_SERVICE, name->namespace, name->name);
	struct service *now = o ? service_new(store, (const struct kube_service *)o,
					      family == PROXY_V6 ? NET_V6 : NET_V4, s->scratch) :
				  NULL;
	if (now && was && service_equal(was, now))
		service_adopt(now, was);
	else if (now)
		now->content = ++s->content;
	return now;
}

static void revise(struct building *b, struct proxy_shared *s, const struct kube_store *store,
		   unsigned family)
{
	b->revisions = b->count ? mem_array(b->count, sizeof *b->revisions) : NULL;
	for (uint32_t i = 0; i < b->count; i++) {
		const struct name *n = &b->names[i];
		struct service *was = snapshot_find(s->now[family], n->namespace, n->name);
		if (was && service_current(was, store))
			continue;
		struct service *now = renew(s, store, n, was, family);
		if (was || now)
			b->revisions[b->revision_count++] = (struct revision){ was, now };
	}
}

static struct chunk *chunks_of(struct service *const items[], uint32_t count)
{
	struct chunk *all = NULL;
	uint32_t parts = (count + CHUNK_SERVICES - 1) / CHUNK_SERVICES;
	if (count <= 2 * CHUNK_SERVICES)
		parts = count != 0;
	for (uint32_t i = 0, from = 0; i < parts; i++) {
		uint32_t to = (uint32_t)((uint64_t)count * (i + 1) / parts);
		all = chunk_join(all, chunk_new(items + from, to - from));
		from = to;
	}
	return all;
}

static int compare_revision(const struct revision *r, const struct service *s)
{
	const struct service *of = r->was ? r->was : r->now;
	return compare(of, s->namespace, s->name);
}

/* The leaf's services (none for NULL) with the revisions, as one leaf or more. */
static struct chunk *revised_leaf(const struct chunk *leaf, const struct revision *r, uint32_t count)
{
	uint32_t old = leaf ? leaf->count : 0, n = 0, i = 0;
	struct service **items = mem_array(old + count, sizeof *items);
	for (uint32_t k = 0; i < old || k < count;) {
		int order = i == old ? -1 : k == count ? 1 : compare_revision(&r[k], leaf->items[i]);
		struct service *next = order > 0 ? service_ref(leaf->items[i]) : r[k].now;
		if (next)
			items[n++] = next;
		i += order >= 0;
		k += order <= 0;
	}
	struct chunk *c = chunks_of(items, n);
	free(items);
	return c;
}

/* The tree with its revisions; shares what has none of them. */
static struct chunk *revised(struct chunk *c, const struct revision *r, uint32_t count)
{
	uint32_t low = 0, high = count;
	if (!count)
		return c ? chunk_ref(c) : NULL;
	if (!c || !c->left)
		return revised_leaf(c, r, count);
	const struct service *border = chunk_first(c->right);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_revision(&r[middle], border) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	struct chunk *left = revised(c->left, r, low);
	return chunk_join(left, revised(c->right, r + low, count - low));
}

static struct snapshot *build(struct proxy_shared *s, const struct kube_store *store,
			      unsigned family)
{
	struct building b = { 0 };
	struct snapshot *old = s->now[family];
	collect_names(&b, store, s->version[family], old);
	revise(&b, s, store, family);
	struct snapshot *now = old && !b.revision_count ?
		snapshot_ref(old) :
		snapshot_new(revised(old ? old->root : NULL, b.revisions, b.revision_count));
	free(b.revisions);
	free(b.names);
	return now;
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
	return snapshot_ref(s->now[family]);
}
