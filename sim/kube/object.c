/* kube/object.c: making, copying and releasing objects. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kube/copy.h"
#include "kube/pool.h"
#include "kube/schema.h"
#include "kube/store.h"

#define SMALL_OBJECT_BYTES 512u /* room for strings beside the struct, in the first block */

struct list { void *items; uint32_t count; }; /* shape of every list member */

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

/* ---- deep copy ------------------------------------------------------------------ */

static const char *copy_string(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

static void copy_pairs(struct arena *a, struct kube_map *m)
{
	struct kube_pair *items = arena_array(a, m->count, sizeof *items);
	for (uint32_t i = 0; i < m->count; i++)
		items[i] = (struct kube_pair){ copy_string(a, m->items[i].key),
					       copy_string(a, m->items[i].value) };
	m->items = items;
}

static void copy_list(struct arena *a, const struct field *f, struct list *list)
{
	size_t size = f->type == FIELD_STRINGS ? sizeof(char *) : f->item_size;
	char *items = arena_array(a, list->count, size);
	memcpy(items, list->items, list->count * size);
	for (uint32_t i = 0; i < list->count; i++) {
		if (f->type == FIELD_STRINGS)
			((const char **)(void *)items)[i] =
				copy_string(a, ((const char **)(void *)items)[i]);
		else
			kube_copy_fields(a, f->sub, items + i * size);
	}
	list->items = items;
}

static void copy_row(struct arena *a, const struct field *f, char *base)
{
	void *at = base + f->offset;
	switch (f->type) {
	case FIELD_STRING:
		*(const char **)at = copy_string(a, *(const char **)at);
		break;
	case FIELD_INT_OR_STRING:
		((struct int_or_string *)at)->string =
			copy_string(a, ((struct int_or_string *)at)->string);
		break;
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
		if (((struct kube_map *)at)->count)
			copy_pairs(a, at);
		break;
	case FIELD_STRINGS:
	case FIELD_LIST:
		if (((struct list *)at)->count)
			copy_list(a, f, at);
		break;
	case FIELD_CASE: {
		const char **name = (const char **)(void *)(base + f->set_offset);
		if (!kube_is(*name, f->json))
			break;
		*name = f->json;
		kube_copy_fields(a, f->sub, at);
		break;
	}
	case FIELD_OBJECT:
		kube_copy_fields(a, f->sub, at);
		break;
	default:
		break;
	}
}

void kube_copy_fields(struct arena *a, const struct field *fields, void *base)
{
	for (const struct field *f = fields; f->json; f++)
		copy_row(a, f, base);
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
	copy->file = copy_string(copy->arena, o->file);
	kube_copy_fields(copy->arena, s->fields, copy);
	return copy;
}
