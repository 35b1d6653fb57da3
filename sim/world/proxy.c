/* world/proxy.c: see proxy.h. */
#include "world/live.h"
#include "world/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOON_NS (2 * NS_PER_S)

/* ---- what it sees ---------------------------------------------------------------- */

static void add_addr(struct proxy *x, const struct net_addr *a, unsigned bits, const char *dev)
{
	if (a->family == NET_NONE)
		return;
	x->addrs = mem_grow(x->addrs, x->addr_count, x->addr_count + 1, sizeof *x->addrs);
	x->devs = mem_grow(x->devs, x->addr_count, x->addr_count + 1, sizeof *x->devs);
	x->addrs[x->addr_count] = (struct net_prefix){ *a, (uint8_t)bits };
	x->devs[x->addr_count++] = dev;
}

static unsigned lan_bits(const struct world *w, const struct net_addr *a)
{
	for (int f = 0; f < 2; f++)
		if (net_prefix_contains(&w->topology.lan[f], a))
			return w->topology.lan[f].bits;
	return net_family_bits(a->family);
}

static bool has_extra(const struct place *p, const struct net_addr *a)
{
	for (uint32_t i = 0; i < p->extra_count; i++)
		if (net_addr_equal(&p->extra[i].addr.addr, a))
			return true;
	return false;
}

/* The addresses of the node's interfaces, as kube-proxy lists them. */
void proxy_collect_addresses(struct proxy *x)
{
	const struct place *p = x->node;
	const char *uplink = p->uplink ? p->uplink : "eth0";
	struct net_addr loopback = net_addr_v4(0x7f000001), one6;
	x->addr_count = 0;
	add_addr(x, &loopback, 8, "lo");
	if (net_addr_parse("::1", &one6))
		add_addr(x, &one6, 128, "lo");
	for (int i = 0; i < 2; i++)
		add_addr(x, &p->addrs[i], lan_bits(x->world, &p->addrs[i]), uplink);
	for (uint32_t i = 0; i < p->more_count; i++)
		add_addr(x, &p->more[i], net_family_bits(p->more[i].family), uplink);
	for (int i = 0; i < 2 && !p->routed; i++) {
		struct net_addr gateway;
		if (net_prefix_nth(&p->pod_cidrs[i], 1, &gateway) && !has_extra(p, &gateway))
			add_addr(x, &gateway, p->pod_cidrs[i].bits, p->bridge ? p->bridge : "cni0");
	}
	for (uint32_t i = 0; i < p->extra_count; i++)
		add_addr(x, &p->extra[i].addr.addr, p->extra[i].addr.bits, p->extra[i].dev);
}

static const struct kube_proxy_configuration *configuration(const struct world *w)
{
	uint32_t cursor = 0;
	return (const void *)kube_store_next_created(w->store, KIND_KUBE_PROXY_CONFIGURATION,
						     &cursor);
}

static const char *annotation(const struct world *w, const char *node, const char *name)
{
	const struct kube_object *o = kube_store_get(w->store, KIND_NODE, "", node);
	return o ? kube_map_get(&o->meta.annotations, name) : NULL;
}

const char *world_missing_modules(const struct world *w, const char *node)
{
	return annotation(w, node, MODULES_ANNOTATION);
}

static int read_back(void *ctx, enum dump_view view, const char *argument, struct strbuf *out,
		     struct err *err)
{
	const struct proxy *x = ctx;
	struct world *w = x->world;
	return w->row->executor->dump(w->executor, place_netns(x->node), view, argument, out,
				      err);
}

void proxy_view(const struct proxy *x, struct proxy_view *view)
{
	const struct kube_proxy_configuration *c = configuration(x->world);
	*view = (struct proxy_view){
		.store = x->world->store, .shared = &x->world->planners, .planner = x->class,
		.node = x->node->node, .node_addrs = x->addrs,
		.node_addr_devs = x->devs, .node_addr_count = x->addr_count,
		.version = x->world->options.version,
		.missing_modules = world_missing_modules(x->world, x->node->node),
		.nft_version = annotation(x->world, x->node->node, NFT_ANNOTATION),
		.conntrack_be_liberal = c && c->conntrack.tcp_be_liberal == TRI_TRUE,
		.read = x->world->executor ? read_back : NULL,
		.read_ctx = (void *)(uintptr_t)x,
	};
}

/* ---- life ------------------------------------------------------------------------- */

static void sync_due(void *ctx);

static int64_t due_at(const struct proxy *x)
{
	if (x->class->due)
		return x->class->due(x->planner);
	return x->pending ? engine_now(x->world->engine) : INT64_MAX;
}

static void look_when(struct proxy *x)
{
	struct world *w = x->world;
	if (x->syncing || !x->planner)
		return;
	int64_t due = due_at(x);
	engine_cancel(w->engine, &x->wake);
	if (due != INT64_MAX)
		x->wake = engine_at(w->engine, due, sync_due, x);
}

void proxy_new(struct place *node)
{
	struct world *w = node->world;
	if (!w->row->planner)
		return;
	struct proxy *x = mem_alloc(sizeof *x);
	x->world = w;
	x->node = node;
	x->class = w->row->planner;
	node->proxy = x;
}

/* A snapshot's kube-proxies begin when somebody asks for their rules. */
static int started(struct proxy *x, struct err *err)
{
	return x->planner || !x->world->options.snapshot ? 0 : proxy_start(x, err);
}

/* Lines "E server.go] ..." with klog's time. */
static void write_log(struct proxy *x, char *lines)
{
	int64_t now = engine_now(x->world->engine);
	time_t seconds = (time_t)(WORLD_EPOCH_S + now / NS_PER_S);
	char when[32], *save = NULL;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof when, "%m%d %H:%M:%S", &utc);
	for (char *line = lines ? strtok_r(lines, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		strbuf_printf(&x->log, "%c%s.%06lld       1 %s\n", *line, when,
			      (long long)(now % NS_PER_S / 1000), line + 2);
}

/* What the node can do may leave it another mode than the configured one, or none. */
static int choose_mode(struct proxy *x, const struct proxy_view *view, struct err *err)
{
	struct strbuf lines = { 0 };
	struct err why = { "" };
	const char *instead = NULL;
	int code = 0;
	strbuf_clear(&x->log);
	x->class = x->world->row->planner;
	if (x->class->probe)
		code = x->class->probe(view, &instead, &lines, &why);
	const struct planner_class *other =
		code && instead ? planner_of_mode(x->world, instead) : NULL;
	if (other) {
		world_warn(x->world, "kube-proxy on %s: %s; mode %s instead", x->node->node, why.text,
			   instead);
		x->class = other;
		code = 0;
	}
	if (code && x->world->options.snapshot) { /* its rules are asked for all the same */
		world_warn(x->world, "kube-proxy on %s would end: %s", x->node->node, why.text);
		code = 0;
	}
	if (code)
		err_set(err, code, "kube-proxy on %s: %s", x->node->node, why.text);
	if (!code)
		strbuf_printf(&lines, "I %s] %sUsing %s Proxier%s\n",
			      view->version <= KUBE_1_25 ? "server_others.go" : "server_linux.go",
			      view->version < KUBE_1_25 ? "" : "\"", x->class->mode,
			      view->version < KUBE_1_25 ? "." : "\"");
	write_log(x, lines.data);
	strbuf_free(&lines);
	return code;
}

int proxy_start(struct proxy *x, struct err *err)
{
	struct proxy_view view;
	int code = configuration_read(x->world, err);
	if (code)
		return code;
	proxy_collect_addresses(x);
	proxy_view(x, &view);
	code = choose_mode(x, &view, err);
	if (code)
		return code;
	view.planner = x->class;
	code = x->class->open(&view, &x->planner, err);
	if (code) {
		x->planner = NULL;
		world_break(x->world, code, err);
		return code;
	}
	if (x->world->options.snapshot)
		return 0;
	if (x->class->serve)
		x->class->serve(x->planner, place_sockets(x->node), x->world->engine,
				x->world->choice);
	proxy_changed(x, NULL);
	proxy_health_update(x);
	return 0;
}

void proxy_forget(struct proxy *x)
{
	if (x && x->planner && x->class->forget)
		x->class->forget(x->planner);
}

void proxy_stop(struct proxy *x)
{
	engine_cancel(x->world->engine, &x->wake);
	engine_cancel(x->world->engine, &x->look);
	transactions_free(&x->landing);
	x->syncing = false;
	proxy_health_stop(x);
	if (x->planner)
		x->class->close(x->planner);
	x->planner = NULL;
	if (x->cleaned)
		planner_shared_forget(&x->world->planners, x->node->node);
	x->cleaned = false;
}

void proxy_free(struct proxy *x)
{
	if (!x)
		return;
	proxy_stop(x);
	planner_shared_forget(&x->world->planners, x->node->node);
	strbuf_free(&x->log);
	x->node->proxy = NULL;
	free(x->addrs);
	free(x->devs);
	free(x);
}

uint64_t proxy_copied(const struct proxy *x)
{
	return x && x->planner && x->class->copied ? x->class->copied(x->planner) : 0;
}

/* A change that moves no deadline is one that the planner does not care about. */
void proxy_changed(struct proxy *x, const char *service)
{
	if (!x->planner)
		return;
	int64_t before = due_at(x);
	if (x->class->changed)
		x->class->changed(x->planner, service, engine_now(x->world->engine));
	if (!x->class->due || due_at(x) != before)
		x->pending = true;
	look_when(x);
}

static void look_again(void *ctx)
{
	proxy_disturbed(ctx);
}

void proxy_disturbed(struct proxy *x)
{
	struct engine *engine = x->world->engine;
	struct proxy_view view;
	if (!x->planner || !x->class->watch)
		return;
	proxy_view(x, &view);
	int64_t at = x->class->watch(x->planner, &view, engine_now(engine));
	engine_cancel(engine, &x->look);
	if (at != INT64_MAX)
		x->look = engine_at(engine, at, look_again, x);
	if (due_at(x) <= engine_now(engine))
		x->pending = true;
	look_when(x);
}

/* ---- syncs ------------------------------------------------------------------------- */

static void sync_end(struct proxy *x, bool ok)
{
	int64_t now = engine_now(x->world->engine);
	transactions_free(&x->landing);
	x->syncing = false;
	x->stats.last_ns = now;
	if (!ok) {
		x->stats.failures++;
		x->pending = true;
	}
	if (x->class->done)
		x->class->done(x->planner, now, ok);
	/* Told of during the sync: the next one comes after the minimum interval. */
	if (x->class->due && due_at(x) <= now + SOON_NS)
		x->pending = true;
	proxy_health_update(x);
	look_when(x);
}

static void sync_ended(void *ctx)
{
	sync_end(ctx, true);
}

static int load_one(struct proxy *x, struct load_cost *cost, struct err *err)
{
	struct world *w = x->world;
	if (x->failing) {
		x->failing--;
		return err_set(err, EBUSY, "%s: the tool failed (a fault was asked for)", x->node->name);
	}
	return w->row->executor->load(w->executor, place_netns(x->node),
				      &x->landing.items[x->landed], cost, err);
}

static void land(void *ctx)
{
	struct proxy *x = ctx;
	struct load_cost cost = { 0 };
	struct err err = { "" };
	if (x->landed == x->landing.count) {
		sync_end(x, true);
		return;
	}
	if (load_one(x, &cost, &err) != 0) {
		world_warn(x->world, "kube-proxy on %s: %s", x->node->node, err.text);
		sync_end(x, false);
		return;
	}
	x->landed++;
	x->stats.last_bytes += cost.bytes;
	x->stats.last_rules += cost.rules;
	x->wake = engine_after(x->world->engine, cost.charged_ns,
			       x->landed == x->landing.count ? sync_ended : land, x);
}

static void sync_due(void *ctx)
{
	struct proxy *x = ctx;
	struct world *w = x->world;
	struct plan_request request = { .full = true };
	struct proxy_view view;
	struct err err = { "" };
	int64_t now = engine_now(w->engine);
	if (x->class->next)
		x->class->next(x->planner, now, &request);
	x->syncing = true;
	x->landed = 0;
	x->pending = false;
	x->stats.syncs++;
	x->stats.full_syncs += request.full;
	x->stats.last_bytes = x->stats.last_rules = 0;
	proxy_collect_addresses(x);
	proxy_view(x, &view);
	int code = x->class->plan(x->planner, &view, &request, &x->landing, &err);
	if (code) {
		world_break(w, code, &err);
		world_warn(w, "kube-proxy on %s: %s", x->node->node, err.text);
		sync_end(x, false);
		return;
	}
	land(x);
}

int proxy_load_now(struct proxy *x, struct err *err)
{
	struct plan_request request = { .full = true };
	struct proxy_view view;
	int code = started(x, err);
	if (code || !x->planner)
		return code;
	if (x->class->serve)
		x->class->serve(x->planner, place_sockets(x->node), x->world->engine,
				x->world->choice);
	proxy_collect_addresses(x);
	proxy_view(x, &view);
	code = x->class->plan(x->planner, &view, &request, &x->landing, err);
	for (x->landed = 0; !code && x->landed < x->landing.count; x->landed++) {
		struct load_cost cost = { 0 };
		code = load_one(x, &cost, err);
		x->stats.last_bytes += cost.bytes;
		x->stats.last_rules += cost.rules;
	}
	x->stats.syncs++;
	x->stats.full_syncs++;
	x->stats.failures += code != 0;
	transactions_free(&x->landing);
	return code;
}

int proxy_cleanup(struct proxy *x, struct err *err)
{
	static const char *const modes[] = { "userspace", "iptables", "ipvs", "nftables" };
	struct world *w = x->world;
	int code = world_ready(w, x->node, err);
	for (unsigned i = 0; i < sizeof modes / sizeof *modes && !code; i++) {
		const struct planner_class *class = planner_of_mode(w, modes[i]);
		struct transactions list = { 0 };
		struct proxy_view view;
		proxy_view(x, &view);
		if (class && class->cleanup)
			class->cleanup(&view, &list);
		for (uint32_t k = 0; k < list.count && !code; k++) {
			struct load_cost cost = { 0 };
			code = w->row->executor->load(w->executor, place_netns(x->node),
						      &list.items[k], &cost, err);
		}
		transactions_free(&list);
	}
	x->cleaned = x->planner != NULL;
	if (!x->planner)
		planner_shared_forget(&w->planners, x->node->node);
	proxy_disturbed(x);
	return code;
}

int proxy_list(struct place *node, enum rules_format format, enum rules_view which,
	       struct strbuf *out, struct err *err)
{
	struct proxy_view view;
	struct proxy *x = node->proxy;
	int code = x ? started(x, err) : 0;
	if (code)
		return code;
	if (!x || !x->planner)
		return err_set(err, EINVAL, "no kube-proxy runs on node \"%s\"", node->node);
	proxy_collect_addresses(x);
	proxy_view(x, &view);
	return x->class->list(x->planner, &view, format, which, out, err);
}

/* ---- the world's verbs --------------------------------------------------------------- */

int world_rules(struct world *w, const char *node, enum rules_format format,
		enum rules_view view, struct strbuf *out, struct err *err)
{
	struct place *p = place_of_node(w, node);
	if (!p || p->implied)
		return err_set(err, EINVAL, "no node \"%s\" in the cluster", node);
	if (!w->row->planner)
		return err_set(err, ENOTSUP, "dataplane %s has no kube-proxy", w->row->name);
	return proxy_list(p, format, view, out, err);
}

int world_sync_stats(const struct world *w, const char *node, struct sync_stats *out)
{
	const struct place *p = place_of_node(w, node);
	if (!p || !p->proxy)
		return ENOENT;
	*out = p->proxy->stats;
	return 0;
}

bool world_synced(const struct world *w)
{
	if (w->changes != w->changes_heard)
		return false;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct proxy *x = w->nodes[i]->proxy;
		if (x && x->planner && (x->syncing || x->pending))
			return false;
	}
	return true;
}
