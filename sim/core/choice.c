/* core/choice.c: streams by site, answer queues, and the odometer. */
#include "core/choice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/table.h"

#define LARGEST_ENUMERATION 4096u

struct site {
	uint64_t state, began;        /* `began`: where it was when exhaustive mode began */
	uint64_t *script;
	uint32_t script_count, script_next, script_began;
	bool exhaustive, recorded;
	struct choice_drawn *drawn;
	uint32_t drawn_count, drawn_capacity;
};

struct wheel { /* one enumerated draw of the current run */
	uint32_t at, count;
	uint64_t *weights;
};

struct choice {
	uint64_t seed;
	struct table sites; /* site name -> struct site */
	const char *mismatch;
	struct wheel *wheels;
	uint32_t wheel_count, wheel_next, wheel_capacity;
	uint32_t runs, limit;
	bool truncated;
	double probability;
};

struct choice *choice_new(uint64_t seed)
{
	struct choice *c = mem_alloc(sizeof *c);
	c->seed = seed;
	c->probability = 1;
	table_init(&c->sites, TABLE_STRING_KEYS, sizeof(struct site));
	return c;
}

static void forget_wheels(struct choice *c)
{
	for (uint32_t i = 0; i < c->wheel_count; i++)
		free(c->wheels[i].weights);
	c->wheel_count = c->wheel_next = 0;
}

void choice_free(struct choice *c)
{
	if (!c)
		return;
	void *value;
	for (uint32_t i = 0; table_next(&c->sites, &i, NULL, &value);) {
		free(((struct site *)value)->script);
		free(((struct site *)value)->drawn);
	}
	table_free(&c->sites);
	forget_wheels(c);
	free(c->wheels);
	free(c);
}

uint64_t choice_seed(const struct choice *c)
{
	return c->seed;
}

static struct site *site_of(struct choice *c, const char *name)
{
	bool added;
	struct site *s = table_put(&c->sites, name, &added);
	if (added)
		s->state = s->began = hash_bytes(name, strlen(name), c->seed);
	return s;
}

/* splitmix64: a full-period stream from any state. */
static uint64_t next(struct site *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0..count-1 without bias: draws again in the last, incomplete lap. */
static uint64_t below(struct site *s, uint64_t count)
{
	uint64_t lap = UINT64_MAX - UINT64_MAX % count;
	uint64_t x;
	do
		x = next(s);
	while (x >= lap);
	return x % count;
}

static bool scripted(struct choice *c, struct site *s, const char *name, uint64_t count,
		     uint64_t *answer)
{
	if (s->script_next == s->script_count)
		return false;
	*answer = s->script[s->script_next++];
	if (*answer < count)
		return true;
	if (!c->mismatch)
		c->mismatch = name;
	return false;
}

static uint32_t first_possible(const struct wheel *w, uint32_t from)
{
	while (from < w->count && !w->weights[from])
		from++;
	return from;
}

static uint32_t enumerate(struct choice *c, const uint64_t *weights, uint32_t count,
			  uint64_t sum)
{
	if (c->wheel_next == c->wheel_count) {
		if (c->wheel_count == c->wheel_capacity) {
			uint32_t want = c->wheel_capacity ? c->wheel_capacity * 2 : 8;
			c->wheels = mem_grow(c->wheels, c->wheel_capacity, want,
					     sizeof *c->wheels);
			c->wheel_capacity = want;
		}
		struct wheel *w = &c->wheels[c->wheel_count++];
		w->count = count;
		w->weights = mem_array(count, sizeof *weights);
		memcpy(w->weights, weights, count * sizeof *weights);
		w->at = first_possible(w, 0);
	}
	struct wheel *w = &c->wheels[c->wheel_next++];
	assert(w->count == count && "a run must repeat the draws of the run before");
	c->probability *= (double)weights[w->at] / (double)sum;
	return w->at;
}

static uint64_t record(struct site *s, uint64_t count, uint64_t answer)
{
	if (!s->recorded)
		return answer;
	if (s->drawn_count == s->drawn_capacity) {
		uint32_t more = s->drawn_capacity ? s->drawn_capacity * 2 : 16;
		s->drawn = mem_grow(s->drawn, s->drawn_capacity, more, sizeof *s->drawn);
		s->drawn_capacity = more;
	}
	s->drawn[s->drawn_count++] = (struct choice_drawn){ count, answer };
	return answer;
}

static uint32_t draw(struct choice *c, struct site *s, const char *name, const uint64_t *weights,
		     uint32_t count)
{
	uint64_t sum = 0, answer;
	for (uint32_t i = 0; i < count; i++)
		sum += weights[i];
	assert(sum > 0 && sum < UINT64_C(1) << 63);
	if (scripted(c, s, name, count, &answer)) {
		if (weights[answer])
			return (uint32_t)answer;
		if (!c->mismatch)
			c->mismatch = name;
	}
	if (s->exhaustive)
		return enumerate(c, weights, count, sum);
	uint64_t x = below(s, sum);
	for (uint32_t i = 0;; i++) {
		if (x < weights[i])
			return i;
		x -= weights[i];
	}
}

uint32_t choice_draw(struct choice *c, const char *name, const uint64_t *weights,
		     uint32_t count)
{
	struct site *s = site_of(c, name);
	return (uint32_t)record(s, count, draw(c, s, name, weights, count));
}

static uint64_t uniform(struct choice *c, struct site *s, const char *name, uint64_t count)
{
	uint64_t answer;
	if (scripted(c, s, name, count, &answer))
		return answer;
	if (!s->exhaustive || count > LARGEST_ENUMERATION)
		return below(s, count);
	uint64_t weights[LARGEST_ENUMERATION];
	for (uint64_t i = 0; i < count; i++)
		weights[i] = 1;
	return enumerate(c, weights, (uint32_t)count, count);
}

uint64_t choice_uniform(struct choice *c, const char *name, uint64_t count)
{
	assert(count > 0);
	struct site *s = site_of(c, name);
	return record(s, count, uniform(c, s, name, count));
}

void choice_script_clear(struct choice *c, const char *name)
{
	struct site *s = site_of(c, name);
	s->script_next = s->script_count = 0;
}

void choice_record(struct choice *c, const char *name)
{
	site_of(c, name)->recorded = true;
}

uint32_t choice_recorded(const struct choice *c, const char *name, const struct choice_drawn **out)
{
	const struct site *s = table_find(&c->sites, name);
	*out = s ? s->drawn : NULL;
	return s ? s->drawn_count : 0;
}

void choice_script(struct choice *c, const char *name, uint64_t answer)
{
	struct site *s = site_of(c, name);
	s->script = mem_grow(s->script, s->script_count, s->script_count + 1,
			     sizeof *s->script);
	s->script[s->script_count++] = answer;
}

const char *choice_mismatch(const struct choice *c)
{
	return c->mismatch;
}

void choice_exhaust(struct choice *c, const char *name, uint32_t limit)
{
	void *value;
	for (uint32_t i = 0; table_next(&c->sites, &i, NULL, &value);) {
		struct site *s = value;
		s->began = s->state;
		s->script_began = s->script_next;
	}
	site_of(c, name)->exhaustive = true;
	forget_wheels(c);
	c->limit = limit;
	c->runs = 0;
	c->truncated = false;
}

void choice_restart(struct choice *c)
{
	void *value;
	for (uint32_t i = 0; table_next(&c->sites, &i, NULL, &value);) {
		struct site *s = value;
		s->state = s->began;
		s->script_next = s->script_began;
	}
	c->wheel_next = 0;
	c->probability = 1;
}

void choice_exhaust_end(struct choice *c)
{
	void *value;
	choice_restart(c);
	for (uint32_t i = 0; table_next(&c->sites, &i, NULL, &value);)
		((struct site *)value)->exhaustive = false;
	forget_wheels(c);
}

bool choice_advance(struct choice *c)
{
	/* Draws that this run did not reach belong to a branch that is done. */
	while (c->wheel_count > c->wheel_next)
		free(c->wheels[--c->wheel_count].weights);
	while (c->wheel_count) {
		struct wheel *w = &c->wheels[c->wheel_count - 1];
		w->at = first_possible(w, w->at + 1);
		if (w->at < w->count)
			break;
		free(w->weights);
		c->wheel_count--;
	}
	if (!c->wheel_count)
		return false;
	if (++c->runs < c->limit)
		return true;
	c->truncated = true;
	return false;
}

bool choice_truncated(const struct choice *c)
{
	return c->truncated;
}

double choice_probability(const struct choice *c)
{
	return c->probability;
}
