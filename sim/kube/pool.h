/* kube/pool.h: memory that the objects of one load share.
 *
 * Of 150,000 pods of one template, the labels, containers and tolerations are the
 * same bytes. A pool keeps each string and each array once (hash-consing): because
 * all strings in an array are pool strings, equal arrays have equal bytes. A pool
 * is reference-counted; it lives as long as one of its objects. What is in it is
 * never changed.
 */
#ifndef KUBE_POOL_H
#define KUBE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

struct kube_pool;

struct kube_pool *kube_pool_new(void);
struct kube_pool *kube_pool_ref(struct kube_pool *p);
void kube_pool_unref(struct kube_pool *p); /* NULL is allowed */
/* For what is not shared, as the objects themselves. */
struct arena *kube_pool_arena(struct kube_pool *p);
const char *kube_pool_string(struct kube_pool *p, const char *text, size_t length);
/* `bytes` must have been zeroed before its members were set (padding counts). */
void *kube_pool_bytes(struct kube_pool *p, const void *bytes, size_t size);
/* Remembers that work on one array of the pool gave another one (defaulting, mostly), so
 * that it is done once for 150,000 equal pods. `kind` tells different works apart. A
 * result may be forgotten; NULL: not known. */
void *kube_pool_result(const struct kube_pool *p, const void *array, uint32_t kind);
void kube_pool_remember(struct kube_pool *p, const void *array, uint32_t kind, void *result);
/* Drops what is needed only to find equal bytes; what is added later is not shared. */
void kube_pool_seal(struct kube_pool *p);

#endif
