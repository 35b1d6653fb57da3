/* apps/ingress_routes.c: see ingress_routes.h. */
#include "apps/ingress_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/table.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"
#define UPSTREAM_ANNOTATION "nginx.ingress.kubernetes.io/service-upstream"

enum match { MATCH_EXACT, MATCH_ELEMENTS, MATCH_CHARACTERS };

struct location {
	struct location *next;
	enum match match;
	const char *path;
	const struct ingress_upstream *upstream;
};

struct site { /* one host */
	const char *host; /* "" the rules without one */
	struct location *locations;
	const struct ingress_upstream *fallback;
};

struct ingress_routes {
	struct arena *arena;
	const struct kube_store *store;
	struct table sites;     /* host -> struct site */
	struct table upstreams; /* name -> struct ingress_upstream * */
	const struct ingress_upstream *fallback;
};

/* ---- whose they are -------------------------------------------------------------------- */

bool ingress_is_ours(const struct kube_store *s, const struct ingress_class *class,
		     const struct kube_ingress *g)
{
	const char *old = kube_map_get(&g->object.meta.annotations, CLASS_ANNOTATION);
	if (old && *old)
		return kube_is(old, class->annotation);
	if (!g->class_name || !*g->class_name)
		return class->without_class;
	const struct kube_ingress_class *named =
		(const void *)kube_store_get(s, KIND_INGRESS_CLASS, "", g->class_name);
	return named && kube_is(named->controller, class->controller);
}

/* ---- upstreams ---------------------------------------------------------------------------- */

static const struct kube_service_port *find_port(const struct kube_service *s,
						 const struct kube_ingress_backend *b)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		if (b->port_name ? kube_is(p->name, b->port_name) : p->port == b->port_number)
			return p;
	}
	return NULL;
}

static void add_endpoint(struct ingress_routes *r, struct ingress_upstream *u, uint32_t *capacity,
			 const char *address, int32_t port)
{
	struct net_addr a;
	if (!net_addr_parse(address, &a))
		return;
	if (u->count == *capacity) {
		uint32_t want = *capacity ? *capacity * 2 : 4;
		struct sock_name *more = arena_array(r->arena, want, sizeof *more);
		if (u->count)
			memcpy(more, u->endpoints, u->count * sizeof *more);
		u->endpoints = more;
		*capacity = want;
	}
	u->endpoints[u->count++] = (struct sock_name){ a, (uint16_t)port };
}

static void add_ready(struct ingress_routes *r, struct ingress_upstream *u,
		      const struct kube_service *s, const struct kube_service_port *port)
{
	const struct kube_endpoint_slice *slice;
	uint32_t cursor = 0, capacity = 0;
	while ((slice = kube_store_next_slice(r->store, s->object.meta.namespace,
					      s->object.meta.name, &cursor)) != NULL)
		for (uint32_t k = 0; k < slice->ports.count; k++) {
			const struct kube_endpoint_port *p = &slice->ports.items[k];
			if (!p->port.set || strcmp(p->name ? p->name : "", port->name ? port->name : "") != 0)
				continue;
			for (uint32_t i = 0; i < slice->endpoints.count; i++) {
				const struct kube_endpoint *e = &slice->endpoints.items[i];
				if (e->conditions.ready != TRI_FALSE && e->addresses.count)
					add_endpoint(r, u, &capacity, e->addresses.items[0],
						     (int32_t)p->port.value);
			}
		}
}

/* `port` NULL: the Service's first. */
static const struct ingress_upstream *upstream(struct ingress_routes *r, const char *namespace,
					       const char *name, const struct kube_ingress_backend *b,
					       bool by_service)
{
	char key[600];
	bool added;
	const struct kube_service *s =
		(const void *)kube_store_get(r->store, KIND_SERVICE, namespace, name);
	const struct kube_service_port *port =
		!s ? NULL : b ? find_port(s, b) : s->spec.ports.count ? &s->spec.ports.items[0] : NULL;
	if (b && b->port_name)
		snprintf(key, sizeof key, "%s-%s-%s", namespace, name, b->port_name);
	else
		snprintf(key, sizeof key, "%s-%s-%d", namespace, name,
			 b ? b->port_number : port ? port->port : 0);
	struct ingress_upstream **found = table_find(&r->upstreams, key);
	if (found)
		return *found;
	struct ingress_upstream *u = arena_alloc(r->arena, sizeof *u);
	*u = (struct ingress_upstream){ .name = arena_strdup(r->arena, key) };
	*(struct ingress_upstream **)table_put(&r->upstreams, u->name, &added) = u;
	uint32_t capacity = 0;
	if (port && by_service && s->spec.cluster_ip)
		add_endpoint(r, u, &capacity, s->spec.cluster_ip, port->port);
	else if (port)
		add_ready(r, u, s, port);
	return u;
}

static const struct ingress_upstream *backend(struct ingress_routes *r, const struct kube_ingress *g,
					      const struct kube_ingress_backend *b)
{
	bool by_service = kube_is(kube_map_get(&g->object.meta.annotations, UPSTREAM_ANNOTATION), "true");
	return upstream(r, g->object.meta.namespace, b->service ? b->service : "", b, by_service);
}

/* ---- rules ------------------------------------------------------------------------------------ */

static struct site *site_of(struct ingress_routes *r, const char *host)
{
	bool added;
	const char *key = arena_strdup(r->arena, host);
	struct site *site = table_put(&r->sites, key, &added);
	if (added)
		site->host = key;
	return site;
}

static enum match match_of(const char *type)
{
	return kube_is(type, "Exact") ? MATCH_EXACT
	       : kube_is(type, "Prefix") ? MATCH_ELEMENTS : MATCH_CHARACTERS;
}

static void add_location(struct ingress_routes *r, struct site *site, const struct kube_ingress *g,
			 const struct kube_ingress_path *p)
{
	const char *path = p->path && *p->path ? p->path : "/";
	enum match match = match_of(p->path_type);
	size_t n = strlen(path);
	while (match == MATCH_ELEMENTS && n > 1 && path[n - 1] == '/')
		n--;
	path = arena_strndup(r->arena, path, n);
	struct location **last = &site->locations;
	for (; *last; last = &(*last)->next)
		if ((*last)->match == match && strcmp((*last)->path, path) == 0)
			return; /* an older Ingress has it */
	struct location *l = arena_alloc(r->arena, sizeof *l);
	*l = (struct location){ .match = match, .path = path, .upstream = backend(r, g, &p->backend) };
	*last = l;
}

static void add_ingress(struct ingress_routes *r, const struct kube_ingress *g)
{
	const struct ingress_upstream *rest =
		g->default_backend.set ? backend(r, g, &g->default_backend) : NULL;
	for (uint32_t i = 0; i < g->rules.count; i++) {
		const struct kube_ingress_rule *rule = &g->rules.items[i];
		struct site *site = site_of(r, rule->host ? rule->host : "");
		for (uint32_t k = 0; k < rule->paths.count; k++)
			add_location(r, site, g, &rule->paths.items[k]);
		if (!site->fallback)
			site->fallback = rest;
	}
	if (!g->rules.count && rest) {
		struct site *site = site_of(r, "");
		if (!site->fallback)
			site->fallback = rest;
	}
}

static int by_age(const void *a, const void *b)
{
	const struct kube_object *x = *(struct kube_object *const *)a, *y = *(struct kube_object *const *)b;
	if (x->meta.creation_ns != y->meta.creation_ns)
		return x->meta.creation_ns < y->meta.creation_ns ? -1 : 1;
	int order = strcmp(x->meta.namespace, y->meta.namespace);
	return order ? order : strcmp(x->meta.name, y->meta.name);
}

struct ingress_routes *ingress_routes_new(const struct kube_store *s,
					  const struct ingress_class *class)
{
	struct arena *arena = arena_new();
	struct ingress_routes *r = arena_alloc(arena, sizeof *r);
	uint32_t cursor = 0, count = 0;
	*r = (struct ingress_routes){ .arena = arena, .store = s };
	table_init(&r->sites, TABLE_STRING_KEYS, sizeof(struct site));
	table_init(&r->upstreams, TABLE_STRING_KEYS, sizeof(struct ingress_upstream *));
	const struct kube_object **list =
		arena_array(arena, kube_store_count(s, KIND_INGRESS) + 1, sizeof *list);
	const struct kube_object *o;
	while ((o = kube_store_next(s, KIND_INGRESS, NULL, &cursor)) != NULL)
		if (ingress_is_ours(s, class, (const void *)o))
			list[count++] = o;
	qsort(list, count, sizeof *list, by_age);
	for (uint32_t i = 0; i < count; i++)
		add_ingress(r, (const void *)list[i]);
	if (class->default_service && strchr(class->default_service, '/')) {
		const char *slash = strchr(class->default_service, '/');
		r->fallback = upstream(r, arena_strndup(arena, class->default_service,
							(size_t)(slash - class->default_service)),
				       slash + 1, NULL, false);
	}
	return r;
}

void ingress_routes_free(struct ingress_routes *r)
{
	if (!r)
		return;
	table_free(&r->sites);
	table_free(&r->upstreams);
	arena_free(r->arena);
}

/* ---- questions ------------------------------------------------------------------------------------ */

static const struct site *find_site(const struct ingress_routes *r, const char *host)
{
	char name[256];
	size_t n = strcspn(host, ":");
	if (*host == '[' || n >= sizeof name)
		n = 0; /* an address: only the rules without a host are for it */
	for (size_t i = 0; i < n; i++)
		name[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32) : host[i];
	name[n] = '\0';
	const struct site *site = n ? table_find(&r->sites, name) : NULL;
	const char *dot = strchr(name, '.');
	if (!site && dot && dot != name) {
		char wild[258];
		snprintf(wild, sizeof wild, "*%s", dot);
		site = table_find(&r->sites, wild);
	}
	return site ? site : table_find(&r->sites, "");
}

/* How well a location fits, 0 not at all: exact ones first, then the longest. */
static size_t fit(const struct location *l, const char *path, size_t length)
{
	size_t n = strlen(l->path);
	bool same = n == length && strncmp(l->path, path, n) == 0;
	if (l->match == MATCH_EXACT)
		return same ? 1u << 20 : 0;
	if (same && l->match == MATCH_ELEMENTS)
		return 1u << 19;
	if (length < n || strncmp(l->path, path, n) != 0)
		return 0;
	if (l->match == MATCH_ELEMENTS && n > 1 && path[n] != '/')
		return 0;
	return 2 * n + (l->match == MATCH_ELEMENTS); /* "/foo/" is longer than "/foo" */
}

const struct ingress_upstream *ingress_route(const struct ingress_routes *r, const char *host,
					     const char *path)
{
	const struct site *site = find_site(r, host);
	const struct location *best = NULL;
	size_t length = strcspn(path, "?#"), most = 0;
	for (const struct location *l = site ? site->locations : NULL; l; l = l->next) {
		size_t n = fit(l, path, length);
		if (n > most) {
			most = n;
			best = l;
		}
	}
	if (best)
		return best->upstream;
	return site && site->fallback ? site->fallback : r->fallback;
}
