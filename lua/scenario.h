/* lua/scenario.h: runs Lua scenarios and reports TAP.
 *
 * A scenario file is run once for every dataplane it names, each time with a world,
 * a Lua state and random streams of its own. Its top level declares the cluster
 * (`scenario {...}`), applies manifests and registers tests with `it`; then the tests
 * run in order. All of it happens in virtual time: a verb that waits suspends the
 * script's coroutine while the clock runs.
 *
 * TAP has one flat stream for all files: "DATAPLANE: sentence" for each test, and
 * with several files "STEM: DATAPLANE: sentence". A test that fails shows the script's
 * line, expected above actual, then the trace of the last packet. A Lua error, bad
 * YAML or a cluster that cannot be started ends the stream with "Bail out!".
 */
#ifndef LUA_SCENARIO_H
#define LUA_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane.h"

struct scenario_param { const char *key, *value; };

struct scenario_options {
	const struct registry *registry;
	const char *dataplanes;      /* "iptables,ipvs", "all"; NULL: all that the file names */
	const char *on;              /* an executor: "netns", "netns-nft"; NULL: the Linux model */
	bool virtual_time;           /* real Linux, but its clock skips idle time (in the VM) */
	bool require;                /* a missing capability fails instead of skipping */
	uint64_t seed;
	const char *pcap;            /* folder for captures of the whole run; NULL none */
	const char *capture;         /* folder for one capture of the tests alone; NULL none */
	const char *replay;          /* capture of real Linux to repeat; NULL none */
	const struct scenario_param *params;
	uint32_t param_count;
	bool update;                 /* rewrite tests/golden */
	/* Told of each file that a scenario reads, before it is read; NULL: nobody asks. */
	void (*reading)(void *ctx, const char *path);
	void *reading_ctx;
	FILE *story;                 /* a line of JSON a test (story.h); NULL none */
	FILE *progress;              /* a line as each run begins, one as it ends; NULL none */
};

/* Runs the files. 0: all passed, 1: a test failed, 2: a load error (also said on
 * `errors` as one line). */
int scenario_run(const char *const *files, uint32_t count, const struct scenario_options *options,
		 FILE *out, FILE *errors);

#endif
