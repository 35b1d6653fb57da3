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

/* ---- building a snapshot ------------------------------------------------------------- */

static int compare(const struct service *a, const char *namespace, const char *name)
{
	int order = strcmp(a->namespace, namespace);
	return order ? order : strcmp(a->name, name);
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

struct renewal { /* a leaf of the old tree becomes other leaves */
	uint32_t leaf;
	struct chunk *instead;         /* NULL: it is gone */
};

struct building {
	const struct snapshot *old;    /* NULL: none */
	struct chunk *fresh;           /* without an old one */
	struct renewal *renewals;      /* with one: in order */
	uint32_t renewal_count, renewed;
	uint32_t at;                   /* leaf of the old one whose range this is */
	const struct chunk *next;      /* the leaf behind it */
	struct snapshot_cursor cursor; /* in the old one */
	struct service **pending;      /* of the range so far */
	uint32_t count, capacity;
};

static struct chunk *chunks_of(struct service *const items[], uint32_t count)
{
	struct chunk *all = NULL;
	uint32_t parts = (count + 2 * CHUNK_SERVICES - 1) / (2 * CHUNK_SERVICES);
	for (uint32_t i = 0, from = 0; i < parts; i++) {
		uint32_t to = (uint32_t)((uint64_t)count * (i + 1) / parts);
		all = chunk_join(all, chunk_new(items + from, to - from));
		from = to;
	}
	return all;
}

static void renew_leaf(struct building *b, struct chunk *instead)
{
	b->renewals = mem_grow(b->renewals, b->renewal_count, b->renewal_count + 1,
			       sizeof *b->renewals);
	b->renewals[b->renewal_count++] = (struct renewal){ b->at, instead };
}

/* The range is complete: the old leaf when it holds just this, else new ones. */
static void flush(struct building *b)
{
	const struct chunk *old = b->old ? chunk_leaf(b->old->root, b->at) : NULL;
	if (!old) {
		b->fresh = chunk_join(b->fresh, chunks_of(b->pending, b->count));
	} else if (old->count == b->count &&
		   memcmp(old->items, b->pending, b->count * sizeof *b->pending) == 0) {
		for (uint32_t i = 0; i < b->count; i++)
			service_unref(b->pending[i]);
	} else {
		renew_leaf(b, chunks_of(b->pending, b->count));
	}
	b->count = 0;
}

/* The tree with its renewed leaves; shares what has none of them. */
static struct chunk *renewed(struct building *b, struct chunk *c, uint32_t first)
{
	if (b->renewed == b->renewal_count ||
	    b->renewals[b->renewed].leaf >= first + c->leaves)
		return chunk_ref(c);
	if (!c->left)
		return b->renewals[b->renewed++].instead;
	struct chunk *left = renewed(b, c->left, first);
	return chunk_join(left, renewed(b, c->right, first + c->left->leaves));
}

static void pend(struct building *b, struct service *s)
{
	if (b->count == b->capacity) {
		uint32_t want = b->capacity ? b->capacity * 2 : 2 * CHUNK_SERVICES;
		b->pending = mem_grow(b->pending, b->capacity, want, sizeof *b->pending);
		b->capacity = want;
	}
	b->pending[b->count++] = s;
	if (!b->old && b->count == CHUNK_SERVICES)
		flush(b);
}

/* Closes the ranges that end before this name. */
static void move_to(struct building *b, const char *namespace, const char *name)
{
	while (b->next && compare(b->next->items[0], namespace, name) <= 0) {
		flush(b);
		b->next = chunk_leaf(b->old->root, ++b->at + 1);
	}
}

static struct service *find_old(struct building *b, const char *namespace, const char *name)
{
	struct snapshot_cursor before = b->cursor;
	struct service *s;
	while ((s = snapshot_walk(b->old, &b->cursor)) != NULL) {
		int order = compare(s, namespace, name);
		if (order == 0)
			return s;
		if (order > 0) {
			b->cursor = before;
			return NULL;
		}
		before = b->cursor;
	}
	return NULL;
}

static struct snapshot *build(struct proxy_shared *s, const struct kube_store *store,
			      unsigned family)
{
	struct building b = { .old = s->now[family] };
	uint32_t cursor = 0;
	const struct kube_object *o;
	if (b.old && !b.old->count)
		b.old = NULL;
	if (b.old)
		b.next = chunk_leaf(b.old->root, 1);
	while ((o = kube_store_next(store, KIND_SERVICE, NULL, &cursor)) != NULL) {
		const char *ns = o->meta.namespace ? o->meta.namespace : "";
		struct service *was = b.old ? find_old(&b, ns, o->meta.name) : NULL;
		struct service *now =
			renew(s, store, (const struct kube_service *)o, was, family);
		if (!now)
			continue;
		move_to(&b, ns, o->meta.name);
		pend(&b, now);
	}
	flush(&b);
	while (b.next) { /* nothing is left of these */
		b.next = chunk_leaf(b.old->root, ++b.at + 1);
		renew_leaf(&b, NULL);
	}
	struct chunk *root = b.old ? renewed(&b, b.old->root, 0) : b.fresh;
	free(b.renewals);
	free(b.pending);
	return snapshot_new(root);
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
