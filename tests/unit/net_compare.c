/* tests/unit/net_compare.c: what may differ between two captures, and what may not. */
#include <stdlib.h>

#include "check.h"
#include "core/arena.h"
#include "core/engine.h"
#include "net/compare.h"
#include "net/craft.h"

struct film { /* a capture under construction */
	struct craft *craft;
	struct capture capture;
	uint32_t room;
	int64_t now;
	uint32_t client_isn, server_isn;
	uint16_t client_port;
};

static char *interface_names[] = { "cli:eth0", "node:veth1" };

static void film_begin(struct film *f, uint32_t isn, uint16_t client_port)
{
	*f = (struct film){ .craft = craft_new(), .client_isn = isn, .server_isn = isn * 3,
			    .client_port = client_port };
	f->capture.interfaces = interface_names;
	f->capture.interface_count = 2;
	f->capture.interfaces_named = true;
}

static void film_end(struct film *f)
{
	for (uint32_t i = 0; i < f->capture.count; i++)
		packet_free(f->capture.packets[i].packet);
	free(f->capture.packets);
	craft_free(f->craft);
}

static struct packet *shoot(struct film *f, uint32_t interface, struct packet *p)
{
	struct capture *c = &f->capture;
	if (c->count == f->room) {
		uint32_t more = f->room ? 2 * f->room : 16;
		c->packets = mem_grow(c->packets, f->room, more, sizeof *c->packets);
		f->room = more;
	}
	c->packets[c->count++] = (struct captured){ .packet = p, .interface = interface,
						    .when_ns = f->now };
	f->now += NS_PER_MS;
	return p;
}

static struct craft_ip between(const char *src, uint16_t src_port, const char *dst,
			       uint16_t dst_port)
{
	struct craft_ip ip = { .src_port = src_port, .dst_port = dst_port };
	CHECK(net_addr_parse(src, &ip.src) && net_addr_parse(dst, &ip.dst));
	return ip;
}

static struct packet *segment(struct film *f, struct craft_ip ip, uint8_t flags, uint32_t seq,
			      uint32_t ack, const char *text)
{
	struct craft_tcp t = { .seq = seq, .ack = flags & TCP_ACK ? ack : 0, .flags = flags,
			       .window = (uint16_t)(1000 + f->client_port), .window_scale = -1 };
	ip.ip_id = (uint16_t)(f->client_isn + f->capture.count);
	return craft_tcp(f->craft, &ip, &t, text, (uint32_t)strlen(text));
}

/* A request through a ClusterIP and its answer, as the client and its node's far side
 * see it: 10.96.0.10:80 becomes `backend`:8080. Interleaved interface by interface. */
static void request(struct film *f, const char *backend)
{
	uint32_t c = f->client_isn, s = f->server_isn;
	const struct {
		bool forth;
		uint8_t flags;
		uint32_t seq, ack;
		const char *text;
	} script[] = {
		{ true, TCP_SYN, c, 0, "" },
		{ false, TCP_SYN | TCP_ACK, s, c + 1, "" },
		{ true, TCP_ACK, c + 1, s + 1, "" },
		{ true, TCP_PSH | TCP_ACK, c + 1, s + 1, "GET /" },
		{ false, TCP_ACK, s + 1, c + 6, "" },
		{ false, TCP_PSH | TCP_ACK, s + 1, c + 6, "web-0" },
		{ false, TCP_FIN | TCP_ACK, s + 6, c + 6, "" },
		{ true, TCP_FIN | TCP_ACK, c + 6, s + 7, "" },
		{ false, TCP_ACK, s + 7, c + 7, "" },
	};
	struct craft_ip forth = between("10.244.0.5", f->client_port, "10.96.0.10", 80);
	struct craft_ip back = between("10.96.0.10", 80, "10.244.0.5", f->client_port);
	struct craft_ip forth2 = between("10.244.0.5", f->client_port, backend, 8080);
	struct craft_ip back2 = between(backend, 8080, "10.244.0.5", f->client_port);
	for (size_t i = 0; i < sizeof script / sizeof *script; i++) {
		for (uint32_t at = 0; at < 2; at++) {
			bool forth_now = script[i].forth;
			struct craft_ip ip = at ? (forth_now ? forth2 : back2) :
						  (forth_now ? forth : back);
			shoot(f, forth_now ? at : 1 - at, NULL);
			ip = (forth_now ? at : 1 - at) ? (forth_now ? forth2 : back2) :
							 (forth_now ? forth : back);
			f->capture.packets[f->capture.count - 1].packet =
				segment(f, ip, script[i].flags, script[i].seq, script[i].ack,
					script[i].text);
		}
	}
}

static struct packet *packet_at(struct film *f, uint32_t number)
{
	return f->capture.packets[number - 1].packet;
}

/* The comparison as one line a difference: "interface kind field a/b #n #m". */
static char *verdict(const struct film *a, const struct film *b, const struct compare_options *o)
{
	static const char *const kinds[] = { "field", "missing", "extra", "order", "interface" };
	struct comparison *c = compare_captures(&a->capture, &b->capture, o);
	struct strbuf out = { 0 };
	for (uint32_t i = 0; i < c->count; i++) {
		const struct compare_difference *d = &c->differences[i];
		strbuf_printf(&out, "%s %s", d->interface, kinds[d->kind]);
		if (*d->field)
			strbuf_printf(&out, " (%s)", d->field);
		if (*d->a)
			strbuf_printf(&out, " %s / %s", d->a, d->b);
		strbuf_printf(&out, " #%u #%u\n", d->a_number, d->b_number);
	}
	comparison_free(c);
	return strbuf_steal(&out);
}

static void expect(const struct film *a, const struct film *b, const struct compare_options *o,
		   const char *expected, int line)
{
	char *actual = verdict(a, b, o);
	check_note(strcmp(actual, expected) == 0, __FILE__, line,
		   "comparison\n  expected: %s\n  actual:   %s", expected, actual);
	free(actual);
}

#define EXPECT(a, b, options, text) expect(&(a), &(b), options, text, __LINE__)

static void drawn_numbers_do_not_matter(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 0xfffffffdu, 51234);
	request(&a, "10.244.1.7");
	b.now = 77 * NS_PER_S;
	request(&b, "10.244.1.7");
	packet_set_macs(packet_at(&b, 3), &(struct net_mac){ { 2 } }, &(struct net_mac){ { 4 } });
	EXPECT(a, b, NULL, "");
	film_end(&a);
	film_end(&b);
}

static void one_byte_of_an_address_is_found(void)
{
	for (uint32_t number = 1; number <= 18; number++) {
		for (int destination = 0; destination < 2; destination++) {
			struct film a, b;
			film_begin(&a, 1000, 40000);
			film_begin(&b, 2000, 50000);
			request(&a, "10.244.1.7");
			request(&b, "10.244.1.7");
			struct packet *p = packet_at(&b, number);
			p->bytes[p->l3 + (destination ? 19 : 15)] ^= 0x40;
			struct comparison *c = compare_captures(&a.capture, &b.capture, NULL);
			CHECK_INT(c->count, 1);
			CHECK_INT(c->differences[0].kind, COMPARE_FIELD);
			CHECK_TEXT(c->differences[0].field,
				   destination ? "destination address" : "source address");
			CHECK_INT(c->differences[0].a_number, number);
			CHECK_INT(c->differences[0].b_number, number);
			comparison_free(c);
			c = compare_captures(&b.capture, &a.capture, NULL);
			CHECK_INT(c->count, 1);
			CHECK_INT(c->differences[0].a_number, number);
			comparison_free(c);
			film_end(&a);
			film_end(&b);
		}
	}
}

static void each_field_is_named(void)
{
	static const struct {
		uint32_t offset; /* from l3 */
		uint8_t flip;
		const char *expected;
	} cases[] = {
		{ 8, 1, "cli:eth0 field (TTL) 64 / 65 #7 #7\n" },
		{ 33, TCP_URG, "cli:eth0 field (TCP flags) P. / P.U #7 #7\n" },
		{ 27, 4, "cli:eth0 field (relative sequence number) 1 / 5 #7 #7\n" },
		{ 31, 2, "cli:eth0 field (relative acknowledgement number) 1 / 3 #7 #7\n" },
		{ 40, 0x20, "cli:eth0 field (payload) byte 0 is 0x47 / 0x67 #7 #7\n" },
		{ 23, 1, "cli:eth0 field (destination port) 80 / 81 #7 #7\n" },
		{ 21, 1, "cli:eth0 field (source port) one of this connection / "
			 "another than elsewhere #7 #7\n" },
		{ 4, 0xff, "" },  /* identifier */
		{ 34, 0xff, "" }, /* window */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct film a, b;
		film_begin(&a, 1000, 40000);
		film_begin(&b, 1000, 50000);
		request(&a, "10.244.1.7");
		request(&b, "10.244.1.7");
		struct packet *p = packet_at(&b, 7);
		p->bytes[p->l3 + cases[i].offset] ^= cases[i].flip;
		EXPECT(a, b, NULL, cases[i].expected);
		film_end(&a);
		film_end(&b);
	}
}

static void remove_packet(struct film *f, uint32_t number)
{
	struct capture *c = &f->capture;
	packet_free(packet_at(f, number));
	memmove(&c->packets[number - 1], &c->packets[number],
		(c->count - number) * sizeof *c->packets);
	c->count--;
}

static void missing_and_extra_packets_are_named(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.7");
	remove_packet(&b, 8);
	EXPECT(a, b, NULL, "node:veth1 missing #8 #0\n");
	EXPECT(b, a, NULL, "node:veth1 extra #0 #8\n");
	film_end(&a);
	film_end(&b);
}

static void an_interface_that_sees_nothing_is_told_once(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.7");
	for (uint32_t i = b.capture.count; i > 0; i--)
		if (b.capture.packets[i - 1].interface == 1)
			remove_packet(&b, i);
	EXPECT(a, b, NULL, "node:veth1 interface 9 packets / 0 packets #2 #0\n");
	film_end(&a);
	film_end(&b);
}

static void order_within_a_flow_counts(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.7");
	/* The server's ACK and its data change places at the client. */
	struct packet *ack = packet_at(&b, 10);
	CHECK_INT(b.capture.packets[9].interface, 0);
	CHECK_INT(b.capture.packets[11].interface, 0);
	b.capture.packets[9].packet = b.capture.packets[11].packet;
	b.capture.packets[11].packet = ack;
	char *text = verdict(&a, &b, NULL);
	CHECK(strstr(text, "cli:eth0 order #") == text);
	CHECK(strchr(text, '\n')[1] == '\0'); /* one packet moved */
	free(text);
	EXPECT(a, b, &(struct compare_options){ .tolerance_ns = 5 * NS_PER_MS }, "");
	film_end(&a);
	film_end(&b);
}

static void order_between_flows_does_not_count(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	a.client_isn = 9000;
	a.client_port = 40002;
	request(&a, "10.244.1.8");
	request(&b, "10.244.1.8");
	b.client_isn = 9001;
	b.client_port = 50002;
	request(&b, "10.244.1.7");
	/* At the node the first connection of a is the second of b. That the client's view
	 * cannot tell them apart is not a difference either. */
	EXPECT(a, b, NULL, "");
	film_end(&a);
	film_end(&b);
}

static void another_backend_is_named_by_its_address(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.8");
	char *text = verdict(&a, &b, NULL);
	CHECK(strstr(text, "node:veth1 field (destination address) 10.244.1.7 / 10.244.1.8 #2 #2"));
	CHECK(!strstr(text, "missing") && !strstr(text, "extra") && !strstr(text, "cli:eth0"));
	free(text);
	film_end(&a);
	film_end(&b);
}

/* A masquerade that keeps the port in one capture and changes it in the other. */
static void a_changed_port_differs_from_a_kept_one(void)
{
	struct film a, b;
	uint16_t ports[2][2] = { { 40000, 40000 }, { 50000, 1234 } };
	struct film *films[2] = { &a, &b };
	for (int i = 0; i < 2; i++) {
		struct film *f = films[i];
		film_begin(f, 1000 + (uint32_t)i, ports[i][0]);
		shoot(f, 0, segment(f, between("10.0.0.9", ports[i][0], "10.0.0.1", 30080),
				    TCP_SYN, f->client_isn, 0, ""));
		shoot(f, 1, segment(f, between("10.0.0.1", ports[i][1], "10.244.1.7", 8080),
				    TCP_SYN, f->client_isn, 0, ""));
	}
	EXPECT(a, b, NULL, "node:veth1 field (client's port) 40000 / 1234: changed by NAT in one "
			   "capture and not in the other #2 #2\n");
	film_end(&a);
	film_end(&b);
	/* Changed in both: the numbers mean nothing. */
	ports[0][1] = 20000;
	for (int i = 0; i < 2; i++) {
		struct film *f = films[i];
		film_begin(f, 1000 + (uint32_t)i, ports[i][0]);
		shoot(f, 0, segment(f, between("10.0.0.9", ports[i][0], "10.0.0.1", 30080),
				    TCP_SYN, f->client_isn, 0, ""));
		shoot(f, 1, segment(f, between("10.0.0.1", ports[i][1], "10.244.1.7", 8080),
				    TCP_SYN, f->client_isn, 0, ""));
	}
	EXPECT(a, b, NULL, "");
	film_end(&a);
	film_end(&b);
}

static void shoot_refusal(struct film *f, uint8_t code, bool translated)
{
	struct craft_ip ip = between("10.244.0.5", f->client_port, "10.96.0.10", 53);
	struct net_addr node, inner;
	net_addr_parse("10.244.0.1", &node);
	net_addr_parse("10.244.1.7", &inner);
	struct packet *query = shoot(f, 0, craft_udp(f->craft, &ip, "query", 5));
	struct packet *refusal =
		shoot(f, 0, craft_icmp_error(f->craft, &node, &ip.src, 3, code, 0, query));
	if (!translated)
		packet_set_quoted_dst(refusal, &inner, 53);
}

static void icmp_errors_are_compared_with_their_quote(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	shoot_refusal(&a, 3, true);
	shoot_refusal(&b, 3, true);
	EXPECT(a, b, NULL, "");
	shoot_refusal(&a, 3, true);
	shoot_refusal(&b, 1, true);
	EXPECT(a, b, NULL, "cli:eth0 field (ICMP code) 3 / 1 #4 #4\n");
	film_end(&b);
	film_end(&a);
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	shoot_refusal(&a, 3, true);
	shoot_refusal(&b, 3, false);
	EXPECT(a, b, NULL, "cli:eth0 field (quoted destination address) 10.96.0.10 / 10.244.1.7 "
			   "#2 #2\n");
	film_end(&a);
	film_end(&b);
}

/* The refused SYN is quoted with the right address, itself it has a wrong one. */
static void a_mutated_syn_is_found_beside_its_refusal(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	struct film *films[2] = { &a, &b };
	for (int i = 0; i < 2; i++) {
		struct craft_ip ip = between("10.244.0.5", films[i]->client_port, "10.96.0.10", 80);
		struct packet *syn = shoot(films[i], 0, segment(films[i], ip, TCP_SYN,
								films[i]->client_isn, 0, ""));
		shoot(films[i], 0, craft_icmp_error(films[i]->craft, &ip.dst, &ip.src, 3, 3, 0, syn));
	}
	struct packet *p = packet_at(&b, 1);
	p->bytes[p->l3 + 19] ^= 1;
	EXPECT(a, b, NULL, "cli:eth0 field (destination address) 10.96.0.10 / 10.96.0.11 #1 #1\n");
	EXPECT(b, a, NULL, "cli:eth0 field (destination address) 10.96.0.11 / 10.96.0.10 #1 #1\n");
	film_end(&a);
	film_end(&b);
}

static void pings_differ_in_their_stamp_only(void)
{
	struct film a, b;
	char data[2][40] = { "1111111111111111 the same", "2222222222222222 the same" };
	film_begin(&a, 1, 7);
	film_begin(&b, 2, 900);
	struct film *films[2] = { &a, &b };
	for (int i = 0; i < 2; i++) {
		struct craft_ip ip = between("fd00::1", 0, "fd00::2", 0);
		for (uint16_t n = 1; n < 4; n++)
			shoot(films[i], 0, craft_icmp_echo(films[i]->craft, &ip, false,
							   films[i]->client_port, n, data[i], 25));
	}
	EXPECT(a, b, NULL, "");
	packet_at(&b, 2)->bytes[ETHER_BYTES + 40 + 8 + 20] ^= 1;
	EXPECT(a, b, NULL, "cli:eth0 field (payload) byte 20 is 0x20 / 0x21 #2 #2\n");
	film_end(&a);
	film_end(&b);
}

static void pure_acks_may_be_left_out(void)
{
	struct film a, b;
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.7");
	remove_packet(&b, 10);
	EXPECT(a, b, NULL, "cli:eth0 missing #10 #0\n");
	EXPECT(a, b, &(struct compare_options){ .without_acks = true }, "");
	film_end(&a);
	film_end(&b);
}

static void the_text_shows_both_packets(void)
{
	struct film a, b;
	struct strbuf out = { 0 };
	film_begin(&a, 1000, 40000);
	film_begin(&b, 2000, 50000);
	request(&a, "10.244.1.7");
	request(&b, "10.244.1.7");
	struct packet *p = packet_at(&b, 2);
	p->bytes[p->l3 + 19] = 8;
	remove_packet(&b, 18);
	struct comparison *c = compare_captures(&a.capture, &b.capture, NULL);
	comparison_print(c, "real.pcapng", "sim.pcapng", 0, &out);
	CHECK_TEXT(strbuf_text(&out),
		   "cli:eth0, flow tcp 10.244.0.5:40000 -> 10.96.0.10:80: packet missing in the "
		   "second capture\n"
		   "  real.pcapng #18   10.96.0.10.80 > 10.244.0.5.40000: Flags [.], ack 1007, "
		   "win 41000, length 0\n"
		   "  sim.pcapng  (none)\n"
		   "node:veth1, flow tcp 10.244.0.5:40000 -> 10.244.1.7:8080: destination address "
		   "differs: 10.244.1.7 / 10.244.1.8\n"
		   "  real.pcapng #2    10.244.0.5.40000 > 10.244.1.7.8080: Flags [S], seq 1000, "
		   "win 41000, length 0\n"
		   "  sim.pcapng  #2    10.244.0.5.50000 > 10.244.1.8.8080: Flags [S], seq 2000, "
		   "win 51000, length 0\n"
		   "18 packets compared, 2 differences\n");
	comparison_free(c);
	strbuf_free(&out);
	film_end(&a);
	film_end(&b);
}

static const struct check tests[] = {
	{ "Drawn numbers do not matter", drawn_numbers_do_not_matter },
	{ "One byte of an address is found in any packet, with the field",
	  one_byte_of_an_address_is_found },
	{ "Each field is named", each_field_is_named },
	{ "Missing and extra packets are named", missing_and_extra_packets_are_named },
	{ "An interface that sees nothing is told once",
	  an_interface_that_sees_nothing_is_told_once },
	{ "Order within a flow counts, within the tolerance", order_within_a_flow_counts },
	{ "Order between flows does not count", order_between_flows_does_not_count },
	{ "Another backend is named by its address", another_backend_is_named_by_its_address },
	{ "A port changed by NAT differs from a kept one",
	  a_changed_port_differs_from_a_kept_one },
	{ "ICMP errors are compared with their quote",
	  icmp_errors_are_compared_with_their_quote },
	{ "A mutated SYN is found beside its refusal", a_mutated_syn_is_found_beside_its_refusal },
	{ "Pings differ in their stamp only", pings_differ_in_their_stamp_only },
	{ "Pure ACKs may be left out", pure_acks_may_be_left_out },
	{ "The text shows both packets, one above the other", the_text_shows_both_packets },
};

CHECK_MAIN(tests)
