/* kube/patch_apply.c: kubectl's three-way merge: see patch.h. */
#include <string.h>

#include "kube/patch.h"
#include "kube/patch_internal.h"

static void merge(struct arena *a, const struct patch_place *place, struct value *current,
		  const struct value *last, const struct value *given);

static const struct value *of_type(const struct value *v, enum value_type type)
{
	return v && v->type == type ? v : NULL;
}

/* The item of `last` that has the key of this one. */
static const struct value *counterpart(const struct value *last, const char *key,
				       const struct value *item)
{
	uint32_t at = last ? patch_find(last, key, item) : UINT32_MAX;
	return at == UINT32_MAX ? NULL : last->members[at].value;
}

static void merge_items(struct arena *a, const struct patch_place *place, const char *key,
			struct value *current, const struct value *last, const struct value *given)
{
	const struct patch_place below = { place->kind, place, NULL };
	for (uint32_t i = 0; last && i < last->count; i++) {
		const struct value *item = last->members[i].value;
		uint32_t at = patch_find(current, key, item);
		if (at != UINT32_MAX && patch_find(given, key, item) == UINT32_MAX)
			patch_remove_at(current, at);
	}
	uint32_t old_count = current->count;
	for (uint32_t i = 0; i < given->count; i++) {
		const struct value *item = given->members[i].value;
		uint32_t at = patch_find(current, key, item);
		if (at == UINT32_MAX)
			value_push(a, current, value_copy(a, item));
		else if (key)
			merge(a, &below, current->members[at].value, counterpart(last, key, item),
			      item);
	}
	patch_order(a, current, key, given, old_count);
}

/* A strategy or volume of another type keeps only the keys that are given now. */
static bool retains_keys(const struct patch_place *place)
{
	bool strategy = place->name && (strcmp(place->name, "strategy") == 0);
	bool volume = !place->name && place->up && place->up->name &&
		      strcmp(place->up->name, "volumes") == 0;
	return strategy || volume;
}

static bool has_new_key(const struct value *current, const struct value *given)
{
	for (uint32_t i = 0; i < given->count; i++)
		if (!value_get(current, given->members[i].key))
			return true;
	return false;
}

static void retain(const struct patch_place *place, struct value *current,
		   const struct value *given)
{
	const struct value *was = value_get(current, "type"), *is = value_get(given, "type");
	bool other_type = was && is && !value_equal(was, is);
	if (!retains_keys(place) || !(other_type || (!place->name && has_new_key(current, given))))
		return;
	for (uint32_t i = current->count; i-- > 0;)
		if (!value_get(given, current->members[i].key))
			value_remove(current, current->members[i].key);
}

static void merge_one(struct arena *a, const struct patch_place *below, struct value *current,
		      const struct value *last, const struct value *item)
{
	struct value *have = value_get(current, below->name);
	const char *key = patch_merge_key(below);
	if (item->type == VALUE_NULL)
		value_remove(current, below->name);
	else if (have && have->type == VALUE_MAP && item->type == VALUE_MAP)
		merge(a, below, have, of_type(last, VALUE_MAP), item);
	else if (have && have->type == VALUE_LIST && item->type == VALUE_LIST &&
		 (key || patch_is_set(below)))
		merge_items(a, below, key, have, of_type(last, VALUE_LIST), item);
	else
		value_set(a, current, below->name, value_copy(a, item));
}

static void merge(struct arena *a, const struct patch_place *place, struct value *current,
		  const struct value *last, const struct value *given)
{
	retain(place, current, given);
	for (uint32_t i = 0; last && i < last->count; i++)
		if (!value_get(given, last->members[i].key))
			value_remove(current, last->members[i].key);
	for (uint32_t i = 0; i < given->count; i++) {
		const struct patch_place below = { place->kind, place, given->members[i].key };
		merge_one(a, &below, current, last ? value_get(last, below.name) : NULL,
			  given->members[i].value);
	}
}

void patch_three_way(struct arena *a, enum kube_kind kind, struct value *current,
		     const struct value *last, const struct value *given)
{
	const struct patch_place root = { kind, NULL, "" };
	if (current->type == VALUE_MAP && given->type == VALUE_MAP)
		merge(a, &root, current, of_type(last, VALUE_MAP), given);
}
