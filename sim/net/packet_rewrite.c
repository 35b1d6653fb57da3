/* net/packet_rewrite.c: what NAT, routers and bridges change in a packet; see packet.h.
 *
 * The rewrites follow RFC 1624 for sums (one changed word at a time) and RFC 5508 for
 * errors: the quoted header gets the address of its flow, the inner sums follow it
 * where they are quoted, and the outer ICMP sum covers them all.
 */
#include "net/packet.h"

#include <assert.h>
#include <string.h>

#include "net/headers.h"
#include "net/wire.h"

/* Replaces bytes that the transport checksum covers. */
static void replace(uint8_t *bytes, const struct headers *h, uint8_t *at, const uint8_t *after,
		    size_t length)
{
	uint32_t field = headers_checksum_at(bytes, h);
	if (field) {
		uint8_t *sum = bytes + h->l4 + field;
		checksum_replace(sum, at, after, length);
		if (h->proto == PROTO_UDP && get16(sum) == 0)
			put16(sum, 0xffff);
	}
	memcpy(at, after, length);
}

static void rewrite_address(uint8_t *bytes, const struct headers *h, bool source,
			    const struct net_addr *a)
{
	uint8_t *ip = bytes + h->l3;
	if (h->family == NET_V4) {
		uint8_t *at = ip + (source ? 12 : 16);
		checksum_replace(ip + 10, at, a->bytes, 4);
		if (h->proto == PROTO_TCP || h->proto == PROTO_UDP)
			replace(bytes, h, at, a->bytes, 4);
		else
			memcpy(at, a->bytes, 4);
	} else {
		replace(bytes, h, ip + (source ? 8 : 24), a->bytes, 16);
	}
}

/* Whether a port was changed whose checksum must be made anew (SCTP). */
static bool rewrite_port(uint8_t *bytes, const struct headers *h, bool source, uint16_t port)
{
	uint8_t after[2];
	put16(after, port);
	if (!h->l4)
		return false;
	uint8_t *l4 = bytes + h->l4;
	switch (h->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
		replace(bytes, h, l4 + (source ? 0 : 2), after, 2);
		return false;
	case PROTO_SCTP:
		memcpy(l4 + (source ? 0 : 2), after, 2);
		return true;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		if (icmp_has_id(h->family, l4[0]))
			replace(bytes, h, l4 + 4, after, 2);
		return false;
	default:
		return false;
	}
}

static void rewrite(struct packet *p, bool source, const struct net_addr *a, uint16_t port)
{
	struct headers h;
	assert(p->family == a->family);
	headers_of(p, &h);
	rewrite_address(p->bytes, &h, source, a);
	if (rewrite_port(p->bytes, &h, source, port))
		packet_checksums_fill(p);
}

void packet_set_src(struct packet *p, const struct net_addr *a, uint16_t port)
{
	rewrite(p, true, a, port);
}

void packet_set_dst(struct packet *p, const struct net_addr *a, uint16_t port)
{
	rewrite(p, false, a, port);
}

static void rewrite_quoted(struct packet *p, bool source, const struct net_addr *a, uint16_t port)
{
	struct headers outer, h;
	assert(p->family == a->family);
	if (!headers_quoted(p, &h))
		return;
	rewrite_address(p->bytes, &h, source, a);
	rewrite_port(p->bytes, &h, source, port);
	headers_of(p, &outer);
	uint8_t *sum = p->bytes + outer.l4 + 2;
	put16(sum, 0);
	uint16_t anew = headers_transport_sum(p->bytes, &outer);
	memcpy(sum, &anew, 2);
}

void packet_set_quoted_src(struct packet *p, const struct net_addr *a, uint16_t port)
{
	rewrite_quoted(p, true, a, port);
}

void packet_set_quoted_dst(struct packet *p, const struct net_addr *a, uint16_t port)
{
	rewrite_quoted(p, false, a, port);
}

/* One of the two bytes of an IPv4 header word. */
static void set_ip4_byte(struct packet *p, unsigned at, uint8_t value)
{
	uint8_t *ip = p->bytes + p->l3, *word = ip + (at & ~1u), after[2] = { word[0], word[1] };
	after[at & 1] = value;
	checksum_replace(ip + 10, word, after, 2);
	memcpy(word, after, 2);
}

void packet_set_ttl(struct packet *p, uint8_t ttl)
{
	if (p->family == NET_V4)
		set_ip4_byte(p, 8, ttl);
	else if (p->family == NET_V6)
		p->bytes[p->l3 + 7] = ttl;
}

void packet_set_tos(struct packet *p, uint8_t tos)
{
	if (p->family == NET_V4) {
		set_ip4_byte(p, 1, tos);
	} else if (p->family == NET_V6) {
		uint8_t *ip = p->bytes + p->l3;
		put16(ip, (uint16_t)((get16(ip) & 0xf00f) | tos << 4));
	}
}

void packet_set_macs(struct packet *p, const struct net_mac *src, const struct net_mac *dst)
{
	memcpy(p->bytes, dst->bytes, 6);
	memcpy(p->bytes + 6, src->bytes, 6);
}
