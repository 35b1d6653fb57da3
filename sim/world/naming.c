/* world/naming.c: from the names of the command-line contract to places and targets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/internal.h"

#define DEFAULT_PORT 80

/* "NAME" or "NS/NAME" into two buffers; false when one does not fit or is empty. */
static bool split_name(const char *text, const char *namespace, char ns[64], char name[256])
{
	const char *slash = strchr(text, '/');
	int a = snprintf(ns, 64, "%.*s", slash ? (int)(slash - text) : 64,
			 slash ? text : namespace);
	int b = snprintf(name, 256, "%s", slash ? slash + 1 : text);
	return a > 0 && a < 64 && b > 0 && b < 256 && !strchr(name, '/');
}

static const char *entry_node(const struct world *w)
{
	return w->enter ? w->enter : w->node_count ? w->nodes[0]->node : "";
}

int world_enter(struct world *w, const char *node, struct err *err)
{
	if (!place_of_node(w, node))
		return err_set(err, EINVAL, "no node \"%s\" to enter by", node);
	free(w->enter);
	w->enter = mem_strdup(node);
	return 0;
}

static struct place *outside(struct world *w, const struct net_addr *a, struct err *err)
{
	char text[NET_ADDR_TEXT], name[NET_ADDR_TEXT + 16];
	struct place *p = NULL;
	snprintf(name, sizeof name, "outside/%s", net_addr_text(a, text));
	p = place_find(w, name);
	if (p)
		return p;
	struct place_wish wish = { .kind = PLACE_OUTSIDE, .name = name, .label = name,
				   .node = entry_node(w), .addrs = { *a } };
	return place_add(w, &wish, &p, err) == 0 ? p : NULL;
}

/* A pod that nobody described, in a node's range of pod addresses. */
static struct place *unnamed_pod(struct world *w, const struct net_addr *a, struct err *err)
{
	char text[NET_ADDR_TEXT], name[NET_ADDR_TEXT + 16];
	struct place *p = NULL;
	for (uint32_t i = 0; i < w->node_count; i++)
		for (int f = 0; f < 2; f++) {
			const struct net_prefix *range = &w->nodes[i]->pod_cidrs[f];
			if (range->addr.family != a->family || !net_prefix_contains(range, a))
				continue;
			snprintf(name, sizeof name, "pod/%s", net_addr_text(a, text));
			struct place_wish wish = { .kind = PLACE_POD, .name = name, .label = text,
						   .node = w->nodes[i]->node, .addrs = { *a },
						   .implied = true };
			place_add(w, &wish, &p, err);
			return p;
		}
	return NULL;
}

static struct place *by_address(struct world *w, const struct net_addr *a, struct err *err)
{
	struct place *p = place_by_addr(w, a);
	if (p)
		return p;
	if (err)
		err->text[0] = '\0';
	p = unnamed_pod(w, a, err);
	if (p || (err && err->text[0]))
		return p;
	return outside(w, a, err);
}

struct place *world_place(struct world *w, const char *name, struct err *err)
{
	struct net_addr a;
	char ns[64], rest[256], full[400];
	if (net_addr_parse(name, &a))
		return by_address(w, &a, err);
	if (strncmp(name, "outside/", 8) == 0) {
		if (!net_addr_parse(name + 8, &a)) {
			err_set(err, EINVAL, "place \"%s\": expected outside/ADDRESS", name);
			return NULL;
		}
		struct place *p = place_by_addr(w, &a);
		if (p && p->kind != PLACE_OUTSIDE) {
			err_set(err, EINVAL, "place \"%s\": this is the address of %s", name, p->name);
			return NULL;
		}
		return p ? p : outside(w, &a, err);
	}
	if (strncmp(name, "pod/", 4) == 0 && split_name(name + 4, "default", ns, rest)) {
		snprintf(full, sizeof full, "pod/%s/%s", ns, rest);
		struct place *p = place_find(w, full);
		if (!p) {
			const struct kube_object *o = kube_store_get(w->store, KIND_POD, ns, rest);
			err_set(err, EINVAL, o ? "pod %s/%s has no address (it is not running)"
					       : "no pod %s/%s", ns, rest);
		}
		return p;
	}
	if (strncmp(name, "node/", 5) == 0 && name[5]) {
		struct place *p = place_find(w, name);
		if (!p)
			err_set(err, EINVAL, "no node \"%s\"", name + 5);
		return p;
	}
	err_set(err, EINVAL, "place \"%s\": expected pod/[NS/]NAME, node/NAME, outside/IP or an address",
		name);
	return NULL;
}

/* ---- targets ---------------------------------------------------------------- */

/* Splits "HOST[:PORT]"; an IPv6 address needs brackets to have a port. */
static int split_port(const char *text, char host[400], char port[64], struct err *err)
{
	struct net_addr a;
	port[0] = '\0';
	const char *start = text, *end = text + strlen(text), *colon = strrchr(text, ':');
	if (*text == '[') {
		const char *close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':'))
			return err_set(err, EINVAL, "target \"%s\": expected [ADDRESS]:PORT", text);
		start++;
		end = close;
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && net_addr_parse(text, &a)) {
		colon = NULL;
	} else if (colon) {
		end = colon;
	}
	if (end - start >= 400 || end == start || (colon && (!colon[1] || strlen(colon + 1) >= 64)))
		return err_set(err, EINVAL, "target \"%s\": expected TO[:PORT]", text);
	snprintf(host, 400, "%.*s", (int)(end - start), start);
	if (colon)
		snprintf(port, 64, "%s", colon + 1);
	return 0;
}

static bool port_number(const char *text, uint16_t *out)
{
	unsigned n = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
		if (n > 65535)
			return false;
	}
	*out = (uint16_t)n;
	return n > 0;
}

static bool protocol_is(const char *protocol, uint8_t proto)
{
	return proto == proto_number(protocol ? protocol : "TCP");
}

static int service_port(const struct kube_service *s, const char *name, uint8_t proto,
			uint16_t *out, struct err *err)
{
	if (!*name) {
		*out = s->spec.ports.count == 1 ? (uint16_t)s->spec.ports.items[0].port : DEFAULT_PORT;
		return 0;
	}
	for (int pass = 0; pass < 2; pass++) /* a port of this protocol first */
		for (uint32_t i = 0; i < s->spec.ports.count; i++) {
			const struct kube_service_port *p = &s->spec.ports.items[i];
			if (kube_is(p->name, name) && (pass || protocol_is(p->protocol, proto))) {
				*out = (uint16_t)p->port;
				return 0;
			}
		}
	return err_set(err, EINVAL, "service %s/%s has no port named \"%s\"",
		       s->object.meta.namespace, s->object.meta.name, name);
}

static const char *first_ip(const struct kube_service *s)
{
	return s->spec.cluster_ips.count ? s->spec.cluster_ips.items[0] : s->spec.cluster_ip;
}

/* A headless Service's name stands for its first ready endpoint, as a client that
 * takes the first record of the answer. */
static bool first_endpoint(const struct world *w, const struct kube_service *s, struct net_addr *out)
{
	const struct kube_endpoint_slice *slice;
	uint32_t cursor = 0;
	while ((slice = kube_store_next_slice(w->store, s->object.meta.namespace, s->object.meta.name,
					      &cursor)) != NULL)
		for (uint32_t i = 0; i < slice->endpoints.count; i++) {
			const struct kube_endpoint *e = &slice->endpoints.items[i];
			if (e->conditions.ready != TRI_FALSE && e->addresses.count &&
			    net_addr_parse(e->addresses.items[0], out))
				return true;
		}
	return false;
}

static int service_target(struct world *w, const char *namespace, const char *name,
			  const char *port, uint8_t proto, struct target *out, struct err *err)
{
	const struct kube_service *s =
		(const void *)kube_store_get(w->store, KIND_SERVICE, namespace, name);
	if (!s)
		return err_set(err, EINVAL, "no service %s/%s", namespace, name);
	if (!port_number(port, &out->port)) {
		int code = service_port(s, port, proto, &out->port, err);
		if (code)
			return code;
	}
	if (kube_is(s->spec.type, "ExternalName")) {
		snprintf(out->name, sizeof out->name, "%s.", s->spec.external_name);
		return 0;
	}
	const char *ip = first_ip(s);
	if (ip && net_addr_parse(ip, &out->addr))
		return 0;
	if (kube_is(ip, "None")) {
		if (first_endpoint(w, s, &out->addr))
			return 0;
		return err_set(err, EINVAL, "service %s/%s is headless and has no ready endpoint",
			       namespace, name);
	}
	return err_set(err, EINVAL, "service %s/%s has no clusterIP", namespace, name);
}

static bool container_port(const struct kube_containers *list, const char *name, uint8_t proto,
			   uint16_t *out)
{
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t k = 0; k < list->items[i].ports.count; k++) {
			const struct kube_container_port *p = &list->items[i].ports.items[k];
			if (!kube_is(p->name, name) || !protocol_is(p->protocol, proto))
				continue;
			*out = (uint16_t)p->container_port;
			return true;
		}
	return false;
}

static int pod_target(struct world *w, const char *namespace, const char *name, const char *port,
		      uint8_t proto, struct target *out, struct err *err)
{
	char full[400];
	snprintf(full, sizeof full, "pod/%s/%s", namespace, name);
	struct place *p = place_find(w, full);
	const struct kube_pod *pod = (const void *)kube_store_get(w->store, KIND_POD, namespace, name);
	if (!p)
		return err_set(err, EINVAL, pod ? "pod %s/%s has no address (it is not running)"
						: "no pod %s/%s", namespace, name);
	out->addr = p->host ? p->host->addrs[0] : p->addrs[0];
	if (!*port)
		out->port = DEFAULT_PORT;
	else if (!port_number(port, &out->port) &&
		 !(pod && (container_port(&pod->spec.containers, port, proto, &out->port) ||
			   container_port(&pod->spec.init_containers, port, proto, &out->port))))
		return err_set(err, EINVAL, "pod %s/%s has no %s port named \"%s\"", namespace, name,
			       proto_name(proto) ? proto_name(proto) : "such", port);
	return 0;
}

int world_target(struct world *w, struct place *from, const char *text, uint8_t proto,
		 struct target *out, struct err *err)
{
	char host[400], port[64], namespace[64], ns[64], name[256];
	*out = (struct target){ 0 };
	snprintf(out->text, sizeof out->text, "%s", text);
	int code = split_port(text, host, port, err);
	if (code)
		return code;
	if (from)
		place_namespace(from, namespace, sizeof namespace);
	else
		snprintf(namespace, sizeof namespace, "default");
	if (strncmp(host, "svc/", 4) == 0 && split_name(host + 4, namespace, ns, name))
		return service_target(w, ns, name, port, proto, out, err);
	if (strncmp(host, "pod/", 4) == 0 && split_name(host + 4, namespace, ns, name))
		return pod_target(w, ns, name, port, proto, out, err);
	out->port = DEFAULT_PORT;
	if (*port && !port_number(port, &out->port))
		return err_set(err, EINVAL, "target \"%s\": port \"%s\" has a name, which only svc/ and "
			       "pod/ targets know; expected 1..65535", text, port);
	if (strncmp(host, "node/", 5) == 0) {
		struct place *p = place_find(w, host);
		if (!p)
			return err_set(err, EINVAL, "no node \"%s\"", host + 5);
		out->addr = p->addrs[0];
		return 0;
	}
	const char *address = strncmp(host, "outside/", 8) == 0 ? host + 8 : host;
	if (net_addr_parse(address, &out->addr))
		return 0;
	if (address != host || strchr(host, '/') || strlen(host) >= sizeof out->name)
		return err_set(err, EINVAL, "target \"%s\": expected an address, svc/[NS/]NAME, "
			       "pod/[NS/]NAME, node/NAME or a DNS name", text);
	snprintf(out->name, sizeof out->name, "%.255s", host);
	return 0;
}
