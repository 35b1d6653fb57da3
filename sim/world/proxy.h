/* world/proxy.h: one kube-proxy on one node.
 *
 * It keeps a planner and decides nothing itself: it tells the planner what changed,
 * asks when the next sync is due and what it should plan, and lands the transactions
 * one by one, each at its own virtual time, after what the one before was charged. A
 * load that fails ends the sync; the planner then asks for a full one.
 *
 * A sync that runs is not stopped by new changes; they wait for the next. Killing the
 * kube-proxy in the middle leaves what has landed.
 */
#ifndef WORLD_PROXY_H
#define WORLD_PROXY_H

#include "world/internal.h"

#define HEALTH_PORTS_MAX 256u

struct health_server;

struct proxy {
	struct world *world;
	struct place *node;
	const struct planner_class *class; /* of the mode that it took */
	struct planner *planner;    /* NULL: the process does not run */
	struct net_prefix *addrs;   /* of the node's interfaces */
	const char **devs;          /* parallel; borrowed from the place or constant */
	uint32_t addr_count;

	struct event_id wake;       /* the next sync, or the next landing */
	struct event_id look;       /* the planner looks at what it watches in the kernel */
	bool syncing;
	struct transactions landing;
	uint32_t landed;            /* transactions of `landing` */
	bool cleaned;               /* its rules were taken away while it ran */
	bool pending;               /* the planner was told of something that it will sync */
	uint32_t failing;           /* loads that shall fail (a fault) */
	struct sync_stats stats;
	struct strbuf log;          /* of the present process, or the last one */

	struct health_server *health;
};

/* The process starts, or starts again: a new planner that knows nothing of before. */
int proxy_start(struct proxy *x, struct err *err);
/* `kube-proxy --cleanup` on its node: the rules of every mode go, whoever made them. */
int proxy_cleanup(struct proxy *x, struct err *err);
/* The process ends; rules stay. What it said is in `log`. */
void proxy_stop(struct proxy *x);
/* Tells the planner ("namespace/name"; NULL: something else) and looks when to sync. */
void proxy_changed(struct proxy *x, const char *service);
/* Somebody else has changed the node's rules. */
void proxy_disturbed(struct proxy *x);
void proxy_view(const struct proxy *x, struct proxy_view *view);

/* Bytes that the process copies between sockets; 0 without one (NULL too). */
uint64_t proxy_copied(const struct proxy *x);

/* ---- proxy_health.c ---- */

/* Opens and closes HTTP servers so that they are those that the planner wants. */
void proxy_health_update(struct proxy *x);
void proxy_health_stop(struct proxy *x);

/* The node's addresses have changed: it looks again (as before each sync). */
void proxy_collect_addresses(struct proxy *x);

#endif
