/* world/place.c: the table of places: making, naming, attaching and removing them. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/internal.h"

struct place *place_find(const struct world *w, const char *name)
{
	struct place **found = table_find(&w->places, name);
	return found ? *found : NULL;
}

struct place *place_by_addr(const struct world *w, const struct net_addr *a)
{
	struct place **found = table_find(&w->addresses, a);
	return found ? *found : NULL;
}

struct place *place_of_node(const struct world *w, const char *node)
{
	char name[300];
	snprintf(name, sizeof name, "node/%s", node);
	return place_find(w, name);
}

const char *place_netns(const struct place *p)
{
	return p->host ? p->host->name : p->name;
}

struct sockets_ref place_sockets(const struct place *p)
{
	struct world *w = p->world;
	return w->row->executor->sockets(w->executor, place_netns(p));
}

const char *place_name(const struct place *p)
{
	return p->name;
}

enum place_kind place_kind_of(const struct place *p)
{
	return p->kind;
}

const char *place_node(const struct place *p)
{
	return p->node;
}

struct net_addr place_addr(const struct place *p, uint8_t family)
{
	for (int i = 0; i < 2; i++)
		if (p->addrs[i].family == family)
			return p->addrs[i];
	return (struct net_addr){ 0 };
}

const char *place_namespace(const struct place *p, char *out, size_t size)
{
	const char *first = p->kind == PLACE_POD ? strchr(p->name, '/') : NULL;
	const char *second = first ? strchr(first + 1, '/') : NULL;
	if (second)
		snprintf(out, size, "%.*s", (int)(second - first - 1), first + 1);
	else
		snprintf(out, size, "default");
	return out;
}

static char *copy_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

/* Which place an address belongs to is asked for every packet that is explained. */
static int index_addresses(struct place *p, struct err *err)
{
	struct world *w = p->world;
	if (p->host)
		return 0;
	for (uint32_t i = 0; i < 2 + p->more_count; i++) {
		const struct net_addr *a = i < 2 ? &p->addrs[i] : &p->more[i - 2];
		char text[NET_ADDR_TEXT];
		if (a->family == NET_NONE)
			continue;
		struct place *other = place_by_addr(w, a);
		if (other && other != p)
			return err_set(err, EEXIST, "%s: address %s belongs to %s already", p->name,
				       net_addr_text(a, text), other->name);
		*(struct place **)table_put(&w->addresses, a, NULL) = p;
	}
	return 0;
}

static void forget_addresses(struct place *p)
{
	for (uint32_t i = 0; i < 2 + p->more_count; i++) {
		const struct net_addr *a = i < 2 ? &p->addrs[i] : &p->more[i - 2];
		if (a->family != NET_NONE && place_by_addr(p->world, a) == p)
			table_remove(&p->world->addresses, a);
	}
}

static void place_free(struct place *p)
{
	files_free(&p->files);
	free(p->name);
	free(p->label);
	free(p->node);
	free(p->more);
	free(p->extra);
	free(p->resolv_conf);
	free(p->hosts);
	free(p->uplink);
	free(p->bridge);
	free(p->port);
	free(p);
}

static struct place *place_new(struct world *w, const struct place_wish *wish)
{
	struct place *p = mem_alloc(sizeof *p);
	p->world = w;
	p->kind = wish->kind;
	p->name = mem_strdup(wish->name);
	p->label = mem_strdup(wish->label ? wish->label : wish->name);
	p->node = mem_strdup(wish->node ? wish->node : "");
	memcpy(p->addrs, wish->addrs, sizeof p->addrs);
	memcpy(p->pod_cidrs, wish->pod_cidrs, sizeof p->pod_cidrs);
	if (wish->more_count) {
		p->more = mem_array(wish->more_count, sizeof *p->more);
		memcpy(p->more, wish->more, wish->more_count * sizeof *p->more);
		p->more_count = wish->more_count;
	}
	p->host_network = wish->host_network;
	p->routed = wish->routed;
	p->no_hairpin = wish->no_hairpin;
	p->overlay = wish->overlay;
	p->implied = wish->implied;
	p->uplink = copy_or_null(wish->uplink);
	p->bridge = copy_or_null(wish->bridge);
	p->port = copy_or_null(wish->port);
	table_init(&p->files, TABLE_STRING_KEYS, sizeof(char *));
	return p;
}

int place_add(struct world *w, const struct place_wish *wish, struct place **out, struct err *err)
{
	if (place_find(w, wish->name))
		return err_set(err, EEXIST, "%s is there already", wish->name);
	struct place *p = place_new(w, wish);
	if (p->host_network) {
		p->host = place_of_node(w, p->node);
		if (!p->host) {
			place_free(p);
			return err_set(err, EINVAL, "%s: its node \"%s\" is not there", wish->name,
				       wish->node);
		}
	}
	int code = index_addresses(p, err);
	if (code) {
		forget_addresses(p);
		place_free(p);
		return code;
	}
	*(struct place **)table_put(&w->places, p->name, NULL) = p;
	if (p->kind == PLACE_NODE) {
		if (w->node_count == w->node_capacity) {
			uint32_t want = w->node_capacity ? w->node_capacity * 2 : 8;
			w->nodes = mem_grow(w->nodes, w->node_capacity, want, sizeof(struct place *));
			w->node_capacity = want;
		}
		w->nodes[w->node_count++] = p;
	}
	if (w->executor && (code = place_attach(p, err)) != 0) {
		place_remove(p);
		return code;
	}
	*out = p;
	return 0;
}

int place_extra_addresses(struct place *p, const char *list, struct err *err)
{
	while (*list) {
		char item[96], *equals;
		size_t length = strcspn(list, ",");
		struct dev_addr one = { 0 };
		snprintf(item, sizeof item, "%.*s", (int)length, list);
		equals = strchr(item, '=');
		if (!equals || equals == item || (size_t)(equals - item) >= sizeof one.dev ||
		    !net_prefix_parse(equals + 1, &one.addr))
			return err_set(err, EINVAL,
				       "%s: annotation svclab.dev/addresses: \"%s\", expected "
				       "DEV=ADDRESS/LEN,...", p->name, item);
		snprintf(one.dev, sizeof one.dev, "%.*s", (int)(equals - item), item);
		p->extra = mem_grow(p->extra, p->extra_count, p->extra_count + 1, sizeof *p->extra);
		p->extra[p->extra_count++] = one;
		list += length + (list[length] == ',');
	}
	return 0;
}

int place_load_line(struct place *p, enum tx_tool tool, const char *line, struct err *err)
{
	struct world *w = p->world;
	struct transactions list = { 0 };
	struct load_cost cost;
	transaction_add(transactions_add(&list, tool), block_new(line, strlen(line)));
	int code = w->row->executor->load(w->executor, place_netns(p), &list.items[0], &cost, err);
	transactions_free(&list);
	return code;
}

static int load_extra(struct place *p, struct err *err)
{
	int code = 0;
	for (uint32_t i = 0; i < p->extra_count && !code; i++) {
		char line[96], text[NET_ADDR_TEXT];
		snprintf(line, sizeof line, "add %s dev %s\n",
			 net_prefix_text(&p->extra[i].addr, text), p->extra[i].dev);
		code = place_load_line(p, TX_ADDR, line, err);
	}
	return code;
}

static void spec_of(const struct place *p, struct place_spec *spec, char node[300])
{
	*spec = (struct place_spec){ .kind = p->kind, .name = p->name,
				     .addrs = { p->addrs[0], p->addrs[1] }, .node = "",
				     .pod_cidrs = { p->pod_cidrs[0], p->pod_cidrs[1] },
				     .more = p->more, .more_count = p->more_count,
				     .routed = p->routed, .no_hairpin = p->no_hairpin,
				     .overlay = p->overlay, .uplink = p->uplink,
				     .bridge = p->bridge, .port = p->port };
	const char *by = p->kind == PLACE_POD ? p->node : p->kind == PLACE_OUTSIDE ? p->node : "";
	if (*by) {
		snprintf(node, 300, "node/%s", by);
		spec->node = node;
	}
}

/* REDIRECT sends a packet to the first address of the interface it came in by, and drops
 * it where there is none. A proxy in user space therefore needs addresses on routed
 * veths; they have the node's, as CNI's ptp plugin gives them. */
static int address_port(struct place *p, struct err *err)
{
	struct place *node = place_of_node(p->world, p->node);
	int code = 0;
	for (int i = 0; i < 2 && !code; i++) {
		char line[128], text[NET_ADDR_TEXT];
		if (node->addrs[i].family == NET_NONE)
			continue;
		snprintf(line, sizeof line, "add %s/%u dev %s\n",
			 net_addr_text(&node->addrs[i], text), net_family_bits(node->addrs[i].family),
			 p->port);
		code = place_load_line(node, TX_ADDR, line, err);
	}
	return code;
}

const char *place_port(struct place *pod)
{
	char name[16];
	if (!pod->port) {
		snprintf(name, sizeof name, "veth%08x",
			 (unsigned)(hash_bytes(pod->name, strlen(pod->name), 0) & 0xffffffffu));
		pod->port = mem_strdup(name);
	}
	return pod->port;
}

static bool wants_port_address(struct place *p)
{
	const struct planner_class *planner = p->world->row->planner;
	const struct place *node = p->kind == PLACE_POD ? place_of_node(p->world, p->node) : NULL;
	return planner && planner->serve && node && node->routed && place_port(p);
}

/* A pod's node; the node that a host outside comes in by. */
static int attach_before(struct place *p, struct err *err)
{
	struct place *first = p->host ? p->host
			      : p->kind != PLACE_NODE && *p->node ? place_of_node(p->world, p->node)
								  : NULL;
	return first ? place_attach(first, err) : 0;
}

int place_attach(struct place *p, struct err *err)
{
	struct world *w = p->world;
	struct place_spec spec;
	char node[300];
	assert(w->executor);
	if (p->attached)
		return 0;
	int code = attach_before(p, err);
	if (code)
		return code;
	if (!p->host) {
		bool port_address = wants_port_address(p);
		spec_of(p, &spec, node);
		code = w->row->executor->attach(w->executor, &spec, err);
		if (!code)
			code = load_extra(p, err);
		if (!code && port_address)
			code = address_port(p, err);
		if (code)
			return code;
	}
	p->attached = true;
	programs_start(p);
	if (p->kind == PLACE_OUTSIDE)
		balances_tell(p);
	/* In a running cluster the kube-proxy pod does this. */
	return p->proxy && w->options.snapshot ? proxy_load_now(p->proxy, err) : 0;
}

void place_remove(struct place *p)
{
	struct world *w = p->world;
	ops_cancel_of(w, p);
	programs_stop(p, 0, true);
	proxy_free(p->proxy);
	if (p->attached && !p->host)
		w->row->executor->detach(w->executor, p->name, NULL);
	forget_addresses(p);
	table_remove(&w->places, p->name);
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i] == p) {
			memmove(&w->nodes[i], &w->nodes[i + 1],
				(w->node_count - i - 1) * sizeof(struct place *));
			w->node_count--;
			break;
		}
	place_free(p);
}

/* Pods before the nodes that their veths end in. */
void places_free(struct world *w)
{
	void *value;
	for (int nodes = 0; nodes < 2; nodes++)
		for (uint32_t i = 0; table_next(&w->places, &i, NULL, &value);) {
			struct place *p = *(struct place **)value;
			if ((p->kind == PLACE_NODE) == nodes)
				place_remove(p);
		}
	table_free(&w->places);
	table_free(&w->addresses);
	free(w->nodes);
}
