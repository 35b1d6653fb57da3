/* userspace/proxy.c: see proxy.h.
 *
 * A connection is one object from accept to close: `in` faces the client, `out` the
 * backend. What the client sends before a backend answers is kept. Datagram sessions are
 * objects of their own (session.c).
 */
#include "dataplanes/userspace/proxy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"
#include "dataplanes/userspace/internal.h"

static const int64_t dial_ns[] = { 250 * NS_PER_MS, 500 * NS_PER_MS, 1 * NS_PER_S,
				   2 * NS_PER_S };
#define DIALS (sizeof dial_ns / sizeof *dial_ns)

struct connection {
	struct proxy_process *process;
	struct proxy_port *port;      /* while it waits or dials, else NULL */
	struct connection *next, *previous; /* all of the process */
	struct connection *waiting;   /* next in line at the port */
	struct sock *in, *out;
	struct sock_name client;
	unsigned dials;
	bool linked;                  /* out is connected */
	bool in_ended;
	struct strbuf early;          /* from the client, before out is connected */
};

static void dial(struct connection *c);
static void on_client(void *ctx, struct sock *s, const struct sock_event *event);
static void on_backend(void *ctx, struct sock *s, const struct sock_event *event);

/* ---- connections ------------------------------------------------------------------------- */

static void end_connection(struct connection *c)
{
	struct proxy_process *p = c->process;
	if (c->out)
		p->sockets.class->close(c->out);
	if (c->in)
		p->sockets.class->close(c->in);
	if (c->previous)
		c->previous->next = c->next;
	else
		p->connections = c->next;
	if (c->next)
		c->next->previous = c->previous;
	strbuf_free(&c->early);
	free(c);
}

/* The port turns to the next connection in line. */
static void next_in_line(struct proxy_port *port)
{
	struct connection *c = port->line;
	port->dialling = c;
	if (!c)
		return;
	port->line = c->waiting;
	if (!port->line)
		port->line_end = NULL;
	dial(c);
}

static void finish_dialling(struct connection *c)
{
	struct proxy_port *port = c->port;
	c->port = NULL;
	if (port && port->dialling == c)
		next_in_line(port);
}

static void give_up(struct connection *c)
{
	struct proxy_port *port = c->port;
	c->port = NULL;
	if (port && port->dialling == c)
		port->dialling = NULL;
	end_connection(c);
	if (port && !port->dialling)
		next_in_line(port);
}

/* Tries endpoints until one takes the SYN; what comes back is an event. */
static void dial(struct connection *c)
{
	struct proxy_process *p = c->process;
	while (c->dials < DIALS && c->port) {
		struct sock_name to;
		struct sock_options options = { .connect_timeout_ns = dial_ns[c->dials] };
		if (!balancer_next(&c->port->balancer, &c->client.addr, c->dials > 0,
				   engine_now(p->engine), &to))
			break;
		c->dials++;
		if (p->sockets.class->connect(p->sockets.object, PROTO_TCP, &to, &options,
					      on_backend, c, &c->out) == 0)
			return;
		c->out = NULL;
	}
	give_up(c);
}

/* False: the connection is gone. */
static bool copy(struct connection *c, struct sock *to, const void *bytes, size_t length)
{
	c->process->copied += length;
	if (!length || c->process->sockets.class->send(to, NULL, bytes, length) == 0)
		return true;
	end_connection(c);
	return false;
}

static void link_up(struct connection *c)
{
	struct strbuf early = c->early;
	c->linked = true;
	finish_dialling(c);
	c->early = (struct strbuf){ 0 };
	if (copy(c, c->out, early.data, early.length) && c->in_ended)
		end_connection(c);
	strbuf_free(&early);
}

static void on_client(void *ctx, struct sock *s, const struct sock_event *event)
{
	struct connection *c = ctx;
	(void)s;
	switch (event->kind) {
	case SOCK_DATA:
		if (c->linked)
			copy(c, c->out, event->bytes, event->length);
		else
			strbuf_add(&c->early, event->bytes, event->length);
		break;
	case SOCK_EOF:
	case SOCK_CLOSED:
	case SOCK_ERROR:
		/* Noticed by the copying, which has not begun while a backend is dialled. */
		c->in_ended = true;
		if (c->linked)
			end_connection(c);
		break;
	default:
		break;
	}
}

static void on_backend(void *ctx, struct sock *s, const struct sock_event *event)
{
	struct connection *c = ctx;
	switch (event->kind) {
	case SOCK_CONNECTED:
		link_up(c);
		break;
	case SOCK_DATA:
		copy(c, c->in, event->bytes, event->length);
		break;
	case SOCK_EOF:
	case SOCK_CLOSED:
	case SOCK_ERROR:
		if (c->linked) {
			end_connection(c);
			break;
		}
		c->process->sockets.class->close(s);
		c->out = NULL;
		dial(c);
		break;
	default:
		break;
	}
}

static void accept_one(struct proxy_port *port, const struct sock_event *event)
{
	struct proxy_process *p = port->process;
	struct connection *c = mem_alloc(sizeof *c);
	struct sock_name local;
	c->process = p;
	c->port = port;
	c->in = event->accepted;
	c->next = p->connections;
	if (c->next)
		c->next->previous = c;
	p->connections = c;
	p->sockets.class->names(c->in, &local, &c->client);
	p->sockets.class->set_handler(c->in, on_client, c);
	if (!port->dialling) {
		port->dialling = c;
		dial(c);
		return;
	}
	if (port->line_end)
		port->line_end->waiting = c;
	else
		port->line = c;
	port->line_end = c;
}

static void on_listener(void *ctx, struct sock *s, const struct sock_event *event)
{
	(void)s;
	if (event->kind == SOCK_ACCEPTED)
		accept_one(ctx, event);
}

/* A node port is only held; nobody reaches it, the rules send its traffic elsewhere. */
static void on_held(void *ctx, struct sock *s, const struct sock_event *event)
{
	(void)ctx;
	(void)s;
	(void)event;
}

/* ---- ports ---------------------------------------------------------------------------------- */

static int hold(struct proxy_process *p, uint8_t proto, const struct sock_options *options,
		struct sock **out)
{
	if (proto == PROTO_UDP)
		return p->sockets.class->datagram(p->sockets.object, NULL, options, on_held, NULL,
						  out);
	return p->sockets.class->listen(p->sockets.object, proto, options, on_held, NULL, out);
}

int proxy_port_open(struct proxy_process *p, uint8_t family, uint8_t proto, uint16_t port,
		    uint16_t node_port, struct proxy_port **out)
{
	struct net_addr any = { .family = family };
	struct sock_options options = { .local = { any, port }, .reuse_port_now = true };
	struct proxy_port *l = mem_alloc(sizeof *l);
	int code;
	l->process = p;
	if (proto == PROTO_UDP)
		code = p->sockets.class->datagram(p->sockets.object, NULL, &options,
						  session_on_listener, l, &l->listener);
	else
		code = p->sockets.class->listen(p->sockets.object, proto, &options, on_listener, l,
						&l->listener);
	if (code) {
		free(l);
		return code;
	}
	options.local.port = node_port;
	if (node_port && hold(p, proto, &options, &l->held))
		l->held = NULL; /* taken by somebody else: kube-proxy logs it and goes on */
	balancer_init(&l->balancer);
	table_init(&l->sessions, sizeof(struct sock_name), sizeof(struct session *));
	l->next = p->ports;
	if (l->next)
		l->next->previous = l;
	p->ports = l;
	*out = l;
	return 0;
}

void proxy_port_close(struct proxy_port *port)
{
	struct proxy_process *p = port->process;
	p->sockets.class->close(port->listener);
	if (port->held)
		p->sockets.class->close(port->held);
	session_end_all(port);
	/* Who was still in line is cut off; the dial under way may succeed; who is linked
	 * goes on. */
	for (struct connection *c = p->connections, *next; c; c = next) {
		next = c->next;
		if (c->port == port && c == port->dialling)
			c->port = NULL;
		else if (c->port == port)
			end_connection(c);
	}
	if (port->previous)
		port->previous->next = port->next;
	else
		p->ports = port->next;
	if (port->next)
		port->next->previous = port->previous;
	balancer_free(&port->balancer);
	table_free(&port->sessions);
	free(port);
}

struct balancer *proxy_port_balancer(struct proxy_port *port)
{
	return &port->balancer;
}

/* ---- the process ------------------------------------------------------------------------------ */

struct proxy_process *proxy_process_new(struct sockets_ref sockets, struct engine *engine,
					struct choice *choice, int64_t udp_idle_ns)
{
	struct proxy_process *p = mem_alloc(sizeof *p);
	p->sockets = sockets;
	p->engine = engine;
	p->choice = choice;
	p->udp_idle_ns = udp_idle_ns;
	return p;
}

void proxy_process_free(struct proxy_process *p)
{
	if (!p)
		return;
	while (p->ports)
		proxy_port_close(p->ports);
	while (p->connections)
		end_connection(p->connections);
	free(p);
}

static void drop(struct proxy_process *p, struct sock **s)
{
	if (*s)
		p->sockets.class->abort(*s);
	*s = NULL;
}

void proxy_process_forget(struct proxy_process *p)
{
	while (p->connections) {
		drop(p, &p->connections->in);
		drop(p, &p->connections->out);
		end_connection(p->connections);
	}
	for (struct proxy_port *port = p->ports; port; port = port->next) {
		port->dialling = port->line = port->line_end = NULL;
		session_end_all(port);
		balancer_forget(&port->balancer);
	}
}

uint64_t proxy_process_copied(const struct proxy_process *p)
{
	return p->copied;
}
