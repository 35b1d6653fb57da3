/* apps/balancer_pipe.c: a client's connection and the one to a target that continues it. */
#include <stdlib.h>

#include "apps/balancer_internal.h"
#include "core/arena.h"
#include "core/strbuf.h"

#define CONNECT_NS (5 * NS_PER_S)
#define TARGETS_MAX 1024

struct pipe {
	struct balancer *owner;
	struct pipe *next, **back;
	struct sock *client, *target;  /* NULL: closed */
	uint16_t target_port;
	struct strbuf early;           /* what the client said before the target was there */
	uint32_t tries;
	bool connected, ended;         /* ended: the client will say no more */
};

static const struct sockets_class *front(const struct pipe *p)
{
	return p->owner->config.front.class;
}

static const struct sockets_class *back(const struct pipe *p)
{
	return p->owner->config.back.class;
}

static void pipe_free(struct pipe *p)
{
	*p->back = p->next;
	if (p->next)
		p->next->back = p->back;
	strbuf_free(&p->early);
	free(p);
}

/* Both sides are gone: with a reset where they still are. */
static void cut(struct pipe *p)
{
	if (p->client)
		front(p)->abort(p->client);
	if (p->target)
		back(p)->abort(p->target);
	pipe_free(p);
}

void pipes_free(struct balancer *b)
{
	while (b->pipes)
		cut(b->pipes);
}

static void dial(struct pipe *p);

static void on_target(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct pipe *p = ctx;
	switch (event->kind) {
	case SOCK_CONNECTED:
		p->connected = true;
		if (p->early.length)
			back(p)->send(sock, NULL, p->early.data, p->early.length);
		strbuf_clear(&p->early);
		if (p->ended)
			back(p)->shutdown(sock);
		break;
	case SOCK_DATA:
		if (p->client)
			front(p)->send(p->client, NULL, event->bytes, event->length);
		break;
	case SOCK_EOF:
		if (p->client)
			front(p)->shutdown(p->client);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		back(p)->close(sock);
		p->target = NULL;
		if (!p->connected)
			dial(p); /* the next target */
		else if (!p->client)
			pipe_free(p);
		else if (event->kind == SOCK_ERROR)
			cut(p);
		break;
	default:
		break;
	}
}

static void dial(struct pipe *p)
{
	struct balancer *b = p->owner;
	struct net_addr healthy[TARGETS_MAX];
	uint32_t count = balancer_healthy(b, healthy, TARGETS_MAX, false);
	struct sock_options options = { .connect_timeout_ns = CONNECT_NS };
	while (p->tries < count) {
		struct sock_name to = { healthy[b->turn++ % count], p->target_port };
		p->tries++;
		if (b->config.back.class->connect(b->config.back.object, PROTO_TCP, &to, &options,
						  on_target, p, &p->target) == 0)
			return;
	}
	cut(p);
}

static void on_client(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct pipe *p = ctx;
	switch (event->kind) {
	case SOCK_DATA:
		if (p->connected && p->target)
			back(p)->send(p->target, NULL, event->bytes, event->length);
		else if (!p->connected)
			strbuf_add(&p->early, event->bytes, event->length);
		break;
	case SOCK_EOF:
		p->ended = true;
		if (p->connected && p->target)
			back(p)->shutdown(p->target);
		else if (p->connected)
			front(p)->shutdown(sock);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		front(p)->close(sock);
		p->client = NULL;
		if (!p->target)
			pipe_free(p);
		else if (event->kind == SOCK_ERROR || !p->connected)
			cut(p);
		break;
	default:
		break;
	}
}

void pipe_accept(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct listener *l = ctx;
	struct balancer *b = l->owner;
	(void)sock;
	if (event->kind != SOCK_ACCEPTED)
		return;
	struct pipe *p = mem_alloc(sizeof *p);
	*p = (struct pipe){ .owner = b, .next = b->pipes, .back = &b->pipes,
			    .client = event->accepted, .target_port = l->target_port };
	if (p->next)
		p->next->back = &p->next;
	b->pipes = p;
	b->config.front.class->set_handler(p->client, on_client, p);
	dial(p);
}
