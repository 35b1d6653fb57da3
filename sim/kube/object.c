/* kube/object.c: making, copying and releasing objects. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kube/copy.h"
#include "kube/pool.h"
#include "kube/schema.h"
#include "kube/store.h"

#define SMALL_OBJECT_BYTES 512u /* room for strings beside the struct, in the first block */

struct kube_object *kube_new(enum kube_kind kind)
{
	const struct kind_schema *s = kube_schema(kind);
	assert(s);
	struct arena *arena = arena_new_sized(s->size + SMALL_OBJECT_BYTES);
	struct kube_object *o = arena_alloc(arena, s->size);
	o->kind = kind;
	o->references = 1;
	o->arena = arena;
	o->api_version = s->group_version;
	return o;
}

/* The count is bookkeeping beside the object's immutable contents. */
static struct kube_object *unconst(const struct kube_object *o)
{
	union { const struct kube_object *in; struct kube_object *out; } u = { o };
	return u.out;
}

struct kube_object *kube_ref(const struct kube_object *o)
{
	struct kube_object *mine = unconst(o);
	mine->references++;
	return mine;
}

void kube_unref(struct kube_object *o)
{
	while (o && --o->references == 0) {
		struct kube_object *shares = unconst(o->shares);
		if (o->pool)
			kube_pool_unref(o->pool);
		else
			arena_free(o->arena);
		o = shares;
	}
}

const char *kube_string(struct kube_object *o, const char *s)
{
	return s ? arena_strdup(o->arena, s) : NULL;
}

void kube_map_set(struct kube_object *o, struct kube_map *m, const char *key, const char *value)
{
	uint32_t at = 0;
	while (at < m->count && strcmp(m->items[at].key, key) < 0)
		at++;
	bool replace = at < m->count && strcmp(m->items[at].key, key) == 0;
	/* A new array: the old one may be shared with other objects. */
	struct kube_pair *items = arena_array(o->arena, m->count + !replace, sizeof *items);
	if (at)
		memcpy(items, m->items, at * sizeof *items);
	items[at].key = replace ? m->items[at].key : kube_string(o, key);
	items[at].value = kube_string(o, value);
	uint32_t rest = m->count - at - replace;
	if (rest)
		memcpy(items + at + 1, m->items + at + replace, rest * sizeof *items);
	m->items = items;
	m->count += !replace;
}

struct kube_object *kube_copy(const struct kube_object *o)
{
	const struct kind_schema *s = kube_schema(o->kind);
	struct kube_object *copy = kube_new(o->kind);
	struct kube_object head = *copy;
	memcpy(copy, o, s->size);
	copy->references = 1;
	copy->arena = head.arena;
	copy->api_version = head.api_version;
	copy->pool = NULL;
	copy->shares = NULL;
	copy->file = kube_string(copy, o->file);
	kube_copy_fields(copy->arena, s->fields, copy);
	return copy;
}
