/* apps/ingress.c: see ingress.h. Life, listening and watching; a client's connection and its
 * requests are in ingress_session.c. */
#include "apps/ingress_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_NS (INT64_C(10) * NS_PER_S / 3) /* 0.3 a second */
#define STATUS_NS (60 * NS_PER_S)
#define HEALTH_PORT 10254

bool ingress_image(const char *image)
{
	static const char *const names[] = { "ingress-nginx/controller", "nginx-ingress-controller",
					     "ingress-nginx-controller" };
	for (size_t i = 0; image && i < sizeof names / sizeof *names; i++) {
		const char *at = strstr(image, names[i]);
		size_t n = strlen(names[i]);
		if (at && (at == image || at[-1] == '/') && (!at[n] || at[n] == ':' || at[n] == '@'))
			return true;
	}
	return false;
}

/* ---- flags ------------------------------------------------------------------------------- */

/* The value of "--NAME=VALUE" or "--NAME" (then "true"); NULL: not given. */
static const char *flag(const struct kube_container *c, const char *name)
{
	const struct kube_strings *lists[] = { &c->command, &c->args };
	size_t n = strlen(name);
	const char *found = NULL;
	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; i < lists[k]->count; i++) {
			const char *word = lists[k]->items[i];
			if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, n) != 0)
				continue;
			if (word[2 + n] == '=')
				found = word + 3 + n;
			else if (!word[2 + n])
				found = "true";
		}
	return found;
}

/* "$(POD_NAMESPACE)/name" as the kubelet writes it into the arguments. */
static const char *with_namespace(struct ingress *g, const char *text)
{
	static const char variable[] = "$(POD_NAMESPACE)";
	const char *at = text ? strstr(text, variable) : NULL;
	if (!at)
		return text;
	return arena_printf(g->arena, "%.*s%s%s", (int)(at - text), text,
			    g->config.pod->object.meta.namespace, at + sizeof variable - 1);
}

static uint16_t port_flag(const struct kube_container *c, const char *name, uint16_t otherwise)
{
	const char *text = flag(c, name);
	int n = text ? atoi(text) : otherwise;
	return n > 0 && n < 65536 ? (uint16_t)n : otherwise;
}

static void read_flags(struct ingress *g)
{
	const struct kube_container *c = g->config.container;
	const char *controller = flag(c, "controller-class"), *class = flag(c, "ingress-class");
	struct ingress_publisher *p = &g->publisher;
	p->store = g->config.store;
	p->admit = g->config.admit;
	p->pod = g->config.pod;
	p->class = (struct ingress_class){
		.controller = controller ? controller : "k8s.io/ingress-nginx",
		.annotation = class ? class : "nginx",
		.without_class = kube_is(flag(c, "watch-ingress-without-class"), "true"),
		.default_service = with_namespace(g, flag(c, "default-backend-service")),
	};
	p->service = with_namespace(g, flag(c, "publish-service"));
	p->addresses = flag(c, "publish-status-address");
	p->internal_ip = kube_is(flag(c, "report-node-internal-ip-address"), "true");
	g->ports[0] = port_flag(c, "http-port", 80);
	g->ports[1] = port_flag(c, "https-port", 443);
}

/* ---- the configuration that is in force ----------------------------------------------------- */

static void sync_routes(void *ctx)
{
	struct ingress *g = ctx;
	ingress_routes_free(g->routes);
	g->routes = ingress_routes_new(g->config.store, &g->publisher.class);
	g->synced_ns = engine_now(g->config.engine);
}

static void heard(void *ctx, enum kube_change change, const struct kube_object *old,
		  const struct kube_object *now)
{
	struct ingress *g = ctx;
	(void)change;
	(void)old;
	(void)now;
	if (!engine_pending(g->config.engine, g->sync))
		g->sync = engine_at(g->config.engine, g->synced_ns + SYNC_NS, sync_routes, g);
}

static void watch(struct ingress *g)
{
	static const enum kube_kind kinds[] = { KIND_INGRESS, KIND_INGRESS_CLASS, KIND_SERVICE,
						KIND_ENDPOINT_SLICE };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		g->watches[i] = kube_watch(g->config.store, kinds[i], g->config.watch_delay_ns, heard, g);
}

static void publish(void *ctx)
{
	struct ingress *g = ctx;
	if (g->config.admit)
		ingress_publish(&g->publisher);
	g->status = engine_after(g->config.engine, STATUS_NS, publish, g);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int serve_health(void *ctx, const char *method, const char *path, const char *host,
			struct strbuf *body)
{
	(void)ctx, (void)method, (void)host;
	bool known = strcmp(path, "/healthz") == 0 || strcmp(path, "/is-dynamic-lb-initialized") == 0;
	strbuf_puts(body, known ? "ok" : "404 page not found\n");
	return known ? 200 : 404;
}

static int open_ports(struct ingress *g)
{
	const struct sockets_ref *n = &g->config.sockets;
	struct server_config health = { .sockets = *n, .name = g->config.pod->object.meta.name,
					.proto = PROTO_TCP, .port = HEALTH_PORT,
					.serve = serve_health, .ctx = g };
	int code = 0;
	for (int i = 0; i < 2 && !code; i++) {
		struct sock_options options = { .local = { .port = g->ports[i] }, .reuse_port_now = true };
		code = n->class->listen(n->object, PROTO_TCP, &options, session_accept, g,
					&g->listeners[i]);
	}
	return code ? code : server_start(&health, &g->health);
}

int ingress_start(const struct ingress_config *config, struct ingress **out)
{
	struct ingress *g = mem_alloc(sizeof *g);
	g->config = *config;
	g->arena = arena_new();
	table_init(&g->balances, TABLE_STRING_KEYS, sizeof(struct balance));
	read_flags(g);
	sync_routes(g);
	int code = open_ports(g);
	watch(g);
	if (code) {
		ingress_stop(g, false);
		return code;
	}
	publish(g);
	*out = g;
	return 0;
}

void ingress_drain(struct ingress *g)
{
	for (int i = 0; i < 2; i++) {
		if (g->listeners[i])
			g->config.sockets.class->close(g->listeners[i]);
		g->listeners[i] = NULL;
	}
}

void ingress_stop(struct ingress *g, bool reset)
{
	const void *key;
	void *value;
	if (!g)
		return;
	for (size_t i = 0; i < sizeof g->watches / sizeof *g->watches; i++)
		if (g->watches[i])
			kube_unwatch(g->config.store, g->watches[i]);
	engine_cancel(g->config.engine, &g->sync);
	engine_cancel(g->config.engine, &g->status);
	ingress_drain(g);
	sessions_free(g, reset);
	server_stop(g->health, reset);
	ingress_routes_free(g->routes);
	for (uint32_t i = 0; table_next(&g->balances, &i, &key, &value);) {
		free(((struct balance *)value)->endpoints);
		free((void *)(uintptr_t)key);
	}
	table_free(&g->balances);
	strbuf_free(&g->log);
	arena_free(g->arena);
	free(g);
}

const char *ingress_log(const struct ingress *g)
{
	return strbuf_text(&g->log);
}
