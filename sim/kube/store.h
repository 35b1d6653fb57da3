/* kube/store.h: the API server's memory: objects, versions, watchers.
 *
 * The store keeps one reference to each object. Objects in it are immutable; a
 * reader that keeps a pointer past its callback takes a reference. Every write
 * gives the object a new resourceVersion; uids are made from the seed. Lists are
 * in order of namespace, then name. Watchers are called in the order of their
 * registration, each after its own delay (0: inside the write), in virtual time,
 * with the old and the new object.
 *
 * Keys are kind, namespace ("" for cluster-scoped kinds) and name.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/engine.h"
#include "core/err.h"
#include "kube/types.h"

struct kube_store;

enum kube_change { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED };

/* engine may be NULL for a snapshot without time (then delays are 0). */
struct kube_store *kube_store_new(struct engine *engine, struct choice *choice);
void kube_store_free(struct kube_store *s);
struct engine *kube_store_engine(const struct kube_store *s);

/* A new, empty object of the kind with one reference and an arena of its own. */
struct kube_object *kube_new(enum kube_kind kind);
struct kube_object *kube_ref(const struct kube_object *o);
void kube_unref(struct kube_object *o); /* NULL is allowed */
/* A deep copy with one reference, free to change. */
struct kube_object *kube_copy(const struct kube_object *o);
/* Strings for an object that is being made. */
const char *kube_string(struct kube_object *o, const char *s);
/* Sets or replaces a pair of a map of this object, keeping the order. */
void kube_map_set(struct kube_object *o, struct kube_map *m, const char *key, const char *value);

/* Takes the reference. EEXIST when the key is there. Sets uid, creation time,
 * resourceVersion, generation 1 where they are not given. */
int kube_store_create(struct kube_store *s, struct kube_object *o, struct err *err);
/* Takes the reference. ENOENT when it is gone. `spec_changed` raises generation. */
int kube_store_update(struct kube_store *s, struct kube_object *o, bool spec_changed,
		      struct err *err);
/* Removes at once (graceful deletion is the caller's: it sets deletion_ns first). */
int kube_store_delete(struct kube_store *s, enum kube_kind kind, const char *namespace,
		      const char *name, struct err *err);
/* Borrowed; NULL when there is none. */
const struct kube_object *kube_store_get(const struct kube_store *s, enum kube_kind kind,
					 const char *namespace, const char *name);
/* Walk in order; namespace NULL: all. `cursor` starts at 0. The store may be changed
 * during the walk: objects added behind the cursor are not seen. */
const struct kube_object *kube_store_next(const struct kube_store *s, enum kube_kind kind,
					  const char *namespace, uint32_t *cursor);
uint32_t kube_store_count(const struct kube_store *s, enum kube_kind kind);
/* Objects in the order in which they were created (file order for a snapshot). */
const struct kube_object *kube_store_next_created(const struct kube_store *s, enum kube_kind kind,
						  uint32_t *cursor);
uint64_t kube_store_version(const struct kube_store *s);
/* Services that writes after version `since` touched: the Service itself, its Endpoints or
 * its slices; the latest write first, the same one perhaps more than once. The store knows
 * the last thousand or so; without `recalls` they are not all. Names live until the next
 * write; `cursor` starts at 0. */
bool kube_store_recalls(const struct kube_store *s, uint64_t since);
bool kube_store_next_touched(const struct kube_store *s, uint64_t since, uint32_t *cursor,
			     const char **namespace, const char **name);

/* ADDED: `old` is NULL. DELETED: `now` is NULL. */
typedef void kube_watch_fn(void *ctx, enum kube_change change, const struct kube_object *old,
			   const struct kube_object *now);
/* kind KIND_NONE: all kinds. Returns a number for kube_unwatch. */
uint32_t kube_watch(struct kube_store *s, enum kube_kind kind, int64_t delay_ns,
		    kube_watch_fn *fn, void *ctx);
void kube_unwatch(struct kube_store *s, uint32_t watch);

/* Slices of a Service (label kubernetes.io/service-name), in order of name; an index,
 * not a scan. */
const struct kube_endpoint_slice *kube_store_next_slice(const struct kube_store *s,
							const char *namespace,
							const char *service, uint32_t *cursor);
/* The Pod that has this address (not host network), or NULL; an index. */
const struct kube_pod *kube_store_pod_by_ip(const struct kube_store *s, const struct net_addr *ip);

#endif
