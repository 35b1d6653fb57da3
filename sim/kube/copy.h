/* kube/copy.h: deep copy by schema table.
 *
 * kube_copy (store.h) copies whole objects; this is for parts: a pod made from a
 * template takes the template's spec.
 */
#ifndef KUBE_COPY_H
#define KUBE_COPY_H

#include "kube/schema.h"

/* The struct at `base` is a shallow copy; everything it points to is copied into `a`. */
void kube_copy_fields(struct arena *a, const struct field *fields, void *base);

#endif
