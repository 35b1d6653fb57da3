/* core/engine.h: virtual clock and event queue.
 *
 * Time is int64_t nanoseconds since the start of the run; nothing here reads a
 * wall clock. Events are totally ordered by (time, sequence): two events of the
 * same nanosecond run in the order in which they were scheduled, so a run is
 * the same on every machine. The queue keeps 16-byte records {time, sequence,
 * slot}; the callback lies in a slot table beside it.
 *
 * Cancelling is lazy: the slot forgets its callback and the record is dropped
 * when its time comes. An event_id names one scheduling only; cancelling one
 * that ran or was cancelled does nothing.
 *
 * A callback may schedule and cancel freely. Nothing is freed by the engine:
 * `ctx` belongs to the caller and must outlive the event or be cancelled.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* The date of the start, as Unix time: 2026-01-01T00:00:00Z. Objects, captures, logs and
 * tools agree on it. */
#define ENGINE_EPOCH_S INT64_C(1767225600)

struct engine;

struct event_id {
	uint32_t slot;       /* slot number + 1; 0 names no event */
	uint32_t generation;
};

typedef void event_fn(void *ctx);

struct engine *engine_new(void);
void engine_free(struct engine *e);
/* Now, in ns since the start. */
int64_t engine_now(const struct engine *e);
/* Schedules fn(ctx) at `when_ns`; a time in the past means now. */
struct event_id engine_at(struct engine *e, int64_t when_ns, event_fn *fn, void *ctx);
struct event_id engine_after(struct engine *e, int64_t delay_ns, event_fn *fn, void *ctx);
/* Cancels and clears *id; whether it was still pending. */
bool engine_cancel(struct engine *e, struct event_id *id);
bool engine_pending(const struct engine *e, struct event_id id);
/* Runs the next event and advances the clock to it; false when none is left. */
bool engine_step(struct engine *e);
/* Time of the next live event, INT64_MAX when there is none. */
int64_t engine_next(struct engine *e);
/* Runs all events up to and including `until_ns`, then sets the clock to it. */
void engine_run_until(struct engine *e, int64_t until_ns);
/* Events run so far. */
uint64_t engine_count(const struct engine *e);

#endif
