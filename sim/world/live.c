/* world/live.c: starting a cluster, and what follows its objects. */
#include "world/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/admit.h"
#include "kube/manifest.h"

#define START_LIMIT_NS (600 * NS_PER_S)
#define LAN_DELAY_NS (100 * NS_PER_US)
#define VETH_DELAY_NS (10 * NS_PER_US)
#define API_PORT 6443
#define PROXY_LABEL "k8s-app"

/* ---- nodes ------------------------------------------------------------------------------- */

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = list; at && (at = strstr(at, word)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

/* `more` has room for all further addresses. */
static void node_wish(const struct kube_node *n, struct place_wish *wish, struct net_addr *more)
{
	const char *network = kube_map_get(&n->object.meta.annotations, NETWORK_ANNOTATION);
	uint32_t count = 0;
	wish->more = more;
	for (uint32_t i = 0; i < n->status.addresses.count; i++) {
		const struct kube_node_address *have = &n->status.addresses.items[i];
		struct net_addr a;
		if (!have->address || !net_addr_parse(have->address, &a))
			continue;
		if (kube_is(have->type, "ExternalIP"))
			more[wish->more_count++] = a;
		else if (kube_is(have->type, "InternalIP") && count < 2 &&
			 (!count || wish->addrs[0].family != a.family))
			wish->addrs[count++] = a;
	}
	for (uint32_t i = 0; i < n->spec.pod_cidrs.count && i < 2; i++)
		net_prefix_parse(n->spec.pod_cidrs.items[i], &wish->pod_cidrs[i]);
	wish->routed = has_word(network, "routed");
	wish->no_hairpin = has_word(network, "no-hairpin");
	wish->overlay = has_word(network, "overlay");
}

static void node_added(struct world *w, const struct kube_node *n)
{
	char name[300];
	struct err err = { "" };
	struct place *p = NULL;
	snprintf(name, sizeof name, "node/%s", n->object.meta.name);
	struct place_wish wish = { .kind = PLACE_NODE, .name = name, .label = n->object.meta.name,
				   .node = n->object.meta.name };
	struct net_addr *more = mem_array(n->status.addresses.count + 1, sizeof *more);
	node_wish(n, &wish, more);
	bool said = wish.addrs[0].family != NET_NONE; /* by its kubelet */
	if (said && !place_find(w, name)) {
		if (place_add(w, &wish, &p, &err) != 0)
			world_warn(w, "%s: %s", name, err.text);
		else
			proxy_new(p);
	}
	free(more);
}

static void on_node(void *ctx, enum kube_change change, const struct kube_object *old,
		    const struct kube_object *now)
{
	struct world *w = ctx;
	if (change != KUBE_DELETED) {
		node_added(w, (const void *)now);
		return;
	}
	struct place *p = place_of_node(w, old->meta.name);
	if (p)
		place_remove(p);
}

/* ---- what kube-proxies watch -------------------------------------------------------------------- */

static void on_change_at_once(void *ctx, enum kube_change change, const struct kube_object *old,
			      const struct kube_object *now)
{
	struct world *w = ctx;
	(void)change;
	(void)old;
	(void)now;
	w->changes++;
}

/* "namespace/name" of the Service that a changed object belongs to; "" none. */
static void service_of(const struct kube_object *o, char out[512])
{
	const char *name = o->meta.name;
	if (o->kind == KIND_ENDPOINT_SLICE)
		name = kube_map_get(&o->meta.labels, "kubernetes.io/service-name");
	out[0] = '\0';
	if (name && (o->kind == KIND_SERVICE || o->kind == KIND_ENDPOINT_SLICE))
		snprintf(out, 512, "%s/%s", o->meta.namespace, name);
}

static void on_change_heard(void *ctx, enum kube_change change, const struct kube_object *old,
			    const struct kube_object *now)
{
	struct world *w = ctx;
	const struct kube_object *o = now ? now : old;
	char service[512];
	(void)change;
	w->changes_heard++;
	balances_heard(w, old, now);
	service_of(o, service);
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct proxy *x = w->nodes[i]->proxy;
		if (!x || (o->kind == KIND_NODE && strcmp(o->meta.name, w->nodes[i]->node) != 0))
			continue;
		proxy_changed(x, *service ? service : NULL);
	}
}

static void on_slice(void *ctx, enum kube_change change, const struct kube_object *old,
		     const struct kube_object *now)
{
	(void)old;
	if (change != KUBE_DELETED)
		endpoints_listen(ctx, (const void *)now);
}

static void watch_store(struct world *w)
{
	static const enum kube_kind kinds[] = { KIND_SERVICE, KIND_ENDPOINT_SLICE, KIND_NODE,
						KIND_SERVICE_CIDR };
	int64_t delay = control_settings(w->control)->watch;
	kube_watch(w->store, KIND_NODE, 0, on_node, w);
	kube_watch(w->store, KIND_ENDPOINT_SLICE, 0, on_slice, w);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		kube_watch(w->store, kinds[i], 0, on_change_at_once, w);
		kube_watch(w->store, kinds[i], delay, on_change_heard, w);
	}
}

/* ---- start ------------------------------------------------------------------------------------------ */

static struct cluster_plan *keep_plan(struct world *w, const struct cluster_options *options)
{
	struct cluster_plan *plan = arena_alloc(w->arena, sizeof *plan);
	struct node_options *nodes = arena_array(w->arena, options->node_count, sizeof *nodes);
	plan->options = *options;
	for (uint32_t i = 0; i < options->node_count; i++) {
		nodes[i] = options->nodes[i];
		nodes[i].name = arena_strdup(w->arena, nodes[i].name);
		nodes[i].address = nodes[i].address ? arena_strdup(w->arena, nodes[i].address) : NULL;
		nodes[i].external = nodes[i].external ? arena_strdup(w->arena, nodes[i].external) : NULL;
	}
	plan->options.nodes = nodes;
	if (options->proxy_config)
		plan->options.proxy_config = arena_strdup(w->arena, options->proxy_config);
	w->plan = plan;
	return plan;
}

static int create_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct world *w = ctx;
	return kube_store_create(w->store, o, err);
}

static int create_text(struct world *w, const struct strbuf *text, const char *name, struct err *err)
{
	struct manifest_options options = { .defaults = true, .warnings = w->options.warnings };
	return manifest_read(strbuf_text(text), text->length, name, &options, create_object, w, err);
}

static void control_options_of(struct world *w, const struct start_plan *plan,
			       struct control_options *o)
{
	char dns[NET_ADDR_TEXT];
	struct net_addr a;
	control_options_default(o);
	for (int f = 0; f < 2; f++)
		o->pod_cidr[f] = plan->pods[f];
	if (net_prefix_nth(&plan->services[0], 10, &a))
		o->cluster_dns = arena_strdup(w->arena, net_addr_text(&a, dns));
}

static bool started(void *ctx)
{
	struct world *w = ctx;
	return control_converged(w->control) && control_endpoints_settled(w->control) &&
	       world_synced(w);
}

static void api_server(struct world *w)
{
	if (w->node_count && program_add(w->nodes[0], 0, PROTO_TCP, API_PORT, NULL) != 0)
		world_warn(w, "%s: the API server cannot listen on %d", w->nodes[0]->name, API_PORT);
}

int world_start(struct world *w, const struct cluster_options *options, struct err *err)
{
	struct cluster_plan *plan = keep_plan(w, options);
	struct control_options settings;
	struct strbuf text = { 0 };
	int code = world_choose_mode(w, err);
	if (!code)
		code = start_plan(&plan->options, w->row->planner ? w->row->planner->mode : "iptables",
				  &plan->start, err);
	if (code)
		return code;
	w->topology = (struct topology){ .lan = { plan->start.lan[0], plan->start.lan[1] },
					 .lan_delay_ns = LAN_DELAY_NS,
					 .veth_delay_ns = VETH_DELAY_NS };
	code = network_up(w, err);
	if (code)
		return code;
	struct control_host host = kubelet_host(w);
	control_options_of(w, &plan->start, &settings);
	w->control = control_new(w->store, w->engine, w->choice, &settings, &host);
	watch_store(w);
	start_manifests(&plan->start, w->options.version, &text);
	code = create_text(w, &text, "(start of the cluster)", err);
	strbuf_free(&text);
	if (code)
		return code;
	struct kube_admit_options admit = { .choice = options->random_addresses ? w->choice : NULL };
	w->admit = kube_admit_new(w->store, &admit);
	api_server(w);
	control_start(w->control);
	bool up = world_run_while_not(w, started, w, START_LIMIT_NS);
	if (world_broken(w))
		return err_set(err, ENOTRECOVERABLE, "%s", world_broken(w));
	if (!up)
		return err_set(err, ETIMEDOUT, "the cluster was not ready after %d s of its time",
			       (int)(START_LIMIT_NS / NS_PER_S));
	return 0;
}

/* ---- kube-proxy ---------------------------------------------------------------------------------------- */

static bool is_kube_proxy(const struct kube_object *o)
{
	return kube_is(o->meta.namespace, "kube-system") &&
	       kube_is(kube_map_get(&o->meta.labels, PROXY_LABEL), "kube-proxy");
}

/* Deletes the kube-proxy pods of one node (NULL: all); the DaemonSet makes new ones. */
static uint32_t delete_proxies(struct world *w, const char *node, struct err *err)
{
	const struct kube_object *o;
	uint32_t cursor = 0, deleted = 0;
	while ((o = kube_store_next(w->store, KIND_POD, "kube-system", &cursor)) != NULL) {
		const struct kube_pod *pod = (const void *)o;
		if (!is_kube_proxy(o) || o->meta.deletion_ns ||
		    (node && !kube_is(pod->spec.node_name, node)))
			continue;
		if (control_delete(w->control, KIND_POD, "kube-system", o->meta.name, -1, err) == 0)
			deleted++;
	}
	return deleted;
}

int world_restart_kube_proxy(struct world *w, const char *node, struct err *err)
{
	if (!w->control)
		return err_set(err, EINVAL, "kube-proxies restart in a running cluster only");
	if (!place_of_node(w, node))
		return err_set(err, EINVAL, "no node \"%s\"", node);
	if (!delete_proxies(w, node, err))
		return err_set(err, ENOENT, "node %s runs no kube-proxy pod", node);
	return 0;
}

int world_cleanup_kube_proxy(struct world *w, const char *node, struct err *err)
{
	struct place *p = place_of_node(w, node);
	if (!p || !p->proxy)
		return err_set(err, EINVAL, "no node \"%s\" with a kube-proxy", node);
	return proxy_cleanup(p->proxy, err);
}

/* The row of this executor whose kube-proxy has the mode; NULL: said. */
static const struct dataplane *row_of_mode(const struct world *w, const char *mode, struct err *err)
{
	const struct registry *r = w->options.registry;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->rows[i].planner && r->rows[i].executor == w->row->executor &&
		    strcmp(r->rows[i].planner->mode, mode) == 0)
			return &r->rows[i];
	err_set(err, EINVAL, "kube-proxy has no mode \"%s\" on this dataplane", mode);
	return NULL;
}

const struct planner_class *planner_of_mode(const struct world *w, const char *mode)
{
	const struct dataplane *row = row_of_mode(w, mode, NULL);
	return row ? row->planner : NULL;
}

static int take_configuration(void *ctx, struct kube_object *o, struct err *err)
{
	struct world *w = ctx;
	const struct kube_proxy_configuration *c = (const void *)o;
	if (o->kind != KIND_KUBE_PROXY_CONFIGURATION) {
		kube_unref(o);
		return 0;
	}
	const struct dataplane *row =
		row_of_mode(w, c->mode && *c->mode ? c->mode : "iptables", err);
	if (!row) {
		kube_unref(o);
		return EINVAL;
	}
	w->row = row;
	return configuration_replace(w, o, err);
}

int configuration_read(struct world *w, struct err *err)
{
	struct manifest_options options = { .defaults = true, .warnings = w->options.warnings };
	const struct kube_object *o =
		kube_store_get(w->store, KIND_CONFIG_MAP, "kube-system", "kube-proxy");
	const char *text =
		o ? kube_map_get(&((const struct kube_config_map *)o)->data, "config.conf") : NULL;
	if (!w->control || !w->row->planner || !text ||
	    o->meta.resource_version == w->configuration_version)
		return 0;
	w->configuration_version = o->meta.resource_version;
	return manifest_read(text, strlen(text), "kube-proxy's config.conf", &options,
			     take_configuration, w, err);
}

int world_switch_mode(struct world *w, const char *mode, struct err *err)
{
	struct strbuf text = { 0 };
	const struct dataplane *row = row_of_mode(w, mode, err);
	if (!row)
		return EINVAL;
	if (!w->control)
		return err_set(err, EINVAL, "the mode is switched in a running cluster only");
	w->plan->start.mode = row->planner->mode;
	proxy_config_map(&w->plan->start, &text);
	int code = world_apply(w, strbuf_text(&text), text.length, "(new mode)", NULL, err);
	strbuf_free(&text);
	if (code)
		return code;
	w->row = row;
	delete_proxies(w, NULL, err);
	return 0;
}
