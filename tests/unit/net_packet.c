/* tests/unit/net_packet.c: packets: headers, checksums, rewriting, text; crafting; traces. */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "core/choice.h"
#include "net/craft.h"
#include "net/trace.h"
#include "net/wire.h"

static struct net_addr addr(const char *text)
{
	struct net_addr a = { .family = NET_NONE };
	CHECK(net_addr_parse(text, &a));
	return a;
}

static struct craft_ip ends(bool v6)
{
	return (struct craft_ip){ .src = addr(v6 ? "fd00::1" : "10.0.0.1"),
				  .dst = addr(v6 ? "fd00::2" : "10.0.0.2"),
				  .src_port = 40000, .dst_port = 8080, .dont_fragment = true };
}

static const struct craft_tcp syn = { .seq = 1000, .flags = TCP_SYN, .window = 64240,
				      .mss = 1460, .sack_permitted = true, .timestamps = true,
				      .ts_value = 7, .window_scale = 7 };

enum { KINDS = 5 };

/* A packet of each kind: TCP, UDP, ICMP echo, ICMP error, SCTP. */
static struct packet *sample(struct craft *c, const struct craft_ip *ip, int kind,
			     const uint8_t *payload, uint32_t length)
{
	bool v6 = ip->src.family == NET_V6;
	struct craft_tcp data = { .seq = 77, .ack = 88, .flags = TCP_ACK, .window_scale = -1 };
	switch (kind) {
	case 0:
		return craft_tcp(c, ip, &data, payload, length);
	case 1:
		return craft_udp(c, ip, payload, length);
	case 2:
		return craft_icmp_echo(c, ip, length & 1, ip->src_port, 9, payload, length);
	case 3:
		break;
	default:
		return craft_sctp(c, ip, length & 1 ? 1 : 6, 12345);
	}
	struct packet *about = sample(c, ip, (int)(length % 3), payload, length);
	struct packet *error = craft_icmp_error(c, &ip->dst, &ip->src, v6 ? 1 : 3, v6 ? 4 : 3, 0,
						about);
	packet_free(about);
	return error;
}

static void sums_match_the_standards(void)
{
	/* RFC 1071, section 3: the sum of these bytes is ddf2. */
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	uint16_t sum = checksum_fold(checksum_add(0, bytes, sizeof bytes));
	uint8_t field[2];
	memcpy(field, &sum, 2);
	CHECK_INT(get16(field), (uint16_t)~0xddf2);
	/* RFC 1624, section 4: checksum dd2f, word 5555 becomes 3285, gives 0000. */
	uint8_t old[2] = { 0x55, 0x55 }, new[2] = { 0x32, 0x85 }, check[2] = { 0xdd, 0x2f };
	checksum_replace(check, old, new, 2);
	CHECK_INT(get16(check), 0);
	/* The check value of CRC-32C (iSCSI). */
	CHECK_INT(crc32c(0, (const uint8_t *)"123456789", 9), 0xe3069283);
}

static void crafted_packets_are_right(void)
{
	struct craft *c = craft_new();
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft_ip ip = ends(v6);
		for (int kind = 0; kind < KINDS; kind++) {
			for (uint32_t length = 0; length < 40; length++) {
				struct packet *p = sample(c, &ip, kind,
							  (const uint8_t *)"0123456789012345678901"
									   "23456789012345678901",
							  length);
				struct packet *q = packet_copy(p);
				CHECK(packet_checksums_ok(p));
				CHECK_INT(packet_parse(q), 0); /* finds what craft said */
				CHECK_INT(q->l4, p->l4);
				CHECK_INT(q->payload, p->payload);
				CHECK_INT(q->proto, p->proto);
				packet_checksums_fill(q);
				CHECK(memcmp(p->bytes, q->bytes, p->length) == 0);
				CHECK_INT(packet_ttl(p), 64);
				packet_free(p);
				packet_free(q);
			}
		}
	}
	craft_free(c);
}

static struct net_addr random_addr(struct choice *random, uint8_t family)
{
	struct net_addr a = { .family = family };
	for (unsigned i = 0; i < net_family_bits(family) / 8; i++) /* edges often */
		a.bytes[i] = (uint8_t)(choice_uniform(random, "edge", 4) ?
					       choice_uniform(random, "byte", 256) :
					       255 * choice_uniform(random, "end", 2));
	return a;
}

static void rewriting_keeps_the_sums_right(void)
{
	struct craft *c = craft_new();
	struct choice *random = choice_new(17);
	for (int round = 0; round < 20000; round++) {
		uint8_t payload[64], family = round & 1 ? NET_V4 : NET_V6;
		uint32_t length = (uint32_t)choice_uniform(random, "length", sizeof payload);
		for (uint32_t i = 0; i < length; i++)
			payload[i] = (uint8_t)choice_uniform(random, "byte", 256);
		struct craft_ip ip = { .src = random_addr(random, family),
				       .dst = random_addr(random, family),
				       .src_port = (uint16_t)choice_uniform(random, "p", 65536),
				       .dst_port = (uint16_t)choice_uniform(random, "p", 65536) };
		int kind = round / 2 % KINDS;
		struct packet *p = sample(c, &ip, kind, payload, length);
		struct net_addr src = random_addr(random, family), dst = random_addr(random, family);
		uint16_t sport = (uint16_t)choice_uniform(random, "p", 65536);
		uint16_t dport = (uint16_t)choice_uniform(random, "p", 65536);
		packet_set_src(p, &src, sport);
		CHECK(packet_checksums_ok(p));
		packet_set_dst(p, &dst, dport);
		CHECK(packet_checksums_ok(p));
		packet_set_ttl(p, (uint8_t)choice_uniform(random, "byte", 256));
		packet_set_tos(p, (uint8_t)choice_uniform(random, "byte", 256));
		CHECK(packet_checksums_ok(p));
		struct net_addr now = packet_src(p);
		CHECK(net_addr_equal(&now, &src));
		now = packet_dst(p);
		CHECK(net_addr_equal(&now, &dst));
		if (kind < 2 || kind == 4) {
			CHECK_INT(packet_src_port(p), sport);
			CHECK_INT(packet_dst_port(p), dport);
		} else if (kind == 2) {
			CHECK_INT(packet_icmp_id(p), dport);
		}
		/* Incremental and complete sums are the same. */
		struct packet *q = packet_copy(p);
		packet_checksums_fill(q);
		CHECK(memcmp(p->bytes, q->bytes, p->length) == 0);
		packet_free(p);
		packet_free(q);
	}
	choice_free(random);
	craft_free(c);
}

static void quoted_headers_are_rewritten_with_their_sums(void)
{
	struct craft *c = craft_new();
	struct choice *random = choice_new(23);
	for (int round = 0; round < 6000; round++) {
		uint8_t payload[64] = { 0 }, family = round & 1 ? NET_V4 : NET_V6;
		struct craft_ip ip = { .src = random_addr(random, family),
				       .dst = random_addr(random, family),
				       .src_port = 1000, .dst_port = 2000 };
		uint32_t length = (uint32_t)choice_uniform(random, "length", sizeof payload);
		struct packet *p = sample(c, &ip, 3, payload, length);
		struct net_addr src = random_addr(random, family), dst = random_addr(random, family);
		packet_set_quoted_src(p, &src, 3333);
		packet_set_quoted_dst(p, &dst, 4444);
		CHECK(packet_checksums_ok(p));
		struct packet *q = packet_quoted(p);
		CHECK(q != NULL);
		if (q) {
			struct net_addr now = packet_src(q);
			CHECK(packet_checksums_ok(q));
			CHECK(net_addr_equal(&now, &src));
			CHECK_INT(packet_src_port(q), length % 3 == 2 ? 4444 : 3333);
			CHECK_INT(packet_dst_port(q), 4444);
			packet_free(q);
		}
		packet_free(p);
	}
	choice_free(random);
	craft_free(c);
}

/* Routers of old quote 8 bytes of the transport header only (RFC 792). */
static void a_short_quote_is_read_and_rewritten(void)
{
	struct craft *c = craft_new();
	struct craft_ip ip = ends(false);
	struct packet *about = craft_tcp(c, &ip, &syn, NULL, 0);
	about->length = ETHER_BYTES + 20 + 8;
	struct packet *p = craft_icmp_error(c, &ip.dst, &ip.src, 11, 0, 0, about);
	CHECK_INT(p->length, ETHER_BYTES + 20 + 8 + 20 + 8);
	struct net_addr vip = addr("10.96.0.10");
	packet_set_quoted_dst(p, &vip, 80);
	CHECK(packet_checksums_ok(p));
	struct packet *q = packet_quoted(p);
	CHECK(q != NULL);
	CHECK_INT(packet_dst_port(q), 80);
	CHECK_INT(packet_src_port(q), 40000);
	CHECK_INT(packet_tcp_seq(q), 1000);
	CHECK_INT(packet_tcp_flags(q), 0); /* not among the bytes */
	CHECK(packet_checksums_ok(q));     /* of what is here */
	packet_free(q);
	/* Shorter: nothing can be said. */
	about->length--;
	struct packet *r = craft_icmp_error(c, &ip.dst, &ip.src, 11, 0, 0, about);
	CHECK(packet_quoted(r) == NULL);
	packet_set_quoted_dst(r, &vip, 80);
	CHECK(packet_checksums_ok(r));
	packet_free(r);
	packet_free(p);
	packet_free(about);
	craft_free(c);
}

static void icmp_errors_quote_as_much_as_linux(void)
{
	struct craft *c = craft_new();
	uint8_t payload[1400] = { 1 };
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft_ip ip = ends(v6);
		ip.tos = 0x12;
		struct packet *p = craft_udp(c, &ip, payload, sizeof payload);
		struct packet *e = craft_icmp_error(c, &ip.dst, &ip.src, v6 ? 1 : 3, 3, 0, p);
		CHECK_INT(e->length - ETHER_BYTES, v6 ? 1280 : 576);
		CHECK_INT(packet_tos(e), v6 ? 0 : 0xd2);
		CHECK(packet_is_icmp_error(e) && packet_checksums_ok(e));
		packet_free(e);
		packet_free(p);
	}
	craft_free(c);
}

/* Puts 8 bytes of an extension header behind the IPv6 header. */
static struct packet *extended(const struct packet *p, uint8_t next, const uint8_t body[8])
{
	struct packet *q = packet_new(p->length + 8);
	q->length = p->length + 8;
	memcpy(q->bytes, p->bytes, 54);
	memcpy(q->bytes + 54, body, 8);
	memcpy(q->bytes + 62, p->bytes + 54, p->length - 54);
	q->bytes[54] = p->bytes[20];
	q->bytes[20] = next;
	put16(q->bytes + 18, (uint16_t)(get16(p->bytes + 18) + 8));
	return q;
}

static void ipv6_extension_headers_are_walked(void)
{
	static const uint8_t options[8] = { 0, 0, 1, 4 }, first[8] = { 0, 0, 0, 1, 0, 0, 0, 9 },
			     later[8] = { 0, 0, 0, 8, 0, 0, 0, 9 }, endless[8] = { 0, 255 };
	struct craft *c = craft_new();
	struct craft_ip ip = ends(true);
	struct packet *p = craft_udp(c, &ip, "hello", 5);
	struct packet *one = extended(p, 60, options);   /* destination options */
	struct packet *two = extended(one, 0, options);  /* hop by hop before them */
	CHECK_INT(packet_parse(two), 0);
	CHECK_INT(two->proto, PROTO_UDP);
	CHECK_INT(two->l4, 54 + 16);
	CHECK(packet_checksums_ok(two));
	struct net_addr a = addr("fd00::77");
	packet_set_dst(two, &a, 53);
	CHECK(packet_checksums_ok(two));
	CHECK_INT(packet_dst_port(two), 53);
	/* The first fragment has the header, but not all that its sum covers. */
	struct packet *f = extended(p, 44, first);
	CHECK_INT(packet_parse(f), 0);
	CHECK(!f->fragment && f->l4 == 62);
	f->bytes[f->length - 1] ^= 1;
	CHECK(packet_checksums_ok(f));
	packet_free(f);
	f = extended(p, 44, later);
	CHECK_INT(packet_parse(f), 0);
	CHECK(f->fragment && f->l4 == 0 && f->proto == PROTO_UDP);
	CHECK_INT(packet_src_port(f), 0);
	packet_free(f);
	f = extended(p, 60, endless);
	CHECK_INT(packet_parse(f), EBADMSG);
	CHECK_INT(f->family, NET_NONE);
	packet_free(f);
	packet_free(two);
	packet_free(one);
	packet_free(p);
	craft_free(c);
}

static void ipv4_fragments_and_options(void)
{
	struct craft *c = craft_new();
	struct craft_ip ip = ends(false);
	struct packet *p = craft_udp(c, &ip, "hello", 5);
	put16(p->bytes + 20, 100); /* not the first fragment */
	CHECK_INT(packet_parse(p), 0);
	CHECK(p->fragment && p->l4 == 0);
	packet_checksums_fill(p);
	struct net_addr a = addr("10.9.9.9");
	packet_set_src(p, &a, 1); /* only the address: there is no port */
	CHECK(packet_checksums_ok(p));
	CHECK(memcmp(p->bytes + 34, "\x9c\x40\x1f\x90", 4) == 0);
	packet_free(p);
	/* A sum of zero means none over IPv4: it stays so. */
	p = craft_udp(c, &ip, "hello", 5);
	put16(p->bytes + p->l4 + 6, 0);
	packet_set_src(p, &a, 1);
	CHECK_INT(get16(p->bytes + p->l4 + 6), 0);
	CHECK(packet_checksums_ok(p));
	packet_free(p);
	/* And is wrong over IPv6. */
	ip = ends(true);
	p = craft_udp(c, &ip, "hello", 5);
	put16(p->bytes + p->l4 + 6, 0);
	CHECK(!packet_checksums_ok(p));
	packet_free(p);
	craft_free(c);
}

static void what_contradicts_itself_is_refused(void)
{
	static const struct {
		uint32_t at; /* from the frame's beginning */
		uint8_t value;
	} cases[] = { { 14, 0x44 }, { 14, 0x4f }, { 14, 0x65 }, { 17, 19 }, { 17, 200 },
		      { 46, 0x40 }, { 46, 0xf0 } };
	struct craft *c = craft_new();
	struct craft_ip ip = ends(false);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct packet *p = craft_tcp(c, &ip, &syn, NULL, 0);
		p->bytes[cases[i].at] = cases[i].value;
		CHECK_INT(packet_parse(p), EBADMSG);
		CHECK_INT(p->family, NET_NONE);
		packet_free(p);
	}
	struct packet *p = craft_tcp(c, &ip, &syn, NULL, 0);
	for (uint32_t length = 0; length < p->length; length++) {
		struct packet *q = packet_copy(p);
		q->length = length;
		CHECK_INT(packet_parse(q), EBADMSG);
		packet_free(q);
	}
	/* The padding of a short frame is no payload. */
	struct packet *q = packet_new(p->length + 6);
	memcpy(q->bytes, p->bytes, p->length);
	q->length = p->length + 6;
	uint32_t length;
	CHECK_INT(packet_parse(q), 0);
	packet_payload(q, &length);
	CHECK_INT(length, 0);
	CHECK(packet_checksums_ok(q));
	packet_free(q);
	packet_free(p);
	craft_free(c);
}

static void expect_line(struct packet *p, const char *expected)
{
	char line[512];
	CHECK_TEXT(packet_line(p, line, sizeof line), expected);
	packet_free(p);
}

/* Every line was printed by tcpdump 4.99.3 -n -S, after "IP " or "IP6 ". */
static void lines_read_like_tcpdump(void)
{
	struct craft *c = craft_new();
	struct craft_ip v4 = ends(false), v6 = ends(true);
	struct craft_tcp data = { .seq = 1001, .ack = 55, .flags = TCP_ACK | TCP_PSH,
				  .window = 502, .timestamps = true, .window_scale = -1 };
	struct craft_tcp odd = { .seq = 1001, .flags = TCP_RST | TCP_URG | TCP_FIN,
				 .window_scale = -1 };
	struct craft_tcp none = { .window = 502, .sack_permitted = true, .window_scale = -1 };
	struct packet *p = craft_tcp(c, &v4, &syn, NULL, 0), *p6 = craft_udp(c, &v6, "hello", 5);
	struct packet *echo = craft_icmp_echo(c, &v4, false, 77, 3, "abcdefg", 7);
	expect_line(packet_copy(p), "10.0.0.1.40000 > 10.0.0.2.8080: Flags [S], seq 1000, win 64240, "
				    "options [mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0");
	expect_line(packet_copy(p6), "fd00::1.40000 > fd00::2.8080: UDP, length 5");
	expect_line(packet_copy(echo), "10.0.0.1 > 10.0.0.2: ICMP echo request, id 77, seq 3, "
				       "length 15");
	expect_line(craft_tcp(c, &v4, &data, "0123456789", 10),
		    "10.0.0.1.40000 > 10.0.0.2.8080: Flags [P.], seq 1001:1011, ack 55, win 502, "
		    "options [nop,nop,TS val 0 ecr 0], length 10");
	expect_line(craft_tcp(c, &v6, &odd, NULL, 0),
		    "fd00::1.40000 > fd00::2.8080: Flags [FRU], seq 1001, win 0, urg 0, length 0");
	expect_line(craft_tcp(c, &v4, &none, NULL, 0),
		    "10.0.0.1.40000 > 10.0.0.2.8080: Flags [none], win 502, "
		    "options [nop,nop,sackOK], length 0");
	expect_line(craft_icmp_echo(c, &v6, true, 77, 3, NULL, 0),
		    "fd00::1 > fd00::2: ICMP6, echo reply, id 77, seq 3, length 8");
	expect_line(craft_sctp(c, &v4, 1, 9),
		    "10.0.0.1.40000 > 10.0.0.2.8080: sctp (1) [INIT] [init tag: 9] [rwnd: 106496] "
		    "[OS: 10] [MIS: 65535] [init TSN: 9]");
	expect_line(craft_sctp(c, &v6, 6, 9),
		    "fd00::1.40000 > fd00::2.8080: sctp (1) [ABORT]");
	char small[12];
	CHECK_TEXT(packet_line(p, small, sizeof small), "10.0.0.1.40");
	packet_free(p);
	packet_free(p6);
	packet_free(echo);
	craft_free(c);
}

static void lines_of_errors_read_like_tcpdump(void)
{
	struct craft *c = craft_new();
	struct craft_ip v4 = ends(false), v6 = ends(true);
	struct net_addr router = addr("10.0.0.9"), router6 = addr("fd00::9");
	struct packet *p = craft_tcp(c, &v4, &syn, NULL, 0), *p6 = craft_udp(c, &v6, "hello", 5);
	static const struct {
		uint8_t type, code;
		const char *text;
	} errors[] = {
		{ 3, 0, "net 10.0.0.2 unreachable" },
		{ 3, 1, "host 10.0.0.2 unreachable" },
		{ 3, 2, "10.0.0.2 protocol 6 unreachable" },
		{ 3, 3, "10.0.0.2 tcp port 8080 unreachable" },
		{ 3, 4, "10.0.0.2 unreachable - need to frag (mtu 1400)" },
		{ 3, 9, "net 10.0.0.2 unreachable - admin prohibited" },
		{ 3, 10, "host 10.0.0.2 unreachable - admin prohibited" },
		{ 3, 13, "host 10.0.0.2 unreachable - admin prohibited filter" },
		{ 4, 0, "source quench" },
		{ 5, 1, "redirect 10.0.0.2 to host 0.0.5.120" },
		{ 11, 0, "time exceeded in-transit" },
		{ 11, 1, "ip reassembly time exceeded" },
		{ 12, 0, "parameter problem - octet 0" },
	};
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		char expected[200];
		snprintf(expected, sizeof expected, "10.0.0.9 > 10.0.0.1: ICMP %s, length 68",
			 errors[i].text);
		expect_line(craft_icmp_error(c, &router, &v4.src, errors[i].type, errors[i].code,
					     1400, p), expected);
	}
	static const struct {
		uint8_t type, code;
		const char *text;
	} errors6[] = {
		{ 1, 0, "destination unreachable, unreachable route fd00::2" },
		{ 1, 1, "destination unreachable,  unreachable prohibited fd00::2" },
		{ 1, 3, "destination unreachable, unreachable address fd00::2" },
		{ 1, 4, "destination unreachable, unreachable port, fd00::2 udp port 8080" },
		{ 2, 0, "packet too big, mtu 1400" },
		{ 3, 0, "time exceeded in-transit for fd00::2" },
		{ 4, 1, "parameter problem, next header - octet 1400" },
	};
	for (size_t i = 0; i < sizeof errors6 / sizeof *errors6; i++) {
		char expected[200];
		snprintf(expected, sizeof expected, "fd00::9 > fd00::1: ICMP6, %s, length 61",
			 errors6[i].text);
		expect_line(craft_icmp_error(c, &router6, &v6.src, errors6[i].type,
					     errors6[i].code, 1400, p6), expected);
	}
	packet_free(p);
	packet_free(p6);
	craft_free(c);
}

static void flows_are_keys(void)
{
	struct craft *c = craft_new();
	struct craft_ip ip = ends(false);
	struct packet *p = craft_icmp_echo(c, &ip, false, 77, 3, NULL, 0);
	struct flow_key a = packet_flow(p), b;
	memset(&b, 0, sizeof b);
	b.src = ip.src;
	b.dst = ip.dst;
	b.src_port = 77;
	b.dst_port = 8 << 8;
	b.proto = PROTO_ICMP;
	CHECK(memcmp(&a, &b, sizeof a) == 0);
	CHECK_TEXT(proto_name(PROTO_SCTP), "sctp");
	CHECK(proto_name(99) == NULL);
	CHECK_INT(proto_number("TCP"), PROTO_TCP);
	CHECK_INT(proto_number("ipv6-icmp"), PROTO_ICMP6);
	CHECK_INT(proto_number("nonsense"), 0);
	packet_free(p);
	craft_free(c);
}

static void a_trace_keeps_its_texts_and_first_verdict(void)
{
	struct trace *t = trace_new();
	char text[32];
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "rule %u", i);
		struct trace_step s = { .node = "node-a", .hook = i % 2 ? "INPUT" : "OUTPUT",
					.rule = i, .text = text };
		trace_add(t, &s);
	}
	CHECK_INT(t->count, 1000);
	CHECK_TEXT(t->steps[7].text, "rule 7");
	CHECK_TEXT(t->steps[7].hook, "INPUT");
	CHECK_TEXT(t->steps[999].node, "node-a");
	CHECK_TEXT(t->steps[999].table, "");
	CHECK(t->steps[999].file == NULL);
	trace_verdict(t, TRACE_NO_ROUTE, "no route to %s", "10.9.9.9");
	trace_verdict(t, TRACE_DELIVERED, "too late");
	CHECK_TEXT(trace_verdict_name(t->verdict), "no-route");
	CHECK_TEXT(t->reason, "no route to 10.9.9.9");
	trace_free(t);
}

static const struct check tests[] = {
	{ "Sums match the standards' examples", sums_match_the_standards },
	{ "Crafted packets are right in every header", crafted_packets_are_right },
	{ "Rewriting keeps the sums right", rewriting_keeps_the_sums_right },
	{ "Quoted headers are rewritten with their sums",
	  quoted_headers_are_rewritten_with_their_sums },
	{ "A quote of eight bytes is read and rewritten", a_short_quote_is_read_and_rewritten },
	{ "ICMP errors quote as much as Linux does", icmp_errors_quote_as_much_as_linux },
	{ "IPv6 extension headers are walked", ipv6_extension_headers_are_walked },
	{ "IPv4 fragments and missing UDP sums", ipv4_fragments_and_options },
	{ "What contradicts itself is refused", what_contradicts_itself_is_refused },
	{ "Lines read like tcpdump's", lines_read_like_tcpdump },
	{ "Lines of ICMP errors, too", lines_of_errors_read_like_tcpdump },
	{ "Flows are keys", flows_are_keys },
	{ "A trace keeps its texts and the first verdict",
	  a_trace_keeps_its_texts_and_first_verdict },
};

CHECK_MAIN(tests)
