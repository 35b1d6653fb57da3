/* kube/patch.h: changes to objects: patches and kubectl apply.
 *
 * An object becomes the tree of its JSON, the tree is changed, and the result is
 * read back by the schema tables; so a patch meets the same checks as a manifest.
 * The results are not defaulted or validated: give them to kube_admit_update.
 *
 * Strategic merge: maps merge; lists whose items have a merge key (containers by
 * name, a container's ports by containerPort, a Service's by port, volumeMounts by
 * mountPath, ...) merge by it, other lists are replaced; null
 * deletes; directives "$patch: delete|replace", "$setElementOrder/...",
 * "$deleteFromPrimitiveList/..." and "$retainKeys" are obeyed. Source: apimachinery's
 * pkg/util/strategicpatch and the patchStrategy tags of the API types.
 *
 * Apply: three-way, by the annotation kubectl.kubernetes.io/last-applied-configuration:
 * what the last manifest had and the new one has not is deleted, what the new one
 * has is set, all else stays.
 */
#ifndef KUBE_PATCH_H
#define KUBE_PATCH_H

#include "core/err.h"
#include "kube/value.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

enum patch_type { PATCH_STRATEGIC, PATCH_MERGE, PATCH_JSON };

/* A changed copy of `o`. The text is YAML or JSON; `file` is for messages. */
int kube_patch(const struct kube_object *o, enum patch_type type, const char *text, size_t length,
	       const char *file, struct kube_object **out, struct err *err);
/* What `kubectl apply` sends. `current` NULL: a new object. `given`: as its manifest was
 * read, not defaulted. *unannotated: current was made without apply (kubectl warns). */
int kube_apply(const struct kube_object *current, const struct kube_object *given,
	       struct kube_object **out, bool *unannotated, struct err *err);
/* Reads a tree as one object of a known kind. */
int kube_from_value(const struct value *v, const char *file, struct kube_object **out,
		    struct err *err);

/* On trees: the target is changed. `kind` chooses the merge keys. */
void patch_strategic(struct arena *a, enum kube_kind kind, struct value *target,
		     const struct value *patch);
void patch_merge(struct arena *a, struct value *target, const struct value *patch);
/* RFC 6902. EINVAL: an operation that cannot be done. */
int patch_json(struct arena *a, struct value **target, const struct value *operations,
	       struct err *err);
void patch_three_way(struct arena *a, enum kube_kind kind, struct value *current,
		     const struct value *last, const struct value *given);

#endif
