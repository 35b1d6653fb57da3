/* lua/replay.c: see replay.h. */
#include "lua/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "net/capture.h"
#include "net/compare.h"

#define SITE "backend"
#define MASQUERADE "masq-port"
#define FIRST_PORT 1024 /* answers of MASQUERADE count from here */
#define RUNS_MAX 3000
#define SHOWN 10

static struct replay_op *op_at(struct replay *r, uint32_t index)
{
	while (index >= r->op_capacity) {
		uint32_t more = r->op_capacity ? r->op_capacity * 2 : 16;
		r->ops = mem_grow(r->ops, r->op_capacity, more, sizeof *r->ops);
		r->op_capacity = more;
	}
	if (index >= r->op_count)
		r->op_count = index + 1;
	return &r->ops[index];
}

struct way_end { /* of a SYN or datagram: how it looked at the last interface */
	bool found;
	struct net_addr to;
	uint16_t to_port, from_port;
	uint32_t first; /* packet number of its first sight */
};

/* Whether packet i answers an earlier one of its interface. */
static bool answers(const struct capture *c, uint32_t i)
{
	const struct packet *p = c->packets[i].packet;
	struct net_addr from = packet_src(p), to = packet_dst(p);
	for (uint32_t j = 0; j < i; j++) {
		const struct packet *q = c->packets[j].packet;
		if (c->packets[j].interface != c->packets[i].interface || q->family == NET_NONE ||
		    q->proto != p->proto || packet_src_port(q) != packet_dst_port(p) ||
		    packet_dst_port(q) != packet_src_port(p))
			continue;
		struct net_addr q_from = packet_src(q), q_to = packet_dst(q);
		if (net_addr_equal(&q_from, &to) && net_addr_equal(&q_to, &from))
			return true;
	}
	return false;
}

/* A SYN, or a datagram that asks. */
static bool begins(const struct capture *c, uint32_t i)
{
	const struct packet *p = c->packets[i].packet;
	if (p->family == NET_NONE)
		return false;
	if (p->proto == PROTO_TCP)
		return (packet_tcp_flags(p) & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return p->proto == PROTO_UDP && !answers(c, i);
}

/* Whether two packets that begin are the same one, before and after NAT: what it leaves alone
 * are sequence numbers and payloads. */
static bool same_packet(const struct packet *p, const struct packet *q)
{
	uint32_t p_length, q_length;
	if (p->proto != q->proto)
		return false;
	if (p->proto == PROTO_TCP)
		return packet_tcp_seq(p) == packet_tcp_seq(q);
	const uint8_t *p_bytes = packet_payload(p, &p_length), *q_bytes = packet_payload(q, &q_length);
	return p_length == q_length && memcmp(p_bytes, q_bytes, p_length) == 0;
}

/* Follows the packet that is seen first at `first`. */
static struct way_end follow(const struct capture *c, uint32_t first)
{
	struct way_end end = { .first = first };
	for (uint32_t i = first; i < c->count; i++) {
		const struct packet *p = c->packets[i].packet;
		if (begins(c, i) && same_packet(p, c->packets[first].packet))
			end = (struct way_end){ true, packet_dst(p), packet_dst_port(p), packet_src_port(p),
						first };
	}
	return end;
}

/* The one from this port; a node's own is masqueraded before any interface shows it: then
 * the next one after packet `after`. */
static struct way_end end_of_way(const struct capture *c, uint16_t from_port, uint32_t after)
{
	for (uint32_t i = 0; from_port && i < c->count; i++)
		if (begins(c, i) && packet_src_port(c->packets[i].packet) == from_port)
			return follow(c, i);
	bool known = after < c->count && begins(c, after);
	for (uint32_t i = after; from_port && i < c->count; i++)
		if (begins(c, i) && !(known && same_packet(c->packets[i].packet, c->packets[after].packet)))
			return follow(c, i);
	return (struct way_end){ 0 };
}

static bool same_end(const struct way_end *a, const struct way_end *b)
{
	return a->found && b->found && net_addr_equal(&a->to, &b->to) && a->to_port == b->to_port;
}

void replay_op_begins(struct script *s, uint16_t from_port)
{
	const struct choice_drawn *drawn;
	struct choice *choice = world_choice(s->world);
	struct replay_op *op = op_at(s->replay, s->replay->begun);
	uint32_t after = s->replay->begun ? s->replay->ops[s->replay->begun - 1].first_packet : 0;
	struct way_end end = end_of_way(s->replay->real, from_port, after);
	op = &s->replay->ops[s->replay->begun++];
	op->from_port = from_port;
	op->first_packet = end.found ? end.first : after;
	choice_script_clear(choice, MASQUERADE);
	if (end.found && end.from_port != from_port && end.from_port >= FIRST_PORT)
		choice_script(choice, MASQUERADE, end.from_port - FIRST_PORT);
	op->first_draw = choice_recorded(choice, SITE, &drawn);
	choice_script_clear(choice, SITE);
	for (uint32_t i = 0; i < op->count; i++)
		choice_script(choice, SITE, op->answers[i]);
}

void replay_run_ends(struct script *s)
{
	const struct choice_drawn *drawn;
	struct replay *r = s->replay;
	r->drawn_count = choice_recorded(world_choice(s->world), SITE, &drawn);
	free(r->drawn);
	r->drawn = mem_array(r->drawn_count + 1u, sizeof *r->drawn);
	if (r->drawn_count)
		memcpy(r->drawn, drawn, r->drawn_count * sizeof *drawn);
}

struct attempt {
	struct results *results;
	struct comparison *comparison;
	struct capture *simulated;
};

static void attempt_free(struct attempt *a)
{
	if (a->results)
		results_free(a->results);
	if (a->comparison)
		comparison_free(a->comparison);
	capture_free(a->simulated);
	*a = (struct attempt){ 0 };
}

/* One run with the answers as they stand. */
static int attempt(const char *file, const char *dataplane, const struct scenario_options *options,
		   struct replay *r, const struct capture *real, struct attempt *out, struct err *err)
{
	static const struct compare_options compare = { .without_acks = true };
	char path[512];
	struct script_run run = { .file = file, .dataplane = dataplane, .named = true, .replay = r };
	r->begun = 0;
	out->results = results_new();
	int code = script_run(&run, options, out->results, err);
	snprintf(path, sizeof path, "%s/all.pcapng", r->folder);
	if (!code)
		code = capture_read(path, &out->simulated, err);
	if (!code)
		out->comparison = compare_captures(real, out->simulated, &compare);
	return code;
}

/* The next outcome of operation `index` after the run that just ended, like an odometer
 * over its draws; false when all were tried. */
static bool next_outcome(struct replay *r, uint32_t index)
{
	struct replay_op *op = &r->ops[index];
	uint32_t end = index + 1 < r->begun ? r->ops[index + 1].first_draw : r->drawn_count;
	uint32_t count = end - op->first_draw;
	const struct choice_drawn *drawn = r->drawn + op->first_draw;
	op->answers = mem_grow(op->answers, op->count, count > op->count ? count : op->count + 1u,
			       sizeof *op->answers);
	for (uint32_t i = 0; i < count; i++)
		op->answers[i] = drawn[i].answer;
	for (op->count = count; op->count; op->count--) {
		uint64_t *last = &op->answers[op->count - 1];
		if (++*last < drawn[op->count - 1].count)
			return true;
	}
	return false;
}

/* Whether the run just made took operation `index` where the capture says; false also where
 * the capture does not tell. */
static bool arrived(const struct replay *r, uint32_t index, const struct attempt *a)
{
	const struct replay_op *op = &r->ops[index];
	if (!op->from_port)
		return false;
	struct way_end real = follow(r->real, op->first_packet);
	struct way_end simulated = end_of_way(a->simulated, real.from_port, 0);
	if (!simulated.found || !begins(r->real, op->first_packet))
		return false;
	return same_end(&real, &simulated);
}

/* Steers operation `index`: the outcome that the capture names stays, else the one with
 * the fewest packets that differ. */
static int steer(const char *file, const char *dataplane, const struct scenario_options *options,
		 struct replay *r, const struct capture *real, uint32_t index, struct attempt *best,
		 uint32_t *runs, struct err *err)
{
	struct replay_op *op = op_at(r, index);
	struct attempt tried = { 0 };
	uint64_t *kept = NULL;
	uint32_t kept_count = 0;
	int code = 0;
	bool more = true;
	/* Begin with the first outcome: zeros for as many draws as there may be. */
	op->count = 16;
	op->answers = mem_grow(op->answers, 0, op->count, sizeof *op->answers);
	memset(op->answers, 0, op->count * sizeof *op->answers);
	while (!code && more && ++*runs < RUNS_MAX) {
		code = attempt(file, dataplane, options, r, real, &tried, err);
		op = &r->ops[index];
		bool there = !code && arrived(r, index, &tried);
		if (!code && (there || !kept || tried.comparison->unequal < best->comparison->unequal)) {
			attempt_free(best);
			*best = tried;
			tried = (struct attempt){ 0 };
			free(kept);
			kept_count = op->count;
			kept = mem_array(kept_count + 1u, sizeof *kept);
			memcpy(kept, op->answers, kept_count * sizeof *kept);
		}
		attempt_free(&tried);
		more = !code && !there && best->comparison->count && next_outcome(r, index);
		op = &r->ops[index];
		/* After the digits that are set, later draws take their first outcome. */
		if (more) {
			op->answers = mem_grow(op->answers, op->count, op->count + 16u, sizeof *op->answers);
			memset(op->answers + op->count, 0, 16 * sizeof *op->answers);
			op->count += 16;
		}
	}
	free(op->answers);
	op->answers = kept;
	op->count = kept_count;
	return code;
}

static void report(const struct attempt *best, const char *dataplane, const char *capture,
		   const struct capture *real, struct results *results)
{
	struct strbuf text = { 0 }, name = { 0 };
	const char *base = strrchr(capture, '/');
	results_move(results, best->results);
	strbuf_printf(&name, "%s: every packet equals the capture %s", dataplane, base ? base + 1 : capture);
	if (best->comparison->count)
		comparison_print(best->comparison, capture, "simulated", SHOWN, &text);
	else
		strbuf_printf(&text, "%u of %u packets compared\n", best->comparison->compared, real->count);
	results_add(results, best->comparison->count == 0 && best->comparison->compared, strbuf_text(&name),
		    NULL, strbuf_text(&text));
	strbuf_free(&text);
	strbuf_free(&name);
}

int replay_run(const char *file, const char *dataplane, const struct scenario_options *options,
	       struct results *results, struct err *err)
{
	char folder[] = "/tmp/svclab-replay.XXXXXX";
	struct capture *real = NULL;
	struct replay r = { 0 };
	struct attempt best = { 0 };
	struct scenario_options quiet = *options;
	uint32_t runs = 1;
	int code = capture_read(options->replay, &real, err);
	if (code)
		return code;
	if (!mkdtemp(folder)) {
		capture_free(real);
		return err_set(err, errno, "%s: %s", folder, strerror(errno));
	}
	r.folder = folder;
	r.real = real;
	quiet.capture = folder;
	code = attempt(file, dataplane, &quiet, &r, real, &best, err);
	uint32_t ops = r.begun;
	for (uint32_t i = 0; !code && i < ops && best.comparison->count; i++)
		code = steer(file, dataplane, &quiet, &r, real, i, &best, &runs, err);
	if (!code)
		report(&best, dataplane, options->replay, real, results);
	attempt_free(&best);
	for (uint32_t i = 0; i < r.op_count; i++)
		free(r.ops[i].answers);
	free(r.ops);
	free(r.drawn);
	capture_free(real);
	file_remove_folder(folder);
	return code;
}
