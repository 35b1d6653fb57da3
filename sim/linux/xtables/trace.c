/* linux/xtables/trace.c: what a walk writes into a packet's trace. */
#include "linux/xtables/internal.h"

#include <string.h>

static struct trace_step step_at(const struct xt_eval *e, const struct xt_chain *chain)
{
	return (struct trace_step){ .when_ns = e->now_ns, .node = netns_label(e->ns),
				    .hook = hook_name(e->state->hook), .table = e->table->name,
				    .chain = chain->name, .text = "", .note = "" };
}

void trace_rule(struct xt_eval *e, const struct xt_chain *chain, uint32_t at, bool passed_over)
{
	const struct xt_rule *rule = &chain->rules[at];
	struct trace_step step = step_at(e, chain);
	struct strbuf text = { 0 }, note = { 0 };
	print_rule(e->x, chain, rule, &text);
	strbuf_puts(&note, e->note);
	if (e->undecided)
		strbuf_printf(&note, "%sundecidable: %s", note.length ? "; " : "", e->undecided);
	step.rule = at + 1;
	const char *file = rule->line ? e->x->files[rule->file] : NULL;
	step.file = file && strcmp(file, "-") != 0 ? file : NULL;
	step.line = (int)rule->line;
	step.text = strbuf_text(&text);
	step.note = strbuf_text(&note);
	step.passed_over = passed_over;
	trace_add(e->packet->trace, &step);
	strbuf_free(&text);
	strbuf_free(&note);
}

void trace_policy(struct xt_eval *e, const struct xt_chain *chain)
{
	struct trace *t = e->packet->trace;
	struct trace_step step = step_at(e, chain);
	step.text = chain->drop ? "policy DROP" : "policy ACCEPT";
	trace_add(t, &step);
	t->policies++;
	if (chain->drop)
		trace_verdict(t, TRACE_DROPPED, "%s: policy DROP of %s chain %s", step.node,
			      e->table->name, chain->name);
}

void trace_drop(struct xt_eval *e, const struct xt_chain *chain, uint32_t at)
{
	struct strbuf text = { 0 };
	print_rule(e->x, chain, &chain->rules[at], &text);
	trace_verdict(e->packet->trace, e->rejected ? TRACE_REJECTED : TRACE_DROPPED,
		      "%s: %s chain %s rule %u: %s", netns_label(e->ns), e->table->name,
		      chain->name, at + 1, strbuf_text(&text));
	strbuf_free(&text);
}

void trace_undecided(struct xt_eval *e, const struct xt_chain *chain, uint32_t at)
{
	(void)chain;
	(void)at;
	if (!e->packet->trace->undecidable)
		e->packet->trace->undecidable = e->undecided;
}
