/* kube/store_order.c: one kind's objects: by key, in order of name, in order of birth.
 *
 * Writes are frequent and walks are long, so the sorted array is brought up to date
 * only when somebody walks. A walk's cursor is the slot where it stands, not a
 * position: positions move when others write. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kube/store_internal.h"

#define DEAD_KEPT 1024u     /* a dead slot rests this long, for walks that stand on it */
#define INSERT_LIMIT 8u     /* so few new ones are put in one by one */
#define INDEX_GRAVE UINT32_MAX

static const char *text(const char *s)
{
	return s ? s : "";
}

static uint32_t key_hash(const char *namespace, const char *name)
{
	uint64_t first = hash_bytes(namespace, strlen(namespace), 0);
	return (uint32_t)hash_bytes(name, strlen(name), first);
}

static int key_compare(const struct kube_object *o, const char *namespace, const char *name)
{
	int order = strcmp(text(o->meta.namespace), namespace);
	return order ? order : strcmp(text(o->meta.name), name);
}

static int object_compare(const struct kube_object *a, const struct kube_object *b)
{
	return key_compare(a, text(b->meta.namespace), text(b->meta.name));
}

void kind_table_free(struct kind_table *t)
{
	for (uint32_t i = 0; i < t->slot_count; i++)
		kube_unref(t->slots[i].object);
	free(t->slots);
	free(t->index);
	free(t->sorted);
	free(t->pending);
	free(t->births);
	free(t->dead);
}

static void *grown(void *p, uint32_t *capacity, uint32_t count, size_t size)
{
	if (count < *capacity)
		return p;
	uint32_t want = *capacity ? *capacity * 2 : 16;
	p = mem_grow(p, *capacity, want, size);
	*capacity = want;
	return p;
}

/* ---- by key ------------------------------------------------------------------- */

/* Dead slots stay in the index until they are taken again. */
uint32_t kind_table_find(const struct kind_table *t, const char *namespace, const char *name)
{
	namespace = text(namespace);
	name = text(name);
	if (!t->live)
		return UINT32_MAX;
	uint32_t hash = key_hash(namespace, name), mask = t->index_size - 1;
	for (uint32_t i = hash & mask; t->index[i]; i = (i + 1) & mask) {
		if (t->index[i] == INDEX_GRAVE)
			continue;
		const struct slot *s = &t->slots[t->index[i] - 1];
		if (s->live && s->hash == hash && key_compare(s->object, namespace, name) == 0)
			return t->index[i] - 1;
	}
	return UINT32_MAX;
}

static void index_put(struct kind_table *t, uint32_t slot)
{
	uint32_t mask = t->index_size - 1, i = t->slots[slot].hash & mask;
	while (t->index[i])
		i = (i + 1) & mask;
	t->index[i] = slot + 1;
	t->index_used++;
}

/* The slot gets another key. */
static void index_bury(struct kind_table *t, uint32_t slot)
{
	uint32_t mask = t->index_size - 1, i = t->slots[slot].hash & mask;
	for (; t->index[i]; i = (i + 1) & mask) {
		if (t->index[i] == slot + 1) {
			t->index[i] = INDEX_GRAVE;
			return;
		}
	}
}

static void index_rebuild(struct kind_table *t)
{
	uint32_t size = 32;
	while (size < t->live * 4)
		size *= 2;
	free(t->index);
	t->index = mem_array(size, sizeof *t->index);
	t->index_size = size;
	t->index_used = 0;
	for (uint32_t i = 0; i < t->slot_count; i++)
		if (t->slots[i].live)
			index_put(t, i);
}

/* ---- in order of name ----------------------------------------------------------- */

static void sorted_purge(struct kind_table *t)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < t->sorted_count; i++) {
		struct slot *s = &t->slots[t->sorted[i]];
		if (s->live)
			t->sorted[kept++] = t->sorted[i];
		else
			s->stale = false;
	}
	t->sorted_count = kept;
	kept = 0;
	for (uint32_t i = 0; i < t->pending_count; i++) {
		struct slot *s = &t->slots[t->pending[i]];
		if (s->live)
			t->pending[kept++] = t->pending[i];
		else
			s->stale = false;
	}
	t->pending_count = kept;
	t->stale = 0;
}

/* First position whose key is not below (or, with `after`, is above) the given one. */
static uint32_t sorted_bound(const struct kind_table *t, const char *namespace, const char *name,
			     bool after)
{
	uint32_t low = 0, high = t->sorted_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = key_compare(t->slots[t->sorted[middle]].object, namespace, name);
		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int by_key(const void *a, const void *b, void *ctx)
{
	const struct kind_table *t = ctx;
	uint32_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	int order = object_compare(t->slots[x].object, t->slots[y].object);
	return order ? order : x < y ? -1 : x > y;
}

/* Merges from the end: the room behind the sorted part is there already. */
static void sorted_merge(struct kind_table *t)
{
	uint32_t a = t->sorted_count, b = t->pending_count, out = a + b;
	while (b) {
		if (a && by_key(&t->sorted[a - 1], &t->pending[b - 1], t) > 0)
			t->sorted[--out] = t->sorted[--a];
		else
			t->sorted[--out] = t->pending[--b];
	}
}

static void sorted_update(struct kind_table *t)
{
	uint32_t more = t->pending_count;
	if (!more)
		return;
	if (t->sorted_count + more > t->sorted_capacity) {
		uint32_t want = (t->sorted_count + more) / 2 * 3 + 16;
		t->sorted = mem_grow(t->sorted, t->sorted_capacity, want, sizeof *t->sorted);
		t->sorted_capacity = want;
	}
	if (more > INSERT_LIMIT) {
		qsort_r(t->pending, more, sizeof *t->pending, by_key, t);
		sorted_merge(t);
		t->sorted_count += more;
	} else {
		for (uint32_t i = 0; i < more; i++) {
			const struct kube_object *o = t->slots[t->pending[i]].object;
			uint32_t at =
			    sorted_bound(t, text(o->meta.namespace), text(o->meta.name), true);
			memmove(t->sorted + at + 1, t->sorted + at,
				(t->sorted_count - at) * sizeof *t->sorted);
			t->sorted[at] = t->pending[i];
			t->sorted_count++;
		}
	}
	t->pending_count = 0;
}

/* The position after the slot where a walk stands. */
static uint32_t sorted_after(const struct kind_table *t, uint32_t slot)
{
	const struct slot *s = &t->slots[slot];
	if (s->position < t->sorted_count && t->sorted[s->position] == slot)
		return s->position + 1;
	return sorted_bound(t, text(s->object->meta.namespace), text(s->object->meta.name), true);
}

const struct kube_object *kube_store_next(const struct kube_store *s, enum kube_kind kind,
					  const char *namespace, uint32_t *cursor)
{
	/* Bringing the order up to date changes nothing that a reader could see. */
	struct kind_table *t = (struct kind_table *)(uintptr_t)&s->kinds[kind];
	sorted_update(t);
	uint32_t at = *cursor ? sorted_after(t, *cursor - 1) :
		      namespace ? sorted_bound(t, namespace, "", false) : 0;
	for (; at < t->sorted_count; at++) {
		struct slot *slot = &t->slots[t->sorted[at]];
		if (namespace && strcmp(text(slot->object->meta.namespace), namespace) != 0)
			return NULL;
		if (!slot->live)
			continue;
		slot->position = at;
		*cursor = t->sorted[at] + 1;
		return slot->object;
	}
	return NULL;
}

/* ---- in order of birth ----------------------------------------------------------- */

static void births_purge(struct kind_table *t)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < t->birth_count; i++) {
		const struct slot *s = &t->slots[t->births[i].slot];
		if (s->live && s->sequence == t->births[i].sequence)
			t->births[kept++] = t->births[i];
	}
	t->birth_count = kept;
}

const struct kube_object *kube_store_next_created(const struct kube_store *s, enum kube_kind kind,
						  uint32_t *cursor)
{
	const struct kind_table *t = &s->kinds[kind];
	uint32_t low = 0, high = t->birth_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (t->births[middle].sequence <= *cursor)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < t->birth_count; low++) {
		const struct slot *slot = &t->slots[t->births[low].slot];
		if (!slot->live || slot->sequence != t->births[low].sequence)
			continue;
		*cursor = slot->sequence;
		return slot->object;
	}
	return NULL;
}

/* ---- slots ------------------------------------------------------------------------ */

static uint32_t slot_take(struct kind_table *t)
{
	if (t->dead_count <= DEAD_KEPT) {
		t->slots = grown(t->slots, &t->slot_capacity, t->slot_count, sizeof *t->slots);
		return t->slot_count++;
	}
	uint32_t slot = t->dead[t->dead_first];
	t->dead_first = (t->dead_first + 1) % t->dead_capacity;
	t->dead_count--;
	if (t->slots[slot].stale)
		sorted_purge(t);
	kube_unref(t->slots[slot].object);
	index_bury(t, slot);
	return slot;
}

uint32_t kind_table_add(struct kind_table *t, struct kube_object *o)
{
	uint32_t slot = slot_take(t);
	t->slots[slot] = (struct slot){
		.object = o, .hash = key_hash(text(o->meta.namespace), text(o->meta.name)),
		.sequence = ++t->next_sequence, .position = UINT32_MAX, .live = true
	};
	t->live++;
	if ((t->index_used + 1) * 2 > t->index_size)
		index_rebuild(t);
	else
		index_put(t, slot);
	t->pending = grown(t->pending, &t->pending_capacity, t->pending_count, sizeof *t->pending);
	t->pending[t->pending_count++] = slot;
	if (t->birth_count > 2 * t->live + 64)
		births_purge(t);
	t->births = grown(t->births, &t->birth_capacity, t->birth_count, sizeof *t->births);
	t->births[t->birth_count++] = (struct birth){ t->next_sequence, slot };
	return slot;
}

static void dead_add(struct kind_table *t, uint32_t slot)
{
	if (t->dead_count == t->dead_capacity) {
		uint32_t want = t->dead_capacity ? t->dead_capacity * 2 : 16;
		uint32_t *ring = mem_array(want, sizeof *ring);
		for (uint32_t i = 0; i < t->dead_count; i++)
			ring[i] = t->dead[(t->dead_first + i) % t->dead_capacity];
		free(t->dead);
		t->dead = ring;
		t->dead_capacity = want;
		t->dead_first = 0;
	}
	t->dead[(t->dead_first + t->dead_count++) % t->dead_capacity] = slot;
}

void kind_table_remove(struct kind_table *t, uint32_t slot)
{
	assert(t->slots[slot].live);
	t->slots[slot].live = false;
	t->slots[slot].stale = true;
	t->live--;
	dead_add(t, slot);
	if (++t->stale > t->live + DEAD_KEPT)
		sorted_purge(t);
}
