/* apps/ingress_session.c: a client's connection to an Ingress controller, its requests and
 * what becomes of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "apps/client.h"
#include "apps/http.h"
#include "apps/ingress_internal.h"

#define TRIES 3                          /* proxy-next-upstream-tries */
#define CONNECT_NS (5 * NS_PER_S)        /* proxy-connect-timeout */
#define ANSWER_NS (60 * NS_PER_S)        /* proxy-read-timeout */
#define LOG_LIMIT_BYTES (1u << 20)

struct session {
	struct ingress *owner;
	struct session *next, **back;
	struct sock *sock;
	struct sock_name client;
	uint16_t port;                   /* that it came in by */
	struct http_message request;
	/* The request under way: */
	struct client *upstream;         /* NULL: none */
	char host[256], agent[128];
	char *data;
	const char *name;                /* of the upstream; "" the default backend */
	struct sock_name at;             /* endpoint that was dialled last */
	uint32_t tries;
	int64_t began_ns;
	bool busy, last;                 /* last: the client says no more */
};

static const struct sockets_class *class_of(const struct session *s)
{
	return s->owner->config.sockets.class;
}

static void session_free(struct session *s)
{
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	client_free(s->upstream);
	http_free(&s->request);
	free(s->data);
	free(s);
}

void sessions_free(struct ingress *g, bool reset)
{
	while (g->sessions) {
		struct session *s = g->sessions;
		if (reset)
			class_of(s)->abort(s->sock);
		else
			class_of(s)->close(s->sock);
		session_free(s);
	}
}

/* ---- answers ------------------------------------------------------------------------------- */

static const char *nginx_words(int status)
{
	switch (status) {
	case 503: return "Service Temporarily Unavailable";
	case 504: return "Gateway Time-out";
	default: return http_reason(status);
	}
}

/* The request in the controller's log format, with the upstream's name and endpoint. */
static void write_log(struct session *s, int status, size_t length)
{
	struct ingress *g = s->owner;
	char client[NET_ADDR_TEXT], at[NET_ADDR_TEXT + 8], when[64];
	int64_t now = engine_now(g->config.engine), took = now - s->began_ns;
	time_t seconds = (time_t)(g->config.epoch_s + now / NS_PER_S);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &utc);
	if (g->log.length > LOG_LIMIT_BYTES)
		strbuf_clear(&g->log);
	strbuf_printf(&g->log, "%s - - [%s] \"%s %s HTTP/1.1\" %d %zu \"-\" \"%s\" %zu %lld.%03lld [%s] [] ",
		      net_addr_text(&s->client.addr, client), when, s->request.method,
		      s->request.path, status, length, *s->agent ? s->agent : "-",
		      s->request.head_length + s->request.body_length, (long long)(took / NS_PER_S),
		      (long long)(took / NS_PER_MS % 1000), s->name);
	if (s->at.port)
		strbuf_printf(&g->log, "%s %zu %lld.%03lld %d\n",
			      net_endpoint_text(&s->at.addr, s->at.port, at), length,
			      (long long)(took / NS_PER_S), (long long)(took / NS_PER_MS % 1000), status);
	else
		strbuf_puts(&g->log, "- - - -\n");
}

static void next_request(struct session *s);

/* Sends what is made up; `head` without its last empty line. */
static void finish(struct session *s, int status, struct strbuf *head, const char *body,
		   size_t length)
{
	bool close = s->request.close;
	write_log(s, status, length);
	strbuf_printf(head, "Content-Length: %zu\r\nConnection: %s\r\n\r\n", length,
		      close ? "close" : "keep-alive");
	if (strcmp(s->request.method, "HEAD") != 0)
		strbuf_add(head, body, length);
	class_of(s)->send(s->sock, NULL, head->data, head->length);
	strbuf_free(head);
	free(s->data);
	s->data = NULL;
	s->busy = false;
	http_take(&s->request);
	if (close) {
		class_of(s)->shutdown(s->sock);
		s->last = true;
	} else {
		next_request(s);
	}
}

static void finish_own(struct session *s, int status)
{
	struct strbuf head = { 0 }, body = { 0 };
	strbuf_printf(&body,
		      "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1>"
		      "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
		      status, nginx_words(status), status, nginx_words(status));
	strbuf_printf(&head, "HTTP/1.1 %d %s\r\nContent-Type: text/html\r\n", status,
		      nginx_words(status));
	finish(s, status, &head, strbuf_text(&body), body.length);
	strbuf_free(&body);
}

static bool hop_by_hop(const char *line)
{
	static const char *const names[] = { "Connection:", "Keep-Alive:", "Content-Length:",
					     "Transfer-Encoding:" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void pass_on(struct session *s, const struct client_result *r)
{
	struct strbuf head = { 0 };
	for (const char *line = strbuf_text(&r->head); *line && *line != '\r';) {
		const char *end = strstr(line, "\r\n");
		if (!end)
			break;
		if (!hop_by_hop(line))
			strbuf_add(&head, line, (size_t)(end + 2 - line));
		line = end + 2;
	}
	finish(s, r->http_status, &head, strbuf_text(&r->body), r->body.length);
}

/* ---- endpoints -------------------------------------------------------------------------------- */

static bool same_endpoints(const struct balance *b, const struct ingress_upstream *u)
{
	if (b->count != u->count)
		return false;
	for (uint32_t i = 0; i < u->count; i++)
		if (b->endpoints[i].port != u->endpoints[i].port ||
		    !net_addr_equal(&b->endpoints[i].addr, &u->endpoints[i].addr))
			return false;
	return true;
}

/* Where the round robin stands; one over a changed list begins anywhere. */
static struct balance *balance_of(struct ingress *g, const struct ingress_upstream *u)
{
	struct balance *b = table_find(&g->balances, u->name);
	if (!b) {
		char *name = mem_strdup(u->name);
		b = table_put(&g->balances, name, NULL);
		b->name = name;
	}
	if (!same_endpoints(b, u)) {
		free(b->endpoints);
		b->endpoints = mem_array(u->count, sizeof *b->endpoints);
		memcpy(b->endpoints, u->endpoints, u->count * sizeof *b->endpoints);
		b->count = u->count;
		b->next = (uint32_t)choice_uniform(g->config.choice, "backend", u->count);
	}
	return b;
}

static bool may_repeat(const struct session *s, const struct client_result *r)
{
	return !r->connected_ns || (strcmp(s->request.method, "POST") != 0 &&
				    strcmp(s->request.method, "PATCH") != 0);
}

static void dial(struct session *s);

static void upstream_done(void *ctx, struct client *c, const struct client_result *r)
{
	struct session *s = ctx;
	int error = r->error;
	bool again = error && s->tries < TRIES && may_repeat(s, r);
	(void)c;
	if (error) {
		client_free(s->upstream);
		s->upstream = NULL;
		if (again)
			dial(s);
		else
			finish_own(s, error == ETIMEDOUT ? 504 : 502);
		return;
	}
	struct client *done = s->upstream;
	s->upstream = NULL; /* the next request may be dialled before the answer is freed */
	pass_on(s, r);
	client_free(done);
}

/* The client's header lines, and what nginx adds. */
static void forwarded_headers(const struct session *s, struct strbuf *out)
{
	static const char *const own[] = { "Host:", "X-Real-IP:", "X-Forwarded-For:",
					   "X-Forwarded-Host:", "X-Forwarded-Port:",
					   "X-Forwarded-Proto:", "X-Forwarded-Scheme:", "X-Scheme:" };
	const char *line = strstr(s->request.bytes.data, "\r\n") + 2;
	const char *end = s->request.bytes.data + s->request.head_length - 2;
	char client[NET_ADDR_TEXT];
	const char *scheme = s->port == s->owner->ports[1] ? "https" : "http";
	while (line < end) {
		const char *stop = strstr(line, "\r\n");
		bool replaced = hop_by_hop(line);
		for (size_t i = 0; i < sizeof own / sizeof *own; i++)
			replaced |= strncasecmp(line, own[i], strlen(own[i])) == 0;
		if (!replaced)
			strbuf_add(out, line, (size_t)(stop + 2 - line));
		line = stop + 2;
	}
	net_addr_text(&s->client.addr, client);
	strbuf_printf(out, "X-Real-IP: %s\r\nX-Forwarded-For: %s\r\nX-Forwarded-Host: %s\r\n"
		      "X-Forwarded-Port: %u\r\nX-Forwarded-Proto: %s\r\nX-Forwarded-Scheme: %s\r\n"
		      "X-Scheme: %s\r\n", client, client, s->host, s->port, scheme, scheme, scheme);
}

static void dial(struct session *s)
{
	struct ingress *g = s->owner;
	const struct ingress_upstream *u = ingress_route(g->routes, s->host, s->request.path);
	struct strbuf headers = { 0 };
	if (!u || !u->count) {
		s->name = u ? u->name : "upstream-default-backend";
		s->at.port = 0;
		finish_own(s, u ? 503 : 404);
		return;
	}
	struct balance *b = balance_of(g, u);
	s->at = b->endpoints[b->next];
	b->next = (b->next + 1) % b->count;
	s->name = b->name;
	s->tries++;
	if (b->count == 1) /* nobody else to ask */
		s->tries = TRIES;
	forwarded_headers(s, &headers);
	struct client_config config = {
		.sockets = g->config.sockets, .engine = g->config.engine, .proto = PROTO_TCP,
		.remote = s->at, .options = { .connect_timeout_ns = CONNECT_NS },
		.method = s->request.method, .path = s->request.path, .host = s->host,
		.data = s->data, .headers = strbuf_text(&headers),
		.timeout_ns = CONNECT_NS + ANSWER_NS,
	};
	int code = client_start(&config, upstream_done, s, &s->upstream);
	strbuf_free(&headers);
	if (code && s->tries < TRIES)
		dial(s);
	else if (code)
		finish_own(s, 502);
}

/* ---- the client's side --------------------------------------------------------------------------- */

static void begin_request(struct session *s)
{
	s->busy = true;
	s->tries = 0;
	s->began_ns = engine_now(s->owner->config.engine);
	http_header(&s->request, "Host", s->host, sizeof s->host);
	http_header(&s->request, "User-Agent", s->agent, sizeof s->agent);
	if (s->request.body_length) {
		struct strbuf copy = { 0 };
		strbuf_add(&copy, http_body(&s->request), s->request.body_length);
		s->data = strbuf_steal(&copy);
	}
	dial(s);
}

static void bad_request(struct session *s)
{
	struct strbuf head = { 0 };
	strbuf_puts(&head, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	class_of(s)->send(s->sock, NULL, head.data, head.length);
	class_of(s)->shutdown(s->sock);
	strbuf_free(&head);
	s->last = true;
}

static void feed(struct session *s, const void *bytes, size_t length)
{
	switch (http_feed(&s->request, bytes, length)) {
	case HTTP_COMPLETE:
		if (!s->busy)
			begin_request(s);
		break;
	case HTTP_BAD:
		if (!s->busy)
			bad_request(s);
		break;
	case HTTP_MORE:
		break;
	}
}

/* One that came before the last was answered. */
static void next_request(struct session *s)
{
	feed(s, NULL, 0);
}

static void on_client(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct session *s = ctx;
	switch (event->kind) {
	case SOCK_DATA:
		if (!s->last)
			feed(s, event->bytes, event->length);
		break;
	case SOCK_EOF:
		if (s->busy)
			s->request.close = true; /* answered all the same */
		else
			class_of(s)->shutdown(sock);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		class_of(s)->close(sock);
		session_free(s);
		break;
	default:
		break;
	}
}

void session_accept(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct ingress *g = ctx;
	if (event->kind != SOCK_ACCEPTED)
		return;
	struct session *s = mem_alloc(sizeof *s);
	*s = (struct session){ .owner = g, .next = g->sessions, .back = &g->sessions,
			       .sock = event->accepted, .client = event->peer, .name = "",
			       .port = g->ports[sock == g->listeners[1]] };
	if (s->next)
		s->next->back = &s->next;
	g->sessions = s;
	g->config.sockets.class->set_handler(s->sock, on_client, s);
}
