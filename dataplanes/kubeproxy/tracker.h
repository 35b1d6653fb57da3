/* kubeproxy/tracker.h: the services of a store as planners see them, and what changed.
 *
 * A snapshot is the sorted list of services of one family at one version of the store:
 * immutable and reference-counted, one for all nodes. A planner keeps the snapshot of
 * its last sync; what differs between that and the present one is what has changed for
 * it, whoever refreshed the list in between. Services that came out equal keep their
 * content number, so a change of an annotation changes nothing.
 *
 * `struct proxy_shared` is what hangs in the view's planner_shared.
 */
#ifndef KUBEPROXY_TRACKER_H
#define KUBEPROXY_TRACKER_H

#include "dataplanes/kubeproxy/service.h"

struct snapshot {
	uint32_t references;
	struct service **items;        /* by namespace, then name */
	uint32_t count;
	uint64_t endpoint_count;       /* distinct ones, summed over service ports */
	char conflicts;                /* 0 not looked at, 'y', 'n' */
};

struct proxy_shared;

/* The view's, made when it is the first; without planner_shared a new one and *owned. */
struct proxy_shared *proxy_shared_get(const struct proxy_view *view, bool *owned);
void proxy_shared_free(struct proxy_shared *s);

/* The snapshot of the store now, with a reference for the caller. */
struct snapshot *proxy_snapshot(struct proxy_shared *s, const struct kube_store *store,
				unsigned family);
void snapshot_unref(struct snapshot *s); /* NULL is allowed */

/* A small number for a text: equal texts, equal numbers. For variant keys. */
uint32_t proxy_context(struct proxy_shared *s, const char *text);

/* Keeps something under a node's name (NULL forgets it) until it is taken away or the
 * shared memory goes; `drop` frees it then. */
void proxy_leave(struct proxy_shared *s, const char *node, void *remains,
		 void (*drop)(void *remains));
/* The caller owns it from now on; NULL: nothing is there. */
void *proxy_take(struct proxy_shared *s, const char *node);

/* Whether two service ports of the snapshot claim the same address and port or the same
 * node port (which one wins is a matter of order), or two Services the same address. */
bool snapshot_conflicts(struct snapshot *s);

/* Walks two snapshots side by side in order: one step a service of either. `was` may
 * be NULL (empty). False at the end. */
struct snapshot_step {
	uint32_t was_index, now_index; /* where the walk stands; start with zeros */
	struct service *was, *now;     /* NULL: not in that one */
	bool changed;
};
bool snapshot_next(const struct snapshot *was, const struct snapshot *now,
		   struct snapshot_step *step);

#endif
