/* net/packet_line.c: a packet as one line, as `tcpdump -n -S` prints it after the time
 * and "IP " (version 4.99), without what its application printers would add. */
#include "net/packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/headers.h"
#include "net/wire.h"

struct line {
	char *out;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct line *l, const char *fmt, ...)
{
	va_list ap;
	if (l->used + 1 >= l->size)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(l->out + l->used, l->size - l->used, fmt, ap);
	va_end(ap);
	l->used += (size_t)n;
	if (l->used >= l->size)
		l->used = l->size - 1;
}

/* "a.port > b.port: ", or without ports. */
static void say_ends(struct line *l, const struct packet *p)
{
	char a[NET_ADDR_TEXT], b[NET_ADDR_TEXT];
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	net_addr_text(&src, a);
	net_addr_text(&dst, b);
	if (p->l4 && p->proto != PROTO_ICMP && p->proto != PROTO_ICMP6)
		say(l, "%s.%u > %s.%u: ", a, packet_src_port(p), b, packet_dst_port(p));
	else
		say(l, "%s > %s: ", a, b);
}

/* Text of one option at `at`; returns its length, 0 when it is broken. */
static uint32_t say_option(struct line *l, const uint8_t *at, uint32_t left)
{
	if (at[0] <= 1) {
		say(l, at[0] ? "nop" : "eol");
		return 1;
	}
	uint32_t size = left >= 2 ? at[1] : 0;
	if (size < 2 || size > left)
		return 0;
	if (at[0] == 2 && size == 4) {
		say(l, "mss %u", get16(at + 2));
	} else if (at[0] == 3 && size == 3) {
		say(l, "wscale %u", at[2]);
	} else if (at[0] == 4 && size == 2) {
		say(l, "sackOK");
	} else if (at[0] == 5 && size % 8 == 2) {
		say(l, "sack %u ", (size - 2) / 8);
		for (uint32_t i = 2; i < size; i += 8)
			say(l, "{%u:%u}", get32(at + i), get32(at + i + 4));
	} else if (at[0] == 8 && size == 10) {
		say(l, "TS val %u ecr %u", get32(at + 2), get32(at + 6));
	} else {
		say(l, "unknown-%u", at[0]);
	}
	return size;
}

static void say_tcp(struct line *l, const struct packet *p, const struct headers *h)
{
	static const char letters[] = "FSRP.UEW";
	const uint8_t *tcp = p->bytes + h->l4;
	uint32_t length = h->end - h->payload;
	if (h->payload - h->l4 < 20) { /* quoted and cut */
		say(l, "Flags [|tcp], seq %u", get32(tcp + 4));
		return;
	}
	say(l, "Flags [");
	for (unsigned bit = 0; bit < 8; bit++)
		if (tcp[13] & 1u << bit)
			say(l, "%c", letters[bit]);
	say(l, tcp[13] ? "]" : "none]");
	if (length || tcp[13] & (TCP_SYN | TCP_FIN | TCP_RST)) {
		say(l, ", seq %u", get32(tcp + 4));
		if (length)
			say(l, ":%u", get32(tcp + 4) + length);
	}
	if (tcp[13] & TCP_ACK)
		say(l, ", ack %u", get32(tcp + 8));
	say(l, ", win %u", get16(tcp + 14));
	if (tcp[13] & TCP_URG)
		say(l, ", urg %u", get16(tcp + 18));
	if (h->payload - h->l4 > 20)
		say(l, ", options [");
	for (uint32_t at = 20, end = h->payload - h->l4, size; at < end; at += size) {
		size = say_option(l, tcp + at, end - at);
		if (!size) {
			say(l, "|tcp");
			size = end - at;
		}
		say(l, at + size < end ? "," : "]");
	}
	say(l, ", length %u", length);
}

/* The quoted destination, and "tcp port N" when it has one. */
static void say_quoted(struct line *l, const struct packet *quoted, bool port)
{
	char text[NET_ADDR_TEXT];
	struct net_addr dst = packet_dst(quoted);
	say(l, "%s", net_addr_text(&dst, text));
	if (!port || !quoted->l4)
		return;
	if (quoted->proto == PROTO_TCP || quoted->proto == PROTO_UDP)
		say(l, " %s", proto_name(quoted->proto));
	else
		say(l, " protocol %u", quoted->proto);
	say(l, " port %u", get16(quoted->bytes + quoted->l4 + 2));
}

static void say_unreachable(struct line *l, const uint8_t *icmp, const struct packet *quoted)
{
	static const struct { /* by code; RFC 792, 1122, 1812 */
		const char *before, *after;
	} texts[] = {
		{ "net ", " unreachable" },
		{ "host ", " unreachable" },
		{ "", "" },
		{ "", " unreachable" },
		{ "", "" },
		{ "", " unreachable - source route failed" },
		{ "net ", " unreachable - unknown" },
		{ "host ", " unreachable - unknown" },
		{ "", " unreachable - source host isolated" },
		{ "net ", " unreachable - admin prohibited" },
		{ "host ", " unreachable - admin prohibited" },
		{ "net ", " unreachable - tos prohibited" },
		{ "host ", " unreachable - tos prohibited" },
		{ "host ", " unreachable - admin prohibited filter" },
		{ "host ", " unreachable - host precedence violation" },
		{ "host ", " unreachable - precedence cutoff" },
	};
	unsigned code = icmp[1];
	if (code >= sizeof texts / sizeof *texts) {
		say(l, "unreachable-%u", code);
		return;
	}
	say(l, "%s", texts[code].before);
	say_quoted(l, quoted, code == 3);
	say(l, "%s", texts[code].after);
	if (code == 2)
		say(l, " protocol %u unreachable", quoted->proto);
	if (code == 4 && get16(icmp + 6))
		say(l, " unreachable - need to frag (mtu %u)", get16(icmp + 6));
	else if (code == 4)
		say(l, " unreachable - need to frag");
}

static void say_redirect(struct line *l, const uint8_t *icmp, const struct packet *quoted)
{
	static const char *const kinds[] = { "net", "host", "tos net", "tos host" };
	say(l, "redirect ");
	if (icmp[1] < 2 || icmp[1] > 3)
		say_quoted(l, quoted, false);
	say(l, " to %s %u.%u.%u.%u", icmp[1] < 4 ? kinds[icmp[1]] : "?", icmp[4], icmp[5], icmp[6],
	    icmp[7]);
}

static void say_icmp4(struct line *l, const struct packet *p, const struct headers *h)
{
	const uint8_t *icmp = p->bytes + h->l4;
	struct packet *quoted = packet_quoted(p);
	say(l, "ICMP ");
	if (icmp[0] == 8 || icmp[0] == 0)
		say(l, "echo %s, id %u, seq %u", icmp[0] ? "request" : "reply", get16(icmp + 4),
		    get16(icmp + 6));
	else if (packet_is_icmp_error(p) && !quoted)
		say(l, "type %u code %u [|icmp]", icmp[0], icmp[1]);
	else if (icmp[0] == 3)
		say_unreachable(l, icmp, quoted);
	else if (icmp[0] == 4)
		say(l, "source quench");
	else if (icmp[0] == 5)
		say_redirect(l, icmp, quoted);
	else if (icmp[0] == 11)
		say(l, icmp[1] ? "ip reassembly time exceeded" : "time exceeded in-transit");
	else if (icmp[0] == 12)
		say(l, "parameter problem - octet %u", icmp[4]);
	else
		say(l, "type-#%u", icmp[0]);
	say(l, ", length %u", h->end - h->l4);
	packet_free(quoted);
}

static void say_unreachable6(struct line *l, uint8_t code, const struct packet *quoted)
{
	/* tcpdump 4.99 does not know the codes 5 and 6 (RFC 4443). */
	static const char *const texts[] = {
		"unreachable route ", " unreachable prohibited ", "beyond scope ",
		"unreachable address ", "unreachable port, ", "source address failed policy ",
		"reject route ",
	};
	char text[NET_ADDR_TEXT];
	struct net_addr src = packet_src(quoted);
	say(l, "destination unreachable, ");
	if (code >= sizeof texts / sizeof *texts) {
		say(l, "unknown unreach code (%u)", code);
		return;
	}
	say(l, "%s", texts[code]);
	say_quoted(l, quoted, code == 4);
	if (code == 2)
		say(l, ", source address %s", net_addr_text(&src, text));
}

static void say_error6(struct line *l, const uint8_t *icmp, const struct packet *quoted)
{
	static const char *const problems[] = { "erroneous", "next header", "option" };
	switch (icmp[0]) {
	case 1:
		say_unreachable6(l, icmp[1], quoted);
		break;
	case 2:
		say(l, "packet too big, mtu %u", get32(icmp + 4));
		break;
	case 3:
		say(l, "time exceeded in-transit");
		if (icmp[1]) {
			say(l, " (reassembly)");
		} else {
			say(l, " for ");
			say_quoted(l, quoted, false);
		}
		break;
	case 4:
		say(l, "parameter problem, ");
		if (icmp[1] < 3)
			say(l, "%s - octet %u", problems[icmp[1]], get32(icmp + 4));
		else
			say(l, "code-#%u", icmp[1]);
		break;
	default:
		say(l, "type-#%u", icmp[0]);
		break;
	}
}

/* Neighbour discovery (RFC 4861): 133 and up. */
static void say_discovery(struct line *l, const uint8_t *icmp, uint32_t length)
{
	static const char *const names[] = { "router solicitation", "router advertisement",
					     "neighbor solicitation, who has ",
					     "neighbor advertisement, tgt is ", "redirect" };
	struct net_addr target = { .family = NET_V6 };
	char text[NET_ADDR_TEXT];
	say(l, "%s", names[icmp[0] - 133]);
	if ((icmp[0] == 135 || icmp[0] == 136) && length >= 24) {
		memcpy(target.bytes, icmp + 8, sizeof target.bytes);
		say(l, "%s", net_addr_text(&target, text));
	}
}

static void say_icmp6(struct line *l, const struct packet *p, const struct headers *h)
{
	const uint8_t *icmp = p->bytes + h->l4;
	struct packet *quoted = packet_quoted(p);
	say(l, "ICMP6, ");
	if (icmp[0] == 128 || icmp[0] == 129)
		say(l, "echo %s, id %u, seq %u", icmp[0] == 128 ? "request" : "reply",
		    get16(icmp + 4), get16(icmp + 6));
	else if (packet_is_icmp_error(p) && !quoted)
		say(l, "type %u code %u [|icmp6]", icmp[0], icmp[1]);
	else if (packet_is_icmp_error(p))
		say_error6(l, icmp, quoted);
	else if (icmp[0] >= 133 && icmp[0] <= 137)
		say_discovery(l, icmp, h->end - h->l4);
	else
		say(l, "type-#%u", icmp[0]);
	say(l, ", length %u", h->end - h->l4);
	packet_free(quoted);
}

static void say_sctp(struct line *l, const struct packet *p, const struct headers *h)
{
	static const char *const names[] = { "DATA", "INIT", "INIT ACK", "SACK", "HB REQ",
					     "HB ACK", "ABORT", "SHUTDOWN", "SHUTDOWN ACK",
					     "OP ERR", "COOKIE ECHO", "COOKIE ACK" };
	say(l, "sctp");
	unsigned number = 0;
	for (uint32_t at = h->payload; h->end - at >= 4;) {
		const uint8_t *chunk = p->bytes + at;
		uint32_t size = get16(chunk + 2), left = h->end - at;
		say(l, " (%u) ", ++number);
		if (chunk[0] < sizeof names / sizeof *names)
			say(l, "[%s]", names[chunk[0]]);
		else
			say(l, "[Unknown chunk type: 0x%x]", chunk[0]);
		if ((chunk[0] == 1 || chunk[0] == 2) && left >= 20)
			say(l, " [init tag: %u] [rwnd: %u] [OS: %u] [MIS: %u] [init TSN: %u]",
			    get32(chunk + 4), get32(chunk + 8), get16(chunk + 12),
			    get16(chunk + 14), get32(chunk + 16));
		size = (size + 3) & ~3u;
		if (size < 4 || size > left)
			break;
		at += size;
	}
}

static void say_arp(struct line *l, const struct packet *p)
{
	const uint8_t *arp = p->bytes + ETHER_BYTES;
	bool ip4 = p->length >= ETHER_BYTES + 28 && get16(arp + 2) == 0x0800 && arp[5] == 4;
	if (ip4 && get16(arp + 6) == 1)
		say(l, "ARP, Request who-has %u.%u.%u.%u tell %u.%u.%u.%u", arp[24], arp[25],
		    arp[26], arp[27], arp[14], arp[15], arp[16], arp[17]);
	else if (ip4 && get16(arp + 6) == 2)
		say(l, "ARP, Reply %u.%u.%u.%u is-at %02x:%02x:%02x:%02x:%02x:%02x", arp[14],
		    arp[15], arp[16], arp[17], arp[8], arp[9], arp[10], arp[11], arp[12], arp[13]);
	else
		say(l, "ARP");
	say(l, ", length %u", p->length - ETHER_BYTES);
}

const char *packet_line(const struct packet *p, char *out, size_t size)
{
	struct line l = { .out = out, .size = size };
	struct headers h;
	if (!size)
		return out;
	out[0] = '\0';
	headers_of(p, &h);
	if (p->family == NET_NONE) {
		unsigned type = p->length >= ETHER_BYTES ? get16(p->bytes + 12) : 0;
		if (type == 0x0806)
			say_arp(&l, p);
		else
			say(&l, "ethertype 0x%04x, length %u", type, p->length);
		return out;
	}
	say_ends(&l, p);
	if (!h.l4 && h.fragment)
		say(&l, "fragment, protocol %u, length %u", p->proto, h.end - h.payload);
	else if (!h.l4)
		say(&l, "ip-proto-%u, length %u", p->proto, h.end - h.payload);
	else if (p->proto == PROTO_TCP)
		say_tcp(&l, p, &h);
	else if (p->proto == PROTO_UDP)
		say(&l, "UDP, length %u", get16(p->bytes + h.l4 + 4) - 8u);
	else if (p->proto == PROTO_SCTP)
		say_sctp(&l, p, &h);
	else if (p->proto == PROTO_ICMP)
		say_icmp4(&l, p, &h);
	else
		say_icmp6(&l, p, &h);
	return out;
}
