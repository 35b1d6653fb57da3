/* tests/unit/net_addr.c: addresses and prefixes as text and back. */
#include "check.h"
#include "core/choice.h"
#include "net/addr.h"

static const char *round_trip(const char *text)
{
	static char out[NET_ADDR_TEXT];
	struct net_addr a;
	return net_addr_parse(text, &a) ? net_addr_text(&a, out) : "refused";
}

static void ipv6_text_follows_rfc_5952(void)
{
	/* The examples of RFC 5952, sections 4 and 5. */
	CHECK_TEXT(round_trip("2001:0db8::0001"), "2001:db8::1");
	CHECK_TEXT(round_trip("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");
	CHECK_TEXT(round_trip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
	CHECK_TEXT(round_trip("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
	CHECK_TEXT(round_trip("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
	CHECK_TEXT(round_trip("2001:DB8::AAAA"), "2001:db8::aaaa");
	CHECK_TEXT(round_trip("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
	CHECK_TEXT(round_trip("::"), "::");
	CHECK_TEXT(round_trip("::1"), "::1");
	CHECK_TEXT(round_trip("fe80::"), "fe80::");
	CHECK_TEXT(round_trip("::1:2"), "::1:2");
	CHECK_TEXT(round_trip("1:0:0:2:3:4:0:0"), "1::2:3:4:0:0");
}

static void what_is_no_address_is_refused(void)
{
	static const char *const bad[] = { "", "10.0.0", "10.0.0.256", "010.0.0.1", " 10.0.0.1",
					   "10.0.0.1 ", "10.0.0.1.2", "fe80::1%eth0", ":", ":::",
					   "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "g::",
					   "10.0.0.1/8", "0x0a.0.0.1", "10.0.0.-1" };
	struct net_addr a;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK(!net_addr_parse(bad[i], &a)))
			check_note(false, __FILE__, __LINE__, "taken: '%s'", bad[i]);
	CHECK_TEXT(round_trip("10.0.0.1"), "10.0.0.1");
	CHECK_TEXT(round_trip("0.0.0.0"), "0.0.0.0");
	CHECK_TEXT(round_trip("255.255.255.255"), "255.255.255.255");
}

static void random_addresses_survive_the_round_trip(void)
{
	struct choice *random = choice_new(1);
	char text[NET_ADDR_TEXT];
	for (int i = 0; i < 20000; i++) {
		struct net_addr a = { .family = i & 1 ? NET_V4 : NET_V6 }, b;
		for (int j = 0; j < (i & 1 ? 4 : 16); j++)
			if (choice_uniform(random, "zero", 3)) /* many zeros */
				a.bytes[j] = (uint8_t)choice_uniform(random, "byte", 256);
		CHECK(net_addr_parse(net_addr_text(&a, text), &b));
		CHECK(memcmp(&a, &b, sizeof a) == 0);
	}
	choice_free(random);
}

static void prefixes_are_parsed_and_matched(void)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "/8",
					   "10.0.0.0/-1", "fd00::/129", "10.0.0.0/8/8",
					   "10.0.0.0/ 8", "10.0.0.0/99999999999999999999" };
	struct net_prefix p;
	struct net_addr a;
	char text[NET_ADDR_TEXT];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!net_prefix_parse(bad[i], &p));
	CHECK(net_prefix_parse("10.1.2.3", &p));
	CHECK_INT(p.bits, 32);
	CHECK(net_prefix_parse("10.1.2.3/12", &p));
	CHECK_TEXT(net_prefix_text(&p, text), "10.1.2.3/12");
	p = net_prefix_masked(&p);
	CHECK_TEXT(net_prefix_text(&p, text), "10.0.0.0/12");
	CHECK(net_addr_parse("10.15.255.255", &a) && net_prefix_contains(&p, &a));
	CHECK(net_addr_parse("10.16.0.0", &a) && !net_prefix_contains(&p, &a));
	CHECK(net_addr_parse("fd00::1", &a) && !net_prefix_contains(&p, &a));
	CHECK(net_prefix_parse("::/0", &p) && net_prefix_contains(&p, &a));
	CHECK(net_prefix_parse("fd00:0:0:8000::/49", &p) && !net_prefix_contains(&p, &a));
	p = net_prefix_masked(&p);
	CHECK_TEXT(net_prefix_text(&p, text), "fd00:0:0:8000::/49");
}

static void the_nth_address_stays_inside(void)
{
	struct net_prefix p;
	struct net_addr a;
	char text[NET_ADDR_TEXT];
	CHECK(net_prefix_parse("10.244.3.0/24", &p));
	CHECK(net_prefix_nth(&p, 255, &a));
	CHECK_TEXT(net_addr_text(&a, text), "10.244.3.255");
	CHECK(!net_prefix_nth(&p, 256, &a));
	CHECK(net_prefix_parse("10.0.0.0/0", &p));
	CHECK(net_prefix_nth(&p, 0x01020304, &a));
	CHECK_TEXT(net_addr_text(&a, text), "1.2.3.4");
	CHECK(net_prefix_parse("10.0.0.7/32", &p));
	CHECK(net_prefix_nth(&p, 0, &a));
	CHECK(!net_prefix_nth(&p, 1, &a));
	CHECK(net_prefix_parse("fd00::/64", &p));
	CHECK(net_prefix_nth(&p, UINT64_MAX, &a));
	CHECK_TEXT(net_addr_text(&a, text), "fd00::ffff:ffff:ffff:ffff");
	CHECK(net_prefix_parse("fd00::/112", &p));
	CHECK(!net_prefix_nth(&p, 65536, &a));
}

static void the_last_address(void)
{
	static const char *const cases[][2] = { { "192.168.0.0/24", "192.168.0.254" },
						{ "10.1.2.3/20", "10.1.15.254" },
						{ "fd00::/112", "fd00::fffe" } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct net_prefix p;
		char text[NET_ADDR_TEXT];
		CHECK(net_prefix_parse(cases[i][0], &p));
		struct net_addr last = net_prefix_last(&p);
		CHECK_TEXT(net_addr_text(&last, text), cases[i][1]);
	}
}

static void kinds_and_order(void)
{
	struct net_addr a, b;
	char text[NET_ADDR_TEXT + 8];
	CHECK(net_addr_parse("127.8.9.1", &a) && net_addr_is_loopback(&a));
	CHECK(net_addr_parse("::1", &a) && net_addr_is_loopback(&a));
	CHECK(net_addr_parse("169.254.1.1", &a) && net_addr_is_link_local(&a));
	CHECK(net_addr_parse("febf::1", &a) && net_addr_is_link_local(&a));
	CHECK(net_addr_parse("fec0::1", &a) && !net_addr_is_link_local(&a));
	CHECK(net_addr_parse("239.0.0.1", &a) && net_addr_is_multicast(&a));
	CHECK(net_addr_parse("240.0.0.1", &a) && !net_addr_is_multicast(&a));
	CHECK(net_addr_parse("ff02::1", &a) && net_addr_is_multicast(&a));
	CHECK(net_addr_parse("::", &a) && net_addr_is_unspecified(&a));
	a = (struct net_addr){ .family = NET_NONE };
	CHECK(!net_addr_is_unspecified(&a));
	a = net_addr_v4(0x0a600001);
	CHECK_TEXT(net_endpoint_text(&a, 443, text), "10.96.0.1:443");
	CHECK_INT(net_addr_v4_value(&a), 0x0a600001);
	CHECK(net_addr_parse("fd00::1", &b));
	CHECK_TEXT(net_endpoint_text(&b, 53, text), "[fd00::1]:53");
	CHECK(net_addr_compare(&a, &b) < 0 && net_addr_compare(&b, &a) > 0);
	CHECK(net_addr_compare(&a, &a) == 0 && net_addr_equal(&a, &a) && !net_addr_equal(&a, &b));
}

static const struct check tests[] = {
	{ "IPv6 text follows RFC 5952", ipv6_text_follows_rfc_5952 },
	{ "What is no address is refused", what_is_no_address_is_refused },
	{ "Random addresses survive the round trip", random_addresses_survive_the_round_trip },
	{ "Prefixes are parsed, masked and matched", prefixes_are_parsed_and_matched },
	{ "The n-th address stays inside its prefix", the_nth_address_stays_inside },
	{ "The last address lies below the broadcast address", the_last_address },
	{ "Kinds of addresses and their order", kinds_and_order },
};

CHECK_MAIN(tests)
