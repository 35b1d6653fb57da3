/* nftables/plan.c: what kube-proxy in nftables mode does in a sync.
 *
 * One transaction a family. v1.30 writes everything every time. v1.34 writes the fixed
 * part in a full sync only, chains of services that changed, and elements that differ
 * from those that are there. A chain nobody uses is flushed at once and deleted, in a
 * transaction of its own, by a sync at least a second later: older kernels notice late
 * that no element points to it any more. Affinity sets are deleted at once.
 */
#include "dataplanes/nftables/nftables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/ipvs/ipvs.h"
#include "dataplanes/kubeproxy/kubeproxy.h"
#include "dataplanes/kubeproxy/leftovers.h"
#include "dataplanes/nftables/text.h"

struct planner {
	struct kubeproxy base;
	struct stale {
		struct table chains;   /* name -> int64_t: flushed when */
		struct arena *memory;
	} stale[PROXY_FAMILIES];
};

struct family_plan {
	struct planner *p;
	struct stale *stale;
	struct nft_style style, style_before;
	struct snapshot *was, *now;
	uint32_t context;
	struct nft_elements there;
	bool conflicts;                /* elements of different services meet */
	struct table names;            /* chains and sets that are not wanted (any more) */
	struct arena *memory;
	struct strbuf text;
	struct transaction *t;
};

static int nftables_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	if (view->version < KUBE_1_30)
		return err_set(err, EINVAL, "kube-proxy has an nftables mode since v1.29; with "
					    "--kube-version 1.%d use iptables or ipvs",
			       (int)view->version - 100);
	struct planner *p = mem_alloc(sizeof *p);
	int code = kubeproxy_open(&p->base, view, "nftables", err);
	if (code) {
		free(p);
		return code;
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		table_init(&p->stale[f].chains, TABLE_STRING_KEYS, sizeof(int64_t));
		p->stale[f].memory = arena_new();
		kubeproxy_take_unwanted(&p->base, f, &p->stale[f].chains, p->stale[f].memory);
	}
	*out = p;
	return 0;
}

static void nftables_close(struct planner *p)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		kubeproxy_leave_unwanted(&p->base, f, &p->stale[f].chains);
		table_free(&p->stale[f].chains);
		arena_free(p->stale[f].memory);
	}
	kubeproxy_close(&p->base);
	free(p);
}

static void put_text(struct family_plan *f)
{
	plan_text(f->t, f->text.data, f->text.length);
	strbuf_clear(&f->text);
}

/* ---- service ports -------------------------------------------------------------------- */

/* All of a port as one block, shared by nodes that make the same choice. */
static void put_block(struct family_plan *f, struct service_port *port)
{
	struct endpoint_choice choice;
	uint8_t flags = port->range_count &&
			port_range_contains(port, &f->style.family->node_ip);
	service_choose(port, f->p->base.config, f->memory, &choice);
	struct variant_key key = variant_key(port, &choice, f->context, flags, f->memory);
	struct variant *v = variant_find(port->variants, &key);
	if (!v) {
		struct strbuf text = { 0 };
		v = variant_add(&port->variants, &key);
		nft_port(&f->style, port, &choice, NULL, &text);
		v->blocks[0] = block_new(text.data, text.length);
		strbuf_free(&text);
	}
	transaction_add(f->t, block_ref(v->blocks[0]));
}

/* Services of a chunk, all of it with count 0, as one block. */
static struct block *run_block(struct family_plan *f, struct chunk *c, uint32_t start,
			       uint32_t count)
{
	struct variant *v = chunk_variant(c, f->context, start, count);
	struct strbuf text = { 0 };
	uint32_t end = count ? start + count : c->count;
	if (v->blocks[0])
		return v->blocks[0];
	if (c->left) {
		v->blocks[0] = block_join(block_ref(run_block(f, c->left, 0, 0)),
					  block_ref(run_block(f, c->right, 0, 0)));
		return v->blocks[0];
	}
	for (uint32_t i = start; i < end; i++) {
		for (uint32_t k = 0; k < c->items[i]->port_count; k++) {
			struct service_port *port = &c->items[i]->ports[k];
			struct endpoint_choice choice;
			service_choose(port, f->p->base.config, f->memory, &choice);
			nft_port(&f->style, port, &choice, NULL, &text);
		}
	}
	v->blocks[0] = block_new(strbuf_text(&text), text.length);
	strbuf_free(&text);
	return v->blocks[0];
}

static void put_run(struct family_plan *f, const struct stretch *s)
{
	uint32_t count = stretch_whole(s) ? 0 : s->count;
	transaction_add(f->t, block_ref(run_block(f, s->chunk, s->start, count)));
}

static void put_service(struct family_plan *f, struct service *s, bool chains)
{
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct endpoint_choice choice;
		service_choose(&s->ports[i], f->p->base.config, f->memory, &choice);
		if (chains)
			nft_port(&f->style, &s->ports[i], &choice, &f->there, &f->text);
		else
			nft_port_dispatch(&f->style, &s->ports[i], &choice, &f->there, &f->text);
	}
}

static void note_service(struct family_plan *f, const struct service *s)
{
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct endpoint_choice choice;
		service_choose(&s->ports[i], f->p->base.before, f->memory, &choice);
		nft_elements_note(&f->there, &f->style_before, &s->ports[i], &choice);
	}
}

/* The services whose elements are compared: in a partial sync those that changed, unless
 * services share addresses. */
static bool next_looked_at(const struct family_plan *f, struct snapshot_step *step)
{
	return f->p->base.full || f->conflicts ? snapshot_next(f->was, f->now, step) :
						 snapshot_next_change(f->was, f->now, step);
}

static void put_services(struct family_plan *f)
{
	struct snapshot_step step = { 0 };
	/* With nothing there, elements need no comparison unless they meet. */
	if (f->style.old || (!f->was && !f->conflicts)) {
		struct stretch stretch = { 0 };
		while (snapshot_next_stretch(NULL, f->now, &stretch)) {
			if (stretch.run) {
				put_run(f, &stretch);
				continue;
			}
			struct service *s = stretch.chunk->items[stretch.start];
			for (uint32_t k = 0; k < s->port_count; k++)
				put_block(f, &s->ports[k]);
		}
		return;
	}
	while (next_looked_at(f, &step))
		if (step.was)
			note_service(f, step.was);
	step = (struct snapshot_step){ 0 };
	while (next_looked_at(f, &step))
		if (step.now)
			put_service(f, step.now, step.changed || f->p->base.full);
	put_text(f);
}

/* ---- what is not wanted any more ------------------------------------------------------- */

static void add_name(void *ctx, const char *name)
{
	struct family_plan *f = ctx;
	if (!table_find(&f->names, name))
		table_put(&f->names, arena_strdup(f->memory, name), NULL);
}

static void remove_name(void *ctx, const char *name)
{
	struct family_plan *f = ctx;
	table_remove(&f->names, name);
	table_remove(&f->stale->chains, name);
}

static void each_name(struct family_plan *f, struct service *s, const struct proxy_config *config,
		      nft_name_fn *fn)
{
	for (uint32_t i = 0; s && i < s->port_count; i++) {
		struct endpoint_choice choice;
		service_choose(&s->ports[i], config, f->memory, &choice);
		nft_port_chains(&s->ports[i], &choice, fn, f);
		nft_port_sets(&s->ports[i], &choice, fn, f);
	}
}

/* Leaves in `names` what was used and is not. */
static void find_unused(struct family_plan *f)
{
	struct kubeproxy *k = &f->p->base;
	bool all = kubeproxy_choice_differs(k);
	struct snapshot_step step = { 0 };
	while (all ? snapshot_next(f->was, f->now, &step) :
		     snapshot_next_change(f->was, f->now, &step)) {
		each_name(f, step.was, k->before, add_name);
		if (f->names.count || f->stale->chains.count)
			each_name(f, step.now, k->config, remove_name);
	}
}

static void put_unused(struct family_plan *f)
{
	const void *name;
	void *value;
	for (uint32_t i = 0; table_next(&f->names, &i, &name, &value);)
		if (strncmp(name, "affinity-", 9) != 0)
			table_put(&f->stale->chains, arena_strdup(f->stale->memory, name), NULL);
	/* Also those that wait for their deletion: every sync starts their second anew. */
	for (uint32_t i = 0; table_next(&f->stale->chains, &i, &name, &value);) {
		strbuf_printf(&f->text, "flush chain %s %s\n", f->style.table,
			      (const char *)name);
		*(int64_t *)value = f->p->base.now_ns;
	}
	for (uint32_t i = 0; table_next(&f->names, &i, &name, &value);)
		if (strncmp(name, "affinity-", 9) == 0)
			strbuf_printf(&f->text, "delete set %s %s\n", f->style.table,
				      (const char *)name);
	if (!f->style.old)
		nft_elements_leftovers(&f->there, &f->style, &f->text);
	put_text(f);
}

/* Chains flushed more than a second ago. */
static void delete_stale(struct family_plan *f, struct transactions *out)
{
	const void *name;
	void *value;
	int64_t limit = f->p->base.now_ns - NS_PER_S;
	if (!f->p->base.planned) /* found at the start: flushed first */
		return;
	for (uint32_t i = 0; table_next(&f->stale->chains, &i, &name, &value);) {
		if (*(int64_t *)value >= limit)
			continue;
		strbuf_printf(&f->text, "delete chain %s %s\n", f->style.table,
			      (const char *)name);
		table_remove(&f->stale->chains, name);
	}
	plan_add(out, TX_NFT, &f->text);
	strbuf_clear(&f->text);
	if (!f->stale->chains.count) {
		table_clear(&f->stale->chains);
		arena_reset(f->stale->memory);
	}
}

/* ---- a family ------------------------------------------------------------------------------ */

/* A restarted kube-proxy finds chains and sets of the one before. */
static void find_chains(struct family_plan *f, struct table *found)
{
	struct snapshot_cursor at = { 0 };
	struct service *service;
	const void *name;
	void *value;
	table_init(found, TABLE_STRING_KEYS, 0);
	while ((service = snapshot_walk(f->was, &at)) != NULL)
		each_name(f, service, f->p->base.before, add_name);
	for (uint32_t i = 0; table_next(&f->names, &i, &name, &value);)
		table_put(found, name, NULL);
	table_clear(&f->names);
	f->style.found = found;
}

static void open_family(struct family_plan *f, struct planner *p, unsigned family)
{
	struct kubeproxy *k = &p->base;
	*f = (struct family_plan){ .p = p, .stale = &p->stale[family], .was = k->was[family],
				   .now = k->now[family], .memory = arena_new() };
	nft_style_init(&f->style, k->config, family);
	nft_style_init(&f->style_before, k->before, family);
	nft_style_key(&f->style, &f->text);
	f->context = proxy_context(k->shared, strbuf_text(&f->text));
	strbuf_clear(&f->text);
	f->conflicts = proxy_conflicts(k->shared, family, f->now) ||
		       proxy_conflicts(k->shared, family, f->was);
	nft_elements_init(&f->there, f->memory);
	table_init(&f->names, TABLE_STRING_KEYS, 0);
}

static void close_family(struct family_plan *f)
{
	nft_elements_free(&f->there);
	table_free(&f->names);
	arena_free(f->memory);
	strbuf_free(&f->text);
}

/* A full sync reads what is there; here only whether the table is, since nobody but an
 * administrator removes it. What he does inside of it stays unknown. */
static bool table_is_gone(const struct kubeproxy *k, const struct proxy_view *view,
			  const char *table)
{
	struct strbuf text = { 0 }, line = { 0 };
	if (!k->full || !k->disturbed || !view->read ||
	    view->read(view->read_ctx, DUMP_NFT, NULL, &text, NULL) != 0)
		return false;
	strbuf_printf(&line, "table %s {\n", table);
	bool gone = !strstr(strbuf_text(&text), strbuf_text(&line));
	strbuf_free(&text);
	strbuf_free(&line);
	return gone;
}

static void plan_family(struct planner *p, const struct proxy_view *view, unsigned family,
			struct transactions *out)
{
	struct kubeproxy *k = &p->base;
	struct family_plan f;
	struct table found;
	bool restarted = !k->planned && k->was[family] && k->config->version >= KUBE_1_34;
	open_family(&f, p, family);
	if (k->failed) /* nothing of the plan before took effect */
		table_clear(&f.stale->chains);
	if (table_is_gone(k, view, f.style.table)) {
		table_clear(&f.stale->chains);
		f.was = NULL;
	}
	delete_stale(&f, out);
	if (restarted)
		find_chains(&f, &found);
	f.t = transactions_add(out, TX_NFT);
	if (k->full || f.style.old)
		nft_setup(&f.style, !k->planned, &f.text);
	if (f.style.old)
		nft_flush_elements(&f.style, &f.text);
	put_text(&f);
	put_services(&f);
	find_unused(&f);
	put_unused(&f);
	if (!f.t->count) /* nothing to say: nft is not run */
		out->count--;
	if (restarted)
		table_free(&found);
	close_family(&f);
}

static int nftables_plan(struct planner *p, const struct proxy_view *view,
			 const struct plan_request *request, struct transactions *out,
			 struct err *err)
{
	int code = kubeproxy_begin(&p->base, view, request, out, err);
	if (code)
		return code;
	if (!p->base.planned) { /* these modes do not go with this one */
		iptables_planner.cleanup(view, out);
		ipvs_planner.cleanup(view, out);
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		if (kubeproxy_family(&p->base, f))
			plan_family(p, view, f, out);
	kubeproxy_end(&p->base, out);
	return 0;
}

static int nftables_list(struct planner *p, const struct proxy_view *view,
			 enum rules_format format, enum rules_view which, struct strbuf *out,
			 struct err *err)
{
	(void)p;
	return kubeproxy_list(&nftables_planner, view, format, which, out, err);
}

/* nftables mode watches nothing; a sync that fails shows that something is wrong. */
static int64_t nftables_watch(struct planner *p, const struct proxy_view *view, int64_t now_ns)
{
	(void)view;
	(void)now_ns;
	p->base.disturbed = true;
	return INT64_MAX;
}

const struct planner_class nftables_planner = {
	.mode = "nftables", .probe = nftables_probe, .open = nftables_open, .plan = nftables_plan,
	.list = nftables_list, .close = nftables_close, .changed = kubeproxy_changed, .due = kubeproxy_due,
	.next = kubeproxy_next, .done = kubeproxy_done, .watch = nftables_watch,
	.health_ports = kubeproxy_health_ports, .health = kubeproxy_health,
	.cleanup = left_nft_removed,
};
