/* kube/copy.h: parts of objects, by schema table: copied, compared, cleared.
 *
 * kube_copy (store.h) copies whole objects; this is for parts: a pod made from a
 * template takes the template's spec, an update keeps the stored status.
 */
#ifndef KUBE_COPY_H
#define KUBE_COPY_H

#include "kube/schema.h"

/* The struct at `base` is a shallow copy; everything it points to is copied into `a`. */
void kube_copy_fields(struct arena *a, const struct field *fields, void *base);
/* Sets the fields at `to` to deep copies of those at `from`; members of the structs that
 * the table doesn't name stay. */
void kube_assign_fields(struct arena *a, const struct field *fields, void *to,
			const void *from);
void kube_clear_fields(const struct field *fields, void *base);
bool kube_fields_equal(const struct field *fields, const void *a, const void *b);
/* The row "status" of a kind's table; NULL: the kind has none. */
const struct field *kube_status_row(const struct kind_schema *s);

/* A pod spec, deep. */
void kube_copy_pod_spec(struct arena *a, struct kube_pod_spec *to,
			const struct kube_pod_spec *from);

#endif
