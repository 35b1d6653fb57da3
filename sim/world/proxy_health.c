/* world/proxy_health.c: the HTTP servers that a kube-proxy has open on its node: its own
 * healthz and the health check node ports of Services. */
#include <stdlib.h>

#include "apps/server.h"
#include "world/proxy.h"

struct health_server {
	struct health_server *next;
	struct proxy *proxy;
	struct server *server;
	uint16_t port;
	bool wanted;
};

static int answer(void *ctx, const char *method, const char *path, struct strbuf *headers,
		  struct strbuf *body)
{
	struct health_server *h = ctx;
	struct proxy *x = h->proxy;
	struct proxy_view view;
	(void)method;
	if (!x->planner || !x->class->health)
		return 503;
	proxy_view(x, &view);
	return x->class->health(x->planner, &view, h->port, path, engine_now(x->world->engine),
				headers, body);
}

static void open_port(struct proxy *x, uint16_t port)
{
	for (struct health_server *h = x->health; h; h = h->next)
		if (h->port == port) {
			h->wanted = true;
			return;
		}
	struct health_server *h = mem_alloc(sizeof *h);
	h->proxy = x;
	h->port = port;
	h->wanted = true;
	struct server_config config = { .sockets = place_sockets(x->node), .name = x->node->label,
					.proto = PROTO_TCP, .port = port, .answer = answer,
					.ctx = h };
	if (!config.sockets.class || server_start(&config, &h->server) != 0) {
		free(h); /* taken by another program: kube-proxy logs it and goes on */
		return;
	}
	h->next = x->health;
	x->health = h;
}

static void close_unwanted(struct proxy *x)
{
	for (struct health_server **at = &x->health; *at;) {
		struct health_server *h = *at;
		if (h->wanted) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		server_stop(h->server, false);
		free(h);
	}
}

void proxy_health_update(struct proxy *x)
{
	uint16_t ports[HEALTH_PORTS_MAX];
	struct proxy_view view;
	if (!x->planner || !x->class->health_ports)
		return;
	proxy_view(x, &view);
	uint32_t count = x->class->health_ports(x->planner, &view, ports, HEALTH_PORTS_MAX);
	for (struct health_server *h = x->health; h; h = h->next)
		h->wanted = false;
	for (uint32_t i = 0; i < count && i < HEALTH_PORTS_MAX; i++)
		open_port(x, ports[i]);
	close_unwanted(x);
}

void proxy_health_stop(struct proxy *x)
{
	for (struct health_server *h = x->health; h; h = h->next)
		h->wanted = false;
	close_unwanted(x);
}
