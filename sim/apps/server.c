/* apps/server.c: see server.h. */
#include "apps/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http.h"
#include "core/arena.h"

struct peer { /* one accepted connection */
	struct server *server;
	struct peer *next, **back;
	struct sock *sock;
	struct http_message request;
	struct sock_name client;
};

struct server {
	struct server_config config;
	char *name;
	struct sock *listener;
	struct peer *peers;
	uint32_t peer_count;
	uint64_t requests;
};

static void peer_free(struct peer *p)
{
	*p->back = p->next;
	if (p->next)
		p->next->back = p->back;
	p->server->peer_count--;
	http_free(&p->request);
	free(p);
}

static void peer_close(struct peer *p)
{
	p->server->config.sockets.class->close(p->sock);
	peer_free(p);
}

static void respond(struct peer *p, int status, const struct strbuf *headers,
		    const struct strbuf *body)
{
	struct server *s = p->server;
	struct strbuf out = { 0 };
	char client[NET_ADDR_TEXT + 8];
	strbuf_printf(&out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
	if (headers)
		strbuf_puts(&out, strbuf_text(headers));
	else
		strbuf_printf(&out,
			      "Server: svclab\r\nContent-Type: text/html\r\nX-Pod: %s\r\n"
			      "X-Client: %s\r\n", s->name,
			      net_endpoint_text(&p->client.addr, p->client.port, client));
	strbuf_printf(&out, "Content-Length: %zu\r\n%s\r\n", body->length,
		      p->request.close ? "Connection: close\r\n" : "");
	if (strcmp(p->request.method, "HEAD") != 0)
		strbuf_add(&out, strbuf_text(body), body->length);
	s->config.sockets.class->send(p->sock, NULL, out.data, out.length);
	strbuf_free(&out);
}

/* False when the connection is gone. */
static bool serve_one(struct peer *p)
{
	struct server *s = p->server;
	struct strbuf body = { 0 }, headers = { 0 };
	char host[256];
	int status = 200;
	http_header(&p->request, "Host", host, sizeof host);
	if (s->config.answer)
		status = s->config.answer(s->config.ctx, p->request.method, p->request.path,
					  &headers, &body);
	else if (s->config.serve)
		status = s->config.serve(s->config.ctx, p->request.method, p->request.path, host,
					 &body);
	else
		strbuf_printf(&body, "%s\n", s->name);
	s->requests++;
	if (s->config.access) {
		char agent[128], forwarded[128];
		struct server_access access = {
			p->client, p->request.method, p->request.path,
			http_header(&p->request, "User-Agent", agent, sizeof agent),
			http_header(&p->request, "X-Forwarded-For", forwarded, sizeof forwarded),
			status, body.length
		};
		s->config.access(s->config.ctx, &access);
	}
	respond(p, status, s->config.answer ? &headers : NULL, &body);
	strbuf_free(&headers);
	strbuf_free(&body);
	bool last = p->request.close;
	http_take(&p->request);
	if (last)
		s->config.sockets.class->shutdown(p->sock);
	return !last;
}

static void peer_data(struct peer *p, const struct sock_event *event)
{
	enum http_state state = http_feed(&p->request, event->bytes, event->length);
	while (state == HTTP_COMPLETE && serve_one(p))
		state = http_feed(&p->request, NULL, 0);
	if (state != HTTP_BAD)
		return;
	struct strbuf body = { 0 };
	p->request.close = true;
	respond(p, 400, NULL, &body);
	p->server->config.sockets.class->shutdown(p->sock);
	strbuf_clear(&p->request.bytes);
	p->request.head_length = 0;
}

static void on_peer(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct peer *p = ctx;
	assert(p->sock == sock);
	switch (event->kind) {
	case SOCK_DATA:
		peer_data(p, event);
		break;
	case SOCK_EOF:
		p->server->config.sockets.class->shutdown(sock);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		peer_close(p);
		break;
	default:
		break;
	}
}

static void accepted(struct server *s, const struct sock_event *event)
{
	struct peer *p = mem_alloc(sizeof *p);
	p->server = s;
	p->sock = event->accepted;
	p->client = event->peer;
	p->next = s->peers;
	p->back = &s->peers;
	if (p->next)
		p->next->back = &p->next;
	s->peers = p;
	s->peer_count++;
	s->config.sockets.class->set_handler(p->sock, on_peer, p);
}

static void answer_datagram(struct server *s, struct sock *sock, const struct sock_event *event)
{
	struct strbuf out = { 0 };
	char client[NET_ADDR_TEXT + 8];
	strbuf_printf(&out, "pod=%s client=%s\n", s->name,
		      net_endpoint_text(&event->peer.addr, event->peer.port, client));
	strbuf_add(&out, event->bytes, event->length);
	s->requests++;
	s->config.sockets.class->send(sock, &event->peer, out.data, out.length);
	strbuf_free(&out);
}

static void on_listener(void *ctx, struct sock *sock, const struct sock_event *event)
{
	if (event->kind == SOCK_ACCEPTED)
		accepted(ctx, event);
	else if (event->kind == SOCK_DATA)
		answer_datagram(ctx, sock, event);
}

int server_start(const struct server_config *config, struct server **out)
{
	struct server *s = mem_alloc(sizeof *s);
	struct sock_options options = { .local = { config->bind, config->port },
					.reuse_port_now = true }; /* as servers do, for restarts */
	s->config = *config;
	s->name = mem_strdup(config->name);
	const struct sockets_ref *n = &s->config.sockets;
	int code = config->proto == PROTO_UDP
			   ? n->class->datagram(n->object, NULL, &options, on_listener, s, &s->listener)
			   : n->class->listen(n->object, config->proto, &options, on_listener, s,
					      &s->listener);
	if (code) {
		free(s->name);
		free(s);
		return code;
	}
	*out = s;
	return 0;
}

void server_drain(struct server *s)
{
	if (s->listener)
		s->config.sockets.class->close(s->listener);
	s->listener = NULL;
}

void server_drop(struct server *s)
{
	while (s->peers) {
		struct peer *p = s->peers;
		s->config.sockets.class->abort(p->sock);
		peer_free(p);
	}
}

void server_stop(struct server *s, bool reset)
{
	if (!s)
		return;
	server_drain(s);
	if (reset)
		server_drop(s);
	while (s->peers)
		peer_close(s->peers);
	free(s->name);
	free(s);
}

uint64_t server_requests(const struct server *s)
{
	return s->requests;
}

uint32_t server_open_connections(const struct server *s)
{
	return s->peer_count;
}
