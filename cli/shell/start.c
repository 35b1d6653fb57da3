/* cli/shell/start.c: see cli/shell/start.h. */
#include "cli/shell/start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/file.h"
#include "dataplanes/registry.h"
#include "dns/master.h"
#include "kube/admit.h"
#include "kube/control/control.h"
#include "kube/manifest.h"
#include "kube/schema.h"

#define SETTLE_NS (120 * NS_PER_S) /* for what the files hold to come up */

struct given { /* what the files hold */
	struct arena *arena;
	struct node_options *nodes;
	uint32_t node_count;
	struct kube_object **objects;
	uint32_t object_count;
	struct cluster_options cluster;
	struct net_prefix lan;   /* that holds all addresses of nodes; family NET_NONE: none given */
	struct strbuf proxy;     /* lines of config.conf */
	const char *mode;
	struct dns_master *upstream;
};

/* ---- reading ------------------------------------------------------------------------------ */

static void take_node(struct given *g, const struct kube_object *o)
{
	g->nodes = mem_grow(g->nodes, g->node_count, g->node_count + 1, sizeof *g->nodes);
	struct node_options *n = &g->nodes[g->node_count++];
	const char *network = kube_map_get(&o->meta.annotations, "svclab.dev/network");
	const struct kube_map *labels = &o->meta.labels;
	n->name = arena_strdup(g->arena, o->meta.name);
	const char *zone = kube_map_get(labels, "topology.kubernetes.io/zone");
	n->zone = zone ? arena_strdup(g->arena, zone) : NULL;
	n->routed = network && strstr(network, "routed");
	n->no_hairpin = network && strstr(network, "no-hairpin");
	n->overlay = network && strstr(network, "overlay");
	n->labels.items = arena_array(g->arena, labels->count + 1, sizeof *n->labels.items);
	for (uint32_t i = 0; i < labels->count; i++) {
		const char *key = labels->items[i].key;
		if (strncmp(key, "kubernetes.io/", 14) == 0 || strncmp(key, "beta.kubernetes.io/", 19) == 0 ||
		    strcmp(key, "topology.kubernetes.io/zone") == 0)
			continue;
		n->labels.items[n->labels.count++] =
			arena_printf(g->arena, "%s=%s", key, labels->items[i].value);
	}
}

static void take_cluster(struct given *g, const struct kube_cluster_configuration *c)
{
	if (c->pod_subnet && *c->pod_subnet)
		g->cluster.pod_cidr = arena_strdup(g->arena, c->pod_subnet);
	if (c->service_subnet && *c->service_subnet)
		g->cluster.service_cidr = arena_strdup(g->arena, c->service_subnet);
}

/* What the start writes itself is left out. */
static void take_proxy(struct given *g, const struct kube_proxy_configuration *c)
{
	static const char *const own[] = { "apiVersion:", "kind:", "mode:", "metadata:" };
	struct strbuf text = { 0 };
	if (c->mode && *c->mode)
		g->mode = arena_strdup(g->arena, c->mode);
	kube_print_yaml(&c->object, &text);
	bool skipping = false;
	strbuf_clear(&g->proxy);
	for (const char *line = strbuf_text(&text); *line;) {
		size_t n = strcspn(line, "\n");
		if (*line != ' ')
			skipping = false;
		for (size_t i = 0; i < sizeof own / sizeof *own; i++)
			skipping |= strncmp(line, own[i], strlen(own[i])) == 0;
		if (!skipping) {
			strbuf_add(&g->proxy, line, n);
			strbuf_putc(&g->proxy, '\n');
		}
		line += n + (line[n] == '\n');
	}
	strbuf_free(&text);
}

/* The first one's /24, made wider until it holds all. */
static void take_lan(struct given *g, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];
	if (g->lan.addr.family == NET_NONE)
		g->lan = net_prefix_masked(&(struct net_prefix){ *a, 24 });
	while (!net_prefix_contains(&g->lan, a)) {
		g->lan.bits--;
		g->lan = net_prefix_masked(&g->lan);
	}
	g->cluster.lan = arena_strdup(g->arena, net_prefix_text(&g->lan, text));
}

static void take_address(struct given *g, struct node_options *n, const struct kube_node *node)
{
	struct net_addr a;
	for (uint32_t i = 0; i < node->status.addresses.count; i++) {
		const struct kube_node_address *have = &node->status.addresses.items[i];
		if (!have->address || !net_addr_parse(have->address, &a) || a.family != NET_V4)
			continue;
		if (!n->external && kube_is(have->type, "ExternalIP"))
			n->external = arena_strdup(g->arena, have->address);
		if (n->address || !kube_is(have->type, "InternalIP"))
			continue;
		n->address = arena_strdup(g->arena, have->address);
		take_lan(g, &a);
	}
}

static void take_taints(struct given *g, struct node_options *n, const struct kube_node *node)
{
	n->taints.items = arena_array(g->arena, node->spec.taints.count + 1, sizeof *n->taints.items);
	for (uint32_t i = 0; i < node->spec.taints.count; i++) {
		const struct kube_taint *t = &node->spec.taints.items[i];
		if (t->key && strncmp(t->key, "node.kubernetes.io/", 19) != 0) /* the controllers' own */
			n->taints.items[n->taints.count++] =
				arena_printf(g->arena, "%s%s%s:%s", t->key, t->value && *t->value ? "=" : "",
					     t->value ? t->value : "", t->effect ? t->effect : "NoSchedule");
	}
}

static int take(void *ctx, struct kube_object *o, struct err *err)
{
	struct given *g = ctx;
	(void)err;
	switch (o->kind) {
	case KIND_NODE:
		take_node(g, o);
		take_address(g, &g->nodes[g->node_count - 1], (const void *)o);
		take_taints(g, &g->nodes[g->node_count - 1], (const void *)o);
		break;
	case KIND_CLUSTER_CONFIGURATION:
		take_cluster(g, (const void *)o);
		break;
	case KIND_KUBE_PROXY_CONFIGURATION:
		take_proxy(g, (const void *)o);
		break;
	default:
		g->objects = mem_grow(g->objects, g->object_count, g->object_count + 1,
				      sizeof *g->objects);
		g->objects[g->object_count++] = o;
		return 0;
	}
	kube_unref(o);
	return 0;
}

static int read_files(const struct cluster_arguments *a, struct given *g, struct strbuf *warnings,
		      struct err *err)
{
	struct manifest_options options = { .namespace = "default", .warnings = warnings };
	int code = 0;
	for (uint32_t i = 0; i < a->file_count && !code; i++) {
		struct strbuf text = { 0 };
		code = file_read(a->files[i], &text, err);
		if (!code)
			code = manifest_read(strbuf_text(&text), text.length, a->files[i], &options, take,
					     g, err);
		strbuf_free(&text);
	}
	return code;
}

/* ---- starting ------------------------------------------------------------------------------- */

/* A controller has made it, or will. */
static bool owned(const struct kube_object *o)
{
	return o->meta.owners.count ||
	       (o->kind == KIND_ENDPOINT_SLICE &&
		kube_map_get(&o->meta.labels, "endpointslice.kubernetes.io/managed-by")) ||
	       o->kind == KIND_EVENT;
}

/* Endpoints that the Service's selector fills. */
static bool filled(const struct given *g, const struct kube_object *o)
{
	for (uint32_t i = 0; o->kind == KIND_ENDPOINTS && i < g->object_count; i++) {
		const struct kube_service *s = (const void *)g->objects[i];
		if (s->object.kind == KIND_SERVICE && s->spec.selector.count &&
		    kube_is(s->object.meta.name, o->meta.name) &&
		    kube_is(s->object.meta.namespace, o->meta.namespace))
			return true;
	}
	return false;
}

static int create(struct world *w, const struct kube_object *o, struct err *err)
{
	struct kube_answer answer = { 0 };
	struct kube_object *copy = kube_copy(o);
	copy->meta.uid = NULL;
	copy->meta.resource_version = 0;
	int code = kube_admit_create(world_admit(w), copy, &answer);
	if (code) {
		struct strbuf text = { 0 };
		kube_answer_text(&answer, NULL, true, &text);
		while (text.length && text.data[text.length - 1] == '\n')
			text.data[--text.length] = '\0';
		err_at(err, code, o->file, o->line, 0, "%s", strbuf_text(&text));
		strbuf_free(&text);
	}
	kube_answer_free(&answer);
	return code;
}

/* Namespaces come first: what lies in them may stand before them in a list. */
static int create_all(struct world *w, const struct given *g, struct err *err)
{
	struct kube_store *store = world_store(w);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < g->object_count; i++) {
			const struct kube_object *o = g->objects[i];
			bool namespaced = kube_schema(o->kind)->namespaced;
			const char *ns = namespaced ? o->meta.namespace : "";
			if ((o->kind == KIND_NAMESPACE) != (pass == 0) || owned(o) || filled(g, o) ||
			    !o->meta.name || kube_store_get(store, o->kind, ns, o->meta.name))
				continue;
			int code = create(w, o, err);
			if (code)
				return code;
		}
	return 0;
}

static bool settled(void *ctx)
{
	struct world *w = ctx;
	return control_converged(world_control(w)) && control_endpoints_settled(world_control(w)) &&
	       world_synced(w);
}

static int start(const struct cluster_arguments *a, struct given *g, struct strbuf *warnings,
		 struct world **out, struct err *err)
{
	static const char *const names[] = { "control-plane", "worker-1", "worker-2" };
	const char **role = arena_array(g->arena, 1, sizeof *role);
	const char **taint = arena_array(g->arena, 1, sizeof *taint);
	*role = "node-role.kubernetes.io/control-plane=";
	*taint = "node-role.kubernetes.io/control-plane:NoSchedule";
	struct world_options options = { .registry = &dataplanes, .seed = a->seed,
					 .dataplane = a->mode ? a->mode : g->mode,
					 .version = a->version, .warnings = warnings,
					 .upstream = g->upstream };
	if (!options.version && options.dataplane && strcmp(options.dataplane, "userspace") == 0)
		options.version = KUBE_1_25;
	for (size_t i = g->node_count ? 3 : 0; i < sizeof names / sizeof *names; i++) {
		g->nodes = mem_grow(g->nodes, g->node_count, g->node_count + 1, sizeof *g->nodes);
		struct node_options *n = &g->nodes[g->node_count++];
		n->name = names[i];
		if (i)
			continue;
		n->labels = (struct kube_strings){ role, 1 };
		n->taints = (struct kube_strings){ taint, 1 };
	}
	g->cluster.nodes = g->nodes;
	g->cluster.node_count = g->node_count;
	g->cluster.random_addresses = true;
	g->cluster.proxy_config = g->proxy.length ? strbuf_text(&g->proxy) : NULL;
	int code = world_new(&options, out, err);
	if (code)
		return code;
	code = world_start(*out, &g->cluster, err);
	if (!code)
		code = create_all(*out, g, err);
	if (code) {
		world_free(*out);
		*out = NULL;
	} else if (g->object_count) {
		world_run_while_not(*out, settled, *out, world_now(*out) + SETTLE_NS);
	}
	return code;
}

int upstream_open(const char *path, struct dns_master **out, struct err *err)
{
	struct strbuf text = { 0 };
	struct dns_name root;
	*out = NULL;
	if (!path)
		return 0;
	int code = file_read(path, &text, err);
	if (!code && !dns_name_parse(".", &root))
		code = err_set(err, EINVAL, "%s: no origin", path);
	if (!code)
		code = dns_master_parse(strbuf_text(&text), text.length, path, &root, out, err);
	strbuf_free(&text);
	return code;
}

int live_cluster_open(const struct cluster_arguments *a, struct dns_master *upstream,
		      struct strbuf *warnings, struct world **out, struct err *err)
{
	struct given g = { .arena = arena_new(), .upstream = upstream };
	int code = read_files(a, &g, warnings, err);
	if (!code)
		code = start(a, &g, warnings, out, err);
	for (uint32_t i = 0; i < g.object_count; i++)
		kube_unref(g.objects[i]);
	free(g.objects);
	free(g.nodes);
	strbuf_free(&g.proxy);
	arena_free(g.arena);
	return code;
}
