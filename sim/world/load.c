/* world/load.c: many requests, started by rate or one after another, counted by backend.
 *
 * Requests of a load are made and freed one by one; nothing is kept of them but the
 * counts, so its size does not matter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/client.h"
#include "world/op.h"

struct load_client {
	struct load_run *run;
	struct client *client;
	struct load_client *next, **back;
};

struct load_run {
	struct op *op;
	uint64_t count, started, ended;
	int64_t begin_ns;
	double interval_ns;          /* 0: one after another */
	struct event_id next, sweep;
	struct load_client *clients; /* under way, or to be freed */
	struct table spread;         /* name in the operation's arena -> uint64_t */
};

static void start_one(void *ctx);

static void client_away(struct load_client *c)
{
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	client_free(c->client);
	free(c);
}

static void count_backend(struct load_run *run, const char *backend)
{
	uint64_t *n = table_find(&run->spread, backend);
	if (!n)
		n = table_put(&run->spread, arena_strdup(run->op->arena, backend), NULL);
	++*n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct op_spread *)a)->backend, ((const struct op_spread *)b)->backend);
}

static void finish(struct load_run *run)
{
	struct op_result *r = &run->op->result;
	const void *key;
	void *value;
	r->spread = mem_array(run->spread.count + 1, sizeof *r->spread);
	for (uint32_t i = 0; table_next(&run->spread, &i, &key, &value);) {
		struct op_spread *s = &r->spread[r->spread_count++];
		strncpy(s->backend, key, sizeof s->backend - 1);
		s->count = *(uint64_t *)value;
	}
	qsort(r->spread, r->spread_count, sizeof *r->spread, by_name);
	op_finish(run->op, 0, NULL);
}

static void client_done(void *ctx, struct client *client, const struct client_result *result)
{
	struct load_client *c = ctx;
	struct load_run *run = c->run;
	struct op_result *r = &run->op->result;
	(void)client;
	r->connections++;
	if (result->error) {
		r->failures++;
		r->error = result->error;
	} else {
		count_backend(run, result->backend);
	}
	run->ended++;
	client_away(c);
	if (run->ended == run->count)
		finish(run);
	else if (run->interval_ns <= 0)
		run->next = engine_after(run->op->world->engine, 0, start_one, run);
}

static void failed_at_once(struct load_run *run)
{
	run->op->result.connections++;
	run->op->result.failures++;
	run->ended++;
	if (run->ended == run->count)
		finish(run);
	else if (run->interval_ns <= 0)
		run->next = engine_after(run->op->world->engine, NS_PER_MS, start_one, run);
}

static void start_one(void *ctx)
{
	struct load_run *run = ctx;
	struct op *op = run->op;
	const struct request *r = &op->request;
	struct load_client *c = mem_alloc(sizeof *c);
	c->run = run;
	c->next = run->clients;
	c->back = &run->clients;
	if (c->next)
		c->next->back = &c->next;
	run->clients = c;
	struct client_config config = {
		.sockets = place_sockets(op->from), .engine = op->world->engine, .proto = r->proto,
		.remote = { op->target.addr, op->target.port },
		.options = { .local = { r->local_addr, r->local_port },
			     .reuse_port_now = r->local_port != 0, .once = r->once },
		.path = r->path, .host = r->host, .data = r->data, .timeout_ns = r->timeout_ns,
		.connect_only = r->connect_only,
	};
	run->started++;
	if (run->interval_ns > 0 && run->started < run->count) {
		int64_t at = run->begin_ns + (int64_t)((double)run->started * run->interval_ns);
		run->next = engine_at(op->world->engine, at, start_one, run);
	}
	if (client_start(&config, client_done, c, &c->client) != 0) {
		client_away(c);
		failed_at_once(run);
	}
}

void load_run_free(struct load_run *run)
{
	if (!run)
		return;
	engine_cancel(run->op->world->engine, &run->next);
	while (run->clients)
		client_away(run->clients);
	table_free(&run->spread);
	free(run);
}

static void start_load(struct op *op)
{
	struct load_run *run = op->load;
	run->begin_ns = engine_now(op->world->engine);
	start_one(run);
}

int world_load_traffic(struct world *w, struct place *from, const struct load *l, struct op **out,
		       struct err *err)
{
	struct target target;
	uint8_t proto = l->request.proto ? l->request.proto : PROTO_TCP;
	int code = world_target(w, from, l->request.target, proto, &target, err);
	if (!code)
		code = network_up(w, err);
	if (!code)
		code = place_attach(from, err);
	if (code)
		return code;
	if (!l->count || l->rate < 0)
		return err_set(err, EINVAL, "load: expected a count above 0 and a rate of 0 or more");
	struct op *op = op_new(w, from, OP_LOAD);
	op_take_request(op, &l->request);
	op->request.proto = proto;
	op->target = target;
	struct load_run *run = mem_alloc(sizeof *run);
	run->op = op;
	run->count = l->count;
	run->interval_ns = l->rate > 0 ? 1e9 / l->rate : 0;
	table_init(&run->spread, TABLE_STRING_KEYS, sizeof(uint64_t));
	op->load = run;
	*out = op;
	op_resolve(op, start_load);
	return 0;
}
