/* net/compare.c: which packet of one capture is which of the other; see compare.h.
 *
 * Per interface, three steps. Conversations of the same endpoints are matched, linked
 * connections first. Within a matched pair the two sequences are aligned at the least
 * cost. What is left of all conversations is paired by likeness: that finds packets
 * whose address or port was changed, and those that moved within their flow.
 */
#include "net/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"
#include "net/compare_internal.h"

#define LIKE_FIELDS 3u          /* more different fields: not the same packet */
#define ALIGN_CELLS 4000000u    /* largest table for one alignment */
#define LIKENESS_PAIRS 4000000u /* most comparisons of leftovers at one interface */

enum { COST_GAP = 10, COST_PAIR = 10, COST_FIELD = 3, COST_NEVER = 1 << 20 };

struct conversation_key {
	struct net_addr client, server;
	uint32_t interface;
	uint16_t server_port;
	uint8_t proto, pad;
};

/* The connection in the second capture that a packet of either belongs to. */
static uint32_t second_connection(const struct compare_pair *p, const struct compare_record *x,
				  const struct compare_record *y)
{
	if (y)
		return p->b.conversations[y->conversation].connection;
	uint32_t own = x ? p->a.conversations[x->conversation].connection : COMPARE_NONE;
	return own == COMPARE_NONE ? COMPARE_NONE : p->a.connections[own].mate;
}

/* What the second capture's comments say of a connection, up to y (or all). */
static const char *flow_trace(struct compare_pair *p, const struct compare_record *x,
			      const struct compare_record *y)
{
	uint32_t connection = second_connection(p, x, y);
	struct strbuf text = { 0 };
	for (uint32_t i = 0; connection != COMPARE_NONE && i < p->b.count; i++) {
		const struct compare_record *r = &p->b.records[i];
		const char *comment = r->captured->comment;
		if (y && r->number > y->number)
			break;
		if (comment && *comment && p->b.conversations[r->conversation].connection == connection)
			strbuf_printf(&text, "#%u %s: %s\n", r->number,
				      p->b.capture->interfaces[r->captured->interface], comment);
	}
	const char *kept = text.length ? arena_strdup(p->memory, strbuf_text(&text)) : "";
	strbuf_free(&text);
	return kept;
}

static struct compare_difference *add_difference(struct compare_pair *p, enum compare_kind kind,
						 const struct compare_record *x,
						 const struct compare_record *y)
{
	struct comparison *c = p->result;
	char line[512];
	if (c->count == p->room) {
		uint32_t more = p->room ? 2 * p->room : 16;
		c->differences = mem_grow(c->differences, p->room, more, sizeof *c->differences);
		p->room = more;
	}
	struct compare_difference *d = &c->differences[c->count++];
	*d = (struct compare_difference){ .kind = kind, .field = "", .a = "", .b = "" };
	d->trace = flow_trace(p, x, y);
	c->unequal++;
	if (x) {
		d->a_number = x->number;
		packet_line(x->captured->packet, line, sizeof line);
		d->a_line = arena_strdup(p->memory, line);
	}
	if (y) {
		d->b_number = y->number;
		packet_line(y->captured->packet, line, sizeof line);
		d->b_line = arena_strdup(p->memory, line);
	}
	const struct compare_conversation *v =
		x ? &p->a.conversations[x->conversation] : &p->b.conversations[y->conversation];
	char client[NET_ADDR_TEXT + 8], server[NET_ADDR_TEXT + 8], number[16];
	const char *proto = proto_name(v->proto);
	snprintf(number, sizeof number, "proto %u", v->proto);
	net_endpoint_text(&v->client.addr, v->client.port, client);
	net_endpoint_text(&v->server.addr, v->server.port, server);
	d->flow = arena_printf(p->memory, "%s %s -> %s", proto ? proto : number, client, server);
	d->interface = arena_strdup(p->memory, p->interfaces[v->interface]);
	return d;
}

/* Takes x and y for one packet; reports the fields that differ, or a change of place. */
static void pair_up(struct compare_pair *p, struct compare_record *x, struct compare_record *y,
		    bool in_place)
{
	struct compare_fields fields;
	x->paired = y->paired = true;
	compare_records(p, x, y, &fields);
	for (uint32_t i = 0; i < fields.count; i++) {
		struct compare_difference *d = add_difference(p, COMPARE_FIELD, x, y);
		d->field = fields.list[i].name;
		d->a = arena_strdup(p->memory, fields.list[i].a);
		d->b = arena_strdup(p->memory, fields.list[i].b);
	}
	const struct compare_conversation *a = &p->a.conversations[x->conversation];
	const struct compare_conversation *b = &p->b.conversations[y->conversation];
	if (fields.count || in_place || a->mate != y->conversation)
		return;
	int64_t after_a = x->captured->when_ns - a->started_ns;
	int64_t after_b = y->captured->when_ns - b->started_ns;
	int64_t apart = after_a > after_b ? after_a - after_b : after_b - after_a;
	if (!p->a.options->tolerance_ns || apart > p->a.options->tolerance_ns)
		add_difference(p, COMPARE_ORDER, x, y);
}

static struct compare_record **sequence(const struct compare_view *v, uint32_t conversation)
{
	const struct compare_conversation *c = &v->conversations[conversation];
	struct compare_record **list = mem_array(c->count + 1, sizeof *list);
	uint32_t n = 0;
	for (uint32_t i = c->first; i != COMPARE_NONE; i = v->records[i].next)
		list[n++] = &v->records[i];
	return list;
}

static uint32_t pair_cost(const struct compare_pair *p, const struct compare_record *x,
			  const struct compare_record *y)
{
	if (x->from_client != y->from_client)
		return COST_NEVER;
	uint32_t fields = compare_records(p, x, y, NULL);
	if (!fields)
		return 0;
	return fields > LIKE_FIELDS ? COST_NEVER : COST_PAIR + COST_FIELD * fields;
}

/* Least-cost alignment of x[0..n) and y[0..m) by the usual table, filled from the end. */
static void align_by_table(struct compare_pair *p, struct compare_record **x, uint32_t n,
			   struct compare_record **y, uint32_t m)
{
	size_t width = (size_t)m + 1;
	uint32_t *cost = mem_array((n + 1) * width, sizeof *cost);
	for (uint32_t i = n + 1; i-- > 0;) {
		for (uint32_t j = m + 1; j-- > 0;) {
			uint32_t *cell = &cost[i * width + j];
			if (i == n || j == m) {
				*cell = COST_GAP * (n - i + m - j);
				continue;
			}
			uint32_t skip_x = cell[width] + COST_GAP, skip_y = cell[1] + COST_GAP;
			*cell = skip_x < skip_y ? skip_x : skip_y;
			uint32_t both = cell[width + 1] + pair_cost(p, x[i], y[j]);
			if (both <= *cell)
				*cell = both;
		}
	}
	for (uint32_t i = 0, j = 0; i < n && j < m;) {
		const uint32_t *cell = &cost[i * width + j];
		if (*cell == cell[width + 1] + pair_cost(p, x[i], y[j]))
			pair_up(p, x[i++], y[j++], true);
		else if (*cell == cell[width] + COST_GAP)
			i++;
		else
			j++;
	}
	free(cost);
}

static void align(struct compare_pair *p, uint32_t conversation)
{
	const struct compare_conversation *a = &p->a.conversations[conversation];
	const struct compare_conversation *b = &p->b.conversations[a->mate];
	struct compare_record **x = sequence(&p->a, conversation);
	struct compare_record **y = sequence(&p->b, a->mate);
	uint32_t n = a->count, m = b->count, start = 0;
	/* Most of it is the same: equal beginnings and ends need no table. */
	for (; start < n && start < m && pair_cost(p, x[start], y[start]) == 0; start++)
		pair_up(p, x[start], y[start], true);
	while (n > start && m > start && pair_cost(p, x[n - 1], y[m - 1]) == 0)
		pair_up(p, x[--n], y[--m], true);
	if ((uint64_t)(n - start + 1) * (m - start + 1) <= ALIGN_CELLS)
		align_by_table(p, x + start, n - start, y + start, m - start);
	free(x);
	free(y);
}

static struct conversation_key key_of(const struct compare_conversation *c)
{
	struct conversation_key k;
	memset(&k, 0, sizeof k);
	k.client = c->client.addr;
	k.server = c->server.addr;
	k.interface = c->interface;
	k.server_port = c->server.port;
	k.proto = c->proto;
	return k;
}

/* The best conversation of b with the key of conversation `number` of a: of the linked
 * connection, else of one that is linked to nobody. */
static uint32_t find_mate(const struct compare_pair *p, uint32_t number, uint32_t candidates)
{
	const struct compare_view *b = &p->b;
	uint32_t linked = p->a.connections[p->a.conversations[number].connection].mate;
	uint32_t second = COMPARE_NONE, third = COMPARE_NONE;
	for (uint32_t i = candidates; i != COMPARE_NONE; i = b->conversations[i].next_same) {
		const struct compare_conversation *c = &b->conversations[i];
		uint32_t theirs = b->connections[c->connection].mate;
		if (c->mate != COMPARE_NONE)
			continue;
		if (linked != COMPARE_NONE && c->connection == linked)
			return i;
		bool free_here = linked == COMPARE_NONE, free_there = theirs == COMPARE_NONE;
		if (second == COMPARE_NONE && free_here && free_there)
			second = i;
		if (third == COMPARE_NONE && free_here != free_there)
			third = i;
	}
	return second != COMPARE_NONE ? second : third;
}

/* What a connection looks like at all interfaces: a sum, so that order means nothing. */
static uint64_t *signatures(const struct compare_view *v)
{
	uint64_t *sums = mem_array((size_t)v->connection_count + 1, sizeof *sums);
	for (uint32_t i = 0; i < v->conversation_count; i++) {
		struct conversation_key key = key_of(&v->conversations[i]);
		sums[v->conversations[i].connection] += hash_bytes(&key, sizeof key, 2);
	}
	return sums;
}

/* Links connections that look the same at all interfaces, in their order: one interface
 * alone may not tell which of two connections went to which backend. */
static void link_connections(struct compare_pair *p)
{
	uint64_t *mine = signatures(&p->a), *theirs = signatures(&p->b);
	uint32_t *next = mem_array((size_t)p->b.connection_count + 1, sizeof *next);
	struct table heads; /* of each signature: number + 1 of the first one not taken */
	table_init(&heads, sizeof *mine, sizeof(uint32_t));
	for (uint32_t i = p->b.connection_count; i-- > 0;) {
		uint32_t *head = table_put(&heads, &theirs[i], NULL);
		next[i] = *head;
		*head = i + 1;
	}
	for (uint32_t i = 0; i < p->a.connection_count; i++) {
		uint32_t *head = table_find(&heads, &mine[i]);
		if (!head || !*head)
			continue;
		uint32_t other = *head - 1;
		p->a.connections[i].mate = other;
		p->b.connections[other].mate = i;
		*head = next[other];
	}
	table_free(&heads);
	free(mine);
	free(theirs);
	free(next);
}

static void match_conversations(struct compare_pair *p)
{
	struct table first, last; /* of each key: number of a conversation of b */
	struct conversation_key key;
	bool added;
	table_init(&first, sizeof key, sizeof(uint32_t));
	table_init(&last, sizeof key, sizeof(uint32_t));
	for (uint32_t i = 0; i < p->b.conversation_count; i++) {
		key = key_of(&p->b.conversations[i]);
		uint32_t *tail = table_put(&last, &key, &added);
		if (added)
			*(uint32_t *)table_put(&first, &key, NULL) = i;
		else
			p->b.conversations[*tail].next_same = i;
		*tail = i;
	}
	for (uint32_t i = 0; i < p->a.conversation_count; i++) {
		struct compare_conversation *c = &p->a.conversations[i];
		key = key_of(c);
		uint32_t *head = table_find(&first, &key);
		uint32_t mate = head ? find_mate(p, i, *head) : COMPARE_NONE;
		if (mate == COMPARE_NONE)
			continue;
		c->mate = mate;
		p->b.conversations[mate].mate = i;
		struct compare_connection *mine = &p->a.connections[c->connection];
		uint32_t other = p->b.conversations[mate].connection;
		struct compare_connection *theirs = &p->b.connections[other];
		if (mine->mate == COMPARE_NONE && theirs->mate == COMPARE_NONE) {
			mine->mate = other;
			theirs->mate = c->connection;
		}
		if (head && p->b.conversations[*head].mate != COMPARE_NONE &&
		    p->b.conversations[*head].next_same != COMPARE_NONE)
			*head = p->b.conversations[*head].next_same; /* skip what is taken */
	}
	table_free(&first);
	table_free(&last);
}

/* The client's port: the same at all interfaces of a connection, or changed at the same
 * ones. A change in one capture only is told once, at the conversation's first packets. */
static void compare_conversation_ports(struct compare_pair *p, uint32_t number)
{
	const struct compare_conversation *a = &p->a.conversations[number];
	const struct compare_conversation *b = &p->b.conversations[a->mate];
	const struct compare_record *x = &p->a.records[a->first], *y = &p->b.records[b->first];
	if (p->a.connections[a->connection].mate != b->connection ||
	    compare_client_ports(p, a->connection, a->client.port, b->client.port, true))
		return;
	struct compare_difference *d = add_difference(p, COMPARE_FIELD, x, y);
	d->field = "client's port";
	d->a = arena_printf(p->memory, "%u", a->client.port);
	d->b = arena_printf(p->memory,
			    "%u: changed by NAT in one capture and not in the other",
			    b->client.port);
}

/* The records of one interface that have no partner yet; *n of them. */
static struct compare_record **leftovers(struct compare_view *v, uint32_t interface, uint32_t *n)
{
	struct compare_record **list = mem_array(v->count + 1, sizeof *list);
	*n = 0;
	for (uint32_t i = 0; i < v->count; i++)
		if (!v->records[i].paired &&
		    v->conversations[v->records[i].conversation].interface == interface)
			list[(*n)++] = &v->records[i];
	return list;
}

static void pair_by_likeness(struct compare_pair *p, uint32_t interface)
{
	uint32_t n, m;
	struct compare_record **x = leftovers(&p->a, interface, &n);
	struct compare_record **y = leftovers(&p->b, interface, &m);
	if ((uint64_t)n * m > LIKENESS_PAIRS)
		n = m ? LIKENESS_PAIRS / m : 0;
	for (uint32_t fields = 0; fields <= LIKE_FIELDS; fields++)
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = 0; j < m && !x[i]->paired; j++)
				if (!y[j]->paired &&
				    compare_records(p, x[i], y[j], NULL) == fields)
					pair_up(p, x[i], y[j], false);
	free(x);
	free(y);
}

static void report_unpaired(struct compare_pair *p)
{
	for (uint32_t i = 0; i < p->a.count; i++)
		if (!p->a.records[i].paired)
			add_difference(p, COMPARE_MISSING, &p->a.records[i], NULL);
	for (uint32_t i = 0; i < p->b.count; i++)
		if (!p->b.records[i].paired)
			add_difference(p, COMPARE_EXTRA, NULL, &p->b.records[i]);
}

/* Packets of an interface that only one capture knows are told as one difference. */
static void report_lonely_interfaces(struct compare_pair *p)
{
	uint32_t *seen = mem_array(2 * (size_t)p->interface_count + 1, sizeof *seen);
	struct compare_view *views[2] = { &p->a, &p->b };
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < views[side]->conversation_count; i++) {
			const struct compare_conversation *c = &views[side]->conversations[i];
			seen[2 * c->interface + (uint32_t)side] += c->count;
		}
	for (uint32_t i = 0; i < p->interface_count; i++) {
		if (!seen[2 * i] == !seen[2 * i + 1])
			continue;
		int side = seen[2 * i] == 0;
		struct compare_view *v = views[side];
		struct compare_record *first = NULL;
		for (uint32_t r = v->count; r-- > 0;)
			if (v->conversations[v->records[r].conversation].interface == i) {
				first = &v->records[r];
				first->paired = true;
			}
		struct compare_difference *d = add_difference(p, COMPARE_INTERFACE, side ? NULL : first,
							      side ? first : NULL);
		d->a = arena_printf(p->memory, "%u packets", seen[2 * i]);
		d->b = arena_printf(p->memory, "%u packets", seen[2 * i + 1]);
		p->result->unequal += seen[2 * i] + seen[2 * i + 1] - 1;
	}
	free(seen);
}

static int by_place(const void *x, const void *y)
{
	const struct compare_difference *a = x, *b = y;
	int order = strcmp(a->interface, b->interface);
	if (order)
		return order;
	uint32_t m = a->a_number ? a->a_number : a->b_number;
	uint32_t n = b->a_number ? b->a_number : b->b_number;
	if (m != n)
		return m < n ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->field, b->field);
}

static uint32_t common_interface(struct compare_pair *p, struct table *names, const char *name)
{
	bool added;
	uint32_t *number = table_put(names, name, &added);
	if (added) {
		*number = p->interface_count;
		p->interfaces[p->interface_count++] = (char *)name;
	}
	return *number;
}

static uint32_t *map_interfaces(struct compare_pair *p, struct table *names,
				const struct capture *c, bool as_one)
{
	uint32_t *map = mem_array(c->interface_count + 1, sizeof *map);
	for (uint32_t i = 0; i < c->interface_count; i++)
		map[i] = as_one ? 0 : common_interface(p, names, c->interfaces[i]);
	return map;
}

static void compare_views(struct compare_pair *p)
{
	report_lonely_interfaces(p);
	link_connections(p);
	match_conversations(p);
	for (uint32_t i = 0; i < p->a.conversation_count; i++) {
		if (p->a.conversations[i].mate == COMPARE_NONE)
			continue;
		compare_conversation_ports(p, i);
		align(p, i);
	}
	for (uint32_t i = 0; i < p->interface_count; i++)
		pair_by_likeness(p, i);
	report_unpaired(p);
}

struct comparison *compare_captures(const struct capture *a, const struct capture *b,
				    const struct compare_options *options)
{
	static const struct compare_options defaults;
	struct comparison_memory *m = mem_alloc(sizeof *m);
	struct table names;
	m->memory = arena_new();
	struct compare_pair p = { .result = &m->result, .memory = m->memory };
	p.a = (struct compare_view){ .capture = a, .options = options ? options : &defaults };
	p.b = (struct compare_view){ .capture = b, .options = p.a.options };
	p.interfaces = mem_array(a->interface_count + b->interface_count + 1, sizeof *p.interfaces);
	table_init(&names, TABLE_STRING_KEYS, sizeof(uint32_t));
	bool as_one = !a->interfaces_named && !b->interfaces_named && a->interface_count == 1 &&
		      b->interface_count == 1;
	if (as_one)
		common_interface(&p, &names, a->interfaces[0]);
	uint32_t *map_a = map_interfaces(&p, &names, a, as_one);
	uint32_t *map_b = map_interfaces(&p, &names, b, as_one);
	p.a.interface_map = map_a;
	p.b.interface_map = map_b;
	compare_view_build(&p.a);
	compare_view_build(&p.b);
	m->result.compared = p.a.count;
	m->result.left_out = p.a.left_out + p.b.left_out;
	compare_views(&p);
	if (m->result.count)
		qsort(m->result.differences, m->result.count, sizeof *m->result.differences,
		      by_place);
	compare_view_free(&p.a);
	compare_view_free(&p.b);
	table_free(&names);
	free(p.interfaces);
	free(map_a);
	free(map_b);
	return &m->result;
}
