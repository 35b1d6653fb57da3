/* net/compare_view.c: a capture becomes conversations; see compare_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "core/table.h"
#include "net/compare_internal.h"
#include "net/headers.h"

#define PORT_EPHEMERAL 32768u /* ip_local_port_range of Linux begins here */

struct tuple_key { /* both directions of one flow at one interface */
	struct compare_end low, high;
	uint32_t interface;
	uint32_t proto;
};

struct identity_key { /* what NAT leaves alone */
	uint64_t what; /* initial sequence number, or hash of the first payload */
	uint16_t proto, family;
	uint32_t nth;  /* payloads: of its kind at one interface */
};

struct count_key {
	uint64_t what;
	uint32_t proto, interface; /* protocol with the family above it */
};

struct builder {
	struct compare_view *view;
	struct table tuples, identities, counts; /* values: uint32_t */
};

static bool is_noise(const struct packet *p)
{
	enum { PROTO_IGMP = 2, MLD_FIRST = 130, REDIRECT = 137, MLD_REPORT_2 = 143 };
	uint8_t type = packet_icmp_type(p);
	if (p->family == NET_NONE || p->proto == PROTO_IGMP)
		return true;
	return p->proto == PROTO_ICMP6 && ((type >= MLD_FIRST && type <= REDIRECT) ||
					   type == MLD_REPORT_2);
}

static bool is_pure_ack(const struct packet *p)
{
	uint32_t length;
	packet_payload(p, &length);
	return p->proto == PROTO_TCP && packet_tcp_flags(p) == TCP_ACK && length == 0;
}

static struct compare_end end_of(struct net_addr addr, uint16_t port)
{
	struct compare_end e;
	memset(&e, 0, sizeof e);
	e.addr = addr;
	e.port = port;
	return e;
}

/* Whether the source of `p` opened the flow, as far as one packet can tell. */
static bool looks_like_client(const struct packet *p)
{
	uint8_t flags = packet_tcp_flags(p), type = packet_icmp_type(p);
	if (p->proto == PROTO_TCP && flags & TCP_SYN)
		return !(flags & TCP_ACK);
	if (p->proto == PROTO_ICMP)
		return type != 0;
	if (p->proto == PROTO_ICMP6)
		return type != 129;
	return !(packet_src_port(p) < PORT_EPHEMERAL && packet_dst_port(p) >= PORT_EPHEMERAL);
}

static uint32_t add_connection(struct compare_view *v)
{
	if (v->connection_count == v->connection_room) {
		uint32_t more = v->connection_room ? 2 * v->connection_room : 16;
		v->connections = mem_grow(v->connections, v->connection_room, more,
					  sizeof *v->connections);
		v->connection_room = more;
	}
	v->connections[v->connection_count].mate = COMPARE_NONE;
	return v->connection_count++;
}

static uint32_t add_conversation(struct compare_view *v)
{
	if (v->conversation_count == v->conversation_room) {
		uint32_t more = v->conversation_room ? 2 * v->conversation_room : 16;
		v->conversations = mem_grow(v->conversations, v->conversation_room, more,
					    sizeof *v->conversations);
		v->conversation_room = more;
	}
	struct compare_conversation *c = &v->conversations[v->conversation_count];
	c->mate = c->first = c->last = c->next_same = c->connection = COMPARE_NONE;
	return v->conversation_count++;
}

/* The connection that the first packet of a conversation belongs to: one that another
 * interface saw begin with the same number or payload, or a new one. */
static uint32_t connection_of(struct builder *b, const struct packet *p, uint32_t interface)
{
	struct identity_key id;
	struct count_key counter;
	bool added;
	uint32_t length;
	const uint8_t *payload = packet_payload(p, &length);
	memset(&id, 0, sizeof id);
	memset(&counter, 0, sizeof counter);
	id.proto = p->proto;
	id.family = p->family;
	counter.proto = (uint32_t)p->family << 8 | p->proto;
	if (p->proto == PROTO_TCP && packet_tcp_flags(p) & TCP_SYN) {
		/* The client's number; a SYN/ACK acknowledges it. */
		id.what = looks_like_client(p) ? packet_tcp_seq(p) : packet_tcp_ack(p) - 1;
	} else if (p->proto == PROTO_TCP || !looks_like_client(p) || packet_is_icmp_error(p)) {
		return add_connection(b->view);
	} else {
		id.what = counter.what = hash_bytes(payload, length, 1);
		counter.interface = interface;
		uint32_t *nth = table_put(&b->counts, &counter, &added);
		id.nth = (*nth)++;
	}
	uint32_t *known = table_put(&b->identities, &id, &added);
	if (added) {
		*known = add_connection(b->view);
		b->view->connections[*known].known = true;
	}
	return *known;
}

/* A SYN with another number on a known pair of endpoints opens a new conversation. */
static bool opens_anew(const struct compare_view *v, uint32_t conversation, const struct packet *p)
{
	const struct compare_connection *c =
		&v->connections[v->conversations[conversation].connection];
	return p->proto == PROTO_TCP && !packet_is_icmp_error(p) &&
	       (packet_tcp_flags(p) & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       !(c->has_base[1] && c->base[1] == packet_tcp_seq(p));
}

/* The conversation of a packet, or of what an ICMP error quotes (`about`). */
static uint32_t conversation_of(struct builder *b, const struct compare_record *r,
				const struct packet *about, uint32_t interface)
{
	struct compare_view *v = b->view;
	struct compare_end src = end_of(packet_src(about), packet_src_port(about));
	struct compare_end dst = end_of(packet_dst(about), packet_dst_port(about));
	bool swap = memcmp(&src, &dst, sizeof src) > 0, added;
	struct tuple_key key;
	memset(&key, 0, sizeof key);
	key.low = swap ? dst : src;
	key.high = swap ? src : dst;
	key.interface = interface;
	key.proto = about->proto;
	uint32_t *found = table_put(&b->tuples, &key, &added);
	if (!added && !opens_anew(v, *found, r->captured->packet))
		return *found;
	uint32_t number = *found = add_conversation(v);
	bool client = looks_like_client(about);
	uint32_t connection = connection_of(b, r->captured->packet, interface);
	struct compare_conversation *c = &v->conversations[number];
	c->interface = interface;
	c->proto = about->proto;
	c->client = client ? src : dst;
	c->server = client ? dst : src;
	if (about->proto == PROTO_ICMP || about->proto == PROTO_ICMP6)
		c->server.port = 0; /* the identifier belongs to the client */
	c->connection = connection;
	c->started_ns = r->captured->when_ns;
	return number;
}

/* Learns from which number each side counts. */
static void learn_bases(struct compare_connection *c, const struct packet *p, bool client)
{
	uint8_t flags = packet_tcp_flags(p);
	if (p->proto != PROTO_TCP || flags & TCP_RST)
		return;
	if (!c->has_base[client]) {
		c->base[client] = packet_tcp_seq(p);
		c->has_base[client] = true;
	}
	if (flags & TCP_ACK && !c->has_base[!client]) {
		c->base[!client] = packet_tcp_ack(p) - !!(flags & TCP_SYN);
		c->has_base[!client] = true;
	}
}

static void add_record(struct builder *b, const struct captured *captured, uint32_t number)
{
	struct compare_view *v = b->view;
	const struct packet *p = captured->packet;
	uint32_t index = v->count++;
	struct compare_record *r = &v->records[index];
	*r = (struct compare_record){ .captured = captured, .number = number,
				      .next = COMPARE_NONE,
				      .quoted = packet_quoted(p) };
	const struct packet *about = r->quoted ? r->quoted : p;
	r->conversation = conversation_of(b, r, about, v->interface_map[captured->interface]);
	struct compare_conversation *c = &v->conversations[r->conversation];
	struct net_addr src = packet_src(about);
	uint16_t port = packet_src_port(about);
	r->from_client = net_addr_equal(&src, &c->client.addr) && port == c->client.port;
	if (c->proto == PROTO_ICMP || c->proto == PROTO_ICMP6) /* one number for both ends */
		r->from_client = net_addr_equal(&src, &c->client.addr);
	if (r->quoted) /* an error goes to whoever sent what it quotes */
		r->from_client = !r->from_client;
	else
		learn_bases(&v->connections[c->connection], p, r->from_client);
	r->place = c->count++;
	if (c->last == COMPARE_NONE)
		c->first = index;
	else
		v->records[c->last].next = index;
	c->last = index;
}

static int by_stamp(const void *x, const void *y)
{
	const struct captured *const *a = x, *const *b = y;
	if ((*a)->when_ns != (*b)->when_ns)
		return (*a)->when_ns < (*b)->when_ns ? -1 : 1;
	return *a < *b ? -1 : *a > *b; /* the order of the file */
}

void compare_view_build(struct compare_view *v)
{
	const struct capture *c = v->capture;
	struct builder b = { .view = v };
	const struct captured **order = mem_array(c->count + 1, sizeof *order);
	table_init(&b.tuples, sizeof(struct tuple_key), sizeof(uint32_t));
	table_init(&b.identities, sizeof(struct identity_key), sizeof(uint32_t));
	table_init(&b.counts, sizeof(struct count_key), sizeof(uint32_t));
	v->records = mem_array(c->count + 1, sizeof *v->records);
	for (uint32_t i = 0; i < c->count; i++)
		order[i] = &c->packets[i];
	qsort(order, c->count, sizeof *order, by_stamp);
	for (uint32_t i = 0; i < c->count; i++) {
		const struct packet *p = order[i]->packet;
		if (is_noise(p))
			v->left_out++;
		else if (!(v->options->without_acks && is_pure_ack(p)))
			add_record(&b, order[i], (uint32_t)(order[i] - c->packets) + 1);
	}
	free(order);
	table_free(&b.tuples);
	table_free(&b.identities);
	table_free(&b.counts);
}

void compare_view_free(struct compare_view *v)
{
	for (uint32_t i = 0; i < v->count; i++)
		packet_free(v->records[i].quoted);
	for (uint32_t i = 0; i < v->connection_count; i++) {
		while (v->connections[i].ports) {
			struct compare_port_pair *next = v->connections[i].ports->next;
			free(v->connections[i].ports);
			v->connections[i].ports = next;
		}
	}
	free(v->records);
	free(v->conversations);
	free(v->connections);
}
