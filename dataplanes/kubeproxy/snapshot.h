/* kubeproxy/snapshot.h: the services of one family at one version of the store.
 *
 * A snapshot is immutable and reference-counted, one for all nodes: a sorted list in
 * chunks of some dozen services. The snapshot after a change shares all chunks but the
 * one that changed, so it costs what it touches, and comparing two snapshots skips what
 * they share.
 *
 * Blocks of text hang where they belong: on a service port (struct variant), and, merged
 * for a whole run of services, on the chunk. A run is made of *plain* services: those
 * whose text is the same on every node. A plan for ten thousand plain services is a few
 * hundred blocks, all of them shared.
 */
#ifndef KUBEPROXY_SNAPSHOT_H
#define KUBEPROXY_SNAPSHOT_H

#include "dataplanes/kubeproxy/service.h"

#define CHUNK_SERVICES 64

struct chunk {
	uint32_t references, count;
	uint64_t endpoint_count;       /* distinct ones, summed over service ports */
	bool ranges, health;           /* a service has source ranges, a health check port */
	struct variant *variants;      /* merged blocks; key: first service of the run */
	struct service *items[];
};

struct snapshot {
	uint32_t references;
	struct chunk **chunks;         /* by namespace, then name; none is empty */
	uint32_t chunk_count;
	uint32_t count;                /* services */
	uint64_t endpoint_count;
	char conflicts;                /* 0 not looked at, 'y', 'n' */
};

/* Takes over the references of `items`. */
struct chunk *chunk_new(struct service *const items[], uint32_t count);
struct snapshot *snapshot_new(void);
/* Appends; takes over the reference. */
void snapshot_add(struct snapshot *s, struct chunk *c);
struct chunk *chunk_ref(struct chunk *c);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* NULL is allowed */

/* Walks the services in order; a cursor starts zeroed. NULL at the end, also of NULL. */
struct snapshot_cursor {
	uint32_t chunk, item;
};
struct service *snapshot_walk(const struct snapshot *s, struct snapshot_cursor *cursor);

/* Walks two snapshots side by side in order: one step a service of either. `was` may
 * be NULL (empty). False at the end. */
struct snapshot_step {
	struct snapshot_cursor was_at, now_at; /* where the walk stands; start with zeros */
	struct service *was, *now;             /* NULL: not in that one */
	bool changed;
};
bool snapshot_next(const struct snapshot *was, const struct snapshot *now,
		   struct snapshot_step *step);
/* The same for changed ones only; does not look into chunks that both share. */
bool snapshot_next_change(const struct snapshot *was, const struct snapshot *now,
			  struct snapshot_step *step);

/* Walks `now` in pieces that can be written as one: a run of plain services that are in
 * `was` as well, or a single service. With `was` NULL nothing counts as changed. */
struct stretch {
	struct snapshot_step at;       /* where the walk stands; start with zeros */
	struct chunk *chunk;
	uint32_t start, count;         /* services of the chunk */
	bool run;                      /* plain and unchanged */
	bool changed;                  /* single: it is not in `was` as it is now */
};
bool snapshot_next_stretch(const struct snapshot *was, const struct snapshot *now,
			   struct stretch *stretch);

/* Whether two service ports of the snapshot claim the same address and port or the same
 * node port (which one wins is a matter of order), one of them does so twice, or two
 * Services claim the same address. */
bool snapshot_conflicts(struct snapshot *s);

#endif
