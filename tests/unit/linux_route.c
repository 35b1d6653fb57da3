/* tests/unit/linux_route.c: routing tables, source selection, martians, sysctls. */
#include <errno.h>

#include "tests/unit/linux_lab.h"

static const char *next_hop(struct netns *ns, const char *dst, char out[160])
{
	struct net_addr a = lab_addr(dst);
	struct route_result r;
	char via[NET_ADDR_TEXT], src[NET_ADDR_TEXT];
	if (!netns_route(ns, &a, NULL, 0, &r))
		return "none";
	snprintf(out, 160, "%d via %s dev %s src %s", r.kind, net_addr_text(&r.next_hop, via),
		 netns_iface_name(ns, r.out_if), net_addr_text(&r.source, src));
	return out;
}

static void longest_prefix(void)
{
	struct lab lab;
	char text[160];
	lab_open(&lab);
	CHECK_TEXT(next_hop(lab.client, "10.0.1.2", text), "1 via 10.0.1.2 dev lo src 10.0.1.2");
	CHECK_TEXT(next_hop(lab.client, "127.1.2.3", text), "1 via 127.1.2.3 dev lo src 127.0.0.1");
	CHECK_TEXT(next_hop(lab.client, "10.0.1.9", text), "0 via 10.0.1.9 dev eth0 src 10.0.1.2");
	CHECK_TEXT(next_hop(lab.client, "8.8.8.8", text), "0 via 10.0.1.1 dev eth0 src 10.0.1.2");
	CHECK_TEXT(next_hop(lab.client, "fd02::2", text), "0 via fd01::1 dev eth0 src fd01::2");
	CHECK_TEXT(next_hop(lab.router, "8.8.8.8", text), "none");
	/* 3,000 nodes' pod ranges: still one answer, the longest */
	for (unsigned i = 0; i < 3000; i++) {
		char prefix[32];
		snprintf(prefix, sizeof prefix, "172.%u.%u.0/24", 16 + i / 256, i % 256);
		lab_route(lab.router, prefix, "10.0.2.2", lab.right);
	}
	lab_route(lab.router, "172.16.0.0/12", "10.0.1.2", lab.left);
	lab_route(lab.router, "172.17.3.7/32", "10.0.1.9", lab.left);
	CHECK_TEXT(next_hop(lab.router, "172.17.3.9", text), "0 via 10.0.2.2 dev right src 10.0.2.1");
	CHECK_TEXT(next_hop(lab.router, "172.17.3.7", text), "0 via 10.0.1.9 dev left src 10.0.1.1");
	CHECK_TEXT(next_hop(lab.router, "172.31.200.1", text), "0 via 10.0.1.2 dev left src 10.0.1.1");
	struct net_prefix gone = lab_prefix("172.17.3.0/24");
	CHECK(netns_remove_route(lab.router, &gone));
	CHECK_TEXT(next_hop(lab.router, "172.17.3.9", text), "0 via 10.0.1.2 dev left src 10.0.1.1");
	netns_set_up(lab.router, lab.left, false);
	CHECK_TEXT(next_hop(lab.router, "172.17.3.9", text), "none");
	lab_close(&lab);
}

static void metrics(void)
{
	struct lab lab;
	char text[160];
	lab_open(&lab);
	struct route better = { .dst = lab_prefix("9.0.0.0/8"), .out_if = lab.left, .metric = 10 };
	struct route worse = { .dst = lab_prefix("9.0.0.0/8"), .out_if = lab.right, .metric = 20 };
	CHECK_INT(netns_add_route(lab.router, &worse), 0);
	CHECK_INT(netns_add_route(lab.router, &better), 0);
	CHECK_INT(netns_add_route(lab.router, &better), EEXIST);
	CHECK_TEXT(next_hop(lab.router, "9.9.9.9", text), "0 via 9.9.9.9 dev left src 10.0.1.1");
	netns_set_up(lab.router, lab.left, false);
	CHECK_TEXT(next_hop(lab.router, "9.9.9.9", text), "0 via 9.9.9.9 dev right src 10.0.2.1");
	lab_close(&lab);
}

static void address_types(void)
{
	struct lab lab;
	lab_open(&lab);
	const struct { const char *addr; enum addr_type type; } cases[] = {
		{ "10.0.1.2", ADDR_LOCAL }, { "10.0.1.255", ADDR_BROADCAST },
		{ "10.0.1.7", ADDR_UNICAST }, { "127.9.9.9", ADDR_LOCAL },
		{ "224.0.0.1", ADDR_MULTICAST }, { "255.255.255.255", ADDR_BROADCAST },
		{ "0.0.0.0", ADDR_BROADCAST }, { "::1", ADDR_LOCAL }, { "fd01::2", ADDR_LOCAL },
		{ "fd01::3", ADDR_UNICAST }, { "ff02::1", ADDR_MULTICAST },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct net_addr a = lab_addr(cases[i].addr);
		CHECK_INT(netns_addr_type(lab.client, &a), cases[i].type);
	}
	lab_close(&lab);
}

static struct packet *datagram(struct lab *lab, const char *src, const char *dst)
{
	struct craft_ip ip = { .src = lab_addr(src), .dst = lab_addr(dst), .src_port = 7,
			       .dst_port = 9 };
	return craft_udp(lab->env.craft, &ip, "x", 1);
}

/* Whether the router sends it on, and with which ICMP answer. */
static bool forwarded(struct lab *lab, const char *src, const char *dst)
{
	strbuf_clear(&lab->frames);
	netns_input(lab->router, lab->left, datagram(lab, src, dst));
	lab_run(lab, NS_PER_MS);
	return lab_saw(lab, "router:right out");
}

static void martians(void)
{
	struct lab lab;
	lab_open(&lab);
	CHECK(forwarded(&lab, "10.0.1.2", "10.0.2.2"));
	CHECK(!forwarded(&lab, "127.0.0.1", "10.0.2.2"));
	CHECK(!forwarded(&lab, "224.0.0.1", "10.0.2.2"));
	CHECK(!forwarded(&lab, "10.0.2.1", "10.0.2.2")); /* its own address as source */
	netns_sysctl_set(lab.router, "net.ipv4.conf.left.accept_local", 1);
	CHECK(forwarded(&lab, "10.0.2.1", "10.0.2.2"));
	CHECK(forwarded(&lab, "10.0.2.77", "10.0.2.2")); /* rp_filter is 0 */
	netns_sysctl_set(lab.router, "net.ipv4.conf.all.rp_filter", 1);
	CHECK(!forwarded(&lab, "10.0.2.77", "10.0.2.2"));
	netns_sysctl_set(lab.router, "net.ipv4.conf.left.rp_filter", 2); /* the larger one counts */
	CHECK(forwarded(&lab, "10.0.2.77", "10.0.2.2"));
	CHECK(!forwarded(&lab, "9.9.9.9", "10.0.2.2")); /* no route back at all */
	CHECK(!forwarded(&lab, "10.0.1.2", "127.0.0.1"));
	netns_sysctl_set(lab.router, "net.ipv4.ip_forward", 0);
	CHECK(!forwarded(&lab, "10.0.1.2", "10.0.2.2"));
	CHECK(!lab_saw(&lab, "router:left out")); /* in silence */
	lab_close(&lab);
}

static void kinds_of_refusal(void)
{
	static const struct {
		enum route_kind kind;
		int error;
		const char *answer;
	} cases[] = {
		{ ROUTE_BLACKHOLE, EINVAL, NULL },
		{ ROUTE_UNREACHABLE, EHOSTUNREACH, "ICMP host 9.0.0.1 unreachable" },
		{ ROUTE_PROHIBIT, EACCES, "ICMP host 9.0.0.1 unreachable - admin prohibited" },
	};
	struct lab lab;
	struct lab_app app;
	lab_open(&lab);
	struct sock_name to = lab_name("9.0.0.1", 80);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct route r = { .dst = lab_prefix("9.0.0.0/8"), .kind = cases[i].kind };
		CHECK_INT(netns_add_route(lab.router, &r), 0);
		CHECK_INT(lab_connect(&app, lab.router, PROTO_TCP, &to, NULL), cases[i].error);
		CHECK(!forwarded(&lab, "10.0.1.2", "9.0.0.1"));
		if (cases[i].answer)
			CHECK(lab_saw(&lab, cases[i].answer));
		else
			CHECK(!lab_saw(&lab, "router:left out"));
		netns_remove_route(lab.router, &r.dst);
	}
	CHECK_INT(lab_connect(&app, lab.router, PROTO_TCP, &to, NULL), ENETUNREACH);
	CHECK(!forwarded(&lab, "10.0.1.2", "9.0.0.1"));
	CHECK(lab_saw(&lab, "ICMP net 9.0.0.1 unreachable"));
	lab_close(&lab);
}

/* Lines as iproute2 6.1 prints them for the same addresses. */
static void texts(void)
{
	struct lab lab;
	struct strbuf out = { 0 };
	lab_env_open(&lab);
	struct netns *ns = netns_new(&lab.env, "a"), *b = netns_new(&lab.env, "b");
	uint16_t v0, v1;
	netns_add_veth(ns, "v0", b, "v1", 0, &v0, &v1);
	lab_add_addr(ns, v0, "10.9.0.1/24");
	lab_add_addr(ns, v0, "fd09::1/64");
	lab_route(ns, "10.96.0.0/16", "10.9.0.2", v0);
	netns_print_routes(ns, false, &out);
	CHECK_TEXT(strbuf_text(&out), "10.9.0.0/24 dev v0 proto kernel scope link src 10.9.0.1 \n"
				      "10.96.0.0/16 via 10.9.0.2 dev v0 \n"
				      "fd09::/64 dev v0 proto kernel metric 256 pref medium\n");
	strbuf_clear(&out);
	netns_print_routes(ns, true, &out);
	CHECK_TEXT(strbuf_text(&out),
		   "local 10.9.0.1 dev v0 proto kernel scope host src 10.9.0.1 \n"
		   "broadcast 10.9.0.255 dev v0 proto kernel scope link src 10.9.0.1 \n"
		   "local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1 \n"
		   "local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 \n"
		   "broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1 \n"
		   "local ::1 dev lo proto kernel metric 0 pref medium\n"
		   "local fd09::1 dev v0 proto kernel metric 0 pref medium\n");
	strbuf_clear(&out);
	netns_print_addrs(ns, "lo", &out);
	CHECK_TEXT(strbuf_text(&out),
		   "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever "
		   "preferred_lft forever\n"
		   "1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft "
		   "forever\n");
	struct net_prefix one = lab_prefix("10.9.0.1/24");
	CHECK_INT(netns_add_addr(ns, v0, &one), EEXIST);
	CHECK(netns_remove_addr(ns, v0, &one.addr));
	strbuf_clear(&out);
	netns_print_routes(ns, false, &out);
	CHECK_TEXT(strbuf_text(&out), "10.96.0.0/16 via 10.9.0.2 dev v0 \n"
				      "fd09::/64 dev v0 proto kernel metric 256 pref medium\n");
	strbuf_free(&out);
	netns_free(ns);
	netns_free(b);
	lab_env_close(&lab);
}

static void sysctls(void)
{
	struct lab lab;
	int64_t value;
	lab_open(&lab);
	CHECK_INT(netns_sysctl_get(lab.router, "net.ipv4.ip_forward", &value), 0);
	CHECK_INT(value, 1);
	CHECK_INT(netns_sysctl_get(lab.router, "net.ipv4.conf.left.forwarding", &value), 0);
	CHECK_INT(value, 1);
	CHECK_INT(netns_sysctl_get(lab.router, "net.netfilter.nf_conntrack_udp_timeout", &value), 0);
	CHECK_INT(value, 30);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.vs.conntrack", 1), 0);
	CHECK_INT(netns_sysctl_get(lab.router, "net.ipv4.vs.conntrack", &value), 0);
	CHECK_INT(value, 1);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.no_such_thing", 1), ENOENT);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.conf.eth7.rp_filter", 1), ENOENT);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.conf.", 1), ENOENT);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.conf.rp_filter", 1), ENOENT);
	CHECK_INT(netns_sysctl_set(lab.router, "net.ipv4.conf.all.rp_filter", 1 << 20), EINVAL);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "the local table comes first, then the longest prefix, among thousands too",
	  longest_prefix },
	{ "of equal prefixes the lower metric wins while its interface is up", metrics },
	{ "addresses have the types that addrtype matches", address_types },
	{ "martian sources and destinations are dropped, as rp_filter and accept_local say",
	  martians },
	{ "blackhole, unreachable and prohibit differ in errno and ICMP code", kinds_of_refusal },
	{ "addresses and routes print as iproute2 prints them", texts },
	{ "sysctls are known by name, unknown ones are not", sysctls },
};

CHECK_MAIN(tests)
