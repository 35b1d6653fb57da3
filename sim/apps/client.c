/* apps/client.c: see client.h. */
#include "apps/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http.h"
#include "core/arena.h"

struct client {
	struct client_config config;
	char *path, *host, *data, *headers;
	struct sock *sock;
	struct http_message answer;
	struct client_result result;
	struct event_id timeout;
	client_done_fn *fn;
	void *ctx;
	bool waiting; /* a report is due */
	bool answered; /* the answer is whole, its end is awaited */
};

static const struct sockets_class *class_of(const struct client *c)
{
	return c->config.sockets.class;
}

static void drop_socket(struct client *c, bool reset)
{
	if (!c->sock)
		return;
	struct sock *sock = c->sock;
	c->sock = NULL;
	if (reset)
		class_of(c)->abort(sock);
	else
		class_of(c)->close(sock);
}

/* The report may free the client: nothing may follow a call of this. */
static void report(struct client *c, int error)
{
	if (!c->waiting)
		return;
	c->waiting = false;
	engine_cancel(c->config.engine, &c->timeout);
	c->result.error = error;
	c->result.ended_ns = engine_now(c->config.engine);
	if (error || !c->config.keep_open)
		drop_socket(c, false);
	c->fn(c->ctx, c, &c->result);
}

static void on_timeout(void *ctx)
{
	struct client *c = ctx;
	drop_socket(c, false);
	report(c, ETIMEDOUT);
}

static int send_request(struct client *c)
{
	struct strbuf out = { 0 };
	size_t length = c->data ? strlen(c->data) : 0;
	strbuf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n%s",
		      c->config.method ? c->config.method : length ? "POST" : "GET", c->path,
		      c->host, c->headers ? c->headers : "User-Agent: svclab\r\n");
	if (length)
		strbuf_printf(&out, "Content-Length: %zu\r\n", length);
	if (!c->config.keep_open)
		strbuf_puts(&out, "Connection: close\r\n");
	strbuf_puts(&out, "\r\n");
	if (length)
		strbuf_add(&out, c->data, length);
	int code = class_of(c)->send(c->sock, NULL, out.data, out.length);
	strbuf_free(&out);
	return code;
}

/* "10.0.0.1:80" or "[fd00::1]:80". */
static void parse_endpoint(const char *text, struct sock_name *out)
{
	char address[NET_ADDR_TEXT + 8];
	snprintf(address, sizeof address, "%s", text);
	char *colon = strrchr(address, ':');
	if (!colon)
		return;
	*colon = '\0';
	char *start = address;
	if (*start == '[' && colon[-1] == ']') {
		start++;
		colon[-1] = '\0';
	}
	if (net_addr_parse(start, &out->addr))
		out->port = (uint16_t)atoi(colon + 1);
}

static void answered(struct client *c)
{
	char value[256];
	struct client_result *r = &c->result;
	r->http_status = c->answer.status;
	http_header(&c->answer, "X-Pod", r->backend, sizeof r->backend);
	parse_endpoint(http_header(&c->answer, "X-Client", value, sizeof value), &r->seen);
	strbuf_clear(&r->head);
	strbuf_add(&r->head, c->answer.bytes.data, c->answer.head_length);
	strbuf_clear(&r->body);
	strbuf_add(&r->body, http_body(&c->answer), c->answer.body_length);
	/* The server closes first when it says so: who waits for its FIN, as HTTP/1.0 clients
	 * do, makes the same packets whatever the timing. */
	c->answered = c->answer.close && !c->config.keep_open;
	http_take(&c->answer);
	if (!c->answered)
		report(c, 0);
}

static void datagram_answered(struct client *c, const struct sock_event *event)
{
	struct client_result *r = &c->result;
	char line[512], client[256];
	snprintf(line, sizeof line, "%.*s", (int)event->length, (const char *)event->bytes);
	if (sscanf(line, "pod=%191s client=%255s", r->backend, client) == 2)
		parse_endpoint(client, &r->seen);
	r->http_status = 200;
	strbuf_clear(&r->body);
	const uint8_t *rest = memchr(event->bytes, '\n', event->length);
	size_t head = rest ? (size_t)(rest - event->bytes) + 1 : 0;
	strbuf_add(&r->body, event->bytes + head, event->length - head);
	r->peer = event->peer;
	report(c, 0);
}

static void connected(struct client *c)
{
	c->result.connected_ns = engine_now(c->config.engine);
	class_of(c)->names(c->sock, &c->result.local, &c->result.peer);
	if (c->config.connect_only)
		report(c, 0);
	else if (send_request(c) != 0)
		report(c, EPIPE);
}

static void failed(struct client *c, const struct sock_event *event)
{
	c->result.icmp_type = event->icmp_type;
	c->result.icmp_code = event->icmp_code;
	c->result.icmp_from = event->icmp_from;
	if (c->waiting)
		report(c, c->answered ? 0 : event->error ? event->error : ECONNRESET);
	else
		drop_socket(c, false);
}

static void on_socket(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct client *c = ctx;
	switch (event->kind) {
	case SOCK_CONNECTED:
		connected(c);
		break;
	case SOCK_DATA:
		if (c->config.proto == PROTO_UDP) {
			if (c->waiting)
				datagram_answered(c, event);
			break;
		}
		switch (http_feed(&c->answer, event->bytes, event->length)) {
		case HTTP_COMPLETE:
			answered(c);
			break;
		case HTTP_BAD:
			report(c, EPROTO);
			break;
		case HTTP_MORE:
			break;
		}
		break;
	case SOCK_EOF:
		if (c->waiting) /* closes, and may free the client */
			report(c, c->answered ? 0 : ECONNRESET);
		else
			class_of(c)->shutdown(sock);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		failed(c, event);
		break;
	default:
		break;
	}
}

static int open_socket(struct client *c)
{
	const struct sockets_ref *n = &c->config.sockets;
	if (c->config.proto != PROTO_UDP)
		return n->class->connect(n->object, c->config.proto, &c->config.remote,
					 &c->config.options, on_socket, c, &c->sock);
	int code = n->class->datagram(n->object, &c->config.remote, &c->config.options, on_socket, c,
				      &c->sock);
	if (code)
		return code;
	c->result.connected_ns = c->result.started_ns;
	const char *data = c->data ? c->data : "ping";
	code = n->class->send(c->sock, NULL, data, strlen(data));
	if (c->sock)
		n->class->names(c->sock, &c->result.local, &c->result.peer);
	return code;
}

int client_start(const struct client_config *config, client_done_fn *fn, void *ctx,
		 struct client **out)
{
	struct client *c = mem_alloc(sizeof *c);
	char remote[NET_ADDR_TEXT + 8];
	c->config = *config;
	c->fn = fn;
	c->ctx = ctx;
	c->path = mem_strdup(config->path ? config->path : "/");
	c->host = mem_strdup(config->host ? config->host
					  : net_endpoint_text(&config->remote.addr,
							      config->remote.port, remote));
	c->data = config->data ? mem_strdup(config->data) : NULL;
	c->headers = config->headers ? mem_strdup(config->headers) : NULL;
	c->result.started_ns = engine_now(config->engine);
	c->result.peer = config->remote;
	c->waiting = true;
	c->answer.head_only = config->method && strcmp(config->method, "HEAD") == 0;
	if (config->timeout_ns > 0)
		c->timeout = engine_after(config->engine, config->timeout_ns, on_timeout, c);
	int code = open_socket(c);
	if (code) {
		c->waiting = false;
		client_free(c);
		return code;
	}
	*out = c;
	return 0;
}

int client_again(struct client *c, const char *path, const char *data)
{
	if (!c->sock || c->waiting)
		return ENOTCONN;
	free(c->path);
	free(c->data);
	c->path = mem_strdup(path ? path : "/");
	c->data = data ? mem_strdup(data) : NULL;
	c->result.started_ns = engine_now(c->config.engine);
	c->result.http_status = 0;
	c->result.backend[0] = '\0';
	c->waiting = true;
	if (c->config.timeout_ns > 0)
		c->timeout = engine_after(c->config.engine, c->config.timeout_ns, on_timeout, c);
	if (c->config.proto == PROTO_UDP) {
		const char *text = c->data ? c->data : "ping";
		return class_of(c)->send(c->sock, NULL, text, strlen(text));
	}
	return send_request(c);
}

void client_close(struct client *c, bool reset)
{
	drop_socket(c, reset);
	if (c->waiting)
		report(c, ECANCELED);
}

bool client_is_open(const struct client *c)
{
	return c->sock != NULL;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	engine_cancel(c->config.engine, &c->timeout);
	drop_socket(c, false);
	http_free(&c->answer);
	strbuf_free(&c->result.head);
	strbuf_free(&c->result.body);
	free(c->path);
	free(c->host);
	free(c->data);
	free(c->headers);
	free(c);
}
