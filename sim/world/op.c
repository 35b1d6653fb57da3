/* world/op.c: see op.h. */
#include "world/op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/client.h"
#include "apps/ping.h"
#include "dns/loopback.h"

#define OP_LIMIT_NS (INT64_C(3600) * NS_PER_S) /* no operation lasts longer */

const char *op_error_text(int error)
{
	static const struct { int code; const char *text; } known[] = {
		{ 0, "" }, { ECONNREFUSED, "Connection refused" },
		{ ETIMEDOUT, "Connection timed out" }, { ECONNRESET, "Connection reset by peer" },
		{ EHOSTUNREACH, "No route to host" }, { ENETUNREACH, "Network is unreachable" },
		{ EPERM, "Operation not permitted" }, { EACCES, "Permission denied" },
		{ EADDRNOTAVAIL, "Cannot assign requested address" },
		{ EADDRINUSE, "Address already in use" }, { ENETDOWN, "Network is down" },
		{ ECANCELED, "Operation canceled" }, { EPROTO, "Protocol error" },
		{ EPIPE, "Broken pipe" }, { EINVAL, "Invalid argument" },
		{ ENOENT, "Name or service not known" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].code == error)
			return known[i].text;
	return strerror(error);
}

struct op *op_new(struct world *w, struct place *from, enum op_kind kind)
{
	struct op *op = mem_alloc(sizeof *op);
	op->world = w;
	op->from = from;
	op->kind = kind;
	op->arena = arena_new();
	op->result.started_ns = engine_now(w->engine);
	op->result.rcode = -1;
	op->next = w->ops;
	op->back = &w->ops;
	if (op->next)
		op->next->back = &op->next;
	w->ops = op;
	return op;
}

static const char *keep(struct op *op, const char *s)
{
	return s ? arena_strdup(op->arena, s) : NULL;
}

void op_take_request(struct op *op, const struct request *r)
{
	op->request = *r;
	op->request.target = keep(op, r->target);
	op->request.method = keep(op, r->method);
	op->request.path = keep(op, r->path);
	op->request.host = keep(op, r->host);
	op->request.data = keep(op, r->data);
}

void op_stop(struct op *op)
{
	resolver_free(op->resolver);
	loopback_free(op->loopback);
	client_free(op->client);
	pinger_free(op->pinger);
	load_run_free(op->load);
	op->resolver = NULL;
	op->loopback = NULL;
	op->client = NULL;
	op->pinger = NULL;
	op->load = NULL;
}

void op_finish(struct op *op, int error, const char *message)
{
	if (op->done)
		return;
	op->done = true;
	op->result.error = error;
	op->result.ended_ns = engine_now(op->world->engine);
	snprintf(op->result.message, sizeof op->result.message, "%s",
		 message ? message : op_error_text(error));
	if (op->fn)
		op->fn(op->ctx, op);
}

bool op_done(const struct op *op)
{
	return op->done;
}

const struct op_result *op_result(const struct op *op)
{
	return &op->result;
}

void op_on_done(struct op *op, void (*fn)(void *ctx, struct op *op), void *ctx)
{
	op->fn = fn;
	op->ctx = ctx;
	if (op->done && fn)
		fn(ctx, op);
}

static bool is_done(void *ctx)
{
	return op_done(ctx);
}

void world_run_op(struct world *w, struct op *op)
{
	if (!world_run_while_not(w, is_done, op, engine_now(w->engine) + OP_LIMIT_NS))
		op_finish(op, ETIMEDOUT, NULL);
}

void op_free(struct op *op)
{
	if (!op)
		return;
	op_stop(op);
	*op->back = op->next;
	if (op->next)
		op->next->back = op->back;
	free(op->result.head);
	free(op->result.body);
	free(op->result.echoes);
	free(op->result.addresses);
	free(op->result.text);
	free(op->result.spread);
	free(op->found);
	arena_free(op->arena);
	free(op);
}

/* Sockets go with their namespace: what still runs there ends now. */
void ops_cancel_of(struct world *w, const struct place *p)
{
	bool again = true;
	while (again) {
		again = false;
		for (struct op *op = w->ops; op; op = op->next) {
			if (op->from != p)
				continue;
			op->from = NULL;
			op_stop(op);
			op_finish(op, ENETDOWN, NULL);
			again = true; /* the list may have changed */
			break;
		}
	}
}

void ops_free(struct world *w)
{
	while (w->ops)
		op_free(w->ops);
}
