/* kube/envvars.c: see envvars.h. */
#include "kube/envvars.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"

static void add(struct kube_env_vars *v, const char *key, const char *value)
{
	struct kube_map *m = &v->pairs;
	if (m->count == v->capacity) {
		uint32_t capacity = v->capacity ? 2 * v->capacity : 32;
		m->items = mem_grow(m->items, v->capacity, capacity, sizeof *m->items);
		v->capacity = capacity;
	}
	m->items[m->count++] = (struct kube_pair){ key, value };
}

/* A name as part of a variable. */
static char *upper(struct arena *a, const char *name)
{
	char *text = arena_strdup(a, name);
	for (char *p = text; *p; p++)
		*p = *p == '-' || *p == '.' ? '_' : (char)toupper((unsigned char)*p);
	return isdigit((unsigned char)*text) ? arena_printf(a, "_%s", text) : text;
}

static void add_link(struct kube_env_vars *v, const char *name, const char *host,
		     const struct kube_service_port *port, bool first)
{
	struct arena *a = v->arena;
	const char *protocol = port->protocol ? port->protocol : "TCP";
	const char *bracket = strchr(host, ':') ? "[" : "", *end = *bracket ? "]" : "";
	char *lower = arena_strdup(a, protocol);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	const char *url = arena_printf(a, "%s://%s%s%s:%d", lower, bracket, host, end, port->port);
	const char *prefix = arena_printf(a, "%s_PORT_%d_%s", name, port->port, upper(a, protocol));
	if (first)
		add(v, arena_printf(a, "%s_PORT", name), url);
	add(v, prefix, url);
	add(v, arena_printf(a, "%s_PROTO", prefix), lower);
	add(v, arena_printf(a, "%s_PORT", prefix), arena_printf(a, "%d", port->port));
	add(v, arena_printf(a, "%s_ADDR", prefix), host);
}

static void add_service(struct kube_env_vars *v, const struct kube_service *s)
{
	struct arena *a = v->arena;
	const char *host = s->spec.cluster_ip;
	if (!host || !*host || kube_is(host, "None") || kube_is(s->spec.type, "ExternalName") ||
	    !s->spec.ports.count)
		return;
	const char *name = upper(a, s->object.meta.name);
	host = arena_strdup(a, host);
	add(v, arena_printf(a, "%s_SERVICE_HOST", name), host);
	add(v, arena_printf(a, "%s_SERVICE_PORT", name),
	    arena_printf(a, "%d", s->spec.ports.items[0].port));
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *port = &s->spec.ports.items[i];
		if (port->name && *port->name)
			add(v, arena_printf(a, "%s_SERVICE_PORT_%s", name, upper(a, port->name)),
			    arena_printf(a, "%d", port->port));
	}
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		add_link(v, name, host, &s->spec.ports.items[i], i == 0);
}

struct kube_env_vars *kube_env_vars_new(const struct kube_store *s, const char *namespace,
					bool links)
{
	struct kube_env_vars *v = mem_alloc(sizeof *v);
	v->arena = arena_new();
	v->references = 1;
	const struct kube_object *own = NULL, *o;
	if (links)
		own = kube_store_get(s, KIND_SERVICE, namespace, "kubernetes");
	if (!own) /* a Service of that name in the own namespace comes in its place */
		own = kube_store_get(s, KIND_SERVICE, "default", "kubernetes");
	if (own)
		add_service(v, (const struct kube_service *)own);
	for (uint32_t i = 0; links && (o = kube_store_next(s, KIND_SERVICE, namespace, &i));)
		if (o != own)
			add_service(v, (const struct kube_service *)o);
	return v;
}

void kube_env_vars_unref(struct kube_env_vars *v)
{
	if (!v || --v->references)
		return;
	free(v->pairs.items);
	arena_free(v->arena);
	free(v);
}
