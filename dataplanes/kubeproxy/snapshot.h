/* kubeproxy/snapshot.h: the services of one family at one version of the store.
 *
 * A snapshot is immutable and reference-counted, one for all nodes: a sorted list in
 * chunks of some dozen services, which are the leaves of a balanced tree whose joints carry
 * sums. The snapshot after a change shares all but the path to the chunk that changed, so
 * it costs the logarithm of its size, and comparing two snapshots skips what they share.
 *
 * Blocks of text hang where they belong: on a service port (struct variant), merged for a
 * run of services on their chunk, and joined for a whole subtree on its joint. Runs and
 * subtrees are made of *plain* services: those whose text is the same on every node. A
 * plan for ten thousand plain services is a handful of blocks, all of them shared; after a
 * change a dozen joints are new.
 */
#ifndef KUBEPROXY_SNAPSHOT_H
#define KUBEPROXY_SNAPSHOT_H

#include "dataplanes/kubeproxy/service.h"

#define CHUNK_SERVICES 64

enum chunk_mark { /* of services in it */
	MARK_RANGES = 1,               /* one has source ranges */
	MARK_HEALTH = 2,               /* one has a health check node port */
	MARK_VARIED = 4                /* one is not plain */
};

struct chunk { /* services (a leaf), or two chunks one behind the other (a joint) */
	uint32_t references, count;    /* count: of services */
	uint32_t leaves;               /* a leaf: 1 */
	uint8_t height, marks;         /* height of a leaf: 0; marks: of enum chunk_mark */
	uint64_t endpoint_count;       /* distinct ones, summed over service ports */
	struct chunk *left, *right;    /* NULL in a leaf */
	struct variant *variants;      /* merged blocks; key: run of services, {0, 0} all */
	struct service *items[];       /* of a leaf, by namespace, then name */
};

struct snapshot {
	uint32_t references;
	struct chunk *root;            /* NULL: no service */
	uint32_t count;                /* services */
	uint64_t endpoint_count;
	char conflicts;                /* of claims: 0 not looked at, 'y', 'n' */
};

/* The blocks of a run of services of a chunk, of all of it with count 0; added if missing. */
struct variant *chunk_variant(struct chunk *c, uint32_t context, uint32_t start, uint32_t count);

/* Takes over the references of `items`. */
struct chunk *chunk_new(struct service *const items[], uint32_t count);
/* One behind the other, balanced again: new are as many joints as their heights differ.
 * Takes over both references; either may be NULL. */
struct chunk *chunk_join(struct chunk *left, struct chunk *right);
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is allowed */
const struct service *chunk_first(const struct chunk *c);
/* The leaf of this number; NULL behind the last. */
const struct chunk *chunk_leaf(const struct chunk *c, uint32_t number);
/* Takes over the reference of the root, which may be NULL. */
struct snapshot *snapshot_new(struct chunk *root);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* NULL is allowed */
/* NULL: it is not there; `s` may be NULL. */
struct service *snapshot_find(const struct snapshot *s, const char *namespace, const char *name);

/* Walks the services in order; a cursor starts zeroed. NULL at the end, also of NULL. */
struct snapshot_cursor {
	uint32_t chunk, item;          /* number of the leaf, and place in it */
	const struct chunk *leaf;      /* NULL: not looked up */
};
struct service *snapshot_walk(const struct snapshot *s, struct snapshot_cursor *cursor);
/* The same, but whole chunks in which no service has the mark are left out. */
struct service *snapshot_walk_marked(const struct snapshot *s, struct snapshot_cursor *cursor,
				     enum chunk_mark mark);

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

/* Walks `now` in pieces that can be written as one: all of a chunk or a run in it, of plain
 * services that are in `was` as well, or a single service. With `was` NULL nothing counts
 * as changed. */
struct stretch {
	struct snapshot_step at;       /* where the walk stands; start with zeros */
	struct chunk *chunk;           /* a joint only as a whole */
	uint32_t start, count;         /* services of the chunk */
	bool run;                      /* plain and unchanged */
	bool changed;                  /* single: it is not in `was` as it is now */
};
bool snapshot_next_stretch(const struct snapshot *was, const struct snapshot *now,
			   struct stretch *stretch);
/* Whether the run is all of its chunk. */
bool stretch_whole(const struct stretch *stretch);

#endif
