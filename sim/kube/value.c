/* kube/value.c: see value.h. */
#include "kube/value.h"

#include <assert.h>
#include <string.h>

struct value *value_new(struct arena *a, enum value_type type)
{
	struct value *v = arena_alloc(a, sizeof *v);
	v->type = type;
	return v;
}

struct value *value_string(struct arena *a, const char *text)
{
	struct value *v = value_new(a, VALUE_STRING);
	v->text = text;
	return v;
}

struct value *value_int(struct arena *a, int64_t number)
{
	struct value *v = value_new(a, VALUE_INT);
	v->number = number;
	return v;
}

struct value *value_bool(struct arena *a, bool truth)
{
	struct value *v = value_new(a, VALUE_BOOL);
	v->truth = truth;
	return v;
}

static void insert(struct arena *a, struct value *v, uint32_t at, const char *key,
		   struct value *item)
{
	if (v->count == v->capacity) {
		uint32_t want = v->capacity ? v->capacity * 2 : 4;
		struct value_member *members = arena_array(a, want, sizeof *members);
		if (v->count)
			memcpy(members, v->members, v->count * sizeof *members);
		v->members = members;
		v->capacity = want;
	}
	memmove(v->members + at + 1, v->members + at, (v->count - at) * sizeof *v->members);
	v->members[at] = (struct value_member){ key, item };
	v->count++;
}

void value_push(struct arena *a, struct value *list, struct value *item)
{
	assert(list->type == VALUE_LIST);
	insert(a, list, list->count, NULL, item);
}

/* Where the key is or belongs. */
static uint32_t position(const struct value *map, const char *key, bool *found)
{
	uint32_t low = 0, high = map->count;
	*found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(map->members[middle].key, key);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void value_set(struct arena *a, struct value *map, const char *key, struct value *item)
{
	bool found;
	assert(map->type == VALUE_MAP);
	uint32_t at = position(map, key, &found);
	if (found)
		map->members[at].value = item;
	else
		insert(a, map, at, key, item);
}

bool value_remove(struct value *map, const char *key)
{
	bool found;
	if (map->type != VALUE_MAP)
		return false;
	uint32_t at = position(map, key, &found);
	if (!found)
		return false;
	memmove(map->members + at, map->members + at + 1,
		(map->count - at - 1) * sizeof *map->members);
	map->count--;
	return true;
}

struct value *value_get(const struct value *map, const char *key)
{
	bool found;
	if (!map || map->type != VALUE_MAP)
		return NULL;
	uint32_t at = position(map, key, &found);
	return found ? map->members[at].value : NULL;
}

struct value *value_path(const struct value *map, const char *path)
{
	char key[128];
	struct value *v = NULL;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, ".");
		assert(n < sizeof key);
		memcpy(key, p, n);
		key[n] = '\0';
		v = value_get(map, key);
		if (!v)
			return NULL;
		map = v;
		p += n + (p[n] == '.');
	}
	return v;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case VALUE_NULL: return true;
	case VALUE_BOOL: return a->truth == b->truth;
	case VALUE_INT: return a->number == b->number;
	case VALUE_FLOAT:
	case VALUE_STRING: return strcmp(a->text, b->text) == 0;
	default: break;
	}
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->type == VALUE_MAP && strcmp(a->members[i].key, b->members[i].key) != 0)
			return false;
		if (!value_equal(a->members[i].value, b->members[i].value))
			return false;
	}
	return true;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
	struct value *copy = arena_alloc(a, sizeof *copy);
	*copy = *v;
	if (v->text)
		copy->text = arena_strdup(a, v->text);
	copy->capacity = v->count;
	copy->members = arena_array(a, v->count, sizeof *copy->members);
	for (uint32_t i = 0; i < v->count; i++)
		copy->members[i] = (struct value_member){
			v->members[i].key ? arena_strdup(a, v->members[i].key) : NULL,
			value_copy(a, v->members[i].value)
		};
	return copy;
}
