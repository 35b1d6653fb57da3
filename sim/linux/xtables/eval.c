/* linux/xtables/eval.c: a packet through one table, rule by rule, as ipt_do_table does it.
 *
 * Both evaluators are this walk; they differ in how the next rule of a chain is
 * found. The plain one visits every rule. The compiled one asks the chain's index
 * (compile.c) for the next rule whose guard the packet may pass and counts the
 * rules between as visited. Matches and targets run the same code in both.
 */
#include "linux/xtables/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define FRAMES 32u

struct frame {
	struct xt_chain *chain;
	uint32_t at; /* rule to go on with */
};

struct walk {
	struct xt_eval e;
	struct xt_chain *base, *chain;
	uint32_t at;
	bool compiled;
	struct xt_cursor cursor;
	struct frame local[FRAMES], *frames; /* callers of `chain` */
	uint32_t depth, capacity;
};

bool iface_match(const char *name, const char *pattern)
{
	size_t length = strlen(pattern);
	if (length && pattern[length - 1] == '+')
		return strncmp(name, pattern, length - 1) == 0;
	return !length || strcmp(name, pattern) == 0;
}

static bool in_network(const uint8_t *addr, const uint8_t *mask, const uint8_t *a, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		if ((a[i] & mask[i]) != addr[i])
			return false;
	return true;
}

static bool header_addresses(const struct xt_record *h, const struct packet *p)
{
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	bool s, d;
	if (h->kind == XT_HEADER4) {
		const struct xt_header4 *a = (const struct xt_header4 *)h;
		s = in_network(a->src, a->src_mask, src.bytes, 4);
		d = in_network(a->dst, a->dst_mask, dst.bytes, 4);
	} else {
		const struct xt_header6 *a = (const struct xt_header6 *)h;
		s = in_network(a->src, a->src_mask, src.bytes, 16);
		d = in_network(a->dst, a->dst_mask, dst.bytes, 16);
	}
	return s != !!(h->invert & XT_INV_SRC) && d != !!(h->invert & XT_INV_DST);
}

/* ip_packet_match and ip6_packet_match. */
static bool header_match(const struct xt_eval *e, const struct xt_record *h)
{
	const struct packet *p = e->packet;
	uint8_t proto = h->flags & XT_PROTO;
	if (h->kind != XT_HEADER && !header_addresses(h, p))
		return false;
	if (h->flags & XT_HAS_IFACES) {
		const struct xt_ifaces *f = (const struct xt_ifaces *)record_next(h);
		bool in = iface_match(p->in_if ? netns_iface_name(e->ns, p->in_if) : "", f->in);
		bool out = iface_match(p->out_if ? netns_iface_name(e->ns, p->out_if) : "",
				       f->out);
		if (in == !!(h->invert & XT_INV_IN) || out == !!(h->invert & XT_INV_OUT))
			return false;
	}
	if (proto && (p->proto == proto) == !!(h->invert & XT_INV_PROTO))
		return false;
	if ((h->flags & XT_FRAGMENT) && p->fragment == !!(h->invert & XT_INV_FRAGMENT))
		return false;
	return true;
}

/* An undecided match leaves the rule undecided unless a later one that has no effects
 * says no. */
enum xt_answer eval_rule(struct xt_eval *e, struct xt_rule *rule)
{
	const struct xt_record *r = spec_first(rule->spec), *end = spec_target(rule->spec);
	union xt_state *state = rule->states;
	enum xt_answer answer = XT_YES;
	if (!header_match(e, r))
		return XT_NO;
	for (r = record_next(r); r != end; r = record_next(r)) {
		const struct xt_extension *ext = extension_of(r->kind);
		if (r->kind == XT_IFACES)
			continue;
		if (!ext) {
			e->undecided = "a match that svclab does not know";
			answer = XT_UNDECIDED;
			continue;
		}
		if (answer == XT_UNDECIDED && ext->impure)
			return answer;
		enum xt_answer one = ext->match(e, r, state);
		if (one == XT_NO)
			return XT_NO;
		if (one == XT_UNDECIDED)
			answer = one;
		if (ext->states)
			state += ext->states;
	}
	return answer;
}

static void enter(struct walk *w, struct xt_chain *chain, uint32_t at)
{
	w->chain = chain;
	w->at = at;
	if (w->compiled)
		cursor_open(&w->cursor, chain, w->e.packet);
}

static void push(struct walk *w)
{
	if (w->depth == w->capacity) {
		struct frame *more = mem_array(w->capacity * 2, sizeof *more);
		memcpy(more, w->frames, w->depth * sizeof *more);
		if (w->frames != w->local)
			free(w->frames);
		w->frames = more;
		w->capacity *= 2;
	}
	w->frames[w->depth++] = (struct frame){ w->chain, w->at };
}

static void count_rules(struct walk *w, uint32_t rules)
{
	struct trace *t = w->e.packet->trace;
	w->e.x->rules_evaluated += rules;
	if (t)
		t->rules_evaluated += rules;
}

/* End of a chain or RETURN: back to the caller, or the policy. */
static bool leave(struct walk *w, enum xt_outcome *outcome)
{
	if (w->depth) {
		struct frame *f = &w->frames[--w->depth];
		enter(w, f->chain, f->at);
		return false;
	}
	struct packet *p = w->e.packet;
	w->base->packets++;
	w->base->bytes += p->length - p->l3;
	w->e.x->policies++;
	*outcome = w->base->drop ? XT_DROP : XT_ACCEPT;
	if (p->trace)
		trace_policy(&w->e, w->base);
	return true;
}

static void comment_packet(struct walk *w, const struct xt_chain *chain, uint32_t rule)
{
	struct packet *p = w->e.packet;
	if (w->e.note[0] && netns_env(w->e.ns)->tap)
		snprintf(p->comment, sizeof p->comment, "%s %s rule %u: %.100s", w->e.table->name,
			 chain->name, rule, w->e.note);
}

/* REJECT tells its verdict by itself, with the packet's comment as the reason: the rule
 * has to be told before. */
static void announce_reject(struct walk *w, const struct xt_chain *chain, uint32_t at)
{
	struct packet *p = w->e.packet;
	struct strbuf text = { 0 };
	trace_rule(&w->e, chain, at, false);
	print_rule(w->e.x, chain, &chain->rules[at], &text);
	snprintf(p->comment, sizeof p->comment, "%s %s rule %u: %.120s", w->e.table->name,
		 chain->name, at + 1, strbuf_text(&text));
	strbuf_free(&text);
}

/* The target of a rule that matched; true when the table has its verdict. */
static bool run_target(struct walk *w, struct xt_rule *rule, enum xt_outcome *outcome)
{
	const struct xt_record *t = spec_target(rule->spec);
	const struct xt_chain *chain = w->chain;
	uint32_t at = w->at++;
	struct packet *p = w->e.packet;
	const struct xt_extension *ext = extension_of(t->kind);
	*outcome = XT_CONTINUE;
	if (t->kind == XT_T_REJECT && p->trace)
		announce_reject(w, chain, at);
	if (t->kind == XT_T_ACCEPT)
		*outcome = XT_ACCEPT;
	else if (t->kind == XT_T_DROP || t->kind == XT_T_QUEUE) /* a queue nobody reads */
		*outcome = XT_DROP;
	else if (t->kind == XT_T_UNKNOWN)
		w->e.undecided = "a target that svclab does not know";
	else if (ext && ext->run)
		*outcome = ext->run(&w->e, t);
	if (w->e.undecided && p->trace)
		trace_undecided(&w->e, chain, at);
	if (p->trace && *outcome != XT_STOLEN && t->kind != XT_T_REJECT)
		trace_rule(&w->e, chain, at, false);
	if (*outcome == XT_DROP && p->trace)
		trace_drop(&w->e, chain, at);
	if (*outcome == XT_ACCEPT)
		comment_packet(w, chain, at + 1);
	if (*outcome != XT_CONTINUE)
		return true;
	if (t->kind == XT_T_RETURN)
		return leave(w, outcome);
	if (t->kind == XT_T_JUMP)
		push(w);
	if (rule->jump)
		enter(w, rule->jump, 0);
	return false;
}

static bool visit(struct walk *w, enum xt_outcome *outcome)
{
	struct xt_eval *e = &w->e;
	struct xt_rule *rule = &w->chain->rules[w->at];
	struct packet *p = e->packet;
	count_rules(w, 1);
	e->note[0] = '\0';
	e->undecided = NULL;
	e->rejected = false;
	enum xt_answer answer = eval_rule(e, rule);
	if (answer == XT_YES) {
		rule->packets++;
		rule->bytes += p->length - p->l3;
		return run_target(w, rule, outcome);
	}
	if (p->trace && answer == XT_UNDECIDED)
		trace_undecided(e, w->chain, w->at);
	if (p->trace && (answer == XT_UNDECIDED || p->trace->keep_passed_over))
		trace_rule(e, w->chain, w->at, true);
	w->at++;
	return false;
}

enum nf_verdict eval_table(struct xt_table *t, struct hook_state *state, bool compiled)
{
	struct xt_chain *base = t->builtin[state->hook];
	enum xt_outcome outcome = XT_ACCEPT;
	struct walk w;
	if (!base)
		return VERDICT_ACCEPT;
	w.e = (struct xt_eval){ .x = t->x, .table = t, .state = state, .packet = state->packet,
				.ns = state->ns,
				.now_ns = engine_now(netns_env(state->ns)->engine) };
	w.base = base;
	w.compiled = compiled;
	w.frames = w.local;
	w.depth = 0;
	w.capacity = FRAMES;
	enter(&w, base, 0);
	for (bool done = false; !done;) {
		uint32_t next = compiled ? cursor_next(&w.cursor, w.at) : w.at;
		count_rules(&w, next - w.at);
		w.at = next;
		done = next < w.chain->count ? visit(&w, &outcome) : leave(&w, &outcome);
	}
	if (w.frames != w.local)
		free(w.frames);
	if (outcome == XT_DROP && state->hook == HOOK_OUTPUT && !state->reject_errno)
		state->reject_errno = EPERM;
	return outcome == XT_ACCEPT ? VERDICT_ACCEPT :
	       outcome == XT_STOLEN ? VERDICT_STOLEN : VERDICT_DROP;
}

/* Nobody watches: compiled. Somebody does: the plain walk writes the trace. */
enum nf_verdict xt_table_hook(void *ctx, struct hook_state *state)
{
	return eval_table(ctx, state, state->packet->trace == NULL);
}

enum nf_verdict xt_evaluate(struct xt_ruleset *x, const char *table, struct hook_state *state)
{
	struct xt_table *t = ruleset_table(x, table);
	return t ? eval_table(t, state, false) : VERDICT_ACCEPT;
}

enum nf_verdict xt_evaluate_compiled(struct xt_ruleset *x, const char *table,
				     struct hook_state *state)
{
	struct xt_table *t = ruleset_table(x, table);
	return t ? eval_table(t, state, true) : VERDICT_ACCEPT;
}
