/* core/progress.c: see progress.h. */
#include "core/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/engine.h"

#define WIDTH 30
#define QUIET_NS NS_PER_S
#define REDRAW_NS (100 * NS_PER_MS)

static int64_t wall_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void progress_start(struct progress *p, const char *title, uint64_t total)
{
	*p = (struct progress){ .title = title, .total = total ? total : 1 };
	p->terminal = isatty(STDERR_FILENO) == 1;
	if (p->terminal)
		p->started_ns = wall_ns();
}

void progress_step(struct progress *p, uint64_t more)
{
	uint64_t before = p->done;
	p->done += more;
	if (!p->terminal || (before / 64 == p->done / 64 && p->total > 640))
		return;
	int64_t now = wall_ns();
	if (now - p->started_ns < QUIET_NS || now - p->shown_ns < REDRAW_NS)
		return;
	uint64_t done = p->done < p->total ? p->done : p->total;
	int filled = (int)(done * WIDTH / p->total);
	double left = done ? (double)(now - p->started_ns) / 1e9 *
				     (double)(p->total - done) / (double)done : 0;
	fprintf(stderr, "\r%s [%.*s%.*s] %3d %% %4.0f s left ", p->title, filled,
		"##############################", WIDTH - filled,
		"..............................", (int)(done * 100 / p->total), left);
	p->shown_ns = now;
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r%*s\r", 100, "");
	p->shown = false;
}
