/* kubeproxy/runner.h: when a kube-proxy syncs.
 *
 * Changes are collected; a sync runs at once when the last one is at least minSyncPeriod
 * old, else when it will be. Up to v1.30 the limit is a token bucket with a burst of two
 * runs; v1.34 has no burst. A failed sync is tried again after syncPeriod, as a full one,
 * or with the next change. Without changes a full sync runs every hour; in ipvs and
 * nftables mode up to v1.30 every syncPeriod.
 *
 * Source: pkg/util/async bounded_frequency_runner.go (v1.30), pkg/proxy/runner (v1.34).
 */
#ifndef KUBEPROXY_RUNNER_H
#define KUBEPROXY_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/table.h"
#include "dataplane.h"

struct runner {
	int64_t min_ns, retry_ns, periodic_ns;
	bool burst;
	/* state */
	bool ran, full, wanted;        /* full: the next sync is a full one */
	bool running_full;
	int64_t last_ns, last_full_ns, retry_at_ns;
	int64_t tokens_ns, tokens_at_ns; /* burst: minSyncPeriods saved up, in ns */
	int64_t wanted_since_ns;       /* first change since the last run began; INT64_MAX none */
	int64_t queued_ns;             /* first change not yet carried out; INT64_MAX none */
	int64_t done_ns;               /* end of the last good sync; -1 none */
	struct table pending;          /* names of changed services */
	struct arena *names, *lent;    /* of pending; of the request that is out */
	const char **request;
};

void runner_open(struct runner *r, int64_t min_ns, int64_t sync_ns, bool periodic, bool burst);
void runner_close(struct runner *r);
/* service NULL: the next sync is a full one. */
void runner_changed(struct runner *r, const char *service, int64_t now_ns);
/* A full sync now, whatever the rate limit says. */
void runner_force(struct runner *r, int64_t now_ns);
int64_t runner_due(const struct runner *r);
/* What to sync now; the strings live until runner_done. */
void runner_next(struct runner *r, int64_t now_ns, struct plan_request *out);
void runner_done(struct runner *r, int64_t now_ns, bool ok);

#endif
