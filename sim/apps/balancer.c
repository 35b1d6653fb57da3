/* apps/balancer.c: see balancer.h. Health checks and life; connections are in
 * balancer_pipe.c. */
#include <stdlib.h>
#include <string.h>

#include "apps/balancer_internal.h"
#include "core/arena.h"

#define CHECK_NS (8 * NS_PER_S)
#define ANSWER_NS NS_PER_S
#define FAILURES 3

/* ---- health ------------------------------------------------------------------------------ */

static void check(void *ctx);

static void checked(struct target *t, bool well)
{
	struct balancer *b = t->owner;
	bool before = t->healthy;
	t->failures = well ? 0 : t->failures + 1;
	if (well)
		t->healthy = true;
	else if (t->failures >= FAILURES)
		t->healthy = false;
	int64_t next = t->checked_ns + CHECK_NS;
	t->timer = engine_at(b->config.engine, next, check, t);
	if (t->healthy != before && b->config.changed)
		b->config.changed(b->config.ctx);
}

static void answered(void *ctx, struct client *c, const struct client_result *r)
{
	struct target *t = ctx;
	(void)c;
	bool well = !r->error && r->http_status == 200;
	client_free(t->client);
	t->client = NULL;
	checked(t, well);
}

static void check(void *ctx)
{
	struct target *t = ctx;
	struct balancer *b = t->owner;
	struct client_config config = {
		.sockets = b->config.back, .engine = b->config.engine, .proto = PROTO_TCP,
		.remote = { t->addr, b->config.health_port }, .path = "/healthz",
		.timeout_ns = ANSWER_NS,
	};
	t->checked_ns = engine_now(b->config.engine);
	if (client_start(&config, answered, t, &t->client) != 0)
		checked(t, false);
}

/* ---- targets -------------------------------------------------------------------------------- */

static void target_free(struct target *t)
{
	engine_cancel(t->owner->config.engine, &t->timer);
	client_free(t->client);
	free(t);
}

static struct target *take_old(struct balancer *b, const struct net_addr *a)
{
	for (struct target **at = &b->targets; *at; at = &(*at)->next)
		if (net_addr_equal(&(*at)->addr, a)) {
			struct target *t = *at;
			*at = t->next;
			return t;
		}
	return NULL;
}

void balancer_targets(struct balancer *b, const struct net_addr *targets, uint32_t count)
{
	struct target *list = NULL, **last = &list;
	for (uint32_t i = 0; i < count; i++) {
		struct target *t = take_old(b, &targets[i]);
		if (!t) {
			t = mem_alloc(sizeof *t);
			t->owner = b;
			t->addr = targets[i];
			t->timer = engine_after(b->config.engine, 0, check, t);
		}
		t->next = NULL;
		*last = t;
		last = &t->next;
	}
	while (b->targets) {
		struct target *t = b->targets;
		b->targets = t->next;
		target_free(t);
	}
	b->targets = list;
}

uint32_t balancer_healthy(const struct balancer *b, struct net_addr *out, uint32_t max,
			  bool last_resort)
{
	uint32_t count = 0;
	for (const struct target *t = b->targets; t && count < max; t = t->next)
		if (t->healthy)
			out[count++] = t->addr;
	if (!count && last_resort)
		for (const struct target *t = b->targets; t && count < max; t = t->next)
			out[count++] = t->addr;
	return count;
}

/* ---- life --------------------------------------------------------------------------------------- */

int balancer_start(const struct balancer_config *config, struct balancer **out)
{
	struct balancer *b = mem_alloc(sizeof *b);
	const struct sockets_ref *n = &config->front;
	int code = 0;
	b->config = *config;
	b->listeners = mem_array(config->port_count + 1, sizeof *b->listeners);
	for (uint32_t i = 0; i < config->port_count && !code; i++) {
		struct listener *l = &b->listeners[i];
		struct sock_options options = { .local = { config->address, config->ports[i].port },
						.reuse_port_now = true };
		*l = (struct listener){ .owner = b, .target_port = config->ports[i].target_port };
		code = n->class->listen(n->object, PROTO_TCP, &options, pipe_accept, l, &l->sock);
		b->listener_count += !code;
	}
	b->config.ports = NULL;
	if (code) {
		balancer_stop(b);
		return code;
	}
	*out = b;
	return 0;
}

void balancer_stop(struct balancer *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < b->listener_count; i++)
		b->config.front.class->close(b->listeners[i].sock);
	pipes_free(b);
	balancer_targets(b, NULL, 0);
	free(b->listeners);
	free(b);
}
