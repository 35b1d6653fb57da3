/* linux/nft/eval.c: a packet through one base chain, as nft_do_chain does it.
 *
 * Both evaluators are this walk; they differ in how the next rule of a long chain is
 * found. The plain one visits every rule. The compiled one asks the chain's index
 * (compile.c) for the next rule whose guard the packet may pass and counts the rules
 * between as visited. Statements run the same code in both.
 */
#include "linux/nft/eval.h"

#include <assert.h>
#include <stdio.h>

struct frame { /* where to go on in a chain */
	struct nft_chain *chain;
	struct nft_rule *rule; /* next one, when walked rule by rule */
	uint32_t at;           /* its position from 0 */
};

struct walk {
	struct nft_eval e;
	struct frame here, callers[NFT_DEPTH + 1];
	unsigned depth;
	bool compiled, indexed; /* indexed: the cursor is of this chain */
	struct nft_cursor cursor;
};

enum outcome { GOES_ON, ACCEPTED, DROPPED, STOLEN };

static void count_rules(struct walk *w, uint32_t rules)
{
	struct trace *t = w->e.packet->trace;
	w->e.r->rules_evaluated += rules;
	if (t)
		t->rules_evaluated += rules;
}

static void enter(struct walk *w, struct frame to)
{
	w->here = to;
	w->indexed = w->compiled && nft_cursor_open(&w->cursor, to.chain, w->e.packet);
}

static void enter_chain(struct walk *w, struct nft_chain *c)
{
	enter(w, (struct frame){ c, nft_first_rule(c), 0 });
}

/* The next rule that may match, NULL at the chain's end; what lies between is counted. */
static struct nft_rule *next_rule(struct walk *w)
{
	struct frame *h = &w->here;
	if (!w->indexed)
		return h->rule;
	uint32_t next = nft_cursor_next(&w->cursor, h->at);
	count_rules(w, next - h->at);
	h->at = next;
	h->rule = next < w->cursor.end ? w->cursor.rules[next] : NULL;
	return h->rule;
}

/* End of a chain or return: back to the caller, or the policy. */
static enum outcome leave(struct walk *w)
{
	struct nft_chain *base = w->e.base;
	if (w->depth) {
		enter(w, w->callers[--w->depth]);
		return GOES_ON;
	}
	w->e.r->policies++;
	if (w->e.packet->trace)
		nft_trace_policy(&w->e, base);
	return base->drop ? DROPPED : ACCEPTED;
}

static void comment_packet(struct walk *w, const struct nft_chain *c, uint32_t position)
{
	struct packet *p = w->e.packet;
	if (w->e.note[0] && netns_env(w->e.ns)->tap)
		snprintf(p->comment, sizeof p->comment, "%s %s rule %u: %.60s",
			 c->table->name, c->name, position, w->e.note);
}

/* A rule whose statements all went through. */
static enum outcome act(struct walk *w, const struct nft_rule *rule)
{
	struct nft_eval *e = &w->e;
	struct frame was = w->here;
	struct trace *t = e->packet->trace;
	bool drops = e->verdict == NV_DROP;
	w->here.rule = nft_next_rule(rule);
	w->here.at++;
	if (t)
		nft_trace_rule(e, was.chain, rule, was.at + 1, false);
	if (t && drops)
		nft_trace_drop(e, was.chain, rule, was.at + 1);
	if (e->verdict == NV_ACCEPT)
		comment_packet(w, was.chain, was.at + 1);
	switch (e->verdict) {
	case NV_ACCEPT:
		return ACCEPTED;
	case NV_DROP:
		return DROPPED;
	case NV_RETURN:
		return leave(w);
	case NV_JUMP:
		if (w->depth == NFT_DEPTH) /* nft_change_check let it pass: the kernel drops, too */
			return DROPPED;
		w->callers[w->depth++] = w->here;
		enter_chain(w, e->target);
		return GOES_ON;
	case NV_GOTO:
		enter_chain(w, e->target);
		return GOES_ON;
	default:
		if (e->rewritten)
			enter(w, w->here);
		return GOES_ON;
	}
}

static enum outcome visit(struct walk *w, struct nft_rule *rule)
{
	struct nft_eval *e = &w->e;
	struct trace *t = e->packet->trace;
	enum nft_answer answer = NA_YES;
	count_rules(w, 1);
	e->rule = rule;
	e->note[0] = '\0';
	e->undecided = NULL;
	e->rejected = e->rewritten = e->stolen = false;
	e->verdict = NV_NONE;
	e->target = NULL;
	for (struct nft_node *n = nft_first(rule); n && answer == NA_YES && e->verdict == NV_NONE;
	     n = nft_next(rule, n))
		answer = nft_eval_statement(e, n);
	if (e->stolen)
		return STOLEN;
	if (e->undecided && t && !t->undecidable)
		t->undecidable = e->undecided;
	if (answer == NA_YES)
		return act(w, rule);
	if (t && (answer == NA_UNDECIDED || e->note[0] || t->keep_passed_over))
		nft_trace_rule(e, w->here.chain, rule, w->here.at + 1, true);
	w->here.rule = nft_next_rule(rule);
	w->here.at++;
	if (e->rewritten)
		enter(w, w->here);
	return GOES_ON;
}

enum nf_verdict nft_eval_chain(struct nft_chain *base, struct hook_state *state, bool compiled)
{
	struct walk w = { .compiled = compiled };
	enum outcome outcome = GOES_ON;
	w.e = (struct nft_eval){ .r = base->table->r, .base = base, .state = state,
				 .packet = state->packet, .ns = state->ns,
				 .now_ns = engine_now(netns_env(state->ns)->engine) };
	enter_chain(&w, base);
	while (outcome == GOES_ON) {
		struct nft_rule *rule = next_rule(&w);
		outcome = rule ? visit(&w, rule) : leave(&w);
	}
	if (outcome == DROPPED && state->hook == HOOK_OUTPUT && !state->reject_errno)
		state->reject_errno = EPERM;
	return outcome == ACCEPTED ? VERDICT_ACCEPT :
	       outcome == STOLEN ? VERDICT_STOLEN : VERDICT_DROP;
}

/* Nobody watches: compiled. Somebody does: the plain walk writes the trace. */
enum nf_verdict nft_chain_function(void *ctx, struct hook_state *state)
{
	return nft_eval_chain(ctx, state, state->packet->trace == NULL);
}
