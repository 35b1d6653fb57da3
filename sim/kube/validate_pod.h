/* kube/validate_pod.h: pod specs, in Pods and in templates. */
#ifndef KUBE_VALIDATE_POD_H
#define KUBE_VALIDATE_POD_H

#include "kube/field_error.h"

/* `at` is "spec" of a Pod or "spec.template.spec"; `template`: what holds for Pods only
 * is not asked. */
void validate_pod_spec(struct strbuf *errors, const struct field_path *at,
		       const struct kube_pod_spec *s, bool template);
/* Containers and init containers of a pod. */
void validate_containers(struct strbuf *errors, const struct field_path *at,
			 const struct kube_pod_spec *s, bool template);

#endif
