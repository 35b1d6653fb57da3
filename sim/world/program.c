/* world/program.c: the programs that listen behind a place's ports.
 *
 * A container's program is an HTTP server (TCP, SCTP) or a datagram server that says
 * who it is and whom it sees (apps/server.h). What it serves are the files of its pod;
 * a pod without files serves its name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/server.h"
#include "world/internal.h"

#define INDEX "/index.html"

static int serve(void *ctx, const char *method, const char *path, const char *host,
		 struct strbuf *body)
{
	const struct place *p = ctx;
	(void)method;
	(void)host;
	if (!p->files.count) {
		strbuf_printf(body, "%s\n", p->label);
		return 200;
	}
	char **text = table_find(&p->files, strcmp(path, "/") == 0 ? INDEX : path);
	strbuf_puts(body, text ? *text : "404 Not Found\n");
	return text ? 200 : 404;
}

static int start(struct program *g)
{
	struct place *p = g->place;
	struct server_config config = { .sockets = place_sockets(p), .name = p->label,
					.proto = g->proto, .bind = g->bind, .port = g->port,
					.serve = serve, .ctx = p };
	if (!config.sockets.class)
		return ENETDOWN;
	return server_start(&config, &g->server);
}

static bool same_bind(const struct program *g, const struct net_addr *bind)
{
	return net_addr_equal(&g->bind, bind);
}

int program_add(struct place *p, uint64_t container, uint8_t proto, uint16_t port,
		const struct net_addr *bind)
{
	static const struct net_addr any;
	struct program **last = &p->programs;
	if (!bind)
		bind = &any;
	for (; *last; last = &(*last)->next)
		if ((*last)->proto == proto && (*last)->port == port && same_bind(*last, bind))
			return container == (*last)->container ? 0 : EADDRINUSE;
	struct program *g = mem_alloc(sizeof *g);
	g->container = container;
	g->proto = proto;
	g->port = port;
	g->bind = *bind;
	g->place = p;
	int code = p->attached ? start(g) : 0;
	if (code) {
		free(g);
		return code;
	}
	*last = g;
	return 0;
}

void programs_start(struct place *p)
{
	for (struct program *g = p->programs; g; g = g->next)
		if (!g->server && start(g) != 0)
			world_warn(p->world, "%s: cannot listen on port %u", p->name, g->port);
}

void programs_stop(struct place *p, uint64_t container, bool reset)
{
	for (struct program **at = &p->programs; *at;) {
		struct program *g = *at;
		if (container && g->container != container) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		server_stop(g->server, reset);
		free(g);
	}
}

void programs_drain(struct place *p, uint64_t container)
{
	for (struct program *g = p->programs; g; g = g->next)
		if (g->container == container && g->server)
			server_drain(g->server);
}

void programs_drop(struct place *p)
{
	for (struct program *g = p->programs; g; g = g->next)
		if (g->server)
			server_drop(g->server);
}
