/* dns/loopback.c: see loopback.h. */
#include "dns/loopback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 32768u
#define PORTS 28232u

struct sock {
	struct loopback *owner;
	struct sock *next, **back;
	sock_event_fn *fn;
	void *ctx;
	struct sock_name local, peer;
	bool stream, connected, shut;
	struct strbuf in;          /* a stream's bytes that are no whole query yet */
	struct delivery *deliveries;
};

/* An event on its way to a socket. */
struct delivery {
	struct sock *sock;
	struct delivery *next, **back;
	struct event_id when;
	enum sock_event_kind kind;
	int error;
	struct sock_name from;
	struct strbuf bytes;
};

struct sockets {
	struct engine *engine;
	struct choice *choice;
	struct dns_server *server;
	struct net_addr client;
	struct sock *socks;
	loopback_loss_fn *loss;
	void *loss_ctx;
	uint32_t queries;
};

struct loopback {
	struct sockets sockets;
};

/* ---- deliveries ------------------------------------------------------------------ */

static void delivery_free(struct delivery *d)
{
	*d->back = d->next;
	if (d->next)
		d->next->back = d->back;
	engine_cancel(d->sock->owner->sockets.engine, &d->when);
	strbuf_free(&d->bytes);
	free(d);
}

static void deliver(void *ctx)
{
	struct delivery *d = ctx;
	struct sock *s = d->sock;
	struct strbuf bytes = d->bytes;
	struct sock_event event = { .kind = d->kind, .error = d->error, .peer = d->from,
				    .bytes = (const uint8_t *)strbuf_text(&bytes),
				    .length = bytes.length };
	d->bytes = (struct strbuf){ 0 };
	if (d->kind == SOCK_CONNECTED)
		s->connected = true;
	delivery_free(d);
	s->fn(s->ctx, s, &event);
	strbuf_free(&bytes);
}

/* Takes the bytes over. */
static void send_event(struct sock *s, enum sock_event_kind kind, int error, int64_t delay_ns,
		       const struct sock_name *from, struct strbuf *bytes)
{
	struct delivery *d = mem_alloc(sizeof *d);
	*d = (struct delivery){ .sock = s, .next = s->deliveries, .back = &s->deliveries,
				.kind = kind, .error = error };
	if (from)
		d->from = *from;
	if (bytes)
		d->bytes = *bytes;
	if (d->next)
		d->next->back = &d->next;
	s->deliveries = d;
	d->when = engine_after(s->owner->sockets.engine, delay_ns, deliver, d);
}

/* ---- the server's end --------------------------------------------------------------- */

static void ask(struct sock *s, const struct sock_name *to, const uint8_t *bytes, size_t length)
{
	struct sockets *n = &s->owner->sockets;
	struct dns_client client = { s->local.addr, s->local.port, s->stream };
	struct strbuf reply = { 0 };
	int64_t delay;
	if (n->loss && n->loss(n->loss_ctx, n->queries++, bytes, length))
		return;
	if (s->stream)
		strbuf_add(&reply, "\0", 2);
	if (!dns_server_answer(n->server, bytes, length, &client, engine_now(n->engine), &reply,
			       &delay)) {
		strbuf_free(&reply);
		return;
	}
	if (s->stream) {
		reply.data[0] = (char)((reply.length - 2) >> 8);
		reply.data[1] = (char)(reply.length - 2);
	}
	send_event(s, SOCK_DATA, 0, delay, to, &reply);
}

static void ask_stream(struct sock *s, const void *bytes, size_t length)
{
	size_t at = 0;
	strbuf_add(&s->in, bytes, length);
	while (s->in.length - at >= 2) {
		const uint8_t *p = (const uint8_t *)s->in.data + at;
		size_t size = (size_t)p[0] << 8 | p[1];
		if (s->in.length - at - 2 < size)
			break;
		ask(s, &s->peer, p + 2, size);
		at += 2 + size;
	}
	if (at) {
		memmove(s->in.data, s->in.data + at, s->in.length - at);
		s->in.length -= at;
	}
}

static bool answers(const struct sock *s, const struct sock_name *to)
{
	return s->owner->sockets.server && to->port == 53;
}

/* ---- the class ------------------------------------------------------------------------ */

static struct sock *sock_new(struct sockets *n, const struct sock_name *remote, bool stream,
			     const struct sock_options *options, sock_event_fn *fn, void *ctx)
{
	struct sock *s = mem_alloc(sizeof *s);
	*s = (struct sock){ .owner = (struct loopback *)n, .next = n->socks, .back = &n->socks,
			    .fn = fn, .ctx = ctx, .stream = stream };
	if (s->next)
		s->next->back = &s->next;
	n->socks = s;
	s->local.addr = n->client;
	s->local.port = options && options->local.port ?
				options->local.port :
				(uint16_t)(FIRST_PORT + choice_uniform(n->choice, "sport", PORTS));
	if (remote)
		s->peer = *remote;
	return s;
}

static int loop_connect(struct sockets *n, uint8_t proto, const struct sock_name *remote,
			const struct sock_options *options, sock_event_fn *fn, void *ctx,
			struct sock **out)
{
	*out = NULL;
	if (proto != PROTO_TCP)
		return EPROTONOSUPPORT;
	struct sock *s = sock_new(n, remote, true, options, fn, ctx);
	if (answers(s, remote))
		send_event(s, SOCK_CONNECTED, 0, 0, remote, NULL);
	else
		send_event(s, SOCK_ERROR, ECONNREFUSED, 0, remote, NULL);
	*out = s;
	return 0;
}

static int loop_listen(struct sockets *n, uint8_t proto, const struct sock_options *options,
		       sock_event_fn *fn, void *ctx, struct sock **out)
{
	(void)n, (void)proto, (void)options, (void)fn, (void)ctx;
	*out = NULL;
	return EOPNOTSUPP;
}

static int loop_datagram(struct sockets *n, const struct sock_name *remote,
			 const struct sock_options *options, sock_event_fn *fn, void *ctx,
			 struct sock **out)
{
	*out = sock_new(n, remote, false, options, fn, ctx);
	(*out)->connected = remote != NULL;
	return 0;
}

static int loop_icmp(struct sockets *n, const struct net_addr *remote,
		     const struct sock_options *options, sock_event_fn *fn, void *ctx,
		     struct sock **out)
{
	(void)n, (void)remote, (void)options, (void)fn, (void)ctx;
	*out = NULL;
	return EOPNOTSUPP;
}

static int loop_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length)
{
	const struct sock_name *remote = to ? to : &s->peer;
	if (s->stream && (!s->connected || s->shut))
		return s->shut ? EPIPE : ENOTCONN;
	if (s->stream)
		ask_stream(s, bytes, length);
	else if (answers(s, remote))
		ask(s, remote, bytes, length);
	else if (s->connected)
		send_event(s, SOCK_ERROR, ECONNREFUSED, 0, remote, NULL);
	return 0;
}

static void loop_shutdown(struct sock *s)
{
	s->shut = true;
}

static void loop_close(struct sock *s)
{
	while (s->deliveries)
		delivery_free(s->deliveries);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	strbuf_free(&s->in);
	free(s);
}

static void loop_names(const struct sock *s, struct sock_name *local, struct sock_name *peer)
{
	if (local)
		*local = s->local;
	if (peer)
		*peer = s->peer;
}

static void loop_set_handler(struct sock *s, sock_event_fn *fn, void *ctx)
{
	s->fn = fn;
	s->ctx = ctx;
}

static const struct sockets_class loopback_class = {
	.name = "loopback", .connect = loop_connect, .listen = loop_listen,
	.datagram = loop_datagram, .icmp = loop_icmp, .send = loop_send, .shutdown = loop_shutdown,
	.close = loop_close, .abort = loop_close, .names = loop_names,
	.set_handler = loop_set_handler,
};

struct loopback *loopback_new(struct engine *engine, struct choice *choice,
			      struct dns_server *server, const struct net_addr *client)
{
	struct loopback *l = mem_alloc(sizeof *l);
	l->sockets = (struct sockets){ .engine = engine, .choice = choice, .server = server };
	if (client)
		l->sockets.client = *client;
	return l;
}

void loopback_free(struct loopback *l)
{
	if (!l)
		return;
	while (l->sockets.socks)
		loop_close(l->sockets.socks);
	free(l);
}

struct sockets_ref loopback_sockets(struct loopback *l)
{
	return (struct sockets_ref){ &loopback_class, &l->sockets };
}

void loopback_lose(struct loopback *l, loopback_loss_fn *fn, void *ctx)
{
	l->sockets.loss = fn;
	l->sockets.loss_ctx = ctx;
}
