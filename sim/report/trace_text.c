/* report/trace_text.c: see trace_text.h and trace_report.h. */
#include "report/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "report/trace_report.h"

#define WIDEST 40 /* columns are aligned up to this width */

struct columns { int node, hook, chain; };

static void chain_text(const struct trace_step *s, char *out, size_t size)
{
	char rule[16] = "";
	if (s->rule)
		snprintf(rule, sizeof rule, " %u", s->rule);
	snprintf(out, size, "%s%s%s%s", s->table ? s->table : "",
		 s->table && *s->table && s->chain && *s->chain ? " " : "",
		 s->chain ? s->chain : "", rule);
}

static int wider(int width, const char *text)
{
	int n = (int)strlen(text);
	return n > width ? (n > WIDEST ? WIDEST : n) : width;
}

static struct columns measure(const struct trace *t)
{
	struct columns c = { 0 };
	char chain[256];
	for (uint32_t i = 0; i < t->count; i++) {
		const struct trace_step *s = &t->steps[i];
		if (s->passed_over)
			continue;
		chain_text(s, chain, sizeof chain);
		c.node = wider(c.node, s->node ? s->node : "");
		c.hook = wider(c.hook, s->hook ? s->hook : "");
		c.chain = wider(c.chain, chain);
	}
	return c;
}

static void step_text(const struct trace_step *s, const struct columns *c, struct strbuf *out)
{
	char chain[256];
	chain_text(s, chain, sizeof chain);
	strbuf_printf(out, "  %-*s  %-*s  %-*s  ", c->node, s->node ? s->node : "", c->hook,
		      s->hook ? s->hook : "", c->chain, chain);
	if (s->file)
		strbuf_printf(out, "%s:%d: ", s->file, s->line);
	strbuf_puts(out, s->text ? s->text : "");
	if (s->note && *s->note)
		strbuf_printf(out, "%s=> %s", s->text && *s->text ? "  " : "", s->note);
	while (out->length && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	strbuf_putc(out, '\n');
}

static void steps_text(const struct trace *t, struct strbuf *out)
{
	struct columns c = measure(t);
	uint32_t passed = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->steps[i].passed_over)
			passed++;
		else
			step_text(&t->steps[i], &c, out);
	}
	if (passed)
		strbuf_printf(out, "  (%u rules that did not match are left out)\n", passed);
}

static void counts_text(const struct trace *t, struct strbuf *out)
{
	strbuf_printf(out, "%llu rules evaluated", (unsigned long long)t->rules_evaluated);
	if (t->set_lookups)
		strbuf_printf(out, ", %llu set and map look-ups", (unsigned long long)t->set_lookups);
	if (t->ipvs_probes)
		strbuf_printf(out, ", %llu ipvs probes", (unsigned long long)t->ipvs_probes);
	strbuf_putc(out, '\n');
}

void trace_text(const struct trace *t, struct strbuf *out)
{
	steps_text(t, out);
	strbuf_printf(out, "verdict: %s%s%s\n", trace_verdict_name(t->verdict),
		      t->reason[0] ? ": " : "", t->reason);
	counts_text(t, out);
}

/* ---- reports --------------------------------------------------------------------- */

static const char *paint(enum trace_verdict v, bool color)
{
	if (!color)
		return "";
	switch (v) {
	case TRACE_DELIVERED:
		return "\033[32m";
	case TRACE_REJECTED:
	case TRACE_DROPPED:
	case TRACE_NO_ROUTE:
		return "\033[31m";
	default:
		return "\033[33m";
	}
}

static void outcome_text(const struct trace_outcome *o, bool share, bool color, struct strbuf *out)
{
	char text[NET_ADDR_TEXT + 8];
	if (share)
		strbuf_printf(out, "%.8g  ", o->probability);
	strbuf_printf(out, "%s%s%s", paint(o->verdict, color), trace_verdict_name(o->verdict),
		      color ? "\033[0m" : "");
	if (o->has_backend) {
		strbuf_printf(out, "  %s%s%s", o->pod, *o->pod ? " " : "",
			      net_endpoint_text(&o->ip, o->port, text));
		if (*o->node)
			strbuf_printf(out, " on %s", o->node);
	}
	if (o->client_seen.family != NET_NONE)
		strbuf_printf(out, "  server sees %s%s", net_addr_text(&o->client_seen, text),
			      o->masqueraded ? " (masqueraded)" : "");
	if (*o->reason)
		strbuf_printf(out, "\n  %s", o->reason);
	strbuf_putc(out, '\n');
}

static void notes_text(const struct trace_report *r, struct strbuf *out)
{
	for (const char *line = strbuf_text(&r->notes); *line;) {
		size_t n = strcspn(line, "\n");
		strbuf_printf(out, "note: %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

void trace_report_text(const struct trace_report *r, bool color, struct strbuf *out)
{
	strbuf_printf(out, "%s -> %s (%s %s), %s\n", r->from, r->to, r->destination, r->proto,
		      r->dataplane);
	notes_text(r, out);
	for (uint32_t i = 0; i < r->count; i++) {
		const struct trace_outcome *o = &r->outcomes[i];
		if (r->count > 1)
			strbuf_printf(out, "\noutcome %u of %u\n", i + 1, r->count);
		steps_text(o->trace, out);
		outcome_text(o, false, color, out);
		strbuf_puts(out, "  ");
		counts_text(o->trace, out);
	}
	if (r->count > 1) {
		strbuf_puts(out, "\nprobability  outcome\n");
		for (uint32_t i = 0; i < r->count; i++)
			outcome_text(&r->outcomes[i], true, color, out);
	}
	if (r->truncated)
		strbuf_printf(out, "stopped after %llu runs: there are more outcomes\n",
			      (unsigned long long)r->runs);
}
