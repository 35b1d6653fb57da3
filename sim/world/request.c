/* world/request.c: requests and pings: an operation around a client of apps/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/client.h"
#include "apps/ping.h"
#include "world/op.h"

/* ---- requests ----------------------------------------------------------------- */

static void backend_address(struct op *op)
{
	struct op_result *r = &op->result;
	char name[300];
	snprintf(name, sizeof name, "pod/%s", r->backend);
	const struct place *p = *r->backend ? place_find(op->world, name) : NULL;
	if (!p)
		return;
	uint8_t family = op->target.addr.family;
	r->backend_ip = place_addr(p->host ? p->host : p, family);
	for (const struct program *g = p->programs; g; g = g->next)
		if (g->proto == op->request.proto)
			r->backend_port = g->port;
}

static void take_result(struct op *op, const struct client_result *c)
{
	struct op_result *r = &op->result;
	r->local = c->local;
	r->peer = c->peer;
	snprintf(r->backend, sizeof r->backend, "%s", c->backend);
	r->seen = c->seen;
	r->http_status = c->http_status;
	r->icmp_type = c->icmp_type;
	r->icmp_code = c->icmp_code;
	r->icmp_from = c->icmp_from;
	r->connected_ns = c->connected_ns;
	free(r->body);
	r->body = NULL;
	r->body_length = c->body.length;
	free(r->head);
	r->head = c->head.length ? mem_strdup(strbuf_text(&c->head)) : NULL;
	if (c->http_status) {
		struct strbuf copy = { 0 };
		strbuf_add(&copy, strbuf_text(&c->body), c->body.length);
		r->body = strbuf_steal(&copy);
	}
	backend_address(op);
}

static void start_client(struct op *op);

static void client_done(void *ctx, struct client *c, const struct client_result *result)
{
	struct op *op = ctx;
	(void)c;
	take_result(op, result);
	if (result->error && op->found_next < op->found_count) { /* the name's next address */
		client_free(op->client);
		op->client = NULL;
		op->target.addr = op->found[op->found_next++];
		start_client(op);
		return;
	}
	op_finish(op, result->error, NULL);
}

static void start_client(struct op *op)
{
	const struct request *r = &op->request;
	struct client_config config = {
		.sockets = place_sockets(op->from), .engine = op->world->engine,
		.proto = r->proto ? r->proto : PROTO_TCP,
		.remote = { op->target.addr, op->target.port },
		.options = { .local = { r->local_addr, r->local_port }, .trace = r->trace,
			     .once = r->once, .connect_timeout_ns = r->timeout_ns },
		.method = r->method, .path = r->path, .host = r->host, .data = r->data, .timeout_ns = r->timeout_ns,
		.connect_only = r->connect_only || r->proto == PROTO_SCTP,
		.keep_open = r->keep_open,
	};
	int code = client_start(&config, client_done, op, &op->client);
	if (!code)
		return;
	if (op->found_next < op->found_count) {
		op->target.addr = op->found[op->found_next++];
		start_client(op);
		return;
	}
	op_finish(op, code, NULL);
}

static int begin(struct world *w, struct place *from, struct err *err)
{
	int code = network_up(w, err);
	return code ? code : place_attach(from, err);
}

int world_request(struct world *w, struct place *from, const struct request *r, struct op **out,
		  struct err *err)
{
	struct target target;
	int code = world_target(w, from, r->target, r->proto ? r->proto : PROTO_TCP, &target, err);
	if (!code)
		code = begin(w, from, err);
	if (code)
		return code;
	struct op *op = op_new(w, from, OP_REQUEST);
	op_take_request(op, r);
	if (!op->request.proto)
		op->request.proto = PROTO_TCP;
	if (!op->request.host && target.name[0])
		op->request.host = arena_strdup(op->arena, target.name);
	op->target = target;
	*out = op;
	op_resolve(op, start_client);
	return 0;
}

int op_again(struct op *op, const char *path, const char *data, struct err *err)
{
	if (op->kind != OP_REQUEST || !op->done || !op->client)
		return err_set(err, ENOTCONN, "the connection is not open");
	op->done = false;
	op->result.started_ns = engine_now(op->world->engine);
	int code = client_again(op->client, path, data);
	if (code) {
		op_finish(op, code, NULL);
		return err_set(err, code, "%s", op_error_text(code));
	}
	return 0;
}

void op_close(struct op *op, bool reset)
{
	if (op->client)
		client_close(op->client, reset);
}

/* ---- pings --------------------------------------------------------------------- */

static void ping_done(void *ctx, struct pinger *p, const struct pinger_result *result)
{
	struct op *op = ctx;
	struct op_result *r = &op->result;
	(void)p;
	r->sent = result->sent;
	r->received = result->received;
	r->icmp_type = result->icmp_type;
	r->icmp_code = result->icmp_code;
	r->icmp_from = result->icmp_from;
	r->ttl = result->ttl;
	r->echoes = mem_array(result->sent ? result->sent : 1, sizeof *r->echoes);
	for (uint32_t i = 0; i < result->sent; i++) {
		const struct echo *e = &result->echoes[i];
		r->echoes[i] = (struct op_echo){ .rtt_ns = e->rtt_ns, .error = e->error,
						 .ttl = e->ttl, .icmp_type = e->icmp_type,
						 .icmp_code = e->icmp_code, .from = e->from };
	}
	op_finish(op, result->received ? 0 : result->error ? result->error : ETIMEDOUT, NULL);
}

static void start_pinger(struct op *op)
{
	const struct ping *p = &op->ping;
	struct pinger_config config = {
		.sockets = place_sockets(op->from), .engine = op->world->engine,
		.remote = op->target.addr, .count = p->count ? p->count : 1,
		.options = { .trace = p->trace, .once = p->trace != NULL },
		.interval_ns = p->interval_ns ? p->interval_ns : NS_PER_S,
		.timeout_ns = p->timeout_ns ? p->timeout_ns : NS_PER_S,
	};
	int code = pinger_start(&config, ping_done, op, &op->pinger);
	if (code)
		op_finish(op, code, NULL);
}

int world_ping(struct world *w, struct place *from, const struct ping *p, struct op **out,
	       struct err *err)
{
	struct target target;
	int code = world_target(w, from, p->target, PROTO_ICMP, &target, err);
	if (!code)
		code = begin(w, from, err);
	if (code)
		return code;
	struct op *op = op_new(w, from, OP_PING);
	op->ping = *p;
	op->ping.target = arena_strdup(op->arena, p->target);
	op->target = target;
	*out = op;
	op_resolve(op, start_pinger);
	return 0;
}
