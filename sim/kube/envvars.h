/* kube/envvars.h: variables that tell a container of Services.
 *
 * For each Service with a ClusterIP: NAME_SERVICE_HOST, NAME_SERVICE_PORT, one
 * NAME_SERVICE_PORT_<PORT> for each named port, and the forms of Docker links. Upper
 * case, `-` and `.` become `_`, a leading digit gets one in front. Source:
 * pkg/kubelet/envvars/envvars.go.
 */
#ifndef KUBE_ENVVARS_H
#define KUBE_ENVVARS_H

#include "kube/store.h"

struct kube_env_vars { /* one list, shared by all containers that started with it */
	struct kube_map pairs; /* in order of Service and form, not of key */
	struct arena *arena;
	uint32_t references, capacity;
};

/* Services that a pod of this namespace sees: its own (with `links`) and
 * default/kubernetes. One reference. */
struct kube_env_vars *kube_env_vars_new(const struct kube_store *s, const char *namespace,
					bool links);
void kube_env_vars_unref(struct kube_env_vars *v); /* NULL is allowed */

#endif
