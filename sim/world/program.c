/* world/program.c: the programs that listen behind a place's ports.
 *
 * A container's program is an HTTP server (TCP, SCTP) or a datagram server that says
 * who it is and whom it sees (apps/server.h). It serves the files under its image's
 * folder (world/files.h), else the page that the image is known for (page.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/server.h"
#include "world/files.h"
#include "world/internal.h"
#include "world/proxy.h"

/* Of which container it is: the one whose run opened the port, else the pod's first. */
static void look_up(struct program *g)
{
	struct place *p = g->place;
	struct world *w = p->world;
	char namespace[256];
	const char *name = strrchr(p->name, '/');
	g->spec = "";
	g->image = "";
	if (p->kind != PLACE_POD || !name)
		return;
	place_namespace(p, namespace, sizeof namespace);
	const struct kube_pod *pod =
		(const void *)kube_store_get(w->store, KIND_POD, namespace, name + 1);
	for (uint32_t i = 0; pod && i < pod->spec.containers.count; i++) {
		const struct kube_container *c = &pod->spec.containers.items[i];
		bool ours = w->control && g->container == control_container_id(w->control, namespace,
									       name + 1, c->name);
		if (i && !ours)
			continue;
		g->spec = arena_strdup(w->arena, c->name ? c->name : "");
		g->image = arena_strdup(w->arena, c->image ? c->image : "");
		if (ours)
			return;
	}
}

static int serve(void *ctx, const char *method, const char *path, const char *host,
		 struct strbuf *body)
{
	struct program *g = ctx;
	struct place *p = g->place;
	char file[1024];
	(void)method;
	(void)host;
	if (!g->image)
		look_up(g);
	int length = (int)strcspn(path, "?#");
	bool folder = length && path[length - 1] == '/';
	snprintf(file, sizeof file, "%s%.*s%s", files_root(g->image), length, path,
		 folder ? "index.html" : "");
	if (world_file_read(p->world, p, *g->spec ? g->spec : NULL, file, body) == 0)
		return 200;
	snprintf(file, sizeof file, "%.*s", length, path);
	return page_of_image(g->image, strrchr(p->name, '/') + 1, p->label, file, body);
}

/* As nginx's main format. */
static void write_log(void *ctx, const struct server_access *access)
{
	struct program *g = ctx;
	char client[NET_ADDR_TEXT], when[64];
	struct tm utc;
	time_t now = (time_t)(WORLD_EPOCH_S + engine_now(g->place->world->engine) / NS_PER_S);
	if (g->log.length > LOG_LIMIT_BYTES) { /* the older half goes */
		const char *half = strchr(g->log.data + LOG_LIMIT_BYTES / 2, '\n');
		size_t n = half ? (size_t)(half + 1 - g->log.data) : g->log.length;
		memmove(g->log.data, g->log.data + n, g->log.length - n + 1);
		g->log.length -= n;
	}
	gmtime_r(&now, &utc);
	strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &utc);
	strbuf_printf(&g->log, "%s - - [%s] \"%s %s HTTP/1.1\" %d %zu \"-\" \"%s\" \"%s\"\n",
		      net_addr_text(&access->client.addr, client), when, access->method, access->path,
		      access->status, access->length, *access->agent ? access->agent : "-",
		      *access->forwarded ? access->forwarded : "-");
}

int world_logs(struct world *w, struct place *p, const char *container, struct strbuf *out)
{
	containers_log(w, p, container, out);
	const struct place *node = place_of_node(w, p->node);
	if (node && node->proxy && strncmp(p->name, "pod/kube-system/kube-proxy", 26) == 0)
		strbuf_puts(out, strbuf_text(&node->proxy->log));
	for (struct program *g = p->programs; g; g = g->next) {
		if (!g->image)
			look_up(g);
		if (!container || strcmp(g->spec, container) == 0)
			strbuf_puts(out, strbuf_text(&g->log));
	}
	return 0;
}

static int start(struct program *g)
{
	struct place *p = g->place;
	struct server_config config = { .sockets = place_sockets(p), .name = p->label,
					.proto = g->proto, .bind = g->bind, .port = g->port,
					.serve = serve, .access = write_log, .ctx = g };
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
		strbuf_free(&g->log);
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
