/* IPVS: ipvsadm's text (1.31) and the choices of a 6.1 kernel's schedulers.
 *
 * The choices were read off Linux 6.1.192 (ip_vs, /proc/net/ip_vs_conn): twelve clients
 * 10.2.0.1 to .12 with the ports given, then 10.2.0.1 to the virtual addresses 10.0.0.2 to
 * .8; servers 10.1.0.1, .2, .3 added in this order. */
#include <errno.h>
#include <stdlib.h>

#include "linux/ipvs/ipvs.h"
#include "linux/netns.h"
#include "tests/unit/check.h"

static struct linux_env env;
static struct netns *ns;
static struct err err;

static void setup(void)
{
	env = (struct linux_env){ .engine = engine_new(), .choice = choice_new(1), .craft = craft_new() };
	ns = netns_new(&env, "node");
	uint16_t d0 = netns_add_dummy(ns, "d0");
	struct net_prefix p;
	char text[64];
	netns_set_up(ns, d0, true);
	for (int i = 1; i <= 8; i++) {
		snprintf(text, sizeof text, "10.0.0.%d/32", i);
		net_prefix_parse(text, &p);
		netns_add_addr(ns, d0, &p);
	}
	for (int i = 1; i <= 12; i++) {
		snprintf(text, sizeof text, "10.2.0.%d/32", i);
		net_prefix_parse(text, &p);
		netns_add_addr(ns, d0, &p);
	}
	struct route r = { .out_if = d0 };
	net_prefix_parse("10.1.0.0/24", &r.dst);
	netns_add_route(ns, &r);
}

static void teardown(void)
{
	netns_free(ns);
	craft_free(env.craft);
	choice_free(env.choice);
	engine_free(env.engine);
}

static int load(const char *text)
{
	err.text[0] = '\0';
	return ipvs_restore(netns_ipvs(ns), text, strlen(text), "t", &err);
}

static void ignore(void *ctx, struct sock *s, const struct sock_event *event)
{
	(void)ctx, (void)s, (void)event;
}

static struct sock *dial(const char *from, uint16_t port, const char *to)
{
	struct sockets_ref n = netns_sockets(ns);
	struct sock_options options = { .local = { .port = port } };
	struct sock_name remote = { .port = 80 };
	struct sock *s = NULL;
	net_addr_parse(from, &options.local.addr);
	net_addr_parse(to, &remote.addr);
	n.class->connect(n.object, PROTO_TCP, &remote, &options, ignore, NULL, &s);
	return s;
}

/* The last digit of the server's address of this connection, '-' when there is none. */
static char server_of(const char *from, uint16_t port, const char *to)
{
	char wanted[128], line[256];
	struct strbuf text = { 0 };
	char found = '-';
	snprintf(wanted, sizeof wanted, "%s:%u", from, port);
	ipvs_print(netns_ipvs(ns), IPVS_CONNECTIONS, &text);
	for (const char *p = strbuf_text(&text); *p; p += strcspn(p, "\n"), p += *p == '\n') {
		char source[64], virtual[64], server[64];
		snprintf(line, sizeof line, "%.*s", (int)strcspn(p, "\n"), p);
		if (sscanf(line, "%*s %*s %*s %63s %63s %63s", source, virtual, server) == 3 &&
		    strcmp(source, wanted) == 0 && strncmp(virtual, to, strlen(to)) == 0)
			found = server[7];
	}
	strbuf_free(&text);
	return found;
}

/* "321..." of the twelve clients, a blank, then of the seven virtual addresses. */
static const char *choices(const char *options, const int *weights, uint16_t ports)
{
	static char out[64];
	char text[4096] = "", a[32], b[32];
	size_t n = 0;
	setup();
	for (int v = 1; v <= 8; v++) {
		size_t used = strlen(text);
		used += (size_t)snprintf(text + used, sizeof text - used, "-A -t 10.0.0.%d:80 %s\n", v, options);
		for (int i = 0; i < 3; i++)
			used += (size_t)snprintf(text + used, sizeof text - used,
						 "-a -t 10.0.0.%d:80 -r 10.1.0.%d:8080 -m -w %d\n", v, i + 1,
						 weights ? weights[i] : 1);
	}
	CHECK_INT(load(text), 0);
	for (int i = 1; i <= 12; i++) {
		snprintf(a, sizeof a, "10.2.0.%d", i);
		dial(a, (uint16_t)(ports + i), "10.0.0.1");
		out[n++] = server_of(a, (uint16_t)(ports + i), "10.0.0.1:80");
	}
	out[n++] = ' ';
	for (int v = 2; v <= 8; v++) {
		snprintf(b, sizeof b, "10.0.0.%d", v);
		dial("10.2.0.1", (uint16_t)(ports + v), b);
		out[n++] = server_of("10.2.0.1", (uint16_t)(ports + v), b);
	}
	out[n] = '\0';
	teardown();
	return out;
}

static void hashes_as_the_kernel(void)
{
	CHECK_TEXT(choices("-s sh", NULL, 2020), "232121213132 2222222");
	CHECK_TEXT(choices("-s sh -b sh-port", NULL, 2040), "311212222233 3121323");
	CHECK_TEXT(choices("-s dh", NULL, 2060), "333333333333 1213231");
	CHECK_TEXT(choices("-s mh", NULL, 2080), "332122313113 3333333");
	CHECK_TEXT(choices("-s mh -b mh-port", NULL, 2100), "232232121133 3322321");
	CHECK_TEXT(choices("-s sh", (int[]){ 3, 2, 1 }, 2120), "132121223232 1111111");
	CHECK_TEXT(choices("-s mh", (int[]){ 3, 2, 1 }, 2140), "332122313113 3333333");
	CHECK_TEXT(choices("-s mh", (int[]){ 1, 2, 6 }, 2060), "332122333333 3333333");
	CHECK_TEXT(choices("-s sh -b sh-fallback", (int[]){ 1, 0, 1 }, 2380), "131111113131 1111111");
	CHECK_TEXT(choices("-s mh -b mh-fallback", (int[]){ 1, 0, 1 }, 2400), "331111313113 3333333");
	CHECK_TEXT(choices("-s dh", (int[]){ 1, 0, 1 }, 2420), "333333333333 1-13-31");
}

static void rounds_as_the_kernel(void)
{
	CHECK_TEXT(choices("-s rr", NULL, 2240), "321321321321 3333333");
	CHECK_TEXT(choices("-s wrr", (int[]){ 3, 2, 1 }, 2260), "321121321121 3333333");
	CHECK_TEXT(choices("-s wrr", (int[]){ 6, 4, 0 }, 2360), "211212112121 2222222");
	CHECK_TEXT(choices("-s rr -p 300", NULL, 2440), "321321321321 3333333");
	CHECK_TEXT(choices("-s fo", (int[]){ 1, 3, 2 }, 2200), "222222222222 2222222");
}

/* Held connections, from a fresh table: first choices as the kernel made them. */
static void loads_as_the_kernel(void)
{
	const char *got = choices("-s lc", NULL, 2500);
	CHECK_TEXT(got, "321321321321 3333333");
	CHECK(strncmp(choices("-s wlc", (int[]){ 3, 2, 1 }, 2500), "321121", 6) == 0);
	CHECK(strncmp(choices("-s sed", (int[]){ 3, 2, 1 }, 2500), "121321121", 9) == 0);
	CHECK(strncmp(choices("-s nq", (int[]){ 3, 2, 1 }, 2500), "321121121", 9) == 0);
	CHECK_TEXT(choices("-s lblc", (int[]){ 2, 2, 2 }, 2500), "333222111111 3333333");
	CHECK_TEXT(choices("-s lblcr", (int[]){ 2, 2, 2 }, 2500), "333222111123 3333333");
	CHECK(strncmp(choices("-s ovf", (int[]){ 2, 3, 4 }, 2500), "33333222", 8) == 0);
}

/* A server with an upper threshold: full at it, and again open below three quarters of it
 * (ip_vs_bind_dest, ip_vs_unbind_dest); here a threshold of 2 opens at 1. */
static void a_full_server_is_passed_over(void)
{
	char got[8] = "";
	setup();
	CHECK_INT(load("--set 10 10 10\n-A -t 10.0.0.1:80 -s rr\n"
		       "-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 1 -x 2\n"
		       "-a -t 10.0.0.1:80 -r 10.1.0.2:8080 -m -w 1\n"), 0);
	for (uint16_t i = 0; i < 6; i++) {
		dial("10.2.0.1", (uint16_t)(3000 + i), "10.0.0.1");
		got[i] = server_of("10.2.0.1", (uint16_t)(3000 + i), "10.0.0.1:80");
	}
	CHECK_TEXT(got, "212122");
	engine_run_until(env.engine, 300 * NS_PER_S);
	dial("10.2.0.1", 3100, "10.0.0.1");
	dial("10.2.0.1", 3101, "10.0.0.1");
	CHECK_INT(server_of("10.2.0.1", 3100, "10.0.0.1:80"), '1');
	CHECK_INT(server_of("10.2.0.1", 3101, "10.0.0.1:80"), '2');
	teardown();
}

static void text_is_ipvsadms(void)
{
	struct strbuf out = { 0 };
	const char *saved = "-A -t 10.0.0.1:80 -s mh -p 10800 -b mh-port\n"
			    "-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 1\n"
			    "-a -t 10.0.0.1:80 -r 10.1.0.3:8080 -m -w 3\n"
			    "-A -t 10.0.0.1:81 -s mh -b mh-fallback,mh-port\n"
			    "-A -t 10.0.0.1:82 -s sh -p 60 -M 255.255.255.0 -b sh-fallback\n"
			    "-A -t 10.0.0.1:443 -s rr -p 360\n"
			    "-A -u 10.0.0.1:53 -s wlc\n"
			    "-a -u 10.0.0.1:53 -r 10.1.0.1:53 -g -w 1\n"
			    "-a -u 10.0.0.1:53 -r 10.1.0.2:53 -i -w 1 --tun-type ipip\n"
			    "-A -u 10.0.0.2:53 -s wrr -o\n"
			    "-A --sctp-service 10.0.0.1:99 -s rr\n"
			    "-A -t [fd00::1]:80 -s rr -p 10800\n"
			    "-a -t [fd00::1]:80 -r [fd00::2]:80 -m -w 1\n"
			    "-A -f 7 -s rr\n";
	const char *listed = "IP Virtual Server version 1.2.1 (size=4096)\n"
			     "Prot LocalAddress:Port Scheduler Flags\n"
			     "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
			     "TCP  10.0.0.1:80 mh (mh-port) persistent 10800\n"
			     "  -> 10.1.0.1:8080                Masq    1      0          0         \n"
			     "  -> 10.1.0.3:8080                Masq    3      0          0         \n"
			     "TCP  10.0.0.1:81 mh (mh-fallback,mh-port)\n"
			     "TCP  10.0.0.1:82 sh (sh-fallback) persistent 60 mask 255.255.255.0\n"
			     "TCP  10.0.0.1:443 rr persistent 360\n"
			     "UDP  10.0.0.1:53 wlc\n"
			     "  -> 10.1.0.1:53                  Route   1      0          0         \n"
			     "  -> 10.1.0.2:53                  Tunnel  1      0          0         \n"
			     "UDP  10.0.0.2:53 wrr ops\n"
			     "SCTP 10.0.0.1:99 rr\n"
			     "TCP  [fd00::1]:80 rr persistent 10800\n"
			     "  -> [fd00::2]:80                 Masq    1      0          0         \n"
			     "FWM  7 rr\n";
	setup();
	CHECK_INT(load(saved), 0);
	CHECK_TEXT(err.text, "");
	ipvs_print(netns_ipvs(ns), IPVS_SAVE, &out);
	CHECK_TEXT(strbuf_text(&out), saved);
	strbuf_clear(&out);
	ipvs_print(netns_ipvs(ns), IPVS_LIST, &out);
	CHECK_TEXT(strbuf_text(&out), listed);
	strbuf_clear(&out);
	ipvs_print(netns_ipvs(ns), IPVS_STATS, &out);
	CHECK(strstr(strbuf_text(&out), "TCP  10.0.0.1:80                         0        0        0        0        0\n"
					"  -> 10.1.0.1:8080                       0        0        0        0        0\n"));
	strbuf_free(&out);
	teardown();
}

static void refusals_have_positions(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n", "t:2:1: Service already exists" },
		{ "-D -t 10.9.9.9:80\n", "t:1:1: No such service" },
		{ "-a -t 10.9.9.9:80 -r 1.1.1.1:80 -m\n", "t:1:1: Service not defined" },
		{ "-d -t 10.0.0.1:80 -r 9.9.9.9:1\n", "t:1:1: No such destination" },
		{ "-A -t x:y -s rr\n", "t:1:7: -t: illegal virtual server address[:port] specified, expected ADDRESS:PORT" },
		{ "-A -t 10.0.0.7:80 -s nosuch\n", NULL },
		{ "-a -t 10.0.0.1:80 -r 1.1.1.1:80 -m -w many\n", "t:1:39: -w: expected a number up to 65535" },
	};
	setup();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK_INT(load(cases[i].text), EINVAL);
		if (cases[i].says)
			CHECK_TEXT(err.text, cases[i].says);
	}
	CHECK(strstr(err.text, "t:") != NULL);
	teardown();
}

static const struct check tests[] = {
	{ "sh, dh and mh choose what the kernel chooses", hashes_as_the_kernel },
	{ "rr, wrr, fo and persistence choose what the kernel chooses", rounds_as_the_kernel },
	{ "lc, wlc, sed, nq and ovf choose what the kernel chooses", loads_as_the_kernel },
	{ "a server at its upper threshold is passed over until connections end",
	  a_full_server_is_passed_over },
	{ "saved and listed text is ipvsadm's", text_is_ipvsadms },
	{ "what ipvsadm refuses is one line with a position", refusals_have_positions },
};
CHECK_MAIN(tests)
