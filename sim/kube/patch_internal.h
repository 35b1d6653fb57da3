/* kube/patch_internal.h: how lists of the API merge. */
#ifndef KUBE_PATCH_INTERNAL_H
#define KUBE_PATCH_INTERNAL_H

#include "kube/value.h"

/* Where a walk is: the names of the maps above, for rules that depend on them. */
struct patch_place {
	enum kube_kind kind;
	const struct patch_place *up;
	const char *name;
};

/* The merge key of the list at this place; NULL: the list is replaced. */
const char *patch_merge_key(const struct patch_place *list);
/* Whether it is a list of scalars that merges as a set (finalizers). */
bool patch_is_set(const struct patch_place *list);
/* Position of the item whose `key` equals that of `item`; UINT32_MAX: none. */
uint32_t patch_find(const struct value *list, const char *key, const struct value *item);
void patch_remove_at(struct value *list, uint32_t at);
/* Brings a merged list into the order of `order` (items or keys), as the server does:
 * items that `order` does not name keep their place relative to those it names. The
 * first `old_count` items of the list were there before; the others are new. */
void patch_order(struct arena *a, struct value *list, const char *key, const struct value *order,
		 uint32_t old_count);

#endif
