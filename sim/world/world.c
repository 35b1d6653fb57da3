/* world/world.c: a world's life, its clock, and what it passes on to the executor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/admit.h"
#include "net/craft.h"
#include "world/live.h"

#define EAGER_PLACES 2000u /* of a larger snapshot only what a packet meets is attached */
#define DEFAULT_DATAPLANE "iptables"

void world_warn(struct world *w, const char *fmt, ...)
{
	va_list ap;
	if (!w->options.warnings)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(w->options.warnings, fmt, ap);
	va_end(ap);
	strbuf_putc(w->options.warnings, '\n');
}

static int unknown_dataplane(const struct world *w, const char *name, struct err *err)
{
	struct strbuf known = { 0 };
	registry_names(w->options.registry, &known);
	int code = err_set(err, EINVAL, "no dataplane \"%s\", expected one of: %s", name,
			   strbuf_text(&known));
	strbuf_free(&known);
	return code;
}

/* The row of this name, or, with `on`, the row of the same planner on that executor. */
static int choose_dataplane(struct world *w, const char *name, struct err *err)
{
	const struct registry *r = w->options.registry;
	const char *on = w->options.on;
	const struct dataplane *row = registry_find(r, name);
	if (!row)
		return unknown_dataplane(w, name, err);
	w->row = row;
	if (!on || strcmp(row->executor->name, on) == 0)
		return 0;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->rows[i].planner == row->planner && strcmp(r->rows[i].executor->name, on) == 0) {
			w->row = &r->rows[i];
			return w->row->executor->supports
				       ? w->row->executor->supports(row->planner->mode, err) : 0;
		}
	return err_set(err, ENOTSUP, "dataplane %s does not run on \"%s\"", name, on);
}

int world_choose_mode(struct world *w, struct err *err)
{
	if (w->row)
		return 0;
	uint32_t cursor = 0;
	const struct kube_proxy_configuration *c = (const void *)kube_store_next_created(
		w->store, KIND_KUBE_PROXY_CONFIGURATION, &cursor);
	const char *mode = c && c->mode && *c->mode ? c->mode : DEFAULT_DATAPLANE;
	return choose_dataplane(w, mode, err);
}

int world_new(const struct world_options *options, struct world **out, struct err *err)
{
	struct world *w = mem_alloc(sizeof *w);
	w->options = *options;
	w->upstream = options->upstream;
	if (!w->options.version)
		w->options.version = KUBE_1_34;
	w->arena = arena_new();
	w->engine = engine_new();
	w->choice = choice_new(options->seed);
	w->craft = craft_new();
	w->store = kube_store_new(options->snapshot ? NULL : w->engine, w->choice);
	table_init(&w->places, TABLE_STRING_KEYS, sizeof(struct place *));
	table_init(&w->volumes, TABLE_STRING_KEYS, sizeof(char *));
	table_init(&w->addresses, sizeof(struct net_addr), sizeof(struct place *));
	int code = options->dataplane ? choose_dataplane(w, options->dataplane, err) : 0;
	if (code) {
		world_free(w);
		return code;
	}
	*out = w;
	return 0;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	ops_free(w);
	captures_free(w);
	handlers_free(w);
	balances_free(w);
	containers_free(w);
	if (w->control)
		control_free(w->control);
	if (w->admit)
		kube_admit_free(w->admit);
	places_free(w);
	dumps_free(w);
	if (w->executor)
		w->row->executor->close(w->executor);
	snapshot_dns_free(w->dns);
	planner_shared_free(&w->planners);
	kube_store_free(w->store);
	craft_free(w->craft);
	choice_free(w->choice);
	engine_free(w->engine);
	arena_free(w->arena);
	files_free(&w->volumes);
	free(w->enter);
	free(w);
}

int network_up(struct world *w, struct err *err)
{
	if (w->executor)
		return 0;
	struct executor_env env = { .engine = w->engine, .choice = w->choice, .tap_ctx = w };
	int code = w->row->executor->open(&env, &w->topology, &w->executor, err);
	if (code)
		return code;
	tap_update(w);
	w->lazy = w->options.snapshot && w->places.count > EAGER_PLACES;
	void *value;
	for (uint32_t i = 0; !w->lazy && !code && table_next(&w->places, &i, NULL, &value);)
		code = place_attach(*(struct place **)value, err);
	return code;
}

struct engine *world_engine(struct world *w)
{
	return w->engine;
}

struct choice *world_choice(struct world *w)
{
	return w->choice;
}

struct kube_store *world_store(struct world *w)
{
	return w->store;
}

struct kube_admit *world_admit(struct world *w)
{
	return w->admit;
}

struct control *world_control(struct world *w)
{
	return w->control;
}

const char *world_dataplane(const struct world *w)
{
	return w->row ? w->row->name : w->options.dataplane ? w->options.dataplane : DEFAULT_DATAPLANE;
}

enum kube_version world_version(const struct world *w)
{
	return w->options.version;
}

/* ---- clock ---- */

int64_t world_now(const struct world *w)
{
	return engine_now(w->engine);
}

void world_run(struct world *w, int64_t until_ns)
{
	while (engine_now(w->engine) < until_ns) {
		int64_t next = engine_next(w->engine);
		int64_t to = next < until_ns ? next : until_ns;
		if (w->executor)
			to = w->row->executor->advance(w->executor, to);
		engine_run_until(w->engine, to);
	}
	engine_run_until(w->engine, until_ns);
}

void world_break(struct world *w, int code, const struct err *err)
{
	if (code == ENOTRECOVERABLE && !*w->broken.text)
		w->broken = *err;
}

const char *world_broken(const struct world *w)
{
	return *w->broken.text ? w->broken.text : NULL;
}

void world_hurry(struct world *w, bool hurry)
{
	if (w->executor && w->row->executor->hurry)
		w->row->executor->hurry(w->executor, hurry);
}

bool world_run_while_not(struct world *w, bool (*done)(void *ctx), void *ctx, int64_t until_ns)
{
	while (!done(ctx) && !world_broken(w)) {
		int64_t next = engine_next(w->engine);
		if (next > until_ns) {
			world_run(w, until_ns);
			return done(ctx);
		}
		int64_t to = w->executor ? w->row->executor->advance(w->executor, next) : next;
		if (to < next) {
			engine_run_until(w->engine, to);
			continue;
		}
		engine_step(w->engine);
	}
	return done(ctx);
}

/* ---- passed on ---- */

int world_ready(struct world *w, struct place *p, struct err *err)
{
	int code = network_up(w, err);
	return code ? code : place_attach(p, err);
}

int world_inject(struct world *w, struct place *at, const char *interface, struct packet *p,
		 struct err *err)
{
	int code = world_ready(w, at, err);
	if (code) {
		packet_free(p);
		return code;
	}
	/* What leaves a pod arrives at its node. */
	if (at->kind == PLACE_POD && !at->host && !*interface) {
		interface = place_port(at);
		at = place_of_node(w, at->node);
	}
	return w->row->executor->input(w->executor, place_netns(at), interface, p, err);
}

int world_dump(struct world *w, struct place *p, enum dump_view view, const char *argument,
	       struct strbuf *out, struct err *err)
{
	int code = world_ready(w, p, err);
	return code ? code : w->row->executor->dump(w->executor, place_netns(p), view, argument, out,
						    err);
}

int world_sysctl(struct world *w, struct place *p, const char *name, int64_t *value, bool set,
		 struct err *err)
{
	int code = world_ready(w, p, err);
	return code ? code : w->row->executor->sysctl(w->executor, place_netns(p), name, value, set,
						      err);
}

/* "partition=PLACE" names a place as the command line does, the executor by namespace.
 * "sync-fails=N" is kube-proxy's: the next N loads on this node fail. */
int world_fault(struct world *w, struct place *p, const char *fault, struct err *err)
{
	char full[400];
	unsigned count;
	int code = world_ready(w, p, err);
	if (code)
		return code;
	if (sscanf(fault, "sync-fails=%u", &count) == 1) {
		if (!p->proxy)
			return err_set(err, EINVAL, "%s has no kube-proxy", p->name);
		p->proxy->failing = count;
		return 0;
	}
	if (strncmp(fault, "partition=", 10) == 0) {
		struct place *other = world_place(w, fault + 10, err);
		if (!other)
			return EINVAL;
		code = world_ready(w, other, err);
		if (code)
			return code;
		snprintf(full, sizeof full, "partition=%s", place_netns(other));
		fault = full;
	}
	return w->row->executor->fault(w->executor, place_netns(p), fault, err);
}

int world_counters(struct world *w, struct place *p, struct counters *out)
{
	*out = (struct counters){ 0 };
	int code = world_ready(w, p, NULL);
	if (code)
		return code;
	/* Real Linux counts none of its own; what a proxy copies is known there too. */
	code = w->row->executor->counters(w->executor, place_netns(p), out);
	if (p->kind == PLACE_NODE)
		out->copied = proxy_copied(p->proxy);
	return code;
}
