/* dataplanes/kernel/clock.c: real time, and the one epoll of all places. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

#define ROUND_EVENTS 64
#define LONGEST_WAIT_NS NS_PER_S
#define LAG_NS (5 * NS_PER_MS)

static int64_t monotonic(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_now(const struct executor *e)
{
	return monotonic() - e->base_ns;
}

int source_add(struct executor *e, struct source *s, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };
	return epoll_ctl(e->epoll, EPOLL_CTL_ADD, s->fd, &event) ? errno : 0;
}

void source_change(struct executor *e, struct source *s, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };
	epoll_ctl(e->epoll, EPOLL_CTL_MOD, s->fd, &event);
}

/* Closed sources wait here for the end of the round that may still name them. */
void source_remove(struct executor *e, struct source *s)
{
	epoll_ctl(e->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
	s->dead = true;
	s->next_dead = e->dead;
	e->dead = s;
}

static void bury(struct executor *e)
{
	while (e->dead) {
		struct source *s = e->dead;
		e->dead = s->next_dead;
		free(s);
	}
}

/* One round: packets go to the tap first, as they came before what they cause. */
static int round_of_events(struct executor *e, int timeout_ms, int64_t at_most_ns)
{
	struct epoll_event events[ROUND_EVENTS];
	int n = epoll_wait(e->epoll, events, ROUND_EVENTS, timeout_ms);
	if (n <= 0)
		return 0;
	int64_t now = clock_now(e);
	now = now < at_most_ns ? now : at_most_ns;
	if (now > engine_now(e->env.engine))
		engine_run_until(e->env.engine, now);
	for (int i = 0; i < n; i++) {
		struct source *s = events[i].data.ptr;
		if (!s->dead && s->sniffs)
			s->ready(s, events[i].events);
	}
	sniff_deliver(e);
	for (int i = 0; i < n; i++) {
		struct source *s = events[i].data.ptr;
		if (!s->dead && !s->sniffs)
			s->ready(s, events[i].events);
	}
	bury(e);
	return n;
}

void clock_poll(struct executor *e)
{
	while (round_of_events(e, 0, engine_now(e->env.engine)) > 0)
		;
}

/* While a tool loaded rules, or the machine had no processor for us, nobody served the
 * sockets: that time does not count, or answers would be late that are here already. What
 * was captured meanwhile is of this moment. */
static int forgive_lag(struct executor *e)
{
	if (clock_now(e) - engine_now(e->env.engine) <= LAG_NS)
		return 0;
	int n = round_of_events(e, 0, engine_now(e->env.engine));
	e->base_ns += clock_now(e) - engine_now(e->env.engine);
	return n;
}

/* Events that are due at until_ns are the caller's to run: while sockets have news the
 * engine goes at most to the nanosecond before. */
int64_t kernel_advance(struct executor *e, int64_t until_ns)
{
	if (forgive_lag(e) > 0)
		return engine_now(e->env.engine);
	int64_t now = clock_now(e);
	if (e->hurry && !e->active && now < until_ns) {
		clock_poll(e);
		if (!e->active) {
			e->base_ns -= until_ns - clock_now(e);
			return until_ns;
		}
		now = clock_now(e);
	}
	int64_t wait = until_ns - now;
	if (wait > LONGEST_WAIT_NS)
		wait = LONGEST_WAIT_NS;
	int timeout_ms = wait <= 0 ? 0 : (int)((wait + NS_PER_MS - 1) / NS_PER_MS);
	if (round_of_events(e, timeout_ms, until_ns - 1) > 0)
		return engine_now(e->env.engine);
	now = clock_now(e);
	return now < until_ns ? now : until_ns;
}
