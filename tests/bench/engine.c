/* tests/bench/engine.c: PHOLD on the event engine.
 *
 * `pending` events are always queued; each that runs schedules another after 0.1 + Exp(1)
 * seconds. Prints millions of events a second of processor time for 1,024 and 1,000,000
 * pending events.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/engine.h"

#define EVENTS 4000000u

struct phold { struct engine *engine; uint64_t state; };

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void again(void *ctx)
{
	struct phold *p = ctx;
	p->state = p->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	double uniform = (double)((p->state >> 11) + 1) / 9007199254740993.0;
	engine_after(p->engine, NS_PER_S / 10 + (int64_t)(-log(uniform) * 1e9), again, p);
}

static double run(uint32_t pending)
{
	struct phold p = { engine_new(), 1 };
	for (uint32_t i = 0; i < pending; i++)
		again(&p);
	for (uint32_t i = 0; i < pending; i++)
		engine_step(p.engine);
	double begin = seconds();
	for (uint32_t i = 0; i < EVENTS; i++)
		engine_step(p.engine);
	double rate = EVENTS / (seconds() - begin) / 1e6;
	engine_free(p.engine);
	return rate;
}

int main(void)
{
	printf("engine: PHOLD %.2f million events/s with 1,024 pending, %.2f with 1,000,000\n", run(1024),
	       run(1000000));
	return 0;
}
