/* world/command.h: what a container's command line does, as far as it can be told.
 *
 * Programs are not run; but whether one ends by itself, when, with which code, and
 * whether it heeds SIGTERM decides what its pod does. Told apart: `sleep`, shells with a
 * script of sleeps, loops and exits, `true`, `false`, images whose program ends at once
 * without a terminal (busybox, alpine, debian); anything else is a server that runs until
 * it is stopped. Annotations of the pod overrule: svclab.dev/run-for, svclab.dev/exit-code.
 */
#ifndef WORLD_COMMAND_H
#define WORLD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/types.h"

struct command_plan {
	int64_t run_ns;      /* -1: until it is stopped */
	int exit_code;
	bool ignores_term;   /* the first process of a namespace has no default handlers */
};

void command_plan(const struct kube_pod *pod, const struct kube_container *c, bool init,
		  struct command_plan *out);

#endif
