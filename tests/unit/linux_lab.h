/* tests/unit/linux_lab.h: a small network for tests of the Linux model.
 *
 *   client eth0 10.0.1.2/24 --- left 10.0.1.1/24  router  right 10.0.2.1/24 --- server eth0 10.0.2.2/24
 *
 * The router forwards; client and server have default routes to it. A hop takes 50 us.
 */
#ifndef TESTS_LINUX_LAB_H
#define TESTS_LINUX_LAB_H

#include <stdlib.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/netns.h"
#include "net/trace.h"
#include "tests/unit/check.h"

#define LAB_HOP_NS (50 * NS_PER_US)

struct lab {
	struct linux_env env;
	struct netns *client, *router, *server;
	uint16_t client_if, left, right, server_if;
	struct strbuf frames; /* one line a frame: "namespace:interface > packet" */
	uint32_t bad_checksums;
};

struct lab_app { /* a socket and what it was told */
	struct sockets_ref sockets;
	struct sock *sock;
	struct strbuf said, data;
	int error;
	struct sock_event last;
	bool echo; /* answers with what it gets, closes after EOF */
};

static inline struct net_addr lab_addr(const char *text)
{
	struct net_addr a = { 0 };
	if (!net_addr_parse(text, &a))
		abort();
	return a;
}

static inline struct net_prefix lab_prefix(const char *text)
{
	struct net_prefix p = { { 0 }, 0 };
	if (!net_prefix_parse(text, &p))
		abort();
	return p;
}

static inline struct sock_name lab_name(const char *text, uint16_t port)
{
	return (struct sock_name){ lab_addr(text), port };
}

static inline void lab_add_addr(struct netns *ns, uint16_t ifindex, const char *text)
{
	struct net_prefix p = lab_prefix(text);
	netns_add_addr(ns, ifindex, &p);
}

static inline void lab_route(struct netns *ns, const char *dst, const char *via, uint16_t out_if)
{
	struct route r = { .dst = lab_prefix(dst), .kind = ROUTE_UNICAST, .out_if = out_if };
	if (via)
		r.via = lab_addr(via);
	netns_add_route(ns, &r);
}

static inline void lab_tap(void *ctx, struct netns *ns, uint16_t ifindex, int direction,
			   const struct packet *p)
{
	struct lab *lab = ctx;
	char line[256];
	if (!packet_checksums_ok(p))
		lab->bad_checksums++;
	strbuf_printf(&lab->frames, "%s:%s %s %s\n", netns_name(ns), netns_iface_name(ns, ifindex),
		      direction == 1 ? "in" : "out", packet_line(p, line, sizeof line));
}

static inline void lab_env_open(struct lab *lab)
{
	*lab = (struct lab){ 0 };
	lab->env = (struct linux_env){ .engine = engine_new(), .choice = choice_new(1),
				       .craft = craft_new(), .tap = lab_tap, .tap_ctx = lab };
}

static inline void lab_open(struct lab *lab)
{
	lab_env_open(lab);
	lab->client = netns_new(&lab->env, "client");
	lab->router = netns_new(&lab->env, "router");
	lab->server = netns_new(&lab->env, "server");
	netns_add_veth(lab->client, "eth0", lab->router, "left", LAB_HOP_NS, &lab->client_if,
		       &lab->left);
	netns_add_veth(lab->server, "eth0", lab->router, "right", LAB_HOP_NS, &lab->server_if,
		       &lab->right);
	lab_add_addr(lab->client, lab->client_if, "10.0.1.2/24");
	lab_add_addr(lab->router, lab->left, "10.0.1.1/24");
	lab_add_addr(lab->router, lab->right, "10.0.2.1/24");
	lab_add_addr(lab->server, lab->server_if, "10.0.2.2/24");
	lab_add_addr(lab->client, lab->client_if, "fd01::2/64");
	lab_add_addr(lab->router, lab->left, "fd01::1/64");
	lab_add_addr(lab->router, lab->right, "fd02::1/64");
	lab_add_addr(lab->server, lab->server_if, "fd02::2/64");
	lab_route(lab->client, "0.0.0.0/0", "10.0.1.1", lab->client_if);
	lab_route(lab->server, "0.0.0.0/0", "10.0.2.1", lab->server_if);
	lab_route(lab->client, "::/0", "fd01::1", lab->client_if);
	lab_route(lab->server, "::/0", "fd02::1", lab->server_if);
	netns_sysctl_set(lab->router, "net.ipv4.ip_forward", 1);
	netns_sysctl_set(lab->router, "net.ipv6.conf.all.forwarding", 1);
}

static inline void lab_env_close(struct lab *lab)
{
	craft_free(lab->env.craft);
	choice_free(lab->env.choice);
	engine_free(lab->env.engine);
	strbuf_free(&lab->frames);
}

static inline void lab_close(struct lab *lab)
{
	netns_free(lab->client);
	netns_free(lab->server);
	netns_free(lab->router);
	lab_env_close(lab);
}

static inline void lab_run(struct lab *lab, int64_t ns)
{
	engine_run_until(lab->env.engine, engine_now(lab->env.engine) + ns);
}

static inline bool lab_saw(const struct lab *lab, const char *text)
{
	return strstr(strbuf_text(&lab->frames), text) != NULL;
}

static inline void lab_app_event(void *ctx, struct sock *s, const struct sock_event *event)
{
	static const char *const names[] = { "connected", "accepted", "data", "eof", "closed", "error",
					     "echo" };
	struct lab_app *app = ctx;
	app->last = *event;
	strbuf_printf(&app->said, "%s%s", app->said.length ? " " : "", names[event->kind]);
	if (event->kind == SOCK_DATA)
		strbuf_add(&app->data, event->bytes, event->length);
	if (event->kind == SOCK_ERROR)
		app->error = event->error;
	if (event->kind == SOCK_ACCEPTED) {
		app->sockets.class->set_handler(event->accepted, lab_app_event, app);
		return;
	}
	if (!app->echo)
		return;
	if (event->kind == SOCK_DATA)
		app->sockets.class->send(s, event->peer.port ? &event->peer : NULL, event->bytes,
					 event->length);
	else if (event->kind == SOCK_EOF)
		app->sockets.class->shutdown(s);
	else if (event->kind == SOCK_CLOSED)
		app->sockets.class->close(s);
}

static inline void lab_app_free(struct lab_app *app)
{
	strbuf_free(&app->said);
	strbuf_free(&app->data);
}

/* A program that listens and echoes. */
static inline void lab_serve(struct lab_app *app, struct netns *ns, uint8_t proto, uint16_t port)
{
	struct sock_options options = { .local = { { 0 }, port } };
	*app = (struct lab_app){ .sockets = netns_sockets(ns), .echo = true };
	int code = proto == PROTO_UDP
			   ? app->sockets.class->datagram(app->sockets.object, NULL, &options,
							  lab_app_event, app, &app->sock)
			   : app->sockets.class->listen(app->sockets.object, proto, &options,
							lab_app_event, app, &app->sock);
	CHECK_INT(code, 0);
}

static inline int lab_connect(struct lab_app *app, struct netns *ns, uint8_t proto,
			      const struct sock_name *to, const struct sock_options *options)
{
	struct sock_options none = { 0 };
	*app = (struct lab_app){ .sockets = netns_sockets(ns) };
	if (!options)
		options = &none;
	return proto == PROTO_UDP
		       ? app->sockets.class->datagram(app->sockets.object, to, options, lab_app_event,
						      app, &app->sock)
		       : app->sockets.class->connect(app->sockets.object, proto, to, options,
						     lab_app_event, app, &app->sock);
}

static inline int lab_send(struct lab_app *app, const char *text)
{
	return app->sockets.class->send(app->sock, NULL, text, strlen(text));
}

#endif
