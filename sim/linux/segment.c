/* linux/segment.c: a switch with a delay and faults. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"

struct segment *segment_new(struct linux_env *env, const char *name, int64_t delay_ns)
{
	struct segment *s = mem_alloc(sizeof *s);
	s->env = env;
	s->name = mem_strdup(name);
	s->delay_ns = delay_ns;
	l2_init(&s->domain);
	return s;
}

void segment_free(struct segment *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->member_count; i++)
		s->members[i]->segment = NULL;
	free(s->members);
	l2_free(&s->domain);
	free(s->name);
	free(s);
}

void segment_set_faults(struct segment *s, const struct segment_faults *faults)
{
	s->faults = *faults;
}

void segment_leave(struct iface *f)
{
	struct segment *s = f->segment;
	l2_leave(&s->domain, f);
	for (uint32_t i = 0; i < s->member_count; i++) {
		if (s->members[i] != f)
			continue;
		s->member_count--;
		memmove(s->members + i, s->members + i + 1,
			(s->member_count - i) * sizeof *s->members);
		break;
	}
	f->segment = NULL;
}

int64_t segment_delay(const struct segment *s)
{
	const struct segment_faults *f = &s->faults;
	if (f->loss_per_million &&
	    choice_uniform(s->env->choice, "loss", 1000000) < f->loss_per_million)
		return -1;
	int64_t jitter_ns = 0;
	if (f->jitter_ns > 0)
		jitter_ns = (int64_t)choice_uniform(s->env->choice, "jitter",
						    (uint64_t)f->jitter_ns + 1);
	return s->delay_ns + f->extra_delay_ns + jitter_ns;
}
