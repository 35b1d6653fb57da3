/* world/op.h: what the operations share.
 *
 * An operation belongs to its maker (op_free) and hangs in the world's list, so that
 * it can be ended when its place goes. It has one program at a time: a resolver while
 * the target's name is looked up, then a client, a pinger or a load generator.
 */
#ifndef WORLD_OP_H
#define WORLD_OP_H

#include "dns/resolver.h"
#include "world/internal.h"

struct client;
struct pinger;
struct load_run;
struct loopback;

struct op {
	struct world *world;
	struct op *next, **back;
	struct place *from;          /* NULL once its place is gone */
	enum op_kind kind;
	bool done;
	struct op_result result;
	void (*fn)(void *ctx, struct op *op);
	void *ctx;
	struct arena *arena;         /* copies of what was asked */
	struct request request;
	struct ping ping;
	struct target target;
	struct net_addr *found;      /* addresses of the target's name, next ones to try */
	uint32_t found_count, found_next;
	struct resolver *resolver;
	struct loopback *loopback;   /* a snapshot's way to its DNS */
	struct client *client;
	struct pinger *pinger;
	struct load_run *load;
	void (*resolved)(struct op *op); /* goes on once target.addr is known */
};

struct op *op_new(struct world *w, struct place *from, enum op_kind kind);
/* Copies the texts of a request into the operation. */
void op_take_request(struct op *op, const struct request *r);
/* Ends the operation: notes the time, calls the maker. The operation may be gone
 * afterwards. `error` 0 or errno; `message` may be NULL. */
void op_finish(struct op *op, int error, const char *message);
/* Finds the target's address, then calls `resolved`; on failure ends the operation. */
void op_resolve(struct op *op, void (*resolved)(struct op *op));
/* Ends the programs of the operation. */
void op_stop(struct op *op);
/* Looks a name up for a place; texts of its resolv.conf and hosts included. */
int op_start_resolver(struct op *op, enum resolver_kind kind, const struct lookup *l,
		      resolver_done_fn *fn, struct err *err);
enum resolver_kind place_resolver(const struct place *p);
/* An errno in the words of strerror, the same on every machine. */
const char *op_error_text(int error);

/* ---- load.c ---- */
void load_run_free(struct load_run *run);

#endif
