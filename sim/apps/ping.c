/* apps/ping.c: see ping.h. */
#include "apps/ping.h"

#include <stdlib.h>

#include "core/arena.h"

#define ECHO_DATA_BYTES 56 /* as ping sends by default */

struct pinger {
	struct pinger_config config;
	struct pinger_result result;
	struct sock *sock;
	struct event_id next, end;
	pinger_done_fn *fn;
	void *ctx;
};

static void finish(void *ctx)
{
	struct pinger *p = ctx;
	engine_cancel(p->config.engine, &p->next);
	engine_cancel(p->config.engine, &p->end);
	p->result.ended_ns = engine_now(p->config.engine);
	p->fn(p->ctx, p, &p->result);
}

static void send_next(void *ctx)
{
	static const uint8_t data[ECHO_DATA_BYTES];
	struct pinger *p = ctx;
	struct echo *e = &p->result.echoes[p->result.sent++];
	*e = (struct echo){ .sent_ns = engine_now(p->config.engine), .rtt_ns = -1 };
	int code = p->config.sockets.class->send(p->sock, NULL, data, sizeof data);
	if (code) {
		e->error = code;
		p->result.error = code;
		p->result.errors++;
	}
	if (p->result.sent < p->config.count)
		p->next = engine_after(p->config.engine, p->config.interval_ns, send_next, p);
	else
		p->end = engine_after(p->config.engine, p->config.timeout_ns, finish, p);
}

/* The request that an event answers: by its number, else (an error of the send) the last. */
static struct echo *echo_of(struct pinger *p, const struct sock_event *event)
{
	struct pinger_result *r = &p->result;
	uint32_t number = event->sequence;
	if (number >= 1 && number <= r->sent)
		return &r->echoes[number - 1];
	return r->sent ? &r->echoes[r->sent - 1] : NULL;
}

static void on_socket(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct pinger *p = ctx;
	(void)sock;
	struct pinger_result *r = &p->result;
	struct echo *e = echo_of(p, event);
	if (event->kind == SOCK_ECHO_REPLY) {
		r->received++;
		if (e) {
			e->rtt_ns = engine_now(p->config.engine) - e->sent_ns;
			e->ttl = event->ttl;
			e->from = event->peer.addr;
		}
		r->ttl = event->ttl;
		r->icmp_from = event->peer.addr;
	} else if (event->kind == SOCK_ERROR) {
		r->errors++;
		r->error = event->error;
		if (e) {
			e->error = event->error;
			e->icmp_type = event->icmp_type;
			e->icmp_code = event->icmp_code;
			e->from = event->icmp_from;
		}
		r->icmp_type = event->icmp_type;
		r->icmp_code = event->icmp_code;
		r->icmp_from = event->icmp_from;
	}
	if (r->received + r->errors >= p->config.count && r->sent == p->config.count) {
		engine_cancel(p->config.engine, &p->end);
		p->end = engine_after(p->config.engine, 0, finish, p);
	}
}

int pinger_start(const struct pinger_config *config, pinger_done_fn *fn, void *ctx,
		 struct pinger **out)
{
	struct pinger *p = mem_alloc(sizeof *p);
	p->config = *config;
	p->fn = fn;
	p->ctx = ctx;
	p->result.echoes = mem_array(config->count, sizeof *p->result.echoes);
	int code = config->sockets.class->icmp(config->sockets.object, &config->remote,
					       &config->options, on_socket, p, &p->sock);
	if (code) {
		free(p->result.echoes);
		free(p);
		return code;
	}
	*out = p;
	p->next = engine_after(config->engine, 0, send_next, p);
	return 0;
}

void pinger_free(struct pinger *p)
{
	if (!p)
		return;
	engine_cancel(p->config.engine, &p->next);
	engine_cancel(p->config.engine, &p->end);
	p->config.sockets.class->close(p->sock);
	free(p->result.echoes);
	free(p);
}
