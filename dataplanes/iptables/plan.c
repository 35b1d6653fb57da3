/* iptables/plan.c: what kube-proxy in iptables mode does in a sync.
 *
 * A full sync makes the jumps by single commands and writes all chains; a partial one
 * (since v1.30 here) rewrites the dispatch rules of all services, but chains of their own
 * only for services that changed. Chains nobody uses any more are flushed and deleted in
 * the same restore; in a large cluster only once in a sync period.
 *
 * Where kube-proxy reads iptables-save to learn which chains are there, the planner knows
 * them from the snapshot it synced last.
 */
#include "dataplanes/iptables/iptables.h"

#include <stdlib.h>
#include <string.h>

#include "dataplanes/iptables/canary.h"
#include "dataplanes/iptables/text.h"
#include "dataplanes/kubeproxy/kubeproxy.h"
#include "dataplanes/kubeproxy/leftovers.h"

#define LARGE_CLUSTER_ENDPOINTS 1000

struct planner {
	struct kubeproxy base;
	struct canary canary;
	struct stale {
		struct table names;    /* chains to delete */
		struct arena *memory;
		bool written;          /* they are in the plan that went out last */
		int64_t cleaned_ns;
	} stale[PROXY_FAMILIES];
};

struct family_plan { /* one family's part of a plan */
	struct planner *p;
	struct stale *stale;
	struct ipt_style style;
	const struct snapshot *was, *now;
	uint32_t context;
	struct strbuf text;            /* re-used */
	struct transaction *t;
};

static int iptables_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	struct planner *p = mem_alloc(sizeof *p);
	int code = kubeproxy_open(&p->base, view, "iptables", err);
	if (code) {
		free(p);
		return code;
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		table_init(&p->stale[f].names, TABLE_STRING_KEYS, 0);
		p->stale[f].memory = arena_new();
		kubeproxy_take_unwanted(&p->base, f, &p->stale[f].names, p->stale[f].memory);
	}
	*out = p;
	return 0;
}

static void iptables_close(struct planner *p)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		if (!p->stale[f].written)
			kubeproxy_leave_unwanted(&p->base, f, &p->stale[f].names);
		table_free(&p->stale[f].names);
		arena_free(p->stale[f].memory);
	}
	kubeproxy_close(&p->base);
	free(p);
}

/* ---- blocks ------------------------------------------------------------------------ */

/* Writes parts of a port into f->text. `rules` with `dispatch`: in kube-proxy's order. */
static void write_port(struct family_plan *f, enum ipt_part part, bool rules,
		       struct service_port *port)
{
	struct endpoint_choice choice;
	service_choose(port, f->p->base.config, f->p->base.scratch, &choice);
	ipt_part(&f->style, part, port, &choice, &f->text);
	if (rules)
		ipt_part(&f->style, IPT_RULES, port, &choice, &f->text);
}

/* Takes what is in f->text as a block; an empty one too: it is known then. */
static void put_block(struct family_plan *f, struct block **block)
{
	if (!*block)
		*block = block_new(strbuf_text(&f->text), f->text.length);
	strbuf_clear(&f->text);
	if ((*block)->length)
		transaction_add(f->t, block_ref(*block));
}

static struct variant *variant_of(struct family_plan *f, struct service_port *port)
{
	struct arena *a = f->p->base.scratch;
	struct endpoint_choice choice = { 0 };
	uint8_t flags = port->range_count &&
			port_range_contains(port, &f->style.family->node_ip);
	if (!port->same_everywhere)
		service_choose(port, f->p->base.config, a, &choice);
	struct variant_key key = variant_key(port, &choice, f->context, flags, a);
	struct variant *v = variant_find(port->variants, &key);
	return v ? v : variant_add(&port->variants, &key);
}

static void put_part(struct family_plan *f, struct service_port *port, enum ipt_part part)
{
	struct block **block = &variant_of(f, port)->blocks[part];
	if (!*block)
		write_port(f, part, false, port);
	put_block(f, block);
}

/* Services of a chunk, all of it with count 0, as one block. For IPT_RULES: dispatch and
 * rules of each. */
static struct block *run_block(struct family_plan *f, struct chunk *c, uint32_t start,
			       uint32_t count, enum ipt_part part)
{
	struct variant *v = chunk_variant(c, f->context, start, count);
	bool rules = part == IPT_RULES;
	uint32_t end = count ? start + count : c->count;
	if (v->blocks[part])
		return v->blocks[part];
	if (c->left) {
		v->blocks[part] = block_join(block_ref(run_block(f, c->left, 0, 0, part)),
					     block_ref(run_block(f, c->right, 0, 0, part)));
		return v->blocks[part];
	}
	for (uint32_t i = start; i < end; i++)
		for (uint32_t k = 0; k < c->items[i]->port_count; k++)
			write_port(f, rules ? IPT_DISPATCH : part, rules, &c->items[i]->ports[k]);
	v->blocks[part] = block_new(strbuf_text(&f->text), f->text.length);
	strbuf_clear(&f->text);
	return v->blocks[part];
}

static void put_run(struct family_plan *f, const struct stretch *s, enum ipt_part part)
{
	struct block *b = run_block(f, s->chunk, s->start, stretch_whole(s) ? 0 : s->count, part);
	if (b->length)
		transaction_add(f->t, block_ref(b));
}

static void put_text(struct family_plan *f)
{
	plan_text(f->t, f->text.data, f->text.length);
	strbuf_clear(&f->text);
}

/* ---- stale chains -------------------------------------------------------------------- */

static void chain_is_stale(void *ctx, const char *chain)
{
	struct stale *s = ctx;
	if (!table_find(&s->names, chain))
		table_put(&s->names, arena_strdup(s->memory, chain), NULL);
}

static void chain_is_used(void *ctx, const char *chain)
{
	struct stale *s = ctx;
	table_remove(&s->names, chain);
}

static void own_chains(struct family_plan *f, struct service *s, const struct proxy_config *config,
		       ipt_chain_fn *fn)
{
	struct ipt_style style = f->style;
	style.config = config;
	for (uint32_t i = 0; s && i < s->port_count; i++) {
		struct endpoint_choice choice;
		service_choose(&s->ports[i], config, f->p->base.scratch, &choice);
		ipt_own_chains(&style, &s->ports[i], &choice, fn, f->stale);
	}
}

static void find_stale(struct family_plan *f)
{
	struct kubeproxy *k = &f->p->base;
	struct snapshot_step step = { 0 };
	bool all = kubeproxy_choice_differs(k);
	if (f->stale->written && !k->failed) {
		table_clear(&f->stale->names);
		arena_reset(f->stale->memory);
	}
	f->stale->written = false;
	while (all ? snapshot_next(f->was, f->now, &step) :
		     snapshot_next_change(f->was, f->now, &step)) {
		own_chains(f, step.was, k->before, chain_is_stale);
		if (f->stale->names.count)
			own_chains(f, step.now, k->config, chain_is_used);
	}
}

/* In a large cluster the list of chains is read at most once in a sync period. */
static bool cleans(const struct family_plan *f)
{
	const struct kubeproxy *k = &f->p->base;
	return !f->style.large || k->now_ns - f->stale->cleaned_ns > k->config->sync_ns;
}

static void put_stale(struct family_plan *f, const char *format)
{
	const void *name;
	void *value;
	for (uint32_t i = 0; table_next(&f->stale->names, &i, &name, &value);)
		strbuf_printf(&f->text, format[0] == ':' ? ":%s - [0:0]\n" : "-X %s\n",
			      (const char *)name);
	put_text(f);
}

/* ---- the two tables ------------------------------------------------------------------ */

/* A partial sync leaves the chains of unchanged services alone. */
static bool partial(const struct family_plan *f)
{
	return !f->p->base.full && f->p->base.config->version >= KUBE_1_30;
}

static void put_single(struct family_plan *f, struct service *s, enum ipt_part part, bool rules)
{
	for (uint32_t k = 0; k < s->port_count; k++) {
		put_part(f, &s->ports[k], part);
		if (rules)
			put_part(f, &s->ports[k], IPT_RULES);
	}
}

static void put_filter_rules(struct family_plan *f)
{
	struct stretch s = { 0 };
	while (snapshot_next_stretch(NULL, f->now, &s)) {
		if (s.run)
			put_run(f, &s, IPT_FILTER);
		else
			put_single(f, s.chunk->items[s.start], IPT_FILTER, false);
	}
}

static void put_chain_lines(struct family_plan *f)
{
	struct stretch s = { 0 };
	struct snapshot_step step = { 0 };
	while (partial(f) && snapshot_next_change(f->was, f->now, &step))
		if (step.now)
			put_single(f, step.now, IPT_CHAINS, false);
	while (!partial(f) && snapshot_next_stretch(NULL, f->now, &s)) {
		if (s.run)
			put_run(f, &s, IPT_CHAINS);
		else
			put_single(f, s.chunk->items[s.start], IPT_CHAINS, false);
	}
}

static void put_nat_rules(struct family_plan *f)
{
	struct stretch s = { 0 };
	const struct snapshot *was = partial(f) ? f->was : NULL;
	while (snapshot_next_stretch(was, f->now, &s)) {
		if (s.run)
			put_run(f, &s, partial(f) ? IPT_DISPATCH : IPT_RULES);
		else
			put_single(f, s.chunk->items[s.start], IPT_DISPATCH,
				   s.changed || !partial(f));
	}
}

static void plan_filter(struct family_plan *f)
{
	ipt_filter_head(&f->style, &f->text);
	put_text(f);
	put_filter_rules(f);
	ipt_filter_tail(&f->style, &f->text);
	put_text(f);
}

static void plan_nat(struct family_plan *f)
{
	bool clean = cleans(f);
	ipt_nat_chains(&f->style, &f->text);
	put_text(f);
	put_chain_lines(f);
	if (clean)
		put_stale(f, ":");
	ipt_nat_fixed(&f->style, &f->text);
	put_text(f);
	put_nat_rules(f);
	if (clean) {
		put_stale(f, "-X");
		f->stale->written = true;
		f->stale->cleaned_ns = f->p->base.now_ns;
	}
	ipt_nat_tail(&f->style, &f->text);
	put_text(f);
}

static void plan_family(struct planner *p, unsigned family, struct transactions *out)
{
	bool six = family == PROXY_V6;
	struct kubeproxy *k = &p->base;
	struct family_plan f = { .p = p, .stale = &p->stale[family], .was = k->was[family],
				 .now = k->now[family] };
	ipt_style_init(&f.style, k->config, family,
		       f.now->endpoint_count > LARGE_CLUSTER_ENDPOINTS);
	ipt_style_key(&f.style, &f.text);
	f.context = proxy_context(k->shared, strbuf_text(&f.text));
	strbuf_clear(&f.text);
	if (!k->planned && f.style.localhost) {
		strbuf_puts(&f.text, "net/ipv4/conf/all/route_localnet=1\n");
		plan_add(out, TX_SYSCTL, &f.text);
		strbuf_clear(&f.text);
	}
	if (k->full) {
		ipt_jumps(&f.style, &f.text);
		plan_add(out, six ? TX_IP6TABLES : TX_IPTABLES, &f.text);
		strbuf_clear(&f.text);
	}
	find_stale(&f);
	f.t = transactions_add(out, six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE);
	plan_filter(&f);
	f.t = transactions_add(out, six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE);
	plan_nat(&f);
	strbuf_free(&f.text);
}

static int iptables_plan(struct planner *p, const struct proxy_view *view,
			 const struct plan_request *request, struct transactions *out,
			 struct err *err)
{
	int code = kubeproxy_begin(&p->base, view, request, out, err);
	if (code)
		return code;
	if (!p->base.planned)
		left_nft_removed(view, out);
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		if (kubeproxy_family(&p->base, f))
			plan_family(p, f, out);
	kubeproxy_end(&p->base, out);
	return 0;
}

static int iptables_list(struct planner *p, const struct proxy_view *view,
			 enum rules_format format, enum rules_view which, struct strbuf *out,
			 struct err *err)
{
	(void)p;
	return kubeproxy_list(&iptables_planner, view, format, which, out, err);
}

static int64_t iptables_watch(struct planner *p, const struct proxy_view *view, int64_t now_ns)
{
	return canary_watch(&p->canary, &p->base, view, now_ns);
}

const struct planner_class iptables_planner = {
	.mode = "iptables", .open = iptables_open, .plan = iptables_plan, .list = iptables_list,
	.close = iptables_close, .changed = kubeproxy_changed, .due = kubeproxy_due,
	.next = kubeproxy_next, .done = kubeproxy_done, .watch = iptables_watch, .cleanup = iptables_cleanup,
	.health_ports = kubeproxy_health_ports, .health = kubeproxy_health,
};
