/* linux/nft/trace.c: what a walk writes into a packet's trace. */
#include "linux/nft/eval.h"

#include <stdio.h>

static struct trace_step step_at(const struct nft_eval *e, const struct nft_chain *c, char *table,
				 size_t size)
{
	snprintf(table, size, "%s %s", nft_family_name(c->table), c->table->name);
	return (struct trace_step){ .when_ns = e->now_ns, .node = netns_label(e->ns),
				    .hook = hook_name(e->state->hook), .table = table,
				    .chain = c->name, .text = "", .note = "" };
}

void nft_trace_rule(struct nft_eval *e, const struct nft_chain *c, const struct nft_rule *rule,
		    uint32_t position, bool passed_over)
{
	char table[NFT_NAME + 8];
	struct trace_step step = step_at(e, c, table, sizeof table);
	struct strbuf text = { 0 }, note = { 0 };
	nft_print_rule(rule, &text);
	strbuf_puts(&note, e->note);
	if (e->undecided)
		strbuf_printf(&note, "%sundecidable: %s", note.length ? "; " : "", e->undecided);
	step.rule = position;
	step.file = rule->line && rule->file < e->r->file_count ? e->r->files[rule->file] : NULL;
	step.line = (int)rule->line;
	step.text = strbuf_text(&text);
	step.note = strbuf_text(&note);
	step.passed_over = passed_over;
	trace_add(e->packet->trace, &step);
	strbuf_free(&text);
	strbuf_free(&note);
}

void nft_trace_policy(struct nft_eval *e, const struct nft_chain *c)
{
	char table[NFT_NAME + 8];
	struct trace *t = e->packet->trace;
	struct trace_step step = step_at(e, c, table, sizeof table);
	step.text = c->drop ? "policy drop" : "policy accept";
	trace_add(t, &step);
	t->policies++;
	if (c->drop)
		trace_verdict(t, TRACE_DROPPED, "%s: policy drop of table %s chain %s", step.node,
			      table, c->name);
}

void nft_trace_drop(struct nft_eval *e, const struct nft_chain *c, const struct nft_rule *rule,
		    uint32_t position)
{
	struct strbuf text = { 0 };
	nft_print_rule(rule, &text);
	trace_verdict(e->packet->trace, e->rejected ? TRACE_REJECTED : TRACE_DROPPED,
		      "%s: table %s %s chain %s rule %u: %s", netns_label(e->ns),
		      nft_family_name(c->table), c->table->name, c->name, position,
		      strbuf_text(&text));
	strbuf_free(&text);
}
