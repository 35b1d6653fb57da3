/* kubeproxy/tracker.h: what the planners of one store share, and the present snapshot.
 *
 * A planner keeps the snapshot of its last sync; what differs between that and the
 * present one is what has changed for it, whoever refreshed the list in between. Services
 * that came out equal keep their content number, so a change of an annotation changes
 * nothing.
 *
 * `struct proxy_shared` is what hangs in the view's planner_shared.
 */
#ifndef KUBEPROXY_TRACKER_H
#define KUBEPROXY_TRACKER_H

#include "dataplanes/kubeproxy/snapshot.h"

struct proxy_shared;

/* The view's, made when it is the first; without planner_shared a new one and *owned. */
struct proxy_shared *proxy_shared_get(const struct proxy_view *view, bool *owned);
void proxy_shared_free(struct proxy_shared *s);

/* The snapshot of the store now, with a reference for the caller. */
struct snapshot *proxy_snapshot(struct proxy_shared *s, const struct kube_store *store,
				unsigned family);

/* Whether two service ports of the snapshot claim the same address and port or the same
 * node port (which one wins is a matter of order), one of them does so twice, or two
 * Services claim the same external address. `s` may be NULL. */
bool proxy_conflicts(struct proxy_shared *shared, unsigned family, struct snapshot *s);

/* A small number for a text: equal texts, equal numbers. For variant keys. */
uint32_t proxy_context(struct proxy_shared *s, const char *text);

/* Keeps something under a node's name (NULL forgets it) until it is taken away or the
 * shared memory goes; `drop` frees it then. */
void proxy_leave(struct proxy_shared *s, const char *node, void *remains,
		 void (*drop)(void *remains));
/* The caller owns it from now on; NULL: nothing is there. */
void *proxy_take(struct proxy_shared *s, const char *node);

/* conflicts.c: claims on addresses and ports, of one family. */
struct claims;
struct claims *claims_new(void);
void claims_free(struct claims *c); /* NULL is allowed */
bool claims_conflict(struct claims *c, struct snapshot *of);

#endif
