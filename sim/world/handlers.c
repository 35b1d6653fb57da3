/* world/handlers.c: probes and hooks, run from the node as its kubelet does.
 *
 * httpGet and tcpSocket are connections over the network; the texts are the kubelet's
 * (pkg/probe). exec cannot run programs: `cat FILE`, `ls FILE`, `test -f FILE` ask the
 * pod's files, `sleep N` waits, `false` and `exit N` fail, all else succeeds at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/client.h"
#include "world/files.h"
#include "world/live.h"
#include "world/op.h"

struct handler {
	struct world *world;
	struct handler *next, **back;
	uint64_t call;
	bool http;
	char url[512], endpoint[NET_ADDR_TEXT + 8];
	struct client *client;
	struct event_id later;
};

static void handler_free(struct handler *h)
{
	engine_cancel(h->world->engine, &h->later);
	client_free(h->client);
	*h->back = h->next;
	if (h->next)
		h->next->back = h->back;
	free(h);
}

void handlers_free(struct world *w)
{
	while (w->handlers)
		handler_free(w->handlers);
}

static void answer(struct handler *h, bool ok, const char *text)
{
	struct world *w = h->world;
	uint64_t id = h->call;
	char copy[900];
	snprintf(copy, sizeof copy, "%s", text ? text : "");
	handler_free(h);
	control_call_done(w->control, id, ok, ok ? NULL : copy);
}

static const char *dial_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connect: connection refused";
	case EHOSTUNREACH:
		return "connect: no route to host";
	case ENETUNREACH:
		return "connect: network is unreachable";
	case ECONNRESET:
		return "read: connection reset by peer";
	case ETIMEDOUT:
		return "i/o timeout";
	default:
		return "connect: operation failed";
	}
}

static void client_done(void *ctx, struct client *client, const struct client_result *r)
{
	struct handler *h = ctx;
	char text[800];
	(void)client;
	if (r->error == ETIMEDOUT && h->http)
		snprintf(text, sizeof text, "Get \"%s\": context deadline exceeded (Client.Timeout "
			 "exceeded while awaiting headers)", h->url);
	else if (r->error)
		snprintf(text, sizeof text, "%s%s%sdial tcp %s: %s", h->http ? "Get \"" : "",
			 h->http ? h->url : "", h->http ? "\": " : "", h->endpoint,
			 dial_error(r->error));
	else
		snprintf(text, sizeof text, "HTTP probe failed with statuscode: %d", r->http_status);
	answer(h, !r->error && (!h->http || (r->http_status >= 200 && r->http_status < 400)), text);
}

/* A call must not be answered with the client that reports still on the stack. */
static void refused_at_once(void *ctx)
{
	struct handler *h = ctx;
	char text[600];
	snprintf(text, sizeof text, "dial tcp %s: connect: network is unreachable", h->endpoint);
	answer(h, false, text);
}

static void dial(struct handler *h, const struct control_call *call)
{
	struct world *w = h->world;
	const struct kube_probe_handler *what = call->handler;
	struct place *pod_place, *from = NULL;
	char name[400];
	snprintf(name, sizeof name, "pod/%s/%s", call->pod->object.meta.namespace,
		 call->pod->object.meta.name);
	pod_place = place_find(w, name);
	if (pod_place)
		from = place_of_node(w, pod_place->node);
	h->http = what->http_get.set;
	net_endpoint_text(&call->address, call->port, h->endpoint);
	snprintf(h->url, sizeof h->url, "%s://%s%s%s",
		 what->http_get.scheme && strcmp(what->http_get.scheme, "HTTPS") == 0 ? "https" : "http",
		 h->endpoint, what->http_get.path && *what->http_get.path == '/' ? "" : "/",
		 what->http_get.path ? what->http_get.path : "");
	struct client_config config = {
		.engine = w->engine, .proto = PROTO_TCP, .remote = { call->address, call->port },
		.path = what->http_get.path ? what->http_get.path : "/", .connect_only = !h->http,
		.timeout_ns = call->timeout_ns,
	};
	if (from)
		config.sockets = place_sockets(from);
	if (!config.sockets.class || client_start(&config, client_done, h, &h->client) != 0)
		h->later = engine_after(w->engine, 0, refused_at_once, h);
}

/* ---- exec ------------------------------------------------------------------------------------- */

static void done_well(void *ctx)
{
	answer(ctx, true, NULL);
}

static void done_badly(void *ctx)
{
	answer(ctx, false, "command terminated with exit code 1");
}

static bool file_is_there(struct place *p, const char *container, const char *path)
{
	struct strbuf text = { 0 };
	int code = world_file_read(p->world, p, container, path, &text);
	strbuf_free(&text);
	return code == 0;
}

static void exec(struct handler *h, const struct control_call *call)
{
	const struct kube_strings *words = &call->handler->exec.command;
	struct strbuf line = { 0 };
	char name[400], file[256];
	double seconds = 0;
	bool ok = true;
	for (uint32_t i = 0; i < words->count; i++)
		strbuf_printf(&line, "%s%s", i ? " " : "", words->items[i]);
	const char *text = strbuf_text(&line);
	snprintf(name, sizeof name, "pod/%s/%s", call->pod->object.meta.namespace,
		 call->pod->object.meta.name);
	struct place *p = place_find(h->world, name);
	const char *at;
	int code = 0;
	if ((at = strstr(text, "sleep ")) != NULL)
		sscanf(at + 6, "%lf", &seconds);
	if ((at = strstr(text, "cat ")) != NULL ? sscanf(at + 4, "%255s", file) == 1
	    : (at = strstr(text, "test -f ")) != NULL ? sscanf(at + 8, "%255s", file) == 1
	    : (at = strstr(text, "ls ")) != NULL ? sscanf(at + 3, "%255s", file) == 1 : false)
		ok = p && file_is_there(p, call->spec->name, file);
	if ((at = strstr(text, "exit ")) != NULL && sscanf(at + 5, "%d", &code) == 1)
		ok = code == 0;
	if (strcmp(text, "false") == 0 || strcmp(text, "/bin/false") == 0)
		ok = false;
	strbuf_free(&line);
	h->later = engine_after(h->world->engine, (int64_t)(seconds * (double)NS_PER_S),
				ok ? done_well : done_badly, h);
}

void run_handler(struct world *w, const struct control_call *call)
{
	struct handler *h = mem_alloc(sizeof *h);
	h->world = w;
	h->call = call->id;
	h->next = w->handlers;
	h->back = &w->handlers;
	if (h->next)
		h->next->back = &h->next;
	w->handlers = h;
	if (call->handler->exec.set)
		exec(h, call);
	else if (call->handler->sleep.set)
		h->later = engine_after(w->engine, call->handler->sleep.seconds * NS_PER_S, done_well,
					h);
	else
		dial(h, call);
}
