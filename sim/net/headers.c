/* net/headers.c: see headers.h. */
#include "net/headers.h"

#include <errno.h>
#include <string.h>

#include "net/wire.h"

enum { /* IPv6 next header values (IANA) */
	NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AH = 51,
	NEXT_DESTINATION = 60
};

#define IP4_BYTES 20u
#define IP6_BYTES 40u
#define TCP_BYTES 20u
#define UDP_BYTES 8u
#define ICMP_BYTES 8u
#define SCTP_BYTES 12u
#define QUOTED_BYTES 8u /* of the transport header, at least (RFC 792) */

bool icmp_has_id(uint8_t family, uint8_t type)
{
	if (family == NET_V6)
		return type == 128 || type == 129;
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static int find_ip4(const uint8_t *bytes, uint32_t length, bool quoted, struct headers *h)
{
	const uint8_t *ip = bytes + h->l3;
	if (length - h->l3 < IP4_BYTES || ip[0] >> 4 != 4)
		return EBADMSG;
	uint32_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);
	uint16_t fragment = get16(ip + 6);
	if (header < IP4_BYTES || total < header || header > length - h->l3)
		return EBADMSG;
	h->end = h->l3 + total;
	if (h->end > length) {
		if (!quoted)
			return EBADMSG;
		h->end = length;
		h->whole = false;
	}
	h->proto = ip[9];
	h->payload = h->l3 + header;
	h->fragment = fragment & 0x1fff;
	h->whole &= !(fragment & 0x3fff);
	return 0;
}

/* Length in bytes of the extension header at `at`; 0: `next` is none. */
static uint32_t extension_bytes(const uint8_t *at, uint8_t next)
{
	switch (next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
		return (at[1] + 1u) * 8;
	case NEXT_AH:
		return (at[1] + 2u) * 4;
	case NEXT_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static int find_ip6(const uint8_t *bytes, uint32_t length, bool quoted, struct headers *h)
{
	const uint8_t *ip = bytes + h->l3;
	if (length - h->l3 < IP6_BYTES || ip[0] >> 4 != 6)
		return EBADMSG;
	uint32_t at = h->l3 + IP6_BYTES;
	h->end = at + get16(ip + 4);
	if (h->end > length) {
		if (!quoted)
			return EBADMSG;
		h->end = length;
		h->whole = false;
	}
	uint8_t next = ip[6];
	static const uint8_t shortest[2]; /* enough to ask whether `next` is an extension */
	while (!h->fragment && extension_bytes(shortest, next)) {
		if (h->end - at < 8)
			return EBADMSG;
		uint32_t size = extension_bytes(bytes + at, next);
		if (size > h->end - at)
			return EBADMSG;
		if (next == NEXT_FRAGMENT) {
			uint16_t fragment = get16(bytes + at + 2);
			h->fragment = fragment & 0xfff8;
			h->whole &= !(fragment & 0xfff9);
		}
		next = bytes[at];
		at += size;
	}
	h->proto = next;
	h->payload = at;
	return 0;
}

static uint32_t transport_bytes(const struct headers *h)
{
	switch (h->proto) {
	case PROTO_TCP:
		return TCP_BYTES;
	case PROTO_UDP:
		return UDP_BYTES;
	case PROTO_SCTP:
		return SCTP_BYTES;
	case PROTO_ICMP:
		return h->family == NET_V4 ? ICMP_BYTES : 0;
	case PROTO_ICMP6:
		return h->family == NET_V6 ? ICMP_BYTES : 0;
	default:
		return 0;
	}
}

/* Finds the transport header at h->payload and moves the latter behind it. */
static int find_transport(const uint8_t *bytes, bool quoted, struct headers *h)
{
	uint32_t left = h->end - h->payload, header = transport_bytes(h);
	const uint8_t *at = bytes + h->payload;
	if (!header || h->fragment)
		return 0;
	if (left < (quoted ? QUOTED_BYTES : header))
		return EBADMSG;
	if (h->proto == PROTO_TCP && left >= header) {
		header = (at[12] >> 4) * 4u;
		if (header < TCP_BYTES)
			return EBADMSG;
	}
	if (header > left) {
		if (!quoted)
			return EBADMSG;
		header = left;
		h->whole = false;
	}
	h->l4 = h->payload;
	if (h->proto == PROTO_UDP) {
		uint32_t size = get16(at + 4);
		if (size < UDP_BYTES || (h->whole && size > left))
			return EBADMSG;
		if (size < left)
			h->end = h->l4 + size;
	}
	h->payload = h->l4 + header;
	return 0;
}

int headers_find(const uint8_t *bytes, uint32_t length, uint32_t l3, uint8_t family, bool quoted,
		 struct headers *out)
{
	struct headers h = { .family = family, .whole = true, .l3 = l3 };
	if (l3 > length)
		return EBADMSG;
	int code = family == NET_V4 ? find_ip4(bytes, length, quoted, &h) :
				      find_ip6(bytes, length, quoted, &h);
	if (!code)
		code = find_transport(bytes, quoted, &h);
	if (!code)
		*out = h;
	return code;
}

void headers_of(const struct packet *p, struct headers *out)
{
	/* Packets made by packet_quoted may be cut; others lost nothing since their parse. */
	if (p->family == NET_NONE ||
	    headers_find(p->bytes, p->length, p->l3, p->family, true, out) != 0)
		memset(out, 0, sizeof *out);
}

bool headers_quoted(const struct packet *p, struct headers *out)
{
	struct headers outer;
	if (!packet_is_icmp_error(p))
		return false;
	headers_of(p, &outer);
	return headers_find(p->bytes, outer.end, outer.payload, p->family, true, out) == 0;
}

uint32_t headers_checksum_at(const uint8_t *bytes, const struct headers *h)
{
	uint32_t left = h->l4 ? h->end - h->l4 : 0;
	switch (h->proto) {
	case PROTO_TCP:
		return left >= TCP_BYTES ? 16 : 0;
	case PROTO_UDP: /* over IPv4 zero means: the sender made none */
		return left >= UDP_BYTES && get16(bytes + h->l4 + 6) ? 6 : 0;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return left >= 4 ? 2 : 0;
	default:
		return 0;
	}
}

uint16_t headers_transport_sum(const uint8_t *bytes, const struct headers *h)
{
	uint64_t sum = 0;
	uint32_t length = h->end - h->l4;
	if (h->proto != PROTO_ICMP) { /* pseudo header, RFC 9293 and RFC 8200 */
		uint8_t tail[8] = { 0 };
		put32(tail, length);
		tail[7] = h->proto;
		sum = checksum_add(sum, tail, sizeof tail);
		sum = h->family == NET_V4 ? checksum_add(sum, bytes + h->l3 + 12, 8) :
					    checksum_add(sum, bytes + h->l3 + 8, 32);
	}
	return checksum_fold(checksum_add(sum, bytes + h->l4, length));
}
