/* kube/kubectl/words.c: durations, dates, lists as kubectl writes them. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400
#define YEAR (365 * INT64_C(86400))

static const char *two(struct call *c, int64_t big, const char *unit, int64_t small,
		       const char *small_unit)
{
	if (!small)
		return arena_printf(c->arena, "%lld%s", (long long)big, unit);
	return arena_printf(c->arena, "%lld%s%lld%s", (long long)big, unit, (long long)small,
			    small_unit);
}

const char *human_duration(struct call *c, int64_t ns)
{
	int64_t s = ns / NS_PER_S;
	if (s < -1)
		return "<invalid>";
	if (s < 0)
		return "0s";
	if (s < 2 * MINUTE)
		return two(c, s, "s", 0, "");
	if (s < 10 * MINUTE)
		return two(c, s / MINUTE, "m", s % MINUTE, "s");
	if (s < 3 * HOUR)
		return two(c, s / MINUTE, "m", 0, "");
	if (s < 8 * HOUR)
		return two(c, s / HOUR, "h", s % HOUR / MINUTE, "m");
	if (s < 48 * HOUR)
		return two(c, s / HOUR, "h", 0, "");
	if (s < 8 * DAY)
		return two(c, s / DAY, "d", s % DAY / HOUR, "h");
	if (s < 2 * YEAR)
		return two(c, s / DAY, "d", 0, "");
	if (s < 8 * YEAR)
		return two(c, s / YEAR, "y", s % YEAR / DAY, "d");
	return two(c, s / YEAR, "y", 0, "");
}

const char *age_of(struct call *c, int64_t since_ns)
{
	return human_duration(c, call_now(c) - since_ns);
}

const char *long_date(struct call *c, int64_t ns)
{
	time_t t = (time_t)(KUBE_EPOCH_S + (ns >= 0 ? ns : ns - NS_PER_S + 1) / NS_PER_S);
	struct tm tm;
	char text[64];
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return arena_strdup(c->arena, text);
}

const char *words_join(struct call *c, const struct kube_strings *l, const char *between,
		       const char *none)
{
	struct strbuf b = { 0 };
	if (!l->count)
		return none;
	for (uint32_t i = 0; i < l->count; i++)
		strbuf_printf(&b, "%s%s", i ? between : "", l->items[i]);
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

const char *pairs_text(struct call *c, const struct kube_map *m, const char *none)
{
	struct strbuf b = { 0 };
	if (!m->count)
		return none;
	for (uint32_t i = 0; i < m->count; i++)
		strbuf_printf(&b, "%s%s=%s", i ? "," : "", m->items[i].key,
			      m->items[i].value ? m->items[i].value : "");
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

static void requirement_text(const struct kube_selector_requirement *r, struct strbuf *b)
{
	if (kube_is(r->op, "Exists")) {
		strbuf_puts(b, r->key);
	} else if (kube_is(r->op, "DoesNotExist")) {
		strbuf_printf(b, "!%s", r->key);
	} else {
		strbuf_printf(b, "%s %s (", r->key, kube_is(r->op, "NotIn") ? "notin" : "in");
		for (uint32_t i = 0; i < r->values.count; i++)
			strbuf_printf(b, "%s%s", i ? "," : "", r->values.items[i]);
		strbuf_putc(b, ')');
	}
}

const char *selector_text(struct call *c, const struct kube_selector *s, const char *none)
{
	struct strbuf b = { 0 };
	if (!s->match_labels.count && !s->expressions.count)
		return none;
	strbuf_puts(&b, pairs_text(c, &s->match_labels, ""));
	for (uint32_t i = 0; i < s->expressions.count; i++) {
		if (b.length)
			strbuf_putc(&b, ',');
		requirement_text(&s->expressions.items[i], &b);
	}
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}
