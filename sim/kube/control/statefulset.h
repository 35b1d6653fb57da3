/* kube/control/statefulset.h: between the files of the StatefulSet controller. */
#ifndef KUBE_CONTROL_STATEFULSET_H
#define KUBE_CONTROL_STATEFULSET_H

#include "kube/control/internal.h"

struct place { /* one ordinal of the set */
	const struct kube_pod *pod; /* a reference; NULL: no such object */
	int64_t ordinal;
	bool deleted;               /* by this sync */
};

struct stateful {
	struct control *c;
	const struct kube_stateful_set *set; /* a reference */
	const struct kube_controller_revision *current, *update; /* references */
	struct object_list revisions;        /* by number; references */
	struct place *replicas, *condemned;  /* ascending; descending */
	uint32_t replica_count, condemned_count, pod_count;
	int64_t wait_ns;                     /* until a pod has been ready long enough; 0 none */
};

/* stateful_revision.c: finds, makes or renumbers the revision of the template, and the
 * one before it. False: try again later. */
bool revisions_read(struct stateful *s);
void revisions_release(struct stateful *s);
/* Deletes what the history limit leaves out. */
void revisions_truncate(struct stateful *s);
/* Revision that a new pod of this ordinal gets. */
const struct kube_controller_revision *revision_for(const struct stateful *s, int64_t ordinal);

/* stateful_claims.c: claims of one pod. False: a former pod's claim is still there. */
bool claims_create(struct stateful *s, int64_t ordinal, const struct kube_pod *pod);
/* Hands the claims of a pod that goes for good to the pod, if the policy says so. */
void claims_condemn(struct stateful *s, const struct kube_pod *pod);
void claim_name(const struct stateful *s, const struct kube_pvc_template *t, int64_t ordinal,
		char out[300]);

bool place_healthy(const struct place *p);          /* ready, not terminating */
bool place_available(struct stateful *s, const struct place *p);
bool pod_at_revision(const struct kube_pod *p, const struct kube_controller_revision *r);

#endif
