/* world/dumps.c: see dumps.h. */
#include "world/dumps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "world/dumps_internal.h"

/* ---- building ------------------------------------------------------------------------ */

static struct dump_host *host_by_ip(const struct dumps *d, const struct net_addr *a)
{
	for (uint32_t i = 0; i < d->count; i++)
		for (int f = 0; f < 2; f++)
			if (net_addr_equal(&d->hosts[i].place->addrs[f], a))
				return &d->hosts[i];
	return NULL;
}

static bool on_link(const struct text_route *r)
{
	return r->via.family == NET_NONE && r->dev[0] && strcmp(r->kind, "unicast") == 0;
}

static bool host_route(const struct text_route *r)
{
	return r->dst.bits == net_family_bits(r->dst.addr.family);
}

/* The first on-link route of a whole range with its gateway address on this node: that
 * of the pods' bridge. */
static void find_bridge(struct dump_host *h, struct place_wish *wish)
{
	uint32_t n = 0;
	wish->routed = true;
	for (uint32_t i = 0; i < h->routes.count && n < 2; i++) {
		const struct text_route *r = &h->routes.items[i];
		struct net_addr first;
		if (!on_link(r) || host_route(r) || strcmp(r->dev, h->uplink) == 0 ||
		    !net_prefix_nth(&r->dst, 1, &first) || !net_addr_equal(&first, &r->src))
			continue;
		if (n && strcmp(r->dev, h->bridge) != 0)
			continue;
		h->bridge = r->dev;
		wish->routed = false;
		wish->bridge = r->dev;
		wish->pod_cidrs[n++] = r->dst;
	}
}

static int add_host(struct world *w, struct dump_host *h, const struct dump_node *node,
		    struct err *err)
{
	struct net_addr a;
	char name[NET_ADDR_TEXT + 8];
	if (!net_addr_parse(node->ip, &a))
		return err_set(err, EINVAL, "--node-ip %s: expected an address", node->ip);
	h->bridge = "";
	if (node->routes) {
		struct strbuf text = { 0 };
		int code = file_read(node->routes, &text, err);
		if (!code)
			code = routes_parse(strbuf_text(&text), text.length, node->routes, &h->routes,
					    err);
		strbuf_free(&text);
		if (code)
			return code;
	}
	h->uplink = routes_uplink(&h->routes, &a);
	snprintf(name, sizeof name, "node/%s", node->ip);
	struct place_wish wish = { .kind = PLACE_NODE, .name = name, .label = node->ip,
				   .node = node->ip, .addrs = { a }, .uplink = h->uplink };
	find_bridge(h, &wish);
	return place_add(w, &wish, &h->place, err);
}

/* A route as the model's network can have it: what goes to a host that is not among the
 * given nodes goes to the model's gateway (default), or is on link (a range). */
static bool usable_route(const struct dumps *d, const struct dump_host *h,
			 const struct text_route *r, char *line, size_t size)
{
	char text[NET_ADDR_TEXT], via[NET_ADDR_TEXT];
	const char *kind = strcmp(r->kind, "unicast") == 0 ? "" : r->kind;
	if (*kind) {
		snprintf(line, size, "add %s %s\n", kind, net_prefix_text(&r->dst, text));
		return true;
	}
	if (r->dst.bits == 0 || strcmp(r->dev, h->bridge) == 0)
		return false;
	if (strcmp(r->dev, h->uplink) != 0 && r->dev[0])
		return false; /* pods appear there when a packet goes to them */
	bool known = r->via.family != NET_NONE && host_by_ip(d, &r->via);
	snprintf(line, size, "add %s%s%s dev %s\n", net_prefix_text(&r->dst, text),
		 known ? " via " : "", known ? net_addr_text(&r->via, via) : "", h->uplink);
	return true;
}

static int load_routes(const struct dumps *d, struct dump_host *h, struct err *err)
{
	for (uint32_t i = 0; i < h->routes.count; i++) {
		const struct text_route *r = &h->routes.items[i];
		char line[200], text[NET_ADDR_TEXT];
		int code = 0;
		if (usable_route(d, h, r, line, sizeof line))
			code = place_load_line(h->place, TX_ROUTE, line, err);
		else if (r->src.family != NET_NONE && r->dev[0] && !place_by_addr(h->place->world, &r->src) &&
			 strcmp(r->dev, h->bridge) != 0) {
			snprintf(line, sizeof line, "add %s/%u dev %s\n", net_addr_text(&r->src, text),
				 r->dst.bits, r->dev);
			code = place_load_line(h->place, TX_ADDR, line, err);
		}
		if (code)
			return code;
	}
	return 0;
}

int world_load_dumps(struct world *w, const struct dump_node *nodes, uint32_t count,
		     struct err *err)
{
	struct dumps *d = arena_alloc(w->arena, sizeof *d);
	int code = world_choose_mode(w, err);
	d->hosts = arena_array(w->arena, count, sizeof *d->hosts);
	w->dumps = d;
	for (uint32_t i = 0; i < count && !code; i++) {
		d->count = i + 1;
		code = add_host(w, &d->hosts[i], &nodes[i], err);
		if (code)
			d->count = i;
	}
	if (!code) {
		topology_from_nodes(w);
		code = network_up(w, err);
	}
	for (uint32_t i = 0; i < count && !code; i++)
		code = load_routes(d, &d->hosts[i], err);
	for (uint32_t i = 0; i < count && !code; i++)
		code = dump_rules_load(w, &d->hosts[i], &nodes[i], err);
	return code;
}

void dumps_free(struct world *w)
{
	for (uint32_t i = 0; w->dumps && i < w->dumps->count; i++)
		routes_free(&w->dumps->hosts[i].routes);
}

/* ---- places on demand -------------------------------------------------------------------- */

static struct place *make_pod(struct world *w, const struct dump_host *h, const struct net_addr *a,
			      const char *port, struct err *err)
{
	char text[NET_ADDR_TEXT], name[NET_ADDR_TEXT + 8];
	struct place *p = NULL;
	snprintf(name, sizeof name, "pod/%s", net_addr_text(a, text));
	struct place_wish wish = { .kind = PLACE_POD, .name = name, .label = text,
				   .node = h->place->node, .addrs = { *a }, .port = port,
				   .implied = true };
	return place_add(w, &wish, &p, err) == 0 ? p : NULL;
}

static struct place *make_outside(struct world *w, const struct net_addr *a, const char *entry,
				  struct err *err)
{
	char text[NET_ADDR_TEXT], name[NET_ADDR_TEXT + 16];
	struct place *p = NULL;
	snprintf(name, sizeof name, "outside/%s", net_addr_text(a, text));
	struct place_wish wish = { .kind = PLACE_OUTSIDE, .name = name, .label = name,
				   .node = entry, .addrs = { *a }, .implied = true };
	return place_add(w, &wish, &p, err) == 0 ? p : NULL;
}

/* Behind which node's interface the routes put an address; NULL: nobody's. */
static struct dump_host *owner_of(const struct dumps *d, const struct net_addr *a,
				  const char **port, const char **dev)
{
	*port = NULL;
	for (uint32_t i = 0; i < d->count; i++) {
		struct dump_host *h = &d->hosts[i];
		const struct text_route *r = routes_find(&h->routes, a);
		if (!r || !on_link(r) || strcmp(r->dev, h->uplink) == 0)
			continue;
		*dev = r->dev;
		if (host_route(r))
			*port = r->dev;
		return h;
	}
	for (uint32_t i = 0; i < d->count; i++) {
		const struct text_route *r = routes_find(&d->hosts[i].routes, a);
		struct dump_host *next = r && r->via.family != NET_NONE ? host_by_ip(d, &r->via) : NULL;
		*dev = "a veth";
		if (next)
			return next;
	}
	return NULL;
}

bool dumps_answer(struct world *w, const struct net_addr *a, uint8_t proto, uint16_t port,
		  bool chosen, struct strbuf *notes)
{
	const char *name, *dev;
	char text[NET_ADDR_TEXT + 8];
	struct place *p = place_by_addr(w, a);
	if (!p) {
		struct dump_host *h = owner_of(w->dumps, a, &name, &dev);
		if (!h && !chosen)
			return false;
		p = h ? make_pod(w, h, a, name, NULL) : make_outside(w, a, w->nodes[0]->node, NULL);
		if (!p)
			return false;
		if (h)
			strbuf_printf(notes, "%s is taken for a pod behind %s of %s\n",
				      net_addr_text(a, text), dev, h->place->node);
		else
			strbuf_printf(notes, "%s is behind no interface of the given nodes: it is taken "
				      "for a host on their network\n", net_addr_text(a, text));
	} else if (!p->implied) {
		return false;
	}
	for (const struct program *g = p->programs; g; g = g->next)
		if (g->proto == proto && g->port == port)
			return false;
	if (port && proto != PROTO_ICMP && program_add(p, 0, proto, port, NULL) == 0)
		strbuf_printf(notes, "%s is taken to listen\n", net_endpoint_text(a, port, text));
	return true;
}

/* ---- the sender ------------------------------------------------------------------------------ */

static struct dump_host *host_with_dev(const struct dumps *d, const char *dev)
{
	for (uint32_t i = 0; i < d->count; i++)
		for (uint32_t k = 0; k < d->hosts[i].routes.count; k++)
			if (strcmp(d->hosts[i].routes.items[k].dev, dev) == 0)
				return &d->hosts[i];
	return &d->hosts[0];
}

static int make_sender(struct world *w, const char *from, const char *in,
		       struct trace_report *report, struct err *err)
{
	struct net_addr a;
	const char *address = strncmp(from, "outside/", 8) == 0 ? from + 8 : from;
	const char *port = NULL, *dev = NULL;
	struct dump_host *h = NULL;
	if (strncmp(from, "node/", 5) == 0 || !net_addr_parse(address, &a))
		return 0; /* world_place knows, or says what is wrong */
	if (place_by_addr(w, &a))
		return 0;
	if (in) {
		h = host_with_dev(w->dumps, in);
		if (strcmp(in, h->uplink) == 0)
			return make_outside(w, &a, h->place->node, err) ? 0 : EINVAL;
		port = strcmp(in, h->bridge) == 0 ? NULL : in;
		return make_pod(w, h, &a, port, err) ? 0 : EINVAL;
	}
	if (address == from)
		h = owner_of(w->dumps, &a, &port, &dev);
	if (h)
		strbuf_printf(&report->notes, "without --in: %s comes in by %s of %s, as the routes say\n",
			      from, dev, h->place->node);
	else
		strbuf_printf(&report->notes, "without --in: %s comes in by %s of %s\n", from,
			      w->dumps->hosts[0].uplink, w->dumps->hosts[0].place->node);
	struct place *p = h ? make_pod(w, h, &a, port, err)
			    : make_outside(w, &a, w->nodes[0]->node, err);
	return p ? 0 : EINVAL;
}

static void unknown_constructs(struct world *w, struct trace_report *out)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		w->row->executor->dump(w->executor, w->nodes[i]->name, DUMP_UNKNOWN, NULL, &out->notes,
				       NULL);
}

int world_trace_dumps(struct world *w, const struct trace_query *q, const char *in,
		      struct trace_report *out, struct err *err)
{
	int code = make_sender(w, q->from, in, out, err);
	if (code)
		return code;
	unknown_constructs(w, out);
	return world_trace(w, q, out, err);
}
