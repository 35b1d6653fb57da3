/* kube/patch.c: merge patches and objects: see patch.h. */
#include "kube/patch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kube/manifest.h"
#include "kube/patch_internal.h"
#include "kube/schema.h"
#include "kube/store.h"

#define SET_ORDER "$setElementOrder/"
#define DELETE_FROM "$deleteFromPrimitiveList/"
#define RETAIN "$retainKeys"

static void merge_map(struct arena *a, const struct patch_place *place, struct value *target,
		      const struct value *patch);

/* ---- RFC 7386 --------------------------------------------------------------------------- */

void patch_merge(struct arena *a, struct value *target, const struct value *patch)
{
	if (patch->type != VALUE_MAP) {
		*target = *value_copy(a, patch);
		return;
	}
	if (target->type != VALUE_MAP)
		*target = (struct value){ .type = VALUE_MAP };
	for (uint32_t i = 0; i < patch->count; i++) {
		const char *key = patch->members[i].key;
		const struct value *item = patch->members[i].value;
		if (item->type == VALUE_NULL) {
			value_remove(target, key);
			continue;
		}
		struct value *have = value_get(target, key);
		if (!have) {
			have = value_new(a, VALUE_NULL);
			value_set(a, target, key, have);
		}
		patch_merge(a, have, item);
	}
}

/* ---- strategic merge ----------------------------------------------------------------------- */

static bool directive_is(const struct value *map, const char *what)
{
	const struct value *v = value_get(map, "$patch");
	return v && v->type == VALUE_STRING && strcmp(v->text, what) == 0;
}

static struct value *without_directives(struct arena *a, const struct value *v)
{
	struct value *copy = value_copy(a, v);
	for (uint32_t i = copy->count; copy->type == VALUE_MAP && i-- > 0;)
		if (copy->members[i].key[0] == '$')
			value_remove(copy, copy->members[i].key);
	for (uint32_t i = 0; i < copy->count; i++)
		copy->members[i].value = without_directives(a, copy->members[i].value);
	return copy;
}

/* {$patch: replace} as an item: the list is only what the patch has besides. */
static bool is_replace_item(const struct value *item)
{
	return directive_is(item, "replace") && item->count == 1;
}

/* `order`: the list of a $setElementOrder, else the patch itself. */
static void merge_items(struct arena *a, const struct patch_place *place, const char *key,
			struct value *target, const struct value *patch, const struct value *order)
{
	const struct patch_place item_place = { place->kind, place, NULL };
	struct value *added = value_new(a, VALUE_LIST);
	for (uint32_t i = 0; i < patch->count; i++)
		if (is_replace_item(patch->members[i].value))
			target->count = 0;
	for (uint32_t i = 0; i < patch->count; i++) {
		const struct value *item = patch->members[i].value;
		uint32_t at = patch_find(target, key, item);
		if (directive_is(item, "delete")) {
			if (at != UINT32_MAX)
				patch_remove_at(target, at);
		} else if (is_replace_item(item)) {
			continue;
		} else if (at == UINT32_MAX) {
			value_push(a, added, without_directives(a, item));
		} else {
			merge_map(a, &item_place, target->members[at].value, item);
		}
	}
	uint32_t old_count = target->count;
	for (uint32_t i = 0; i < added->count; i++)
		value_push(a, target, added->members[i].value);
	patch_order(a, target, key, order, old_count);
}

static void merge_list(struct arena *a, const struct patch_place *place, struct value *target,
		       const struct value *patch, const struct value *order)
{
	const char *key = patch_merge_key(place);
	if (target->type == VALUE_LIST && key) {
		merge_items(a, place, key, target, patch, order);
	} else if (target->type == VALUE_LIST && patch_is_set(place)) {
		for (uint32_t i = 0; i < patch->count; i++)
			if (patch_find(target, NULL, patch->members[i].value) == UINT32_MAX)
				value_push(a, target, value_copy(a, patch->members[i].value));
	} else {
		*target = *without_directives(a, patch);
	}
}

static void delete_from(struct value *target, const char *key, const struct value *gone)
{
	struct value *list = value_get(target, key);
	for (uint32_t i = 0; list && list->type == VALUE_LIST && i < gone->count; i++) {
		uint32_t at = patch_find(list, NULL, gone->members[i].value);
		if (at != UINT32_MAX)
			patch_remove_at(list, at);
	}
}

static void retain_keys(struct value *target, const struct value *keys)
{
	for (uint32_t i = target->count; i-- > 0;) {
		bool kept = false;
		for (uint32_t j = 0; j < keys->count; j++)
			kept |= keys->members[j].value->type == VALUE_STRING &&
				strcmp(keys->members[j].value->text, target->members[i].key) == 0;
		if (!kept)
			value_remove(target, target->members[i].key);
	}
}

/* The list of the directive "$setElementOrder/KEY", or the patch's own. */
static const struct value *order_of(struct arena *a, const struct value *patch, const char *key,
				    const struct value *own)
{
	const struct value *order = value_get(patch, arena_printf(a, SET_ORDER "%s", key));
	return order && order->type == VALUE_LIST ? order : own;
}

static void merge_key(struct arena *a, const struct patch_place *place, struct value *target,
		      const struct value *patch, uint32_t index)
{
	const char *key = patch->members[index].key;
	const struct value *item = patch->members[index].value;
	const struct patch_place below = { place->kind, place, key };
	struct value *have = value_get(target, key);
	if (item->type == VALUE_NULL) {
		value_remove(target, key);
	} else if (!have) {
		value_set(a, target, key, without_directives(a, item));
	} else if (item->type == VALUE_MAP && have->type == VALUE_MAP) {
		merge_map(a, &below, have, item);
	} else if (item->type == VALUE_LIST) {
		merge_list(a, &below, have, item, order_of(a, patch, key, item));
	} else {
		*have = *value_copy(a, item);
	}
}

/* Directives that work on a list's name, once the list itself is merged. */
static void follow_up(struct arena *a, const struct patch_place *place, struct value *target,
		      const struct value *patch, uint32_t index)
{
	const char *key = patch->members[index].key;
	const struct value *item = patch->members[index].value;
	if (strncmp(key, DELETE_FROM, strlen(DELETE_FROM)) == 0) {
		delete_from(target, key + strlen(DELETE_FROM), item);
	} else if (strncmp(key, SET_ORDER, strlen(SET_ORDER)) == 0) {
		const char *name = key + strlen(SET_ORDER);
		const struct patch_place below = { place->kind, place, name };
		struct value *list = value_get(target, name);
		if (list && list->type == VALUE_LIST && item->type == VALUE_LIST &&
		    !value_get(patch, name))
			patch_order(a, list, patch_merge_key(&below), item, list->count);
	} else if (strcmp(key, RETAIN) == 0 && item->type == VALUE_LIST) {
		retain_keys(target, item);
	}
}

static void merge_map(struct arena *a, const struct patch_place *place, struct value *target,
		      const struct value *patch)
{
	if (directive_is(patch, "delete")) {
		target->count = 0;
		return;
	}
	if (directive_is(patch, "replace"))
		target->count = 0;
	for (uint32_t i = 0; i < patch->count; i++)
		if (patch->members[i].key[0] != '$')
			merge_key(a, place, target, patch, i);
	for (uint32_t i = 0; i < patch->count; i++)
		if (patch->members[i].key[0] == '$')
			follow_up(a, place, target, patch, i);
}

void patch_strategic(struct arena *a, enum kube_kind kind, struct value *target,
		     const struct value *patch)
{
	const struct patch_place root = { kind, NULL, "" };
	if (patch->type == VALUE_MAP && target->type == VALUE_MAP)
		merge_map(a, &root, target, patch);
}

/* ---- objects --------------------------------------------------------------------------------- */

static int take(void *ctx, struct kube_object *o, struct err *err)
{
	struct kube_object **out = ctx;
	if (*out) {
		bool embedded = kube_kind_is_config(o->kind); /* kube-proxy's, in its ConfigMap */
		kube_unref(o);
		return embedded ? 0 : err_set(err, EINVAL, "one object became two, expected one");
	}
	*out = o;
	return 0;
}

int kube_from_value(const struct value *v, const char *file, struct kube_object **out,
		    struct err *err)
{
	struct manifest_options options = { .defaults = false };
	struct strbuf text = { 0 };
	*out = NULL;
	value_print_json(v, 4, &text);
	int code = manifest_read(text.data, text.length, file, &options, take, out, err);
	strbuf_free(&text);
	if (!code && !*out)
		code = err_set(err, EINVAL, "%s: the result is no object of a known kind", file);
	if (code) {
		kube_unref(*out);
		*out = NULL;
	}
	return code;
}

/* A patch may not turn an object into another one. */
static int same_object(const struct kube_object *a, const struct kube_object *b,
		       const char *file, struct err *err)
{
	if (a->kind != b->kind)
		return err_set(err, EINVAL, "%s: the patch changes the kind, expected %s", file,
			       kube_schema(a->kind)->name);
	if (!kube_is(a->meta.name, b->meta.name))
		return err_set(err, EINVAL, "%s: the patch changes metadata.name, expected \"%s\"",
			       file, a->meta.name);
	return 0;
}

int kube_patch(const struct kube_object *o, enum patch_type type, const char *text, size_t length,
	       const char *file, struct kube_object **out, struct err *err)
{
	struct arena *a = arena_new();
	struct value *patch, *tree = value_from_object(a, o);
	int code = value_parse(a, text, length, file, &patch, err);
	*out = NULL;
	if (!code && type != PATCH_JSON && patch->type != VALUE_MAP)
		code = err_set(err, EINVAL, "%s: the patch is no mapping, expected one", file);
	if (!code && type == PATCH_JSON)
		code = patch_json(a, &tree, patch, err);
	else if (!code && type == PATCH_MERGE)
		patch_merge(a, tree, patch);
	else if (!code)
		patch_strategic(a, o->kind, tree, patch);
	if (!code)
		code = kube_from_value(tree, file, out, err);
	if (!code)
		code = same_object(o, *out, file, err);
	if (code) {
		kube_unref(*out);
		*out = NULL;
	}
	arena_free(a);
	return code;
}

/* ---- apply -------------------------------------------------------------------------------------
 */

static const char *annotation_text(struct arena *a, const struct value *given)
{
	struct value *copy = value_copy(a, given);
	struct value *meta = value_get(copy, "metadata");
	struct value *annotations = meta ? value_get(meta, "annotations") : NULL;
	struct strbuf text = { 0 };
	if (meta && !annotations)
		value_set(a, meta, "annotations", annotations = value_new(a, VALUE_MAP));
	if (annotations)
		value_remove(annotations, LAST_APPLIED);
	value_print_json(copy, 0, &text);
	strbuf_putc(&text, '\n');
	const char *kept = arena_strndup(a, text.data, text.length);
	strbuf_free(&text);
	return kept;
}

static void annotate(struct arena *a, struct value *tree, const char *text)
{
	struct value *meta = value_get(tree, "metadata");
	assert(meta);
	struct value *annotations = value_get(meta, "annotations");
	if (!annotations)
		value_set(a, meta, "annotations", annotations = value_new(a, VALUE_MAP));
	value_set(a, annotations, LAST_APPLIED, value_string(a, text));
}

int kube_apply(const struct kube_object *current, const struct kube_object *given,
	       struct kube_object **out, bool *unannotated, struct err *err)
{
	struct arena *a = arena_new();
	struct value *wanted = value_from_given(a, given), *last = NULL, *tree = wanted;
	const char *text = annotation_text(a, wanted),
		   *file = given->file ? given->file : "<apply>";
	*unannotated = false;
	annotate(a, wanted, text);
	if (current) {
		const char *before = kube_map_get(&current->meta.annotations, LAST_APPLIED);
		*unannotated = before == NULL;
		/* An annotation that is no JSON counts as none. */
		if (before && value_parse(a, before, strlen(before), LAST_APPLIED, &last, NULL))
			last = NULL;
		tree = value_from_object(a, current);
		patch_three_way(a, current->kind, tree, last, wanted);
	}
	int code = kube_from_value(tree, file, out, err);
	arena_free(a);
	return code;
}
