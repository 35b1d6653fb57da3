/* kube/control/verbs.h: what kubectl needs of the controllers beyond control.h. */
#ifndef KUBE_CONTROL_VERBS_H
#define KUBE_CONTROL_VERBS_H

#include "kube/control/internal.h"

struct control_revision { /* of a Deployment's, StatefulSet's or DaemonSet's template */
	int64_t number;
	const struct kube_template *template;
	const struct kube_object *object; /* ReplicaSet or ControllerRevision */
	const char *cause;                /* annotation kubernetes.io/change-cause, or NULL */
};

/* In order of number; the caller frees *out. Pointers are valid until the next write. */
uint32_t control_revisions(struct control *c, const struct kube_object *o,
			   struct control_revision **out);
/* The pod template in an object, NULL when its kind has none. */
struct kube_template *template_of(struct kube_object *o);

#endif
