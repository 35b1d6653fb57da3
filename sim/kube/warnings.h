/* kube/warnings.h: what the API server accepts but warns about.
 *
 * kubectl prints each as "Warning: ..." before the result. Sources:
 * pkg/api/{service,pod}/warnings.go and the strategies that call them.
 */
#ifndef KUBE_WARNINGS_H
#define KUBE_WARNINGS_H

#include "core/strbuf.h"
#include "kube/types.h"

/* Appends one line each; `old` NULL on create. */
void kube_warnings(const struct kube_object *o, const struct kube_object *old,
		   struct strbuf *out);

#endif
