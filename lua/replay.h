/* lua/replay.h: repeats a capture of real Linux in the simulator.
 *
 * A scenario that was captured runs again on the Linux model, with the kernel's random
 * choices: which of the outcomes of the site "backend" each operation met is found by
 * running the scenario until its packets are the capture's. Operations are steered one
 * after another; for each all outcomes are tried and the one with the fewest differences
 * stays, so the number of runs is the sum of the outcomes, not their product. The ports that
 * a masquerade drew are read off the capture: the sequence number of a SYN and the payload
 * of a datagram stay the same on their way, the source port does not (operations with
 * from_port only; each datagram needs a payload of its own). What then
 * still differs is a difference between model and kernel and fails the run.
 */
#ifndef LUA_REPLAY_H
#define LUA_REPLAY_H

#include "lua/internal.h"
#include "lua/results.h"

struct capture;

struct replay_op { /* one operation of a scenario */
	uint64_t *answers;       /* forced at the site "backend" */
	uint32_t count;
	uint32_t first_draw;     /* of this run: index of its first draw */
	uint16_t from_port;      /* the client's port when the scenario fixed it, else 0 */
	uint32_t first_packet;   /* of the capture: the first sight of its first packet */
};

struct replay {
	struct replay_op *ops;
	uint32_t op_count, op_capacity;
	uint32_t begun;          /* operations of this run */
	struct choice_drawn *drawn; /* what this run drew, copied at its end */
	uint32_t drawn_count;
	const char *folder;      /* where the run's packets go */
	const struct capture *real;
};

/* Called by the bindings when an operation begins, and by the runner at a run's end. */
void replay_op_begins(struct script *s, uint16_t from_port);
void replay_run_ends(struct script *s);

/* Runs `file` against options->replay and adds its tests and one more: that every packet
 * equals the capture's. */
int replay_run(const char *file, const char *dataplane, const struct scenario_options *options,
	       struct results *results, struct err *err);

#endif
