/* core/progress.h: a bar on standard error for long work.
 *
 * Shown only when standard error is a terminal and the work has lasted over a
 * second (the one use of a wall clock outside the real-Linux side; it changes
 * no result). Calls are cheap: the clock is read once per 64 steps.
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *title;
	uint64_t total, done;
	int64_t started_ns, shown_ns;
	bool terminal, shown;
};

void progress_start(struct progress *p, const char *title, uint64_t total);
void progress_step(struct progress *p, uint64_t more);
/* Wipes the bar. */
void progress_end(struct progress *p);

#endif
