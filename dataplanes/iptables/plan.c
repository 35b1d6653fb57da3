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

#include "dataplanes/iptables/text.h"
#include "dataplanes/kubeproxy/kubeproxy.h"

#define LARGE_CLUSTER_ENDPOINTS 1000

struct planner {
	struct kubeproxy base;
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
	}
	*out = p;
	return 0;
}

static void iptables_close(struct planner *p)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		table_free(&p->stale[f].names);
		arena_free(p->stale[f].memory);
	}
	kubeproxy_close(&p->base);
	free(p);
}

/* ---- blocks ------------------------------------------------------------------------ */

static void build_blocks(struct family_plan *f, struct service_port *port,
			 const struct endpoint_choice *choice, struct variant *v)
{
	for (unsigned part = 0; part < IPT_PARTS; part++) {
		ipt_part(&f->style, part, port, choice, &f->text);
		if (f->text.length)
			v->blocks[part] = block_new(f->text.data, f->text.length);
		strbuf_clear(&f->text);
	}
}

static struct variant *blocks_of(struct family_plan *f, struct service_port *port)
{
	struct arena *a = f->p->base.scratch;
	struct endpoint_choice choice = { 0 };
	uint8_t flags = port->range_count &&
			port_range_contains(port, &f->style.family->node_ip);
	if (!port->same_everywhere)
		service_choose(port, f->p->base.config, a, &choice);
	struct variant_key key = variant_key(port, &choice, f->context, flags, a);
	struct variant *v = variant_find(port, &key);
	if (v)
		return v;
	if (port->same_everywhere)
		service_choose(port, f->p->base.config, a, &choice);
	v = variant_add(port, &key);
	build_blocks(f, port, &choice, v);
	return v;
}

static void put_part(struct family_plan *f, struct service_port *port, enum ipt_part part)
{
	struct block *b = blocks_of(f, port)->blocks[part];
	if (b)
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
	while (snapshot_next(f->was, f->now, &step)) {
		if (!step.changed && !all)
			continue;
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

static void each_port(struct family_plan *f, enum ipt_part part)
{
	for (uint32_t i = 0; i < f->now->count; i++)
		for (uint32_t k = 0; k < f->now->items[i]->port_count; k++)
			put_part(f, &f->now->items[i]->ports[k], part);
}

static bool partial(const struct family_plan *f)
{
	return !f->p->base.full && f->p->base.config->version >= KUBE_1_30;
}

static void plan_filter(struct family_plan *f)
{
	ipt_filter_head(&f->style, &f->text);
	put_text(f);
	each_port(f, IPT_FILTER);
	ipt_filter_tail(&f->style, &f->text);
	put_text(f);
}

static void plan_nat(struct family_plan *f)
{
	bool clean = cleans(f);
	struct snapshot_step step = { 0 };
	ipt_nat_chains(&f->style, &f->text);
	put_text(f);
	while (snapshot_next(f->was, f->now, &step))
		for (uint32_t i = 0; step.now && i < step.now->port_count; i++)
			if (step.changed || !partial(f))
				put_part(f, &step.now->ports[i], IPT_CHAINS);
	if (clean)
		put_stale(f, ":");
	ipt_nat_fixed(&f->style, &f->text);
	put_text(f);
	step = (struct snapshot_step){ 0 };
	while (snapshot_next(f->was, f->now, &step)) {
		for (uint32_t i = 0; step.now && i < step.now->port_count; i++) {
			put_part(f, &step.now->ports[i], IPT_DISPATCH);
			if (step.changed || !partial(f))
				put_part(f, &step.now->ports[i], IPT_RULES);
		}
	}
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
	int code = kubeproxy_begin(&p->base, view, request, err);
	if (code)
		return code;
	kubeproxy_remove_nft(&p->base, out);
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

const struct planner_class iptables_planner = {
	.mode = "iptables", .open = iptables_open, .plan = iptables_plan, .list = iptables_list,
	.close = iptables_close, .changed = kubeproxy_changed, .due = kubeproxy_due,
	.next = kubeproxy_next, .done = kubeproxy_done,
	.health_ports = kubeproxy_health_ports, .health = kubeproxy_health,
};
