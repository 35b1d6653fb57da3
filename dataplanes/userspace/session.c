/* userspace/session.c: UDP clients, each with a backend socket of its own.
 *
 * A session begins with the first datagram of a client (address and port) and ends when
 * neither side sent anything for the idle time, or when its backend's socket fails. Of
 * longer datagrams the first 4096 bytes are passed on.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "dataplanes/userspace/internal.h"

#define DATAGRAM_BYTES 4096u

struct session {
	struct proxy_port *port;
	struct sock_name client;
	struct sock *out;
	struct event_id timer;
	int64_t deadline_ns;
};

static void end_session(struct session *s)
{
	struct proxy_process *p = s->port->process;
	engine_cancel(p->engine, &s->timer);
	p->sockets.class->close(s->out);
	table_remove(&s->port->sessions, &s->client);
	free(s);
}

static void on_timer(void *ctx)
{
	struct session *s = ctx;
	struct engine *e = s->port->process->engine;
	if (engine_now(e) >= s->deadline_ns)
		end_session(s);
	else
		s->timer = engine_at(e, s->deadline_ns, on_timer, s);
}

static void touch(struct session *s)
{
	struct proxy_process *p = s->port->process;
	s->deadline_ns = engine_now(p->engine) + p->udp_idle_ns;
}

static size_t cut(size_t length)
{
	return length < DATAGRAM_BYTES ? length : DATAGRAM_BYTES;
}

static void on_backend(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct session *s = ctx;
	struct proxy_process *p = s->port->process;
	(void)sock;
	if (event->kind == SOCK_ERROR) {
		end_session(s);
		return;
	}
	if (event->kind != SOCK_DATA)
		return;
	size_t n = cut(event->length);
	touch(s);
	p->copied += n;
	if (p->sockets.class->send(s->port->listener, &s->client, event->bytes, n) != 0)
		end_session(s);
}

/* NULL: no endpoint, or none that a socket could be made for. */
static struct session *begin_session(struct proxy_port *port, const struct sock_name *client)
{
	struct proxy_process *p = port->process;
	struct sock_options options = { 0 };
	struct session *s = mem_alloc(sizeof *s);
	s->port = port;
	s->client = *client;
	for (unsigned tries = 0; tries < 4 && !s->out; tries++) {
		struct sock_name to;
		if (!balancer_next(&port->balancer, &client->addr, tries > 0,
				   engine_now(p->engine), &to))
			break;
		if (p->sockets.class->datagram(p->sockets.object, &to, &options, on_backend, s,
					       &s->out) != 0)
			s->out = NULL;
	}
	if (!s->out) {
		free(s);
		return NULL;
	}
	touch(s);
	s->timer = engine_at(p->engine, s->deadline_ns, on_timer, s);
	*(struct session **)table_put(&port->sessions, client, NULL) = s;
	return s;
}

void session_on_listener(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct proxy_port *port = ctx;
	struct sock_name client = { 0 };
	(void)sock;
	if (event->kind != SOCK_DATA)
		return;
	client.addr = event->peer.addr;
	client.port = event->peer.port;
	struct session **found = table_find(&port->sessions, &client);
	struct session *s = found ? *found : begin_session(port, &client);
	if (!s)
		return;
	size_t n = cut(event->length);
	port->process->copied += n;
	if (port->process->sockets.class->send(s->out, NULL, event->bytes, n) == 0)
		touch(s);
}

void session_end_all(struct proxy_port *port)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&port->sessions, &i, &key, &value);)
		end_session(*(struct session **)value);
}
