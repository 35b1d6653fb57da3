/* apps/coredns.c: see coredns.h. */
#include "apps/coredns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/server.h"
#include "core/strbuf.h"

#define SYNC_WAIT_NS (5 * NS_PER_S)
#define IDLE_NS (10 * NS_PER_S)
#define FIRST_READ_NS (3 * NS_PER_S)
/* How often a kubelet looks after a pod: syncFrequency and up to half of it more. */
#define KUBELET_SYNC_NS (60 * NS_PER_S)

struct stream { /* one TCP client */
	struct coredns *owner;
	struct stream *next, **back;
	struct sock *sock;
	struct sock_name peer;
	struct strbuf in;
	struct event_id idle;
	uint32_t pending;        /* replies that are under way */
	bool ended;              /* the client sends no more */
	int64_t busy_until_ns;   /* one query after the other is answered */
};

struct reply { /* a reply that leaves later */
	struct coredns *owner;
	struct reply *next, **back;
	struct stream *stream;   /* NULL: a datagram */
	struct sock_name to;
	struct event_id when;
	struct strbuf bytes;
};

struct coredns {
	struct coredns_config config;
	struct arena *arena;
	struct dns_view *view;
	struct dns_server *server;
	struct sock *udp, *tcp;
	struct server *health, *ready;
	struct stream *streams;
	struct reply *replies;
	struct event_id sync, serve, stop;
	bool draining;
	/* reload */
	bool watching;
	uint32_t watch;                  /* of ConfigMaps */
	struct kube_object *written, *mounted; /* in the API, in the volume; references */
	struct corefile *corefile;       /* the last one that was tried */
	struct dns_server *coming;       /* takes over at the end of `restart` */
	struct event_id project, look, restart;
	int64_t kubelet_sync_ns;         /* when the kubelet next looks after the pod */
	int64_t looked_ns, interval_ns;  /* reload's ticker; 0: none */
};

/* ---- replies ------------------------------------------------------------------ */

static void reply_free(struct reply *r)
{
	*r->back = r->next;
	if (r->next)
		r->next->back = r->back;
	if (r->stream)
		r->stream->pending--;
	engine_cancel(r->owner->config.engine, &r->when);
	strbuf_free(&r->bytes);
	free(r);
}

static void stream_close(struct stream *s);

static void reply_leaves(void *ctx)
{
	struct reply *r = ctx;
	struct stream *stream = r->stream;
	const struct sockets_class *class = r->owner->config.sockets.class;
	if (stream)
		class->send(stream->sock, NULL, r->bytes.data, r->bytes.length);
	else if (r->owner->udp)
		class->send(r->owner->udp, &r->to, r->bytes.data, r->bytes.length);
	reply_free(r);
	if (stream && stream->ended && !stream->pending)
		stream_close(stream);
}

static void answer(struct coredns *c, struct stream *stream, const struct sock_name *from,
		   const uint8_t *query, size_t length)
{
	struct dns_client client = { from->addr, from->port, stream != NULL };
	struct strbuf bytes = { 0 };
	int64_t delay, now = engine_now(c->config.engine);
	int64_t start = stream && stream->busy_until_ns > now ? stream->busy_until_ns : now;
	if (stream)
		strbuf_add(&bytes, "\0", 2); /* the length, below */
	if (!dns_server_answer(c->server, query, length, &client, start, &bytes, &delay)) {
		strbuf_free(&bytes);
		return;
	}
	delay += start - now + c->config.answer_ns;
	if (stream) {
		size_t size = bytes.length - 2;
		bytes.data[0] = (char)(size >> 8);
		bytes.data[1] = (char)size;
		stream->pending++;
		stream->busy_until_ns = now + delay;
	}
	struct reply *r = mem_alloc(sizeof *r);
	*r = (struct reply){ .owner = c, .next = c->replies, .back = &c->replies, .stream = stream,
			     .to = *from, .bytes = bytes };
	if (r->next)
		r->next->back = &r->next;
	c->replies = r;
	r->when = engine_after(c->config.engine, delay, reply_leaves, r);
}

/* ---- streams -------------------------------------------------------------------- */

static void stream_free(struct stream *s)
{
	struct coredns *c = s->owner;
	for (struct reply *r = c->replies, *next; r; r = next) {
		next = r->next;
		if (r->stream == s)
			reply_free(r);
	}
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	engine_cancel(c->config.engine, &s->idle);
	strbuf_free(&s->in);
	free(s);
}

static void stream_close(struct stream *s)
{
	s->owner->config.sockets.class->close(s->sock);
	stream_free(s);
}

static void stream_idle(void *ctx)
{
	struct stream *s = ctx;
	if (s->pending)
		s->idle = engine_after(s->owner->config.engine, IDLE_NS, stream_idle, s);
	else
		stream_close(s);
}

static void stream_data(struct stream *s, const struct sock_event *event)
{
	struct engine *engine = s->owner->config.engine;
	size_t at = 0;
	strbuf_add(&s->in, event->bytes, event->length);
	const uint8_t *in = (const uint8_t *)s->in.data;
	while (s->in.length - at >= 2) {
		size_t length = (size_t)in[at] << 8 | in[at + 1];
		if (s->in.length - at - 2 < length)
			break;
		answer(s->owner, s, &s->peer, in + at + 2, length);
		at += 2 + length;
	}
	if (!at)
		return; /* the time for a whole query runs on */
	memmove(s->in.data, s->in.data + at, s->in.length - at);
	s->in.length -= at;
	engine_cancel(engine, &s->idle);
	s->idle = engine_after(engine, IDLE_NS, stream_idle, s);
}

static void on_stream(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct stream *s = ctx;
	(void)sock;
	switch (event->kind) {
	case SOCK_DATA:
		stream_data(s, event);
		break;
	case SOCK_EOF:
		s->ended = true;
		if (!s->pending)
			stream_close(s);
		break;
	case SOCK_CLOSED:
	case SOCK_ERROR:
		stream_close(s);
		break;
	default:
		break;
	}
}

static void on_listener(void *ctx, struct sock *sock, const struct sock_event *event)
{
	struct coredns *c = ctx;
	(void)sock;
	if (event->kind != SOCK_ACCEPTED)
		return;
	struct stream *s = mem_alloc(sizeof *s);
	*s = (struct stream){ .owner = c, .next = c->streams, .back = &c->streams,
			      .sock = event->accepted, .peer = event->peer };
	if (s->next)
		s->next->back = &s->next;
	c->streams = s;
	s->idle = engine_after(c->config.engine, FIRST_READ_NS, stream_idle, s);
	c->config.sockets.class->set_handler(s->sock, on_stream, s);
}

static void on_datagram(void *ctx, struct sock *sock, const struct sock_event *event)
{
	(void)sock;
	if (event->kind == SOCK_DATA)
		answer(ctx, NULL, &event->peer, event->bytes, event->length);
}

/* ---- health and readiness ------------------------------------------------------------ */

static int serve_health(void *ctx, const char *method, const char *path, const char *host,
			struct strbuf *body)
{
	(void)ctx, (void)method, (void)host;
	if (strcmp(path, "/health") != 0) {
		strbuf_puts(body, "404 page not found\n");
		return 404;
	}
	strbuf_puts(body, "OK");
	return 200;
}

static int serve_ready(void *ctx, const char *method, const char *path, const char *host,
		       struct strbuf *body)
{
	(void)method, (void)host;
	if (strcmp(path, "/ready") != 0) {
		strbuf_puts(body, "404 page not found\n");
		return 404;
	}
	bool ready = coredns_ready(ctx);
	strbuf_puts(body, ready ? "OK" : "kubernetes");
	return ready ? 200 : 503;
}

static int open_http(struct coredns *c)
{
	struct server_config http = { .sockets = c->config.sockets, .name = "coredns",
				      .proto = PROTO_TCP, .ctx = c };
	int code = 0;
	if (dns_server_health_port(c->server)) {
		http.port = dns_server_health_port(c->server);
		http.serve = serve_health;
		code = server_start(&http, &c->health);
	}
	if (!code && dns_server_ready_port(c->server)) {
		http.port = dns_server_ready_port(c->server);
		http.serve = serve_ready;
		code = server_start(&http, &c->ready);
	}
	return code;
}

/* ---- life ------------------------------------------------------------------------------ */

static int open_sockets(struct coredns *c)
{
	const struct sockets_ref *n = &c->config.sockets;
	struct sock_options options = { .local = { .port = 53 } };
	int code = n->class->datagram(n->object, NULL, &options, on_datagram, c, &c->udp);
	if (!code)
		code = n->class->listen(n->object, PROTO_TCP, &options, on_listener, c, &c->tcp);
	return code;
}

static void start_serving(void *ctx)
{
	struct coredns *c = ctx;
	int code = open_sockets(c);
	if (code && c->config.warnings)
		strbuf_printf(c->config.warnings, "coredns: port 53: %s\n", strerror(code));
}

static void view_synced(void *ctx)
{
	struct coredns *c = ctx;
	dns_view_watch(c->view, c->config.store, c->config.watch_delay_ns);
	dns_view_set_synced(c->view, true);
}

static int make_server(struct coredns *c, const struct corefile *corefile, struct dns_server **out,
		       struct err *err)
{
	const struct coredns_config *config = &c->config;
	return dns_server_new(&(struct dns_server_config){ .corefile = corefile,
							   .view = c->view,
							   .upstream = config->upstream,
							   .choice = config->choice,
							   .local = config->local,
							   .local_count = config->local_count,
							   .epoch_s = config->epoch_s,
							   .warnings = config->warnings },
			      out, err);
}

static int read_corefile(struct coredns *c, const struct kube_object *map, struct corefile **out,
			 struct err *err)
{
	return corefile_from_config_map(c->arena, (const struct kube_config_map *)map,
					c->config.domain ? c->config.domain : "cluster.local", out,
					err);
}

/* ---- reload ------------------------------------------------------------------------------ */

static void start_ticker(struct coredns *c)
{
	struct dns_reload r = dns_server_reload(c->server);
	c->looked_ns = engine_now(c->config.engine);
	c->interval_ns = r.interval_ns;
	if (r.interval_ns && r.jitter_ns)
		c->interval_ns += (int64_t)choice_uniform(c->config.choice, "reload",
							  (uint64_t)r.jitter_ns) - r.jitter_ns / 2;
}

static void failed_reload(struct coredns *c, const struct err *err)
{
	if (c->config.warnings)
		strbuf_printf(c->config.warnings, "coredns: Corefile changed but reload failed: %s\n",
			      err->text);
}

/* Health and readiness move where their ports differ. */
static void take_over(void *ctx)
{
	struct coredns *c = ctx;
	struct dns_server *old = c->server;
	c->server = c->coming;
	c->coming = NULL;
	if (dns_server_health_port(old) != dns_server_health_port(c->server) ||
	    dns_server_ready_port(old) != dns_server_ready_port(c->server)) {
		server_stop(c->health, false);
		server_stop(c->ready, false);
		c->health = c->ready = NULL;
		open_http(c);
	}
	dns_server_free(old);
	start_ticker(c);
}

/* A tick of reload's ticker at which the volume has another file than at the last one. */
static void look(void *ctx)
{
	struct coredns *c = ctx;
	struct corefile *changed;
	struct err err = { "" };
	c->looked_ns = engine_now(c->config.engine);
	if (read_corefile(c, c->mounted, &changed, &err)) {
		failed_reload(c, &err);
		return;
	}
	if (corefile_equal(changed, c->corefile))
		return;
	c->corefile = changed;
	if (make_server(c, changed, &c->coming, &err)) {
		failed_reload(c, &err);
		return;
	}
	c->interval_ns = 0; /* until the new server has its own ticker */
	c->restart = engine_after(c->config.engine, c->config.sync_delay_ns, take_over, c);
}

/* Looks at the ticker's next tick. */
static void look_again(struct coredns *c)
{
	struct engine *engine = c->config.engine;
	int64_t now = engine_now(engine);
	if (!c->interval_ns || c->draining)
		return;
	int64_t ticks = (now - c->looked_ns) / c->interval_ns + 1;
	engine_cancel(engine, &c->look);
	c->look = engine_after(engine, c->looked_ns + ticks * c->interval_ns - now, look, c);
}

static void project(void *ctx)
{
	struct coredns *c = ctx;
	kube_unref(c->mounted);
	c->mounted = c->written;
	c->written = NULL;
	look_again(c);
}

static void on_config_map(void *ctx, enum kube_change change, const struct kube_object *old,
			  const struct kube_object *now)
{
	struct coredns *c = ctx;
	struct engine *engine = c->config.engine;
	(void)old;
	if (change == KUBE_DELETED || strcmp(now->meta.name, "coredns") != 0 ||
	    strcmp(now->meta.namespace, "kube-system") != 0)
		return;
	bool waiting = c->written != NULL;
	kube_unref(c->written);
	c->written = kube_ref(now);
	if (waiting)
		return;
	while (c->kubelet_sync_ns <= engine_now(engine))
		c->kubelet_sync_ns += KUBELET_SYNC_NS +
				      (int64_t)choice_uniform(c->config.choice, "kubelet-sync",
							      KUBELET_SYNC_NS / 2);
	c->project = engine_after(engine, c->kubelet_sync_ns - engine_now(engine), project, c);
}

static int first_server(struct coredns *c, struct err *err)
{
	struct kube_store *store = c->config.store;
	const struct kube_object *map = kube_store_get(store, KIND_CONFIG_MAP, "kube-system",
						       "coredns");
	int code = read_corefile(c, map, &c->corefile, err);
	if (!code)
		code = make_server(c, c->corefile, &c->server, err);
	if (code)
		return code;
	c->kubelet_sync_ns = engine_now(c->config.engine);
	if (map) {
		c->mounted = kube_ref(map);
		c->watching = true;
		c->watch = kube_watch(store, KIND_CONFIG_MAP, c->config.watch_delay_ns,
				      on_config_map, c);
	}
	start_ticker(c);
	return 0;
}

int coredns_start(const struct coredns_config *config, struct coredns **out, struct err *err)
{
	struct coredns *c = mem_alloc(sizeof *c);
	c->config = *config;
	c->arena = arena_new();
	c->view = dns_view_new();
	dns_view_set_synced(c->view, false);
	int code = first_server(c, err);
	if (!code) {
		code = open_http(c);
		if (!code && config->sync_delay_ns <= 0)
			code = open_sockets(c);
		if (code)
			err_set(err, code, "coredns: cannot listen: %s", strerror(code));
	}
	if (code) {
		coredns_stop(c, false);
		return code;
	}
	if (config->sync_delay_ns <= 0) {
		view_synced(c);
	} else {
		int64_t wait = config->sync_delay_ns < SYNC_WAIT_NS ? config->sync_delay_ns :
								      SYNC_WAIT_NS;
		c->sync = engine_after(config->engine, config->sync_delay_ns, view_synced, c);
		c->serve = engine_after(config->engine, wait, start_serving, c);
	}
	*out = c;
	return 0;
}

static void stop_reloading(struct coredns *c)
{
	struct engine *engine = c->config.engine;
	if (c->watching)
		kube_unwatch(c->config.store, c->watch);
	c->watching = false;
	engine_cancel(engine, &c->project);
	engine_cancel(engine, &c->look);
	engine_cancel(engine, &c->restart);
	dns_server_free(c->coming);
	c->coming = NULL;
}

void coredns_stop(struct coredns *c, bool reset)
{
	if (!c)
		return;
	const struct sockets_class *class = c->config.sockets.class;
	engine_cancel(c->config.engine, &c->sync);
	engine_cancel(c->config.engine, &c->serve);
	engine_cancel(c->config.engine, &c->stop);
	stop_reloading(c);
	server_stop(c->health, reset);
	server_stop(c->ready, reset);
	while (c->streams) {
		if (reset) {
			class->abort(c->streams->sock);
			stream_free(c->streams);
		} else {
			stream_close(c->streams);
		}
	}
	while (c->replies)
		reply_free(c->replies);
	if (c->udp)
		class->close(c->udp);
	if (c->tcp)
		class->close(c->tcp);
	kube_unref(c->written);
	kube_unref(c->mounted);
	dns_server_free(c->server);
	dns_view_free(c->view);
	arena_free(c->arena);
	free(c);
}

/* The lame duck's end: closes what is open; the owner still stops the program. */
static void stop_serving(void *ctx)
{
	struct coredns *c = ctx;
	const struct sockets_class *class = c->config.sockets.class;
	server_stop(c->health, false);
	c->health = NULL;
	if (c->udp)
		class->close(c->udp);
	if (c->tcp)
		class->close(c->tcp);
	c->udp = c->tcp = NULL;
	while (c->streams)
		stream_close(c->streams);
}

void coredns_drain(struct coredns *c)
{
	if (c->draining)
		return;
	c->draining = true;
	server_stop(c->ready, false);
	c->ready = NULL;
	engine_cancel(c->config.engine, &c->serve);
	stop_reloading(c);
	c->stop =
	    engine_after(c->config.engine, dns_server_lameduck_ns(c->server), stop_serving, c);
}

bool coredns_ready(const struct coredns *c)
{
	return !c->draining && dns_server_ready(c->server);
}

struct dns_server_stats coredns_stats(const struct coredns *c)
{
	return dns_server_stats(c->server);
}
