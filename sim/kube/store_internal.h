/* kube/store_internal.h: the store's own structs. */
#ifndef KUBE_STORE_INTERNAL_H
#define KUBE_STORE_INTERNAL_H

#include "core/table.h"
#include "kube/store.h"

/* One object's place. A deleted object stays here, dead, until the slot is taken
 * again: walks that stand on it find their way by its key. */
struct slot {
	struct kube_object *object;
	uint32_t hash, sequence;
	uint32_t position; /* hint: where it was last seen in `sorted` */
	bool live, stale;  /* stale: dead and still named in `sorted` */
};

struct birth { uint32_t sequence, slot; };

struct kind_table {
	struct slot *slots;
	uint32_t slot_count, slot_capacity, live, stale;
	uint32_t *index;             /* open addressing: slot + 1, 0 empty */
	uint32_t index_size, index_used;
	uint32_t *sorted;            /* slots in order of key; dead ones are skipped */
	uint32_t sorted_count, sorted_capacity;
	uint32_t *pending;           /* slots not yet in `sorted` */
	uint32_t pending_count, pending_capacity;
	struct birth *births;        /* in order of creation */
	uint32_t birth_count, birth_capacity, next_sequence;
	uint32_t *dead;              /* ring of dead slots, oldest first */
	uint32_t dead_first, dead_count, dead_capacity;
};

struct watch {
	uint32_t number;             /* 0: ended */
	enum kube_kind kind;
	int64_t delay_ns;
	kube_watch_fn *fn;
	void *ctx;
};

struct notice; /* a watcher's call that waits for its time */

#define SERVICE_LABEL "kubernetes.io/service-name"
#define TOUCHED 1024u

struct touched {                     /* a Service that a write had to do with */
	uint64_t version;            /* of the write; 0: a free place */
	char *namespace, *name;      /* one allocation of `size` bytes */
	size_t size;
};

struct kube_store {
	struct engine *engine;
	struct choice *choice;
	uint64_t version;
	struct kind_table kinds[KIND_COUNT];
	struct table slices;         /* "namespace/service" -> struct slice_list */
	struct table addresses;      /* struct net_addr -> struct address_owner */
	struct watch *watches;
	uint32_t watch_count, watch_capacity, next_watch;
	struct notice *notices;
	struct touched touched[TOUCHED]; /* a ring, latest at touched_count - 1 */
	uint64_t touched_count;      /* so far */
	uint64_t forgotten;          /* version of the last that left the ring */
};

/* store_order.c */
void kind_table_free(struct kind_table *t);
/* UINT32_MAX: none. */
uint32_t kind_table_find(const struct kind_table *t, const char *namespace, const char *name);
/* Takes the reference; the key must be new. Returns the slot. */
uint32_t kind_table_add(struct kind_table *t, struct kube_object *o);
void kind_table_remove(struct kind_table *t, uint32_t slot);

/* store_index.c: `old` or `now` NULL: created or deleted. */
void store_index_change(struct kube_store *s, const struct kube_object *old,
			const struct kube_object *now);
void store_index_init(struct kube_store *s);
void store_index_free(struct kube_store *s);

/* store_touched.c */
void store_touched_change(struct kube_store *s, const struct kube_object *old,
			  const struct kube_object *now);
void store_touched_free(struct kube_store *s);

/* store_watch.c */
void store_tell(struct kube_store *s, enum kube_change change, const struct kube_object *old,
		const struct kube_object *now);
void store_watch_free(struct kube_store *s);

#endif
