/* kube/store_index.c: slices by service and pods by address. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/store_internal.h"

#define KEY_BYTES 520 /* two names of at most 253 characters and a slash */

struct slice_list { /* slices of a service, in order of name */
	char *key;
	struct kube_object **items; /* borrowed: the store holds them */
	uint32_t count, capacity;
};

struct address_owner {
	const struct kube_pod *pod;
	uint32_t claims; /* pods with this address; above 1 when an old one lingers */
};

void store_index_init(struct kube_store *s)
{
	table_init(&s->slices, TABLE_STRING_KEYS, sizeof(struct slice_list));
	table_init(&s->addresses, sizeof(struct net_addr), sizeof(struct address_owner));
}

void store_index_free(struct kube_store *s)
{
	void *value;
	for (uint32_t i = 0; table_next(&s->slices, &i, NULL, &value);) {
		struct slice_list *l = value;
		free(l->key);
		free(l->items);
	}
	table_free(&s->slices);
	table_free(&s->addresses);
}

/* ---- slices ------------------------------------------------------------------- */

static bool service_key(char out[KEY_BYTES], const char *namespace, const char *service)
{
	int n = snprintf(out, KEY_BYTES, "%s/%s", namespace ? namespace : "", service);
	return n > 0 && n < KEY_BYTES;
}

static bool slice_key(char out[KEY_BYTES], const struct kube_object *o)
{
	const char *service = o ? kube_map_get(&o->meta.labels, SERVICE_LABEL) : NULL;
	return service && service_key(out, o->meta.namespace, service);
}

/* Where a slice of this name is or belongs. */
static uint32_t slice_position(const struct slice_list *l, const char *name)
{
	uint32_t low = 0, high = l->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(l->items[middle]->meta.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void slice_add(struct kube_store *s, struct kube_object *o)
{
	char key[KEY_BYTES];
	if (!slice_key(key, o))
		return;
	struct slice_list *l = table_find(&s->slices, key);
	if (!l) {
		char *kept = mem_strdup(key);
		l = table_put(&s->slices, kept, NULL);
		l->key = kept;
	}
	uint32_t at = slice_position(l, o->meta.name);
	if (l->count == l->capacity) {
		uint32_t want = l->capacity ? l->capacity * 2 : 1;
		l->items = mem_grow(l->items, l->capacity, want, sizeof *l->items);
		l->capacity = want;
	}
	memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof *l->items);
	l->items[at] = o;
	l->count++;
}

static void slice_remove(struct kube_store *s, const struct kube_object *o)
{
	char key[KEY_BYTES];
	struct slice_list *l = slice_key(key, o) ? table_find(&s->slices, key) : NULL;
	if (!l)
		return;
	uint32_t at = slice_position(l, o->meta.name);
	assert(at < l->count && l->items[at] == o);
	memmove(l->items + at, l->items + at + 1, (l->count - at - 1) * sizeof *l->items);
	if (--l->count)
		return;
	char *kept = l->key;
	free(l->items);
	table_remove(&s->slices, kept);
	free(kept);
}

const struct kube_endpoint_slice *kube_store_next_slice(const struct kube_store *s,
							const char *namespace,
							const char *service, uint32_t *cursor)
{
	char key[KEY_BYTES];
	const struct slice_list *l =
		service_key(key, namespace, service) ? table_find(&s->slices, key) : NULL;
	if (!l || *cursor >= l->count)
		return NULL;
	return (const struct kube_endpoint_slice *)l->items[(*cursor)++];
}

/* ---- pods by address ------------------------------------------------------------ */

/* Addresses that the pod holds: none on the host's network or once it has ended. */
static uint32_t pod_addresses(const struct kube_object *o, struct net_addr out[2])
{
	const struct kube_pod *p = (const struct kube_pod *)o;
	uint32_t count = 0;
	if (!o || p->spec.host_network == TRI_TRUE || kube_is(p->status.phase, "Succeeded") ||
	    kube_is(p->status.phase, "Failed"))
		return 0;
	if (p->status.pod_ip && net_addr_parse(p->status.pod_ip, &out[0]))
		count = 1;
	for (uint32_t i = 0; i < p->status.pod_ips.count && count < 2; i++) {
		const char *ip = p->status.pod_ips.items[i];
		if (ip && !kube_is(ip, p->status.pod_ip) && net_addr_parse(ip, &out[count]))
			count++;
	}
	return count;
}

static bool has_address(const struct kube_object *o, const struct net_addr *ip)
{
	struct net_addr have[2];
	uint32_t count = pod_addresses(o, have);
	for (uint32_t i = 0; i < count; i++)
		if (net_addr_equal(&have[i], ip))
			return true;
	return false;
}

static void address_add(struct kube_store *s, const struct kube_object *o,
			const struct net_addr *ip)
{
	struct address_owner *owner = table_put(&s->addresses, ip, NULL);
	owner->claims++;
	owner->pod = (const struct kube_pod *)o; /* the latest claim wins */
}

static void address_drop(struct kube_store *s, const struct kube_object *o,
			 const struct net_addr *ip)
{
	struct address_owner *owner = table_find(&s->addresses, ip);
	if (!owner)
		return;
	if (--owner->claims == 0) {
		table_remove(&s->addresses, ip);
		return;
	}
	if (owner->pod != (const struct kube_pod *)o)
		return;
	const struct kube_object *other;
	for (uint32_t i = 0; (other = kube_store_next_created(s, KIND_POD, &i));)
		if (other != o && has_address(other, ip))
			owner->pod = (const struct kube_pod *)other;
}

static void pod_change(struct kube_store *s, const struct kube_object *old,
		       const struct kube_object *now)
{
	struct net_addr before[2], after[2];
	uint32_t before_count = pod_addresses(old, before), after_count = pod_addresses(now, after);
	for (uint32_t i = 0; i < after_count; i++)
		address_add(s, now, &after[i]);
	for (uint32_t i = 0; i < before_count; i++)
		address_drop(s, old, &before[i]);
}

const struct kube_pod *kube_store_pod_by_ip(const struct kube_store *s, const struct net_addr *ip)
{
	const struct address_owner *owner = table_find(&s->addresses, ip);
	return owner ? owner->pod : NULL;
}

void store_index_change(struct kube_store *s, const struct kube_object *old,
			const struct kube_object *now)
{
	enum kube_kind kind = now ? now->kind : old->kind;
	if (kind == KIND_POD) {
		pod_change(s, old, now);
	} else if (kind == KIND_ENDPOINT_SLICE) {
		if (old)
			slice_remove(s, old);
		if (now) /* the store's own reference: it outlives the entry */
			slice_add(s, (struct kube_object *)(uintptr_t)now);
	}
}
