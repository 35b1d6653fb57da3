/* kube/value_object.c: typed object to tree, by the schema tables.
 *
 * What is empty is left out, as Go's omitempty does, except where the API has a
 * pointer or no omitempty: the rows say so. */
#include <stdio.h>

#include "kube/schema.h"
#include "kube/value.h"

struct list { void *items; uint32_t count; }; /* shape of every list member */

/* A tree in the making. `given`: only what somebody wrote, and all of that. */
struct build { struct arena *arena; bool given; };

static void add_fields(const struct build *b, const struct field *fields, const char *base,
		       struct value *map);

static struct value *tri_value(const struct build *b, const struct field *f, enum kube_tri tri)
{
	struct arena *a = b->arena;
	if (tri == TRI_TRUE)
		return value_bool(a, true);
	if ((f->always && !b->given) || (tri == TRI_FALSE && (f->pointer || b->given)))
		return value_bool(a, false);
	return NULL;
}

static struct value *string_value(const struct build *b, const struct field *f, const char *s)
{
	if (!s)
		return f->always && !b->given ? value_string(b->arena, "") : NULL;
	return *s || f->always || f->pointer || b->given ? value_string(b->arena, s) : NULL;
}

static struct value *int_or_string_value(struct arena *a, const struct int_or_string *v)
{
	if (v->kind == 's')
		return value_string(a, v->string);
	return v->kind == 'i' ? value_int(a, v->number) : NULL;
}

static struct value *map_value(struct arena *a, const struct kube_map *m)
{
	if (!m->count)
		return NULL;
	struct value *v = value_new(a, VALUE_MAP);
	for (uint32_t i = 0; i < m->count; i++)
		value_set(a, v, m->items[i].key, value_string(a, m->items[i].value));
	return v;
}

static struct value *list_value(const struct build *b, const struct field *f,
				const struct list *list)
{
	struct arena *a = b->arena;
	if (!list->count)
		return f->always && !b->given ? value_new(a, VALUE_NULL) : NULL;
	struct value *v = value_new(a, VALUE_LIST);
	for (uint32_t i = 0; i < list->count; i++) {
		if (f->type == FIELD_STRINGS) {
			const char *s = ((const char **)list->items)[i];
			value_push(a, v, value_string(a, s ? s : ""));
			continue;
		}
		struct value *item = value_new(a, VALUE_MAP);
		add_fields(b, f->sub, (const char *)list->items + i * f->item_size, item);
		value_push(a, v, item);
	}
	return v;
}

static struct value *nested_value(const struct build *b, const struct field *f, const char *base)
{
	bool flag = false, always = f->always && !b->given;
	if (f->type == FIELD_CASE &&
	    !kube_is(*(const char *const *)(const void *)(base + f->set_offset), f->json))
		return NULL;
	if (f->type == FIELD_OBJECT && f->set_offset != NO_SET)
		flag = *(const bool *)(base + f->set_offset);
	if (f->type == FIELD_OBJECT && f->set_offset != NO_SET && !flag && !always)
		return NULL;
	struct value *v = value_new(b->arena, VALUE_MAP);
	add_fields(b, f->sub, base + f->offset, v);
	return v->count || always || flag || f->type == FIELD_CASE ? v : NULL;
}

static struct value *time_value(struct arena *a, int64_t ns)
{
	char text[KUBE_TIME_TEXT];
	return ns ? value_string(a, arena_strdup(a, kube_time_text(ns, text))) : NULL;
}

static struct value *row_value(const struct build *b, const struct field *f, const char *base)
{
	struct arena *a = b->arena;
	bool always = f->always && !b->given;
	const void *at = base + f->offset;
	switch (f->type) {
	case FIELD_STRING:
		return string_value(b, f, *(const char *const *)at);
	case FIELD_INT32: {
		int32_t n = *(const int32_t *)at;
		return n || always ? value_int(a, n) : NULL;
	}
	case FIELD_INT64: {
		int64_t n = *(const int64_t *)at;
		return n || always ? value_int(a, n) : NULL;
	}
	case FIELD_OPT_INT: {
		const struct opt_int *n = at;
		return n->set ? value_int(a, n->value) : NULL;
	}
	case FIELD_TRI:
		return tri_value(b, f, *(const enum kube_tri *)at);
	case FIELD_BOOL:
		return *(const bool *)at || always ? value_bool(a, *(const bool *)at) : NULL;
	case FIELD_INT_OR_STRING:
		return int_or_string_value(a, at);
	case FIELD_TIME:
		return time_value(a, *(const int64_t *)at);
	case FIELD_VERSION: {
		uint64_t n = *(const uint64_t *)at;
		return n ? value_string(a, arena_printf(a, "%llu", (unsigned long long)n)) : NULL;
	}
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
		return map_value(a, at);
	case FIELD_STRINGS:
	case FIELD_LIST:
		return list_value(b, f, at);
	case FIELD_OBJECT:
	case FIELD_CASE:
		return nested_value(b, f, base);
	case FIELD_IGNORED:
		return always ? value_new(a, VALUE_MAP) : NULL;
	}
	return NULL;
}

static void add_fields(const struct build *b, const struct field *fields, const char *base,
		       struct value *map)
{
	for (const struct field *f = fields; f->json; f++) {
		struct value *v = f->hidden ? NULL : row_value(b, f, base);
		if (v)
			value_set(b->arena, map, f->json, v);
	}
}

/* Kinds whose strategy in the API server keeps no generation. */
static bool has_generation(enum kube_kind kind)
{
	switch (kind) {
	case KIND_SERVICE: case KIND_ENDPOINTS: case KIND_NODE: case KIND_NAMESPACE:
	case KIND_CONFIG_MAP: case KIND_PERSISTENT_VOLUME: case KIND_PERSISTENT_VOLUME_CLAIM:
	case KIND_STORAGE_CLASS: case KIND_EVENT: case KIND_CONTROLLER_REVISION:
	case KIND_SERVICE_CIDR:
		return false;
	default:
		return true;
	}
}

struct value *value_from_object(struct arena *a, const struct kube_object *o)
{
	const struct kind_schema *s = kube_schema(o->kind);
	struct value *v = value_new(a, VALUE_MAP);
	const struct build b = { a, false };
	add_fields(&b, s->fields, (const char *)o, v);
	value_set(a, v, "apiVersion", value_string(a, s->group_version));
	value_set(a, v, "kind", value_string(a, s->name));
	struct value *meta = value_get(v, "metadata");
	if (!meta)
		return v;
	if (!has_generation(o->kind))
		value_remove(meta, "generation");
	if (o->meta.uid && !value_get(meta, "creationTimestamp")) {
		char text[KUBE_TIME_TEXT]; /* made at the very start: 0 is a date here */
		value_set(a, meta, "creationTimestamp",
			  value_string(a, arena_strdup(a, kube_time_text(0, text))));
	}
	return v;
}

struct value *value_from_given(struct arena *a, const struct kube_object *o)
{
	const struct kind_schema *s = kube_schema(o->kind);
	const struct build b = { a, true };
	struct value *v = value_new(a, VALUE_MAP);
	add_fields(&b, s->fields, (const char *)o, v);
	value_set(a, v, "apiVersion", value_string(a, s->group_version));
	value_set(a, v, "kind", value_string(a, s->name));
	return v;
}

struct value *value_from_list(struct arena *a, const struct kube_object *const *objects,
			      uint32_t count)
{
	struct value *list = value_new(a, VALUE_MAP), *items = value_new(a, VALUE_LIST);
	struct value *meta = value_new(a, VALUE_MAP);
	for (uint32_t i = 0; i < count; i++)
		value_push(a, items, value_from_object(a, objects[i]));
	value_set(a, meta, "resourceVersion", value_string(a, ""));
	value_set(a, list, "apiVersion", value_string(a, "v1"));
	value_set(a, list, "items", items);
	value_set(a, list, "kind", value_string(a, "List"));
	value_set(a, list, "metadata", meta);
	return list;
}
