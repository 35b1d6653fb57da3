/* kube/copy.c: see copy.h. */
#include "kube/copy.h"

#include <string.h>

#include "kube/schema_rows.h"

struct list { void *items; uint32_t count; }; /* shape of every list member */

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

/* ---- assign, clear --------------------------------------------------------------- */

/* Bytes of a row's own storage; nested objects have none. */
static size_t row_size(const struct field *f)
{
	switch (f->type) {
	case FIELD_STRING: return sizeof(char *);
	case FIELD_INT32: return sizeof(int32_t);
	case FIELD_INT64:
	case FIELD_TIME:
	case FIELD_VERSION: return sizeof(int64_t);
	case FIELD_OPT_INT: return sizeof(struct opt_int);
	case FIELD_TRI: return sizeof(enum kube_tri);
	case FIELD_BOOL: return sizeof(bool);
	case FIELD_INT_OR_STRING: return sizeof(struct int_or_string);
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP: return sizeof(struct kube_map);
	case FIELD_STRINGS:
	case FIELD_LIST: return sizeof(struct list);
	default: return 0;
	}
}

static bool nested(const struct field *f)
{
	return f->type == FIELD_OBJECT || f->type == FIELD_CASE;
}

/* `from` NULL: clears. */
static void move_fields(const struct field *fields, char *to, const char *from)
{
	for (const struct field *f = fields; f->json; f++) {
		if (nested(f)) {
			move_fields(f->sub, to + f->offset, from ? from + f->offset : NULL);
		} else if (from) {
			memcpy(to + f->offset, from + f->offset, row_size(f));
		} else {
			memset(to + f->offset, 0, row_size(f));
		}
		if (f->set_offset == NO_SET || f->type == FIELD_IGNORED)
			continue;
		size_t flag = f->type == FIELD_CASE ? sizeof(char *) : sizeof(bool);
		if (from)
			memcpy(to + f->set_offset, from + f->set_offset, flag);
		else
			memset(to + f->set_offset, 0, flag);
	}
}

void kube_assign_fields(struct arena *a, const struct field *fields, void *to, const void *from)
{
	move_fields(fields, to, from);
	kube_copy_fields(a, fields, to);
}

void kube_clear_fields(const struct field *fields, void *base)
{
	move_fields(fields, base, NULL);
}

/* ---- compare ----------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool maps_equal(const struct kube_map *a, const struct kube_map *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count && a->items != b->items; i++)
		if (!same_text(a->items[i].key, b->items[i].key) ||
		    !same_text(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

static bool lists_equal(const struct field *f, const struct list *a, const struct list *b)
{
	if (a->count != b->count)
		return false;
	if (a->items == b->items)
		return true;
	for (uint32_t i = 0; i < a->count; i++) {
		if (f->type == FIELD_STRINGS) {
			if (!same_text(((const char **)a->items)[i], ((const char **)b->items)[i]))
				return false;
		} else if (!kube_fields_equal(f->sub, (const char *)a->items + i * f->item_size,
					      (const char *)b->items + i * f->item_size)) {
			return false;
		}
	}
	return true;
}

static bool rows_equal(const struct field *f, const char *a, const char *b)
{
	const void *x = a + f->offset, *y = b + f->offset;
	switch (f->type) {
	case FIELD_STRING:
		return same_text(*(const char *const *)x, *(const char *const *)y);
	case FIELD_OPT_INT: {
		const struct opt_int *m = x, *n = y;
		return m->set == n->set && (!m->set || m->value == n->value);
	}
	case FIELD_INT_OR_STRING: {
		const struct int_or_string *m = x, *n = y;
		return m->kind == n->kind && m->number == n->number &&
		       same_text(m->string, n->string);
	}
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
		return maps_equal(x, y);
	case FIELD_STRINGS:
	case FIELD_LIST:
		return lists_equal(f, x, y);
	case FIELD_OBJECT:
		return kube_fields_equal(f->sub, x, y);
	case FIELD_CASE: {
		const char *m = *(const char *const *)(const void *)(a + f->set_offset);
		const char *n = *(const char *const *)(const void *)(b + f->set_offset);
		return same_text(m, n) &&
		       (!same_text(m, f->json) || kube_fields_equal(f->sub, x, y));
	}
	case FIELD_IGNORED:
		return true;
	default:
		return memcmp(x, y, row_size(f)) == 0;
	}
}

bool kube_fields_equal(const struct field *fields, const void *a, const void *b)
{
	for (const struct field *f = fields; f->json; f++) {
		bool flag = f->set_offset != NO_SET && f->type == FIELD_OBJECT;
		if (flag &&
		    *((const bool *)a + f->set_offset) != *((const bool *)b + f->set_offset))
			return false;
		if (!rows_equal(f, a, b))
			return false;
	}
	return true;
}

const struct field *kube_status_row(const struct kind_schema *s)
{
	for (const struct field *f = s->fields; f->json; f++)
		if (strcmp(f->json, "status") == 0)
			return f;
	return NULL;
}

void kube_copy_pod_spec(struct arena *a, struct kube_pod_spec *to,
			const struct kube_pod_spec *from)
{
	*to = *from;
	kube_copy_fields(a, kube_pod_spec_fields, to);
}
