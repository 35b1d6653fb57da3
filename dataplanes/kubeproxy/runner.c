/* kubeproxy/runner.c: see runner.h. */
#include "dataplanes/kubeproxy/runner.h"

#include <stdlib.h>

#include "core/engine.h"

#define FULL_SYNC_NS (INT64_C(3600) * NS_PER_S)
#define BURST 2

void runner_open(struct runner *r, int64_t min_ns, int64_t sync_ns, bool periodic, bool burst)
{
	*r = (struct runner){ .min_ns = min_ns, .retry_ns = sync_ns,
			      .periodic_ns = periodic ? sync_ns : FULL_SYNC_NS, .burst = burst,
			      .full = true, .retry_at_ns = INT64_MAX,
			      .wanted_since_ns = INT64_MAX, .queued_ns = INT64_MAX,
			      .done_ns = -1,
			      .tokens_ns = BURST * min_ns };
	table_init(&r->pending, TABLE_STRING_KEYS, 0);
	r->names = arena_new();
	r->lent = arena_new();
}

void runner_close(struct runner *r)
{
	table_free(&r->pending);
	arena_free(r->names);
	arena_free(r->lent);
}

void runner_changed(struct runner *r, const char *service, int64_t now_ns)
{
	r->wanted = true;
	if (now_ns < r->wanted_since_ns)
		r->wanted_since_ns = now_ns;
	if (now_ns < r->queued_ns)
		r->queued_ns = now_ns;
	if (!service)
		r->full = true;
	else if (!table_find(&r->pending, service))
		table_put(&r->pending, arena_strdup(r->names, service), NULL);
}

void runner_force(struct runner *r, int64_t now_ns)
{
	runner_changed(r, NULL, now_ns);
	r->retry_at_ns = now_ns;
}

/* The earliest time that the rate limit allows. */
static int64_t allowed_at(const struct runner *r)
{
	if (!r->ran)
		return 0;
	if (!r->burst)
		return r->last_ns + r->min_ns;
	int64_t missing = r->min_ns - r->tokens_ns;
	return missing > 0 ? r->tokens_at_ns + missing : 0;
}

int64_t runner_due(const struct runner *r)
{
	int64_t due = r->ran ? r->last_ns + r->periodic_ns : INT64_MAX;
	if (r->retry_at_ns < due)
		due = r->retry_at_ns;
	if (r->wanted) {
		int64_t at = allowed_at(r) > r->wanted_since_ns ? allowed_at(r) : r->wanted_since_ns;
		if (at < due)
			due = at;
	}
	return due;
}

static void spend_token(struct runner *r, int64_t now_ns)
{
	int64_t most = BURST * r->min_ns, gained = now_ns - r->tokens_at_ns;
	r->tokens_ns = gained >= most - r->tokens_ns ? most : r->tokens_ns + gained;
	r->tokens_at_ns = now_ns;
	r->tokens_ns -= r->tokens_ns < r->min_ns ? r->tokens_ns : r->min_ns;
}

void runner_next(struct runner *r, int64_t now_ns, struct plan_request *out)
{
	const void *key;
	void *value;
	uint32_t count = 0;
	arena_reset(r->lent);
	r->request = arena_array(r->lent, r->pending.count + 1, sizeof *r->request);
	for (uint32_t i = 0; table_next(&r->pending, &i, &key, &value);)
		r->request[count++] = arena_strdup(r->lent, key);
	if (now_ns - r->last_full_ns >= FULL_SYNC_NS)
		r->full = true;
	*out = (struct plan_request){ .full = r->full, .changed = r->request,
				      .changed_count = count };
	table_clear(&r->pending);
	arena_reset(r->names);
	spend_token(r, now_ns);
	r->ran = true;
	r->last_ns = now_ns;
	r->running_full = r->full;
	r->wanted = r->full = false;
	r->wanted_since_ns = r->retry_at_ns = INT64_MAX;
}

void runner_done(struct runner *r, int64_t now_ns, bool ok)
{
	if (!ok) {
		r->full = true;
		r->retry_at_ns = now_ns + r->retry_ns;
		return;
	}
	if (r->running_full)
		r->last_full_ns = r->last_ns;
	r->done_ns = now_ns;
	r->queued_ns = r->wanted_since_ns;
}
