/* net/compare_fields.c: two packets, field by field; see compare_internal.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/compare_internal.h"
#include "net/headers.h"
#include "net/wire.h"

#define PING_STAMP_BYTES 16u /* ping puts the time of day in front of its data */

struct pair { /* two packets under comparison */
	const struct compare_pair *both;
	const struct compare_record *x, *y;
	bool matched;        /* conversations of the same ends: their ports were compared */
	bool from_client;    /* roles as the better known packet has them */
	uint32_t connection; /* of the first capture */
	struct compare_fields *out;
	uint32_t differences;
};

bool compare_client_ports(const struct compare_pair *p, uint32_t connection, uint16_t x,
			  uint16_t y, bool commit)
{
	struct compare_connection *c = &p->a.connections[connection];
	struct compare_port_pair **at = &c->ports;
	for (; *at; at = &(*at)->next)
		if ((*at)->a == x || (*at)->b == y)
			return (*at)->a == x && (*at)->b == y;
	if (commit) {
		*at = mem_alloc(sizeof **at);
		(*at)->a = x;
		(*at)->b = y;
	}
	return true;
}

static void note(struct pair *p, const char *name, const char *a, const char *b)
{
	p->differences++;
	if (!p->out || p->out->count == COMPARE_FIELDS)
		return;
	p->out->list[p->out->count].name = name;
	snprintf(p->out->list[p->out->count].a, sizeof p->out->list->a, "%s", a);
	snprintf(p->out->list[p->out->count].b, sizeof p->out->list->b, "%s", b);
	p->out->count++;
}

static void numbers(struct pair *p, const char *name, uint32_t a, uint32_t b)
{
	char x[16], y[16];
	if (a == b)
		return;
	snprintf(x, sizeof x, "%u", a);
	snprintf(y, sizeof y, "%u", b);
	note(p, name, x, y);
}

static void addresses(struct pair *p, const char *name, struct net_addr a, struct net_addr b)
{
	char x[NET_ADDR_TEXT], y[NET_ADDR_TEXT];
	if (!net_addr_equal(&a, &b))
		note(p, name, net_addr_text(&a, x), net_addr_text(&b, y));
}

static void ports(struct pair *p, const char *name, uint16_t a, uint16_t b, bool of_client)
{
	if (!of_client)
		numbers(p, name, a, b);
	else if (!p->matched && !compare_client_ports(p->both, p->connection, a, b, false))
		note(p, name, "one of this connection", "another than elsewhere");
}

static void flags(struct pair *p, uint8_t a, uint8_t b)
{
	static const char letters[] = "FSRP.UEW";
	char x[9] = "", y[9] = "";
	if (a == b)
		return;
	for (unsigned bit = 0, i = 0, j = 0; bit < 8; bit++) {
		if (a & 1u << bit)
			x[i++] = letters[bit];
		if (b & 1u << bit)
			y[j++] = letters[bit];
	}
	note(p, "TCP flags", x, y);
}

/* A number of one side, counted from its connection's base. */
static uint32_t relative(const struct compare_connection *c, bool client, uint32_t number)
{
	return c->has_base[client] ? number - c->base[client] : number;
}

static void compare_tcp(struct pair *p, const struct packet *x, const struct packet *y)
{
	const struct compare_connection *a = &p->both->a.connections[p->connection], *b;
	uint32_t own = p->both->b.conversations[p->y->conversation].connection;
	b = &p->both->b.connections[own];
	if (a->mate != COMPARE_NONE && (p->both->b.connections[a->mate].known || !b->known))
		b = &p->both->b.connections[a->mate];
	flags(p, packet_tcp_flags(x), packet_tcp_flags(y));
	numbers(p, "relative sequence number", relative(a, p->from_client, packet_tcp_seq(x)),
		relative(b, p->from_client, packet_tcp_seq(y)));
	if (packet_tcp_flags(x) & packet_tcp_flags(y) & TCP_ACK)
		numbers(p, "relative acknowledgement number",
			relative(a, !p->from_client, packet_tcp_ack(x)),
			relative(b, !p->from_client, packet_tcp_ack(y)));
}

static void compare_quoted(struct pair *p)
{
	const struct packet *x = p->x->quoted, *y = p->y->quoted;
	if (!x != !y) {
		note(p, "quoted header", x ? "readable" : "not readable",
		     y ? "readable" : "not readable");
		return;
	}
	if (!x)
		return;
	numbers(p, "quoted protocol", x->proto, y->proto);
	addresses(p, "quoted source address", packet_src(x), packet_src(y));
	addresses(p, "quoted destination address", packet_dst(x), packet_dst(y));
	numbers(p, "quoted TTL", packet_ttl(x), packet_ttl(y));
	/* What is quoted went the other way. */
	bool echo = x->proto == PROTO_ICMP || x->proto == PROTO_ICMP6;
	ports(p, echo ? "quoted identifier" : "quoted source port", packet_src_port(x),
	      packet_src_port(y), echo || !p->from_client);
	if (!echo)
		ports(p, "quoted destination port", packet_dst_port(x), packet_dst_port(y),
		      p->from_client);
}

static void compare_icmp(struct pair *p, const struct packet *x, const struct packet *y)
{
	bool v4 = x->family == NET_V4;
	uint8_t type = packet_icmp_type(x);
	numbers(p, "ICMP type", type, packet_icmp_type(y));
	numbers(p, "ICMP code", packet_icmp_code(x), packet_icmp_code(y));
	if (type != packet_icmp_type(y) || !x->l4 || !y->l4)
		return;
	if (icmp_has_id(x->family, type)) {
		ports(p, "identifier", packet_icmp_id(x), packet_icmp_id(y), true);
		numbers(p, "ICMP sequence number", get16(x->bytes + x->l4 + 6),
			get16(y->bytes + y->l4 + 6));
	}
	if ((v4 && type == 3 && packet_icmp_code(x) == 4) || (!v4 && type == 2))
		numbers(p, "MTU", get32(x->bytes + x->l4 + 4), get32(y->bytes + y->l4 + 4));
	compare_quoted(p);
}

static void compare_payload(struct pair *p, const struct packet *x, const struct packet *y)
{
	uint32_t n, m, at = 0;
	const uint8_t *a = packet_payload(x, &n), *b = packet_payload(y, &m);
	char left[64], right[64];
	if (packet_is_icmp_error(x))
		return;
	if (n != m) {
		numbers(p, "payload length", n, m);
		return;
	}
	if ((x->proto == PROTO_ICMP || x->proto == PROTO_ICMP6) && n > PING_STAMP_BYTES)
		at = PING_STAMP_BYTES;
	while (at < n && a[at] == b[at])
		at++;
	if (at == n)
		return;
	snprintf(left, sizeof left, "byte %u is 0x%02x", at, a[at]);
	snprintf(right, sizeof right, "0x%02x", b[at]);
	note(p, "payload", left, right);
}

uint32_t compare_records(const struct compare_pair *both, const struct compare_record *x,
			 const struct compare_record *y, struct compare_fields *out)
{
	const struct packet *a = x->captured->packet, *b = y->captured->packet;
	const struct compare_conversation *cx = &both->a.conversations[x->conversation];
	const struct compare_conversation *cy = &both->b.conversations[y->conversation];
	struct pair p = { .both = both, .x = x, .y = y, .from_client = x->from_client,
			  .connection = cx->connection, .out = out,
			  .matched = cx->mate == y->conversation };
	const struct compare_connection *known = &both->b.connections[cy->connection];
	if (!both->a.connections[cx->connection].known && known->known) {
		p.from_client = y->from_client; /* the other packet knows its roles better */
		if (known->mate != COMPARE_NONE)
			p.connection = known->mate;
	}
	if (out)
		out->count = 0;
	numbers(&p, "IP version", a->family, b->family);
	numbers(&p, "protocol", a->proto, b->proto);
	addresses(&p, "source address", packet_src(a), packet_src(b));
	addresses(&p, "destination address", packet_dst(a), packet_dst(b));
	numbers(&p, "TTL", packet_ttl(a), packet_ttl(b));
	if (a->proto != b->proto || a->family != b->family)
		return p.differences;
	numbers(&p, "fragment", a->fragment, b->fragment);
	if (a->proto == PROTO_ICMP || a->proto == PROTO_ICMP6) {
		compare_icmp(&p, a, b);
	} else {
		ports(&p, "source port", packet_src_port(a), packet_src_port(b), p.from_client);
		ports(&p, "destination port", packet_dst_port(a), packet_dst_port(b),
		      !p.from_client);
	}
	if (a->proto == PROTO_TCP)
		compare_tcp(&p, a, b);
	compare_payload(&p, a, b);
	return p.differences;
}
