/* dns/view.c: see view.h. */
#include "dns/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

struct list {
	const void **items;
	uint32_t count, capacity;
};

enum { WATCHES = 4 };
static const enum kube_kind watched[WATCHES] = { KIND_NAMESPACE, KIND_SERVICE, KIND_ENDPOINT_SLICE,
						 KIND_POD };

struct dns_view {
	struct arena *keys;
	struct table objects;          /* "KIND/NAMESPACE/NAME" -> const struct kube_object * */
	struct table slices;           /* "SERVICE.NAMESPACE" -> struct list */
	struct table service_ips, slice_ips, pod_ips; /* struct net_addr -> struct list */
	bool synced;
	uint64_t generation;
	int64_t modified_ns;
	struct kube_store *store;
	uint32_t watches[WATCHES];
};

#define KEY_BYTES 640

struct dns_view *dns_view_new(void)
{
	struct dns_view *v = mem_alloc(sizeof *v);
	v->keys = arena_new();
	table_init(&v->objects, TABLE_STRING_KEYS, sizeof(const struct kube_object *));
	table_init(&v->slices, TABLE_STRING_KEYS, sizeof(struct list));
	table_init(&v->service_ips, sizeof(struct net_addr), sizeof(struct list));
	table_init(&v->slice_ips, sizeof(struct net_addr), sizeof(struct list));
	table_init(&v->pod_ips, sizeof(struct net_addr), sizeof(struct list));
	v->synced = true;
	return v;
}

static void free_lists(struct table *t)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(t, &i, &key, &value);)
		free(((struct list *)value)->items);
	table_free(t);
}

void dns_view_free(struct dns_view *v)
{
	const void *key;
	void *value;
	if (!v)
		return;
	dns_view_unwatch(v);
	free_lists(&v->slices);
	free_lists(&v->service_ips);
	free_lists(&v->slice_ips);
	free_lists(&v->pod_ips);
	for (uint32_t i = 0; table_next(&v->objects, &i, &key, &value);)
		kube_unref(*(struct kube_object **)value);
	table_free(&v->objects);
	arena_free(v->keys);
	free(v);
}

/* ---- lists ------------------------------------------------------------------- */

static int compare_objects(const struct kube_object *a, const struct kube_object *b)
{
	int order = strcmp(a->meta.namespace ? a->meta.namespace : "",
			   b->meta.namespace ? b->meta.namespace : "");
	return order ? order : strcmp(a->meta.name, b->meta.name);
}

/* Keeps the order of namespace and name; an object stands once. */
static void list_add(struct list *l, const struct kube_object *o)
{
	uint32_t at = 0;
	while (at < l->count && compare_objects(l->items[at], o) < 0)
		at++;
	if (at < l->count && l->items[at] == o)
		return;
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? l->capacity * 2 : 1;
		l->items = mem_grow(l->items, l->capacity, capacity, sizeof *l->items);
		l->capacity = capacity;
	}
	memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof *l->items);
	l->items[at] = o;
	l->count++;
}

static void list_remove(struct list *l, const struct kube_object *o)
{
	for (uint32_t at = 0; l && at < l->count; at++) {
		if (l->items[at] != o)
			continue;
		memmove(l->items + at, l->items + at + 1, (l->count - at - 1) * sizeof *l->items);
		l->count--;
		return;
	}
}

static void ip_change(struct table *t, const char *text, const struct kube_object *o, bool add)
{
	struct net_addr ip;
	if (!text || !net_addr_parse(text, &ip))
		return;
	if (add)
		list_add(table_put(t, &ip, NULL), o);
	else
		list_remove(table_find(t, &ip), o);
}

/* A key in the table: the stored text, so that it outlives the call. */
static void *put_text(struct dns_view *v, struct table *t, const char *key)
{
	void *value = table_find(t, key);
	return value ? value : table_put(t, arena_strdup(v->keys, key), NULL);
}

/* ---- indexes ------------------------------------------------------------------- */

static bool endpoint_counts(const struct kube_endpoint *e)
{
	return e->conditions.ready != TRI_FALSE;
}

static void index_service(struct dns_view *v, const struct kube_service *s, bool add)
{
	const struct kube_strings *ips = &s->spec.cluster_ips;
	for (uint32_t i = 0; i < ips->count; i++)
		ip_change(&v->service_ips, ips->items[i], &s->object, add);
	if (!ips->count)
		ip_change(&v->service_ips, s->spec.cluster_ip, &s->object, add);
}

static void index_slice(struct dns_view *v, const struct kube_endpoint_slice *s, bool add)
{
	const char *service = kube_map_get(&s->object.meta.labels, "kubernetes.io/service-name");
	char key[KEY_BYTES];
	snprintf(key, sizeof key, "%s.%s", service ? service : "", s->object.meta.namespace);
	struct list *l = add ? put_text(v, &v->slices, key) : table_find(&v->slices, key);
	if (add)
		list_add(l, &s->object);
	else
		list_remove(l, &s->object);
	for (uint32_t i = 0; i < s->endpoints.count; i++) {
		const struct kube_endpoint *e = &s->endpoints.items[i];
		for (uint32_t k = 0; endpoint_counts(e) && k < e->addresses.count; k++)
			ip_change(&v->slice_ips, e->addresses.items[k], &s->object, add);
	}
}

static void index_object(struct dns_view *v, const struct kube_object *o, bool add)
{
	switch (o->kind) {
	case KIND_SERVICE:
		index_service(v, (const struct kube_service *)o, add);
		break;
	case KIND_ENDPOINT_SLICE:
		index_slice(v, (const struct kube_endpoint_slice *)o, add);
		break;
	case KIND_POD:
		ip_change(&v->pod_ips, ((const struct kube_pod *)o)->status.pod_ip, o, add);
		break;
	default:
		break;
	}
}

/* Pods that have ended or are being deleted are not listed. */
static bool listed(const struct kube_object *o)
{
	if (o->kind != KIND_POD)
		return true;
	const char *phase = ((const struct kube_pod *)o)->status.phase;
	return !o->meta.deletion_ns && !kube_is(phase, "Succeeded") && !kube_is(phase, "Failed") &&
	       !kube_is(phase, "Unknown");
}

static void object_key(char out[KEY_BYTES], enum kube_kind kind, const char *namespace,
		       const char *name)
{
	snprintf(out, KEY_BYTES, "%d/%s/%s", (int)kind, namespace ? namespace : "", name);
}

void dns_view_apply(struct dns_view *v, enum kube_change change, const struct kube_object *old,
		    const struct kube_object *now, int64_t now_ns)
{
	const struct kube_object *o = now ? now : old;
	bool kept = false;
	for (int i = 0; i < WATCHES; i++)
		kept |= watched[i] == o->kind;
	if (!kept)
		return;
	char key[KEY_BYTES];
	object_key(key, o->kind, o->meta.namespace, o->meta.name);
	struct kube_object **stored = table_find(&v->objects, key);
	if (stored && *stored) {
		index_object(v, *stored, false);
		kube_unref(*stored);
		*stored = NULL;
	}
	if (change != KUBE_DELETED && listed(o)) {
		if (!stored)
			stored = put_text(v, &v->objects, key);
		*stored = kube_ref(o);
		index_object(v, o, true);
	}
	v->generation++;
	if (o->kind == KIND_SERVICE || o->kind == KIND_ENDPOINT_SLICE)
		v->modified_ns = now_ns;
}

/* ---- following a store ----------------------------------------------------------- */

static void on_change(void *ctx, enum kube_change change, const struct kube_object *old,
		      const struct kube_object *now)
{
	struct dns_view *v = ctx;
	struct engine *engine = kube_store_engine(v->store);
	dns_view_apply(v, change, old, now, engine ? engine_now(engine) : 0);
}

void dns_view_watch(struct dns_view *v, struct kube_store *s, int64_t delay_ns)
{
	dns_view_unwatch(v);
	v->store = s;
	for (int i = 0; i < WATCHES; i++) {
		const struct kube_object *o;
		for (uint32_t cursor = 0; (o = kube_store_next(s, watched[i], NULL, &cursor));)
			on_change(v, KUBE_ADDED, NULL, o);
		v->watches[i] = kube_watch(s, watched[i], delay_ns, on_change, v);
	}
}

void dns_view_unwatch(struct dns_view *v)
{
	for (int i = 0; v->store && i < WATCHES; i++)
		kube_unwatch(v->store, v->watches[i]);
	v->store = NULL;
}

void dns_view_replace(struct dns_view *v, const struct kube_store *s, int64_t now_ns)
{
	const void *key;
	void *value;
	dns_view_unwatch(v);
	for (uint32_t i = 0; table_next(&v->objects, &i, &key, &value);) {
		struct kube_object *o = *(struct kube_object **)value;
		if (!o)
			continue;
		*(struct kube_object **)value = NULL;
		index_object(v, o, false);
		kube_unref(o);
	}
	for (int i = 0; i < WATCHES; i++) {
		const struct kube_object *o;
		for (uint32_t cursor = 0; (o = kube_store_next(s, watched[i], NULL, &cursor));)
			dns_view_apply(v, KUBE_ADDED, NULL, o, now_ns);
	}
	v->generation++;
	v->modified_ns = now_ns;
}

void dns_view_set_synced(struct dns_view *v, bool synced)
{
	v->synced = synced;
	v->generation++;
}

bool dns_view_synced(const struct dns_view *v)
{
	return v->synced;
}

uint64_t dns_view_generation(const struct dns_view *v)
{
	return v->generation;
}

int64_t dns_view_modified_ns(const struct dns_view *v)
{
	return v->modified_ns;
}

/* ---- look-ups --------------------------------------------------------------------- */

static const struct kube_object *find_object(const struct dns_view *v, enum kube_kind kind,
					     const char *namespace, const char *name)
{
	char key[KEY_BYTES];
	object_key(key, kind, namespace, name);
	struct kube_object **stored = table_find(&v->objects, key);
	return stored ? *stored : NULL;
}

const struct kube_namespace *dns_view_namespace(const struct dns_view *v, const char *name)
{
	return (const struct kube_namespace *)find_object(v, KIND_NAMESPACE, "", name);
}

const struct kube_service *dns_view_service(const struct dns_view *v, const char *namespace,
					    const char *name)
{
	return (const struct kube_service *)find_object(v, KIND_SERVICE, namespace, name);
}

uint32_t dns_view_slices(const struct dns_view *v, const char *namespace, const char *service,
			 const struct kube_endpoint_slice *const **out)
{
	char key[KEY_BYTES];
	snprintf(key, sizeof key, "%s.%s", service, namespace);
	const struct list *l = table_find(&v->slices, key);
	*out = l ? (const struct kube_endpoint_slice *const *)l->items : NULL;
	return l ? l->count : 0;
}

static const struct list *by_ip(const struct table *t, const struct net_addr *ip)
{
	static const struct list none;
	const struct list *l = table_find(t, ip);
	return l ? l : &none;
}

uint32_t dns_view_services_by_ip(const struct dns_view *v, const struct net_addr *ip,
				 const struct kube_service *const **out)
{
	const struct list *l = by_ip(&v->service_ips, ip);
	*out = (const struct kube_service *const *)l->items;
	return l->count;
}

uint32_t dns_view_slices_by_ip(const struct dns_view *v, const struct net_addr *ip,
			       const struct kube_endpoint_slice *const **out)
{
	const struct list *l = by_ip(&v->slice_ips, ip);
	*out = (const struct kube_endpoint_slice *const *)l->items;
	return l->count;
}

uint32_t dns_view_pods_by_ip(const struct dns_view *v, const struct net_addr *ip,
			     const struct kube_pod *const **out)
{
	const struct list *l = by_ip(&v->pod_ips, ip);
	*out = (const struct kube_pod *const *)l->items;
	return l->count;
}
