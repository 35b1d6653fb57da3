/* net/trace.c: see trace.h. */
#include "net/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

struct trace_memory { /* the trace, and the texts of its steps */
	struct trace trace;
	struct arena *texts;
};

struct trace *trace_new(void)
{
	struct trace_memory *m = mem_alloc(sizeof *m);
	m->texts = arena_new();
	return &m->trace;
}

void trace_free(struct trace *t)
{
	struct trace_memory *m = (struct trace_memory *)t;
	if (!m)
		return;
	arena_free(m->texts);
	free(m->trace.steps);
	free(m);
}

/* Neighbouring steps mostly repeat their node, hook, table and chain. */
static const char *keep(struct arena *a, const char *text, const char *before)
{
	if (!text || !*text)
		return "";
	if (before && strcmp(text, before) == 0)
		return before;
	return arena_strdup(a, text);
}

void trace_add(struct trace *t, const struct trace_step *step)
{
	struct arena *texts = ((struct trace_memory *)t)->texts;
	if (t->count == t->capacity) {
		uint32_t more = t->capacity ? 2 * t->capacity : 64;
		t->steps = mem_grow(t->steps, t->capacity, more, sizeof *t->steps);
		t->capacity = more;
	}
	static const struct trace_step none;
	const struct trace_step *last = t->count ? &t->steps[t->count - 1] : &none;
	struct trace_step *s = &t->steps[t->count];
	*s = *step;
	s->node = keep(texts, step->node, last->node);
	s->hook = keep(texts, step->hook, last->hook);
	s->table = keep(texts, step->table, last->table);
	s->chain = keep(texts, step->chain, last->chain);
	s->file = step->file ? keep(texts, step->file, last->file) : NULL;
	s->text = keep(texts, step->text, NULL);
	s->note = keep(texts, step->note, NULL);
	t->count++;
}

void trace_verdict(struct trace *t, enum trace_verdict v, const char *fmt, ...)
{
	if (t->verdict != TRACE_NONE || v == TRACE_NONE)
		return;
	va_list ap;
	t->verdict = v;
	va_start(ap, fmt);
	vsnprintf(t->reason, sizeof t->reason, fmt, ap);
	va_end(ap);
}

const char *trace_verdict_name(enum trace_verdict v)
{
	switch (v) {
	case TRACE_DELIVERED:
		return "delivered";
	case TRACE_REJECTED:
		return "rejected";
	case TRACE_DROPPED:
		return "dropped";
	case TRACE_NO_ROUTE:
		return "no-route";
	case TRACE_UNANSWERED:
		return "unanswered";
	case TRACE_NONE:
		break;
	}
	return "none";
}
