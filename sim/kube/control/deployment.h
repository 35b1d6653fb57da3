/* kube/control/deployment.h: between the files of the Deployment controller.
 *
 * A sync works on views of the ReplicaSets: the object as it was read and the size that
 * this sync gave it. Old sets are in order of creation.
 */
#ifndef KUBE_CONTROL_DEPLOYMENT_H
#define KUBE_CONTROL_DEPLOYMENT_H

#include "kube/control/internal.h"

#define REVISION "deployment.kubernetes.io/revision"
#define REVISION_HISTORY "deployment.kubernetes.io/revision-history"
#define DESIRED_REPLICAS "deployment.kubernetes.io/desired-replicas"
#define MAX_REPLICAS "deployment.kubernetes.io/max-replicas"
#define HASH_LABEL "pod-template-hash"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct set_view {
	const struct kube_replica_set *set; /* a reference */
	int64_t replicas;                   /* spec.replicas, as this sync leaves it */
};

struct rollout {
	struct control *c;
	const struct kube_deployment *d; /* a reference */
	struct set_view *sets;           /* all, in order of creation */
	uint32_t count;
	struct set_view *newest;         /* with the current template; NULL: none */
	int64_t replicas, surge, unavailable;
	char revision[24];               /* for the Deployment's annotation; "": as it is */
	const char *created;             /* name of a set that this sync made; NULL none */
	bool found;                      /* the set existed before */
};

/* Absolute numbers: percent of surge up, of unavailability down; never both 0. */
void rollout_limits(const struct kube_deployment *d, int64_t *surge, int64_t *unavailable);
int64_t set_revision(const struct kube_object *o);
bool set_is_old(const struct rollout *r, const struct set_view *v);
/* Scales; event; true when it changed. */
bool set_scale(struct rollout *r, struct set_view *v, int64_t replicas);
/* Deployments that are paused or whose size changed in mid-rollout. */
bool rollout_needs_scaling(const struct rollout *r);
void rollout_rescale(struct rollout *r);
/* Deletes old empty sets beyond the history limit. */
void rollout_clean_up(struct rollout *r);
bool rollout_complete(const struct kube_deployment *d);
void rollout_write_status(struct rollout *r);

#endif
