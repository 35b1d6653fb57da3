/* kube/patch_keys.c: merge keys, and the order of merged lists. */
#include <string.h>

#include "kube/patch_internal.h"

struct rule { const char *above, *list, *key; }; /* above NULL: anywhere */

/* patchMergeKey of the API types. */
static const struct rule rules[] = {
	{ "metadata", "ownerReferences", "uid" },
	{ "status", "conditions", "type" },
	{ NULL, "containers", "name" },
	{ NULL, "initContainers", "name" },
	{ NULL, "volumes", "name" },
	{ NULL, "env", "name" },
	{ NULL, "volumeMounts", "mountPath" },
	{ NULL, "volumeDevices", "devicePath" },
	{ NULL, "hostAliases", "ip" },
	{ NULL, "imagePullSecrets", "name" },
	{ NULL, "topologySpreadConstraints", "topologyKey" },
	{ NULL, "podIPs", "ip" },
	{ NULL, "hostIPs", "ip" },
};

static bool above_is(const struct patch_place *p, const char *name)
{
	return p->up && p->up->name && strcmp(p->up->name, name) == 0;
}

const char *patch_merge_key(const struct patch_place *p)
{
	if (!p->name)
		return NULL;
	if (strcmp(p->name, "ports") == 0) {
		if (p->kind == KIND_SERVICE)
			return above_is(p, "spec") ? "port" : NULL;
		bool container = p->up && !p->up->name; /* an item of a list */
		return container ? "containerPort" : NULL;
	}
	if (p->kind == KIND_NODE && above_is(p, "status") && strcmp(p->name, "addresses") == 0)
		return "type";
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(p->name, rules[i].list) == 0 &&
		    (!rules[i].above || above_is(p, rules[i].above)))
			return rules[i].key;
	return NULL;
}

bool patch_is_set(const struct patch_place *p)
{
	if (!p->name)
		return false;
	return (strcmp(p->name, "finalizers") == 0 && above_is(p, "metadata")) ||
	       (p->kind == KIND_NODE && strcmp(p->name, "podCIDRs") == 0);
}

uint32_t patch_find(const struct value *list, const char *key, const struct value *item)
{
	const struct value *wanted = key ? value_get(item, key) : item;
	for (uint32_t i = 0; wanted && i < list->count; i++) {
		const struct value *have = list->members[i].value;
		if (key)
			have = value_get(have, key);
		if (have && value_equal(have, wanted))
			return i;
	}
	return UINT32_MAX;
}

void patch_remove_at(struct value *list, uint32_t at)
{
	memmove(list->members + at, list->members + at + 1,
		(list->count - at - 1) * sizeof *list->members);
	list->count--;
}

void patch_order(struct arena *a, struct value *list, const char *key, const struct value *order,
		 uint32_t old_count)
{
	struct value *named = value_new(a, VALUE_LIST), *others = value_new(a, VALUE_LIST);
	struct value *merged = value_new(a, VALUE_LIST);
	for (uint32_t i = 0; i < order->count; i++) {
		uint32_t at = patch_find(list, key, order->members[i].value);
		if (at != UINT32_MAX &&
		    patch_find(named, key, list->members[at].value) == UINT32_MAX)
			value_push(a, named, list->members[at].value);
	}
	for (uint32_t i = 0; i < list->count; i++)
		if (patch_find(named, key, list->members[i].value) == UINT32_MAX)
			value_push(a, others, list->members[i].value);
	uint32_t n = 0, o = 0;
	while (n < named->count || o < others->count) {
		bool take_named = o == others->count;
		if (n < named->count && !take_named) {
			uint32_t at = patch_find(list, key, named->members[n].value);
			take_named = at >= old_count ||
				     at < patch_find(list, key, others->members[o].value);
		}
		value_push(a, merged,
			   take_named ? named->members[n++].value : others->members[o++].value);
	}
	*list = *merged;
}
