/* kube/control/queue.h: a work queue of object keys.
 *
 * A key that is added twice before its turn is synced once, at the earlier of both
 * times; a key that is added while it is being synced gets another turn. Keys are
 * namespace and name ("" for cluster-scoped kinds).
 *
 * As many syncs run at a time as the controller has workers: one takes `cost` of the
 * queue's time, and keys that are due while all are busy wait. That is why a big change
 * is not synced once for each of its parts.
 *
 * Work that lies further away than QUEUE_FAR is background: a deadline, a re-check.
 * `busy` counts the rest, so that somebody can ask whether anything is left to do.
 */
#ifndef KUBE_CONTROL_QUEUE_H
#define KUBE_CONTROL_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"
#include "core/table.h"

#define QUEUE_FAR (10 * NS_PER_S)

struct control;
typedef void queue_sync_fn(struct control *c, const char *namespace, const char *name);

struct work_queue {
	struct control *control;
	struct engine *engine;
	queue_sync_fn *sync;
	struct table items; /* "namespace/name" to struct work_item * */
	int64_t cost_ns, free_ns; /* of a sync; when the next one may begin */
	uint32_t busy;
};

void queue_init(struct work_queue *q, struct control *c, struct engine *engine,
		int64_t cost_ns, queue_sync_fn *sync);
/* Forgets all keys; the queue can be used again. */
void queue_clear(struct work_queue *q);
void queue_free(struct work_queue *q);
void queue_add(struct work_queue *q, const char *namespace, const char *name, int64_t delay_ns);
bool queue_has(const struct work_queue *q, const char *namespace, const char *name);

#endif
