/* net/craft.c: see craft.h. The only user of libnet.
 *
 * libnet builds one packet per (family, protocol): Ethernet, IP and transport header
 * without options or payload. After that a packet is a copy of those bytes with fields
 * patched; libnet is not called again.
 */
#include "net/craft.h"

#include <assert.h>
#include <libnet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "net/wire.h"

enum kind { KIND_TCP, KIND_UDP, KIND_ICMP, KIND_SCTP, KINDS };

#define TEMPLATE_BYTES 80u
#define DEFAULT_TTL 64
#define SCTP_HEADER_BYTES 12u
#define QUOTE_V4 548u  /* RFC 1812, 4.3.2.3: the error stays within 576 bytes */
#define QUOTE_V6 1232u /* RFC 4443, 2.4 (c): within 1280 */
#define TOS_INTERNETCONTROL 0xc0

struct template {
	uint8_t bytes[TEMPLATE_BYTES];
	uint32_t length, l4;
	uint8_t family, proto;
};

struct craft {
	struct template templates[2][KINDS];
};

static const uint8_t protocol_of[2][KINDS] = {
	{ PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_SCTP },
	{ PROTO_TCP, PROTO_UDP, PROTO_ICMP6, PROTO_SCTP },
};

static void build_transport(libnet_t *l, enum kind kind, bool v6, uint32_t *length)
{
	static const uint8_t sctp[SCTP_HEADER_BYTES];
	libnet_ptag_t tag = 0;
	switch (kind) {
	case KIND_TCP:
		*length = LIBNET_TCP_H;
		tag = libnet_build_tcp(0, 0, 0, 0, 0, 0, 0, 0, LIBNET_TCP_H, NULL, 0, l, 0);
		break;
	case KIND_UDP:
		*length = LIBNET_UDP_H;
		tag = libnet_build_udp(0, 0, LIBNET_UDP_H, 0, NULL, 0, l, 0);
		break;
	case KIND_ICMP:
		*length = LIBNET_ICMPV4_ECHO_H;
		tag = v6 ? libnet_build_icmpv6_echo(128, 0, 0, 0, 0, NULL, 0, l, 0) :
			   libnet_build_icmpv4_echo(ICMP_ECHO, 0, 0, 0, 0, NULL, 0, l, 0);
		break;
	case KIND_SCTP: /* unknown to libnet: plain data to it */
	default:
		*length = SCTP_HEADER_BYTES;
		tag = libnet_build_data(sctp, SCTP_HEADER_BYTES, l, 0);
		break;
	}
	assert(tag != -1);
}

static void build_template(libnet_t *l, enum kind kind, bool v6, struct template *t)
{
	static const uint8_t mac[6];
	uint8_t *bytes, proto = protocol_of[v6][kind];
	struct libnet_in6_addr any = { 0 };
	uint32_t length, total, ip = v6 ? LIBNET_IPV6_H : LIBNET_IPV4_H;
	libnet_ptag_t tag;
	libnet_clear_packet(l);
	build_transport(l, kind, v6, &length);
	if (v6)
		tag = libnet_build_ipv6(0, 0, (uint16_t)length, proto, DEFAULT_TTL, any, any, NULL,
					0, l, 0);
	else
		tag = libnet_build_ipv4((uint16_t)(ip + length), 0, 0, 0, DEFAULT_TTL, proto, 0, 0,
					0, NULL, 0, l, 0);
	assert(tag != -1);
	tag = libnet_build_ethernet(mac, mac, v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP, NULL, 0, l, 0);
	assert(tag != -1);
	int code = libnet_pblock_coalesce(l, &bytes, &total);
	assert(code == 1 && total == ETHER_BYTES + ip + length && total <= TEMPLATE_BYTES);
	memcpy(t->bytes, bytes, total);
	t->length = total;
	t->l4 = ETHER_BYTES + ip;
	t->family = v6 ? NET_V6 : NET_V4;
	t->proto = proto;
	libnet_adv_free_packet(l, bytes);
}

struct craft *craft_new(void)
{
	char error[LIBNET_ERRBUF_SIZE];
	struct craft *c = mem_alloc(sizeof *c);
	libnet_t *l = libnet_init(LIBNET_NONE, NULL, error);
	assert(l);
	for (int v6 = 0; v6 < 2; v6++)
		for (int kind = 0; kind < KINDS; kind++)
			build_template(l, (enum kind)kind, v6, &c->templates[v6][kind]);
	libnet_destroy(l);
	return c;
}

void craft_free(struct craft *c)
{
	free(c);
}

/* A copy of the template with `more` bytes behind it and the IP fields set. */
static struct packet *from_template(struct craft *c, enum kind kind, const struct craft_ip *ip,
				    uint32_t more)
{
	assert(ip->src.family == ip->dst.family && ip->src.family != NET_NONE);
	bool v6 = ip->src.family == NET_V6;
	const struct template *t = &c->templates[v6][kind];
	uint32_t length = t->length + more, total = length - ETHER_BYTES;
	assert(total <= UINT16_MAX);
	struct packet *p = packet_new(length);
	uint8_t *head = p->bytes + ETHER_BYTES, ttl = ip->ttl ? ip->ttl : DEFAULT_TTL;
	memcpy(p->bytes, t->bytes, t->length);
	p->length = length;
	p->family = t->family;
	p->proto = t->proto;
	p->l3 = ETHER_BYTES;
	p->l4 = (uint16_t)t->l4;
	p->payload = (uint16_t)t->length;
	if (v6) {
		put16(head, (uint16_t)(0x6000 | ip->tos << 4));
		put16(head + 4, (uint16_t)(total - LIBNET_IPV6_H));
		head[7] = ttl;
		memcpy(head + 8, ip->src.bytes, 16);
		memcpy(head + 24, ip->dst.bytes, 16);
	} else {
		head[1] = ip->tos;
		put16(head + 2, (uint16_t)total);
		put16(head + 4, ip->ip_id);
		put16(head + 6, ip->dont_fragment ? 0x4000 : 0);
		head[8] = ttl;
		memcpy(head + 12, ip->src.bytes, 4);
		memcpy(head + 16, ip->dst.bytes, 4);
	}
	return p;
}

static void copy_payload(struct packet *p, const void *payload, uint32_t length)
{
	if (length)
		memcpy(p->bytes + p->payload, payload, length);
}

/* Writes the options in the order and with the padding of Linux (tcp_options_write);
 * returns their length, a multiple of 4. */
static uint32_t tcp_options(const struct craft_tcp *tcp, uint8_t *out)
{
	enum { NOP = 1, MSS = 2, SCALE = 3, SACK_PERMITTED = 4, TIMESTAMPS = 8 };
	uint8_t *at = out;
	if (tcp->mss) {
		at[0] = MSS;
		at[1] = 4;
		put16(at + 2, tcp->mss);
		at += 4;
	}
	if (tcp->sack_permitted || tcp->timestamps) {
		at[0] = tcp->sack_permitted ? SACK_PERMITTED : NOP;
		at[1] = tcp->sack_permitted ? 2 : NOP;
		if (!tcp->timestamps) { /* Linux pads in front */
			at[0] = at[1] = NOP;
			at[2] = SACK_PERMITTED;
			at[3] = 2;
			at += 4;
		} else {
			at[2] = TIMESTAMPS;
			at[3] = 10;
			put32(at + 4, tcp->ts_value);
			put32(at + 8, tcp->ts_echo);
			at += 12;
		}
	}
	if (tcp->window_scale >= 0) {
		at[0] = NOP;
		at[1] = SCALE;
		at[2] = 3;
		at[3] = (uint8_t)tcp->window_scale;
		at += 4;
	}
	return (uint32_t)(at - out);
}

struct packet *craft_tcp(struct craft *c, const struct craft_ip *ip, const struct craft_tcp *tcp,
			 const void *payload, uint32_t length)
{
	uint8_t options[40];
	uint32_t size = tcp_options(tcp, options);
	struct packet *p = from_template(c, KIND_TCP, ip, size + length);
	uint8_t *l4 = p->bytes + p->l4;
	put16(l4, ip->src_port);
	put16(l4 + 2, ip->dst_port);
	put32(l4 + 4, tcp->seq);
	put32(l4 + 8, tcp->ack);
	l4[12] = (uint8_t)((LIBNET_TCP_H + size) / 4 << 4);
	l4[13] = tcp->flags;
	put16(l4 + 14, tcp->window);
	memcpy(l4 + LIBNET_TCP_H, options, size);
	p->payload = (uint16_t)(p->payload + size);
	copy_payload(p, payload, length);
	packet_checksums_fill(p);
	return p;
}

struct packet *craft_udp(struct craft *c, const struct craft_ip *ip, const void *payload,
			 uint32_t length)
{
	struct packet *p = from_template(c, KIND_UDP, ip, length);
	uint8_t *l4 = p->bytes + p->l4;
	put16(l4, ip->src_port);
	put16(l4 + 2, ip->dst_port);
	put16(l4 + 4, (uint16_t)(LIBNET_UDP_H + length));
	copy_payload(p, payload, length);
	packet_checksums_fill(p);
	return p;
}

struct packet *craft_icmp_echo(struct craft *c, const struct craft_ip *ip, bool reply,
			       uint16_t id, uint16_t sequence, const void *payload,
			       uint32_t length)
{
	struct packet *p = from_template(c, KIND_ICMP, ip, length);
	uint8_t *l4 = p->bytes + p->l4;
	if (p->family == NET_V6)
		l4[0] = reply ? 129 : 128; /* RFC 4443 */
	else
		l4[0] = reply ? 0 : 8; /* RFC 792 */
	put16(l4 + 4, id);
	put16(l4 + 6, sequence);
	copy_payload(p, payload, length);
	packet_checksums_fill(p);
	return p;
}

struct packet *craft_icmp_error(struct craft *c, const struct net_addr *from,
				const struct net_addr *to, uint8_t type, uint8_t code,
				uint32_t rest, const struct packet *original)
{
	bool v4 = from->family == NET_V4;
	struct craft_ip ip = { .src = *from, .dst = *to };
	uint32_t limit = v4 ? QUOTE_V4 : QUOTE_V6, datagram;
	/* The datagram without the padding of a short frame. */
	if (original->family == NET_V4)
		datagram = get16(original->bytes + original->l3 + 2);
	else
		datagram = 40u + get16(original->bytes + original->l3 + 4);
	if (datagram > original->length - original->l3)
		datagram = original->length - original->l3;
	if (datagram > limit)
		datagram = limit;
	if (v4) /* icmp_send: the TOS bits of the original, precedence 6 */
		ip.tos = (packet_tos(original) & 0x1e) | TOS_INTERNETCONTROL;
	struct packet *p = from_template(c, KIND_ICMP, &ip, datagram);
	uint8_t *l4 = p->bytes + p->l4;
	l4[0] = type;
	l4[1] = code;
	put32(l4 + 4, rest);
	copy_payload(p, original->bytes + original->l3, datagram);
	packet_checksums_fill(p);
	return p;
}

struct packet *craft_sctp(struct craft *c, const struct craft_ip *ip, uint8_t chunk_type,
			  uint32_t verification_tag)
{
	enum { INIT = 1, INIT_ACK = 2 };
	bool init = chunk_type == INIT || chunk_type == INIT_ACK;
	uint16_t chunk = init ? 20 : 4; /* RFC 9260, 3.3 */
	struct packet *p = from_template(c, KIND_SCTP, ip, chunk);
	uint8_t *l4 = p->bytes + p->l4, *body = l4 + SCTP_HEADER_BYTES;
	put16(l4, ip->src_port);
	put16(l4 + 2, ip->dst_port);
	/* An INIT carries tag 0 and announces its own (RFC 9260, 8.5.1). */
	put32(l4 + 4, chunk_type == INIT ? 0 : verification_tag);
	body[0] = chunk_type;
	put16(body + 2, chunk);
	if (init) {
		put32(body + 4, verification_tag); /* initiate tag */
		put32(body + 8, 106496);           /* receive window of Linux */
		put16(body + 12, 10);              /* outbound streams */
		put16(body + 14, UINT16_MAX);      /* inbound streams */
		put32(body + 16, verification_tag); /* initial TSN: may be the tag */
	}
	packet_checksums_fill(p);
	return p;
}
