/* net/packet.c: packets, their headers and checksums; see packet.h. Rewriting is in
 * packet_rewrite.c, text in packet_line.c. */
#include "net/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "net/headers.h"
#include "net/wire.h"

enum { ETHERTYPE_V4 = 0x0800, ETHERTYPE_V6 = 0x86dd, ETHERTYPE_VLAN = 0x8100,
       ETHERTYPE_VLAN_OUTER = 0x88a8 };

struct packet *packet_new(uint32_t capacity)
{
	/* One piece of memory: the struct, then its bytes. */
	struct packet *p = mem_alloc(sizeof *p + capacity);
	p->bytes = (uint8_t *)(p + 1);
	p->capacity = capacity;
	return p;
}

struct packet *packet_copy(const struct packet *p)
{
	struct packet *copy = packet_new(p->length);
	uint8_t *bytes = copy->bytes;
	*copy = *p;
	copy->bytes = bytes;
	copy->capacity = p->length;
	memcpy(bytes, p->bytes, p->length);
	return copy;
}

void packet_free(struct packet *p)
{
	free(p);
}

int packet_parse(struct packet *p)
{
	uint32_t at = ETHER_BYTES;
	struct headers h = { 0 };
	p->family = NET_NONE;
	p->proto = 0;
	p->fragment = false;
	p->l3 = p->l4 = p->payload = 0;
	if (p->length < ETHER_BYTES)
		return EBADMSG;
	uint16_t type = get16(p->bytes + 12);
	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_VLAN_OUTER) {
		if (p->length - at < 4)
			return EBADMSG;
		type = get16(p->bytes + at + 2);
		at += 4;
	}
	if (type != ETHERTYPE_V4 && type != ETHERTYPE_V6)
		return 0;
	uint8_t family = type == ETHERTYPE_V4 ? NET_V4 : NET_V6;
	if (headers_find(p->bytes, p->length, at, family, false, &h) || h.payload > UINT16_MAX)
		return EBADMSG;
	p->family = family;
	p->proto = h.proto;
	p->fragment = h.fragment;
	p->l3 = (uint16_t)h.l3;
	p->l4 = (uint16_t)h.l4;
	p->payload = (uint16_t)h.payload;
	return 0;
}

static bool ip4_sum_ok(const struct packet *p)
{
	const uint8_t *ip = p->bytes + p->l3;
	return checksum_fold(checksum_add(0, ip, (ip[0] & 15u) * 4)) == 0;
}

/* SCTP keeps its CRC in little-endian order (RFC 9260, 6.8); the field counts as zero. */
static uint32_t sctp_crc(const uint8_t *bytes, const struct headers *h)
{
	static const uint8_t zero[4];
	uint32_t crc = crc32c(0, bytes + h->l4, 8);
	crc = crc32c(crc, zero, sizeof zero);
	return crc32c(crc, bytes + h->l4 + 12, h->end - h->l4 - 12);
}

static uint32_t get_crc(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

bool packet_checksums_ok(const struct packet *p)
{
	struct headers h;
	if (p->family == NET_NONE)
		return true;
	if (p->family == NET_V4 && !ip4_sum_ok(p))
		return false;
	headers_of(p, &h);
	if (!h.whole || !h.l4)
		return true; /* the sum covers bytes that are not here */
	if (h.proto == PROTO_SCTP)
		return get_crc(p->bytes + h.l4 + 8) == sctp_crc(p->bytes, &h);
	if (!headers_checksum_at(p->bytes, &h)) /* RFC 8200, 8.1: not over IPv6 */
		return p->family == NET_V4;
	return headers_transport_sum(p->bytes, &h) == 0;
}

void packet_checksums_fill(struct packet *p)
{
	struct headers h;
	headers_of(p, &h);
	if (p->family == NET_V4) {
		uint8_t *ip = p->bytes + p->l3;
		put16(ip + 10, 0);
		uint16_t sum = checksum_fold(checksum_add(0, ip, (ip[0] & 15u) * 4));
		memcpy(ip + 10, &sum, 2);
	}
	if (!h.whole || !h.l4)
		return;
	if (h.proto == PROTO_SCTP) {
		uint32_t crc = sctp_crc(p->bytes, &h);
		for (int i = 0; i < 4; i++)
			p->bytes[h.l4 + 8 + (unsigned)i] = (uint8_t)(crc >> (8 * i));
		return;
	}
	uint8_t *field = p->bytes + h.l4 +
			 (h.proto == PROTO_TCP ? 16 : h.proto == PROTO_UDP ? 6 : 2);
	put16(field, 0);
	uint16_t sum = headers_transport_sum(p->bytes, &h);
	if (!sum && h.proto == PROTO_UDP)
		sum = 0xffff; /* zero would say that there is none (RFC 768) */
	memcpy(field, &sum, 2);
}

static struct net_addr address_at(const struct packet *p, unsigned v4_at, unsigned v6_at)
{
	struct net_addr a = { .family = p->family };
	if (p->family == NET_V4)
		memcpy(a.bytes, p->bytes + p->l3 + v4_at, 4);
	else if (p->family == NET_V6)
		memcpy(a.bytes, p->bytes + p->l3 + v6_at, 16);
	return a;
}

struct net_addr packet_src(const struct packet *p)
{
	return address_at(p, 12, 8);
}

struct net_addr packet_dst(const struct packet *p)
{
	return address_at(p, 16, 24);
}

/* The transport header's bytes at..at+size, or NULL when they are not here. */
static const uint8_t *transport(const struct packet *p, uint32_t at, uint32_t size)
{
	return p->l4 && p->l4 + at + size <= p->length ? p->bytes + p->l4 + at : NULL;
}

static const uint8_t *tcp_header(const struct packet *p, uint32_t at, uint32_t size)
{
	return p->proto == PROTO_TCP ? transport(p, at, size) : NULL;
}

static bool has_ports(const struct packet *p)
{
	return p->proto == PROTO_TCP || p->proto == PROTO_UDP || p->proto == PROTO_SCTP;
}

static bool is_icmp(const struct packet *p)
{
	return p->l4 && (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6);
}

static uint16_t port_at(const struct packet *p, uint32_t at)
{
	const uint8_t *field = has_ports(p) ? transport(p, at, 2) : NULL;
	return field ? get16(field) : packet_icmp_id(p);
}

uint16_t packet_src_port(const struct packet *p)
{
	return port_at(p, 0);
}

uint16_t packet_dst_port(const struct packet *p)
{
	return port_at(p, 2);
}

uint8_t packet_ttl(const struct packet *p)
{
	return p->family == NET_NONE ? 0 : p->bytes[p->l3 + (p->family == NET_V4 ? 8 : 7)];
}

uint8_t packet_tos(const struct packet *p)
{
	if (p->family == NET_NONE)
		return 0;
	const uint8_t *ip = p->bytes + p->l3;
	return p->family == NET_V4 ? ip[1] : (uint8_t)(get16(ip) >> 4);
}

uint8_t packet_tcp_flags(const struct packet *p)
{
	const uint8_t *field = tcp_header(p, 13, 1);
	return field ? *field : 0;
}

uint32_t packet_tcp_seq(const struct packet *p)
{
	const uint8_t *field = tcp_header(p, 4, 4);
	return field ? get32(field) : 0;
}

uint32_t packet_tcp_ack(const struct packet *p)
{
	const uint8_t *field = tcp_header(p, 8, 4);
	return field ? get32(field) : 0;
}

uint16_t packet_tcp_window(const struct packet *p)
{
	const uint8_t *field = tcp_header(p, 14, 2);
	return field ? get16(field) : 0;
}

uint8_t packet_icmp_type(const struct packet *p)
{
	return is_icmp(p) ? p->bytes[p->l4] : 0;
}

uint8_t packet_icmp_code(const struct packet *p)
{
	return is_icmp(p) ? p->bytes[p->l4 + 1] : 0;
}

uint16_t packet_icmp_id(const struct packet *p)
{
	if (!is_icmp(p) || !icmp_has_id(p->family, packet_icmp_type(p)))
		return 0;
	return get16(p->bytes + p->l4 + 4);
}

const uint8_t *packet_payload(const struct packet *p, uint32_t *length)
{
	struct headers h;
	headers_of(p, &h);
	*length = h.end - h.payload;
	return p->bytes + h.payload;
}

bool packet_is_icmp_error(const struct packet *p)
{
	if (!is_icmp(p))
		return false;
	uint8_t type = p->bytes[p->l4];
	if (p->family == NET_V6) /* RFC 4443, 2.1: informational ones have the high bit */
		return type >= 1 && type < 128;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

struct packet *packet_quoted(const struct packet *p)
{
	struct headers outer, h;
	if (!headers_quoted(p, &h))
		return NULL;
	headers_of(p, &outer);
	struct packet *q = packet_new(ETHER_BYTES + outer.end - h.l3);
	q->length = q->capacity;
	put16(q->bytes + 12, p->family == NET_V4 ? ETHERTYPE_V4 : ETHERTYPE_V6);
	memcpy(q->bytes + ETHER_BYTES, p->bytes + h.l3, outer.end - h.l3);
	uint32_t shift = h.l3 - ETHER_BYTES;
	q->family = h.family;
	q->proto = h.proto;
	q->fragment = h.fragment;
	q->l3 = ETHER_BYTES;
	q->l4 = (uint16_t)(h.l4 ? h.l4 - shift : 0);
	q->payload = (uint16_t)(h.payload - shift);
	return q;
}

struct flow_key packet_flow(const struct packet *p)
{
	struct flow_key k;
	memset(&k, 0, sizeof k);
	k.src = packet_src(p);
	k.dst = packet_dst(p);
	k.proto = p->proto;
	k.src_port = packet_src_port(p);
	k.dst_port = packet_dst_port(p);
	if (is_icmp(p))
		k.dst_port = (uint16_t)(packet_icmp_type(p) << 8 | packet_icmp_code(p));
	return k;
}

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ PROTO_TCP, "tcp" },
	{ PROTO_UDP, "udp" },
	{ PROTO_ICMP, "icmp" },
	{ PROTO_ICMP6, "icmpv6" },
	{ PROTO_SCTP, "sctp" },
};

const char *proto_name(uint8_t proto)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (protocols[i].number == proto)
			return protocols[i].name;
	return NULL;
}

uint8_t proto_number(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (strcasecmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	/* Two more spellings: of iptables, and of /etc/protocols. */
	if (strcasecmp(name, "icmp6") == 0 || strcasecmp(name, "ipv6-icmp") == 0)
		return PROTO_ICMP6;
	return 0;
}
