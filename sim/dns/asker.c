/* dns/asker.c: the socket of a resolver and what is out on it. */
#include "dns/resolver_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT 53

/* ---- the record ------------------------------------------------------------------ */

void asker_new_round(struct resolver *r)
{
	r->round_start = r->result.query_count;
}

static struct resolver_query *new_entry(struct resolver *r)
{
	struct resolver_result *result = &r->result;
	if (result->query_count == r->query_capacity) {
		uint32_t capacity = r->query_capacity ? r->query_capacity * 2 : 8;
		result->queries = mem_grow(result->queries, r->query_capacity, capacity,
					   sizeof *result->queries);
		r->query_capacity = capacity;
	}
	struct resolver_query *e = &result->queries[result->query_count++];
	memset(e, 0, sizeof *e);
	return e;
}

/* An entry of this round for the name that lacks the type; else a new one. A type that
 * is there already begins a new round: it is asked again. */
static struct resolver_query *find_entry(struct resolver *r, const struct asked *q)
{
	for (uint32_t i = r->round_start; i < r->result.query_count; i++) {
		struct resolver_query *e = &r->result.queries[i];
		if (!dns_name_equal(&e->name, &q->name) || e->tcp != r->stream)
			continue;
		bool there = e->count == 2;
		for (uint8_t k = 0; k < e->count; k++)
			there |= e->types[k] == q->type;
		if (!there)
			return e;
		asker_new_round(r);
		return NULL;
	}
	return NULL;
}

static void record(struct resolver *r, struct asked *q, const struct net_addr *server)
{
	struct sock_name local = { 0 };
	r->config.sockets.class->names(r->sock, &local, NULL);
	struct resolver_query *e = find_entry(r, q);
	if (!e) {
		e = new_entry(r);
		e->name = q->name;
		e->same_source_port = true;
		e->tcp = r->stream;
		e->source_port = local.port;
		e->sent_ns = engine_now(r->config.engine);
		e->server = *server;
	}
	e->same_source_port &= e->source_port == local.port;
	e->types[e->count] = q->type;
	e->rcodes[e->count] = -1;
	q->query = (uint32_t)(e - r->result.queries);
	q->slot = e->count++;
}

/* ---- sending ------------------------------------------------------------------------ */

const uint8_t *asker_cookie(struct resolver *r)
{
	static const size_t bytes = 8;
	uint8_t *cookie = arena_alloc(r->arena, bytes);
	for (size_t i = 0; i < bytes; i += 2) {
		uint64_t draw = choice_uniform(r->config.choice, "dns-id", 65536);
		cookie[i] = (uint8_t)(draw >> 8);
		cookie[i + 1] = (uint8_t)draw;
	}
	return cookie;
}

struct asked *asker_add(struct resolver *r, const struct dns_name *name, uint16_t type)
{
	if (r->asked_count == QUESTIONS_MAX)
		return NULL;
	struct asked *q = &r->asked[r->asked_count++];
	memset(q, 0, sizeof *q);
	q->name = *name;
	q->type = type;
	q->flags = DNS_RD;
	q->id = (uint16_t)choice_uniform(r->config.choice, "dns-id", 65536);
	return q;
}

void asker_forget(struct resolver *r)
{
	r->asked_count = 0;
}

static void write_query(struct resolver *r, const struct asked *q, struct strbuf *out)
{
	struct dns_message m = { .id = q->id, .flags = q->flags, .has_question = true };
	m.question = (struct dns_question){ q->name, q->type, DNS_IN };
	if (q->payload) {
		m.edns.present = true;
		m.edns.payload = q->payload;
	}
	if (q->payload && q->cookie) {
		uint8_t *option = arena_alloc(r->arena, 12);
		option[1] = 10; /* COOKIE */
		option[3] = 8;
		memcpy(option + 4, r->state, 8); /* a tool's state begins with its cookie */
		m.edns.options = option;
		m.edns.options_length = 12;
	}
	dns_message_write(&m, out, NULL);
}

int asker_send_also(struct resolver *r, struct asked *q, const struct net_addr *to)
{
	struct strbuf bytes = { 0 };
	struct sock_name name = { 0 };
	if (r->stream)
		strbuf_add(&bytes, "\0", 2);
	write_query(r, q, &bytes);
	if (r->stream) {
		bytes.data[0] = (char)((bytes.length - 2) >> 8);
		bytes.data[1] = (char)(bytes.length - 2);
	}
	if (to) {
		name.addr = *to;
		name.port = PORT;
	}
	int code = r->config.sockets.class->send(r->sock, to ? &name : NULL, bytes.data,
						 bytes.length);
	strbuf_free(&bytes);
	return code;
}

int asker_send(struct resolver *r, struct asked *q, const struct net_addr *to)
{
	record(r, q, to ? to : &r->server);
	return asker_send_also(r, q, to);
}

/* ---- receiving ----------------------------------------------------------------------- */

/* Gives a message to the question it answers; others are ignored. */
static void take_message(struct resolver *r, const uint8_t *bytes, size_t length)
{
	struct dns_message *m = arena_alloc(r->arena, sizeof *m);
	if (dns_message_read(r->arena, bytes, length, m) || !(m->flags & DNS_QR) ||
	    !m->has_question)
		return;
	for (uint32_t i = 0; i < r->asked_count; i++) {
		struct asked *q = &r->asked[i];
		if (q->id != m->id || q->answered || q->type != m->question.type ||
		    !dns_name_equal(&q->name, &m->question.name))
			continue;
		q->answered = true;
		q->reply = m;
		q->reply_bytes = length;
		r->result.queries[q->query].rcodes[q->slot] = m->rcode;
		r->result.rcode = m->rcode;
		r->machine->reply(r, q);
		return;
	}
}

static void take_stream(struct resolver *r)
{
	bool gone = false;
	r->gone = &gone;
	while (r->stream && r->stream_in.length >= 2) {
		const uint8_t *p = (const uint8_t *)r->stream_in.data;
		size_t length = (size_t)p[0] << 8 | p[1];
		if (r->stream_in.length - 2 < length)
			break;
		uint8_t *message = arena_alloc(r->arena, length + 1);
		memcpy(message, p + 2, length);
		r->stream_in.length -= 2 + length;
		memmove(r->stream_in.data, r->stream_in.data + 2 + length, r->stream_in.length);
		take_message(r, message, length);
		if (gone)
			return;
		if (r->done)
			break;
	}
	r->gone = NULL;
}

static void on_event(void *ctx, struct sock *s, const struct sock_event *event)
{
	struct resolver *r = ctx;
	if (s != r->sock || r->done)
		return;
	switch (event->kind) {
	case SOCK_DATA:
		if (r->stream) {
			strbuf_add(&r->stream_in, event->bytes, event->length);
			take_stream(r);
		} else {
			take_message(r, event->bytes, event->length);
		}
		break;
	case SOCK_CONNECTED:
		r->machine->connected(r);
		break;
	case SOCK_EOF:
	case SOCK_CLOSED:
		r->machine->failed(r, ECONNRESET);
		break;
	case SOCK_ERROR:
		r->machine->failed(r, event->error);
		break;
	default:
		break;
	}
}

/* ---- sockets ---------------------------------------------------------------------------- */

int asker_open(struct resolver *r, const struct net_addr *server)
{
	struct sock_name remote = { 0 };
	asker_close(r);
	if (server) {
		remote.addr = *server;
		remote.port = PORT;
		r->server = *server;
	}
	return r->config.sockets.class->datagram(r->config.sockets.object, server ? &remote : NULL,
						 &r->config.socket, on_event, r, &r->sock);
}

int asker_connect(struct resolver *r, const struct net_addr *server)
{
	struct sock_name remote = { *server, PORT };
	asker_close(r);
	r->server = *server;
	r->stream = true;
	return r->config.sockets.class->connect(r->config.sockets.object, PROTO_TCP, &remote,
						&r->config.socket, on_event, r, &r->sock);
}

void asker_close(struct resolver *r)
{
	if (r->sock)
		r->config.sockets.class->close(r->sock);
	r->sock = NULL;
	r->stream = false;
	memset(&r->server, 0, sizeof r->server);
	r->stream_in.length = 0;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void on_timer(void *ctx)
{
	struct resolver *r = ctx;
	r->machine->timeout(r);
}

void asker_wait(struct resolver *r, int64_t delay_ns)
{
	asker_stop_waiting(r);
	r->timer = engine_after(r->config.engine, delay_ns, on_timer, r);
}

void asker_stop_waiting(struct resolver *r)
{
	engine_cancel(r->config.engine, &r->timer);
}
