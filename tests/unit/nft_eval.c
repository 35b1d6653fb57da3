/* tests/unit/nft_eval.c: what nft rules do to packets, in the router of linux_lab.h.
 *
 * Expected behaviour: Linux's nf_tables_core.c and the expressions named in each test;
 * counts are made by hand after the count contract (every rule visited in every chain
 * until the verdict; policies and look-ups apart). tests/unit/nft_kernel.c asks the
 * running kernel the same about random rules.
 */
#include <errno.h>
#include <math.h>

#include "linux/nft/nft.h"
#include "tests/unit/linux_lab.h"

static void load_as(struct netns *ns, const char *text, const char *file)
{
	struct err err = { "" };
	int code = nft_load(netns_nft(ns), text, strlen(text), file, &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
}

static void load(struct netns *ns, const char *text)
{
	load_as(ns, text, "rules.nft");
}

static bool has(struct netns *ns, const char *line)
{
	struct strbuf b = { 0 };
	nft_list(netns_nft(ns), &b);
	bool found = strstr(strbuf_text(&b), line) != NULL;
	if (!found)
		check_note(false, __FILE__, __LINE__, "no `%s' in\n%s", line, strbuf_text(&b));
	strbuf_free(&b);
	return found;
}

/* A SYN of `from` on the wire, watched by `t`. */
static struct packet *segment(struct lab *lab, const char *from, const char *to, uint16_t port,
			      struct trace *t)
{
	struct craft_ip ip = { .src = lab_addr(from), .dst = lab_addr(to), .src_port = 40000,
			       .dst_port = port };
	struct craft_tcp tcp = {
		.flags = TCP_SYN, .window = 64240, .mss = 1460, .window_scale = -1
	};
	struct packet *p = craft_tcp(lab->env.craft, &ip, &tcp, "", 0);
	p->trace = t;
	return p;
}

static void send_syn(struct lab *lab, const char *from, const char *to, uint16_t port)
{
	netns_input(lab->router, lab->left, segment(lab, from, to, port, NULL));
}

static void print_steps(const struct trace *t, struct strbuf *out)
{
	strbuf_clear(out);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct trace_step *s = &t->steps[i];
		if (!*s->chain) /* of conntrack and NAT, not of a rule */
			continue;
		strbuf_printf(out, "%s %s %s %u %s:%d %s%s%s\n", s->hook, s->table, s->chain,
			      s->rule, s->file ? s->file : "-", s->line, s->text,
			      *s->note ? " | " : "", s->note);
	}
}

/* ---- a service ------------------------------------------------------------------------- */

static const char *const service =
    "add table ip kube-proxy\n"
    "add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100; }\n"
    "add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100; }\n"
    "add chain ip kube-proxy mark\nadd chain ip kube-proxy svc\nadd chain ip kube-proxy ep-a\n"
    "add chain ip kube-proxy ep-b\n"
    "add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
    "add rule ip kube-proxy nat-prerouting ip daddr . meta l4proto . th dport vmap @service-ips\n"
    "add rule ip kube-proxy nat-postrouting mark and 0x4000 == 0 return\n"
    "add rule ip kube-proxy nat-postrouting mark set mark xor 0x4000\n"
    "add rule ip kube-proxy nat-postrouting masquerade fully-random\n"
    "add rule ip kube-proxy mark mark set mark or 0x4000\n"
    "add rule ip kube-proxy svc ip daddr 10.96.0.1 ip saddr != 10.244.0.0/16 jump mark\n"
    "add rule ip kube-proxy svc numgen random mod 2 vmap { 0 : goto ep-a , 1 : goto ep-b }\n"
    "add rule ip kube-proxy ep-a meta l4proto tcp dnat to 10.0.2.9:8080\n"
    "add rule ip kube-proxy ep-b ip saddr 10.0.2.2 jump mark\n"
    "add rule ip kube-proxy ep-b meta l4proto tcp dnat to 10.0.2.2:8080\n"
    "add element ip kube-proxy service-ips { 10.96.0.1 . tcp . 80 : goto svc }\n";

static void a_service_step_by_step(void)
{
	struct lab lab;
	struct strbuf steps = { 0 };
	struct trace *t = trace_new();
	uint64_t policies, lookups;
	lab_open(&lab);
	load(lab.router, service);
	choice_script(lab.env.choice, "backend", 1);
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 80, t));
	lab_run(&lab, NS_PER_S / 2);
	print_steps(t, &steps);
	const char *head =
	    "PREROUTING ip kube-proxy nat-prerouting 1 rules.nft:9 ip daddr . meta l4proto . th "
	    "dport vmap @service-ips\n"
	    "PREROUTING ip kube-proxy svc 1 rules.nft:14 ip daddr 10.96.0.1 ip saddr != "
	    "10.244.0.0/16 jump mark\n"
	    "PREROUTING ip kube-proxy mark 1 rules.nft:13 meta mark set meta mark | 0x00004000 | "
	    "mark 0x0 -> 0x4000\n"
	    "PREROUTING ip kube-proxy svc 2 rules.nft:15 numgen random mod 2 vmap { 0 : goto ep-a, "
	    "1 : goto ep-b } | numgen 1\n"
	    "PREROUTING ip kube-proxy ep-b 2 rules.nft:18 meta l4proto tcp dnat to 10.0.2.2:8080 | "
	    "10.96.0.1:80 -> 10.0.2.2:8080\n"
	    "POSTROUTING ip kube-proxy nat-postrouting 2 rules.nft:11 meta mark set meta mark ^ "
	    "0x00004000 | mark 0x4000 -> 0x0\n"
	    "POSTROUTING ip kube-proxy nat-postrouting 3 rules.nft:12 masquerade fully-random | "
	    "10.0.1.2:40000 -> 10.0.2.1:";
	check_note(strncmp(strbuf_text(&steps), head, strlen(head)) == 0, __FILE__, __LINE__,
		   "steps:\n%s\nexpected:\n%s", strbuf_text(&steps), head);
	/* nat-prerouting 1, svc 2, mark 1, ep-b 2, nat-postrouting 3; two verdict maps */
	CHECK_INT(t->rules_evaluated, 9);
	CHECK_INT(t->set_lookups, 2);
	CHECK_INT(t->policies, 0);
	CHECK(t->masqueraded);
	struct net_addr backend = lab_addr("10.0.2.2");
	CHECK(net_addr_equal(&t->dnat_addr, &backend));
	CHECK_INT(t->dnat_port, 8080);
	CHECK_INT(nft_rules_evaluated(netns_nft(lab.router), &policies, &lookups), 9);
	CHECK_INT(lookups, 2);
	CHECK_INT(lab.bad_checksums, 0);
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

/* Every outcome of numgen random, with its probability. */
static void every_backend_in_turn(void)
{
	struct lab lab;
	double sum = 0;
	unsigned runs = 0;
	lab_open(&lab);
	load_as(lab.router, service, NULL);
	choice_exhaust(lab.env.choice, "backend", 10);
	do {
		struct trace *t = trace_new();
		choice_restart(lab.env.choice);
		netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 80, t));
		CHECK_INT(t->dnat_addr.bytes[3], runs == 0 ? 9 : 2);
		CHECK(t->count && t->steps[t->count - 1].file == NULL); /* no file was read */
		sum += choice_probability(lab.env.choice);
		runs++;
		netns_reset_flows(lab.router);
		trace_free(t);
	} while (choice_advance(lab.env.choice));
	CHECK_INT(runs, 2);
	CHECK(fabs(sum - 1) < 1e-9);
	lab_close(&lab);
}

/* What iptables' statistic looks like in nft: one draw of two outcomes. */
static void statistic_in_nft(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, "table ip t { chain c { type filter hook prerouting priority -300;\n"
			 "meta random & 2147483647 < 536870912 counter drop; } }");
	choice_exhaust(lab.env.choice, "backend", 10);
	choice_restart(lab.env.choice);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(fabs(choice_probability(lab.env.choice) - 0.25) < 1e-9);
	CHECK(has(lab.router, "counter packets 1 bytes 44 drop"));
	CHECK(choice_advance(lab.env.choice));
	choice_restart(lab.env.choice);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "counter packets 1 bytes 44 drop"));
	CHECK(!choice_advance(lab.env.choice));
	lab_close(&lab);
}

static void ipv6_service(void)
{
	struct lab lab;
	struct lab_app server, app;
	lab_open(&lab);
	load(lab.router,
	     "table ip6 t {\n"
	     "chain pre { type nat hook prerouting priority -100;\n"
	     " ip6 daddr fd96::1 tcp dport 80 dnat to [fd02::2]:8080\n}\n"
	     "chain post { type nat hook postrouting priority 100;\n masquerade\n}\n"
	     "chain f { type filter hook forward priority 0;\n tcp dport 81 reject\n}\n}\n");
	lab_serve(&server, lab.server, PROTO_TCP, 8080);
	struct sock_name to = lab_name("fd96::1", 80);
	CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, 3 * NS_PER_S);
	CHECK_TEXT(strbuf_text(&app.said), "connected");
	struct net_addr seen = lab_addr("fd02::1");
	CHECK(net_addr_equal(&server.last.peer.addr, &seen));
	lab_app_free(&app);
	to = lab_name("fd02::2", 81);
	CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, 3 * NS_PER_S);
	CHECK_INT(app.error, ECONNREFUSED);
	lab_app_free(&app);
	lab_app_free(&server);
	lab_close(&lab);
}

/* ---- verdicts ---------------------------------------------------------------------------- */

/* nf_tables_core.c: a goto leaves no return address; return and the end of a base chain
 * lead to its policy; accept ends one base chain, not those behind it. */
static void jumps_gotos_returns(void)
{
	struct lab lab;
	struct trace *t = trace_new();
	struct strbuf steps = { 0 };
	lab_open(&lab);
	t->keep_passed_over = true;
	load(lab.router, "table inet t {\n"
			 "chain first { type filter hook forward priority -5;\n accept\n}\n"
			 "chain f { type filter hook forward priority 0; policy drop;\n"
			 " jump a\n udp dport 5\n goto c\n accept\n}\n"
			 "chain a {\n goto b\n accept\n}\n"
			 "chain b {\n meta l4proto udp accept\n}\n"
			 "chain c {\n return\n accept\n}\n}\n");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, t));
	lab_run(&lab, NS_PER_S / 2);
	print_steps(t, &steps);
	CHECK_TEXT(strbuf_text(&steps), "FORWARD inet t first 1 rules.nft:3 accept\n"
					"FORWARD inet t f 1 rules.nft:6 jump a\n"
					"FORWARD inet t a 1 rules.nft:12 goto b\n"
					"FORWARD inet t b 1 rules.nft:16 meta l4proto udp accept\n"
					"FORWARD inet t f 2 rules.nft:7 udp dport 5\n"
					"FORWARD inet t f 3 rules.nft:8 goto c\n"
					"FORWARD inet t c 1 rules.nft:19 return\n"
					"FORWARD inet t f 0 -:0 policy drop\n");
	CHECK_INT(t->verdict, TRACE_DROPPED);
	CHECK_TEXT(t->reason, "router: policy drop of table inet t chain f");
	CHECK_INT(t->rules_evaluated, 7);
	CHECK_INT(t->policies, 1);
	CHECK(!lab_saw(&lab, "router:right out"));
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

static void rejects_and_drops_at_the_socket(void)
{
	struct lab lab;
	struct lab_app app;
	static const struct {
		uint16_t port;
		int error;
	} tcp[] = { { 81, ECONNREFUSED }, { 82, ECONNREFUSED }, { 83, EHOSTUNREACH },
		    { 84, ECONNREFUSED } };
	lab_open(&lab);
	load(lab.router, "table inet t { chain f { type filter hook forward priority 0;\n"
			 "tcp dport 81 reject\ntcp dport 82 reject with tcp reset\n"
			 "tcp dport 83 reject with icmpx admin-prohibited\n"
			 "tcp dport 84 reject with icmp port-unreachable\n} }\n");
	load(lab.client, "table ip t { chain o { type filter hook output priority 0;\n"
			 "udp dport 9 drop\nudp dport 10 reject\n} }\n");
	for (unsigned i = 0; i < sizeof tcp / sizeof *tcp; i++) {
		struct sock_name to = lab_name("10.0.2.2", tcp[i].port);
		CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
		lab_run(&lab, 3 * NS_PER_S);
		CHECK_TEXT(strbuf_text(&app.said), "error");
		CHECK_INT(app.error, tcp[i].error);
		lab_app_free(&app);
	}
	for (uint16_t port = 9; port <= 10; port++) {
		struct sock_name to = lab_name("10.0.2.2", port);
		CHECK_INT(lab_connect(&app, lab.client, PROTO_UDP, &to, NULL), 0);
		CHECK_INT(lab_send(&app, "x"), EPERM);
		lab_app_free(&app);
	}
	struct trace *t = trace_new();
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 82, t));
	CHECK_INT(t->verdict, TRACE_REJECTED);
	CHECK_INT(lab.bad_checksums, 0);
	trace_free(t);
	lab_close(&lab);
}

/* ---- state in virtual time ------------------------------------------------------------------ */

#define RAW "table ip t { chain c { type filter hook prerouting priority -300;\n"

/* nft_limit.c: a burst, then one packet a period. */
static void limits_follow_virtual_time(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, RAW "limit rate 6/minute burst 2 packets counter\n} }");
	for (int i = 0; i < 5; i++)
		send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "counter packets 2 bytes 88\n"));
	lab_run(&lab, 9 * NS_PER_S);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "counter packets 2 bytes 88\n"));
	lab_run(&lab, 2 * NS_PER_S);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "counter packets 3 bytes 132\n"));
	nft_reset_state(netns_nft(lab.router)); /* full again */
	for (int i = 0; i < 5; i++)
		send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "counter packets 5 bytes 220\n"));
	lab_close(&lab);
}

/* Session affinity as kube-proxy writes it: each update starts the time anew. */
static void affinity_sets(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, "table ip t {\n"
			 "set aff { type ipv4_addr; flags dynamic,timeout; timeout 3h; }\n"
			 "chain c { type filter hook prerouting priority -300;\n"
			 "tcp dport 81 update @aff { ip saddr }\n"
			 "tcp dport 82 ip saddr @aff counter\n} }");
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 81);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 82);
	send_syn(&lab, "10.0.1.3", "10.0.2.2", 82);
	CHECK(has(lab.router, "ip saddr @aff counter packets 1 bytes 44\n"));
	CHECK(has(lab.router, "elements = { 10.0.1.2 expires 3h }\n"));
	lab_run(&lab, 5400 * NS_PER_S);
	CHECK(has(lab.router, "elements = { 10.0.1.2 expires 1h30m }\n"));
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 81);
	lab_run(&lab, 10799 * NS_PER_S);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 82);
	CHECK(has(lab.router, "ip saddr @aff counter packets 2 bytes 88\n"));
	lab_run(&lab, NS_PER_S);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 82);
	CHECK(has(lab.router, "ip saddr @aff counter packets 2 bytes 88\n"));
	CHECK(has(lab.router, "timeout 3h\n\t}\n")); /* no element any more */
	lab_close(&lab);
}

/* nft_dynset.c: a full set takes nothing, and the rule ends there; expired elements make
 * room. What was loaded stays when flows are forgotten. */
static void a_full_set(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, "table ip t {\n"
			 "set s { type ipv4_addr; size 2; flags dynamic,timeout; timeout 10s;\n"
			 "elements = { 10.0.1.9 timeout 1d } }\n"
			 "chain c { type filter hook prerouting priority -300;\n"
			 "add @s { ip saddr } counter\n} }");
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 81);
	send_syn(&lab, "10.0.1.3", "10.0.2.2", 81);
	CHECK(has(lab.router, "add @s { ip saddr } counter packets 1 bytes 44\n"));
	lab_run(&lab, 11 * NS_PER_S);
	send_syn(&lab, "10.0.1.3", "10.0.2.2", 81);
	CHECK(has(lab.router, "elements = { 10.0.1.3 expires 10s,"));
	nft_reset_state(netns_nft(lab.router));
	CHECK(has(lab.router, "elements = { 10.0.1.9 timeout 1d expires 23h59m49s }\n"));
	lab_close(&lab);
}

static void numgen_inc_goes_round(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router,
	     RAW "numgen inc mod 3 1 counter\nnumgen inc mod 2 offset 5 vmap { 5 : drop }\n"
		 "counter\n} }");
	for (int i = 0; i < 7; i++)
		send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(has(lab.router, "numgen inc mod 3 1 counter packets 2 bytes 88\n"));
	CHECK(has(lab.router, "\t\tcounter packets 3 bytes 132\n"));
	lab_close(&lab);
}

/* ---- what rules look at
 * --------------------------------------------------------------------------- */

static void sets_fib_and_interfaces(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, "table ip t {\n"
			 "set vips { type ipv4_addr . inet_proto . inet_service; elements = { "
			 "10.96.0.1 . tcp . 80 } }\n"
			 "set nets { type ipv4_addr; flags interval; elements = { 10.0.1.0/31, "
			 "10.96.0.0/16 } }\n"
			 "set wide { type ipv4_addr . inet_service; flags interval;\n"
			 " elements = { 10.96.0.0/24 . 70-90, 10.0.1.1 . 80 } }\n"
			 "chain c { type filter hook prerouting priority -300;\n"
			 "ip daddr . meta l4proto . th dport @vips counter comment \"a\"\n"
			 "ip saddr != @nets counter comment \"b\"\n"
			 "ip daddr . tcp dport @wide counter comment \"c\"\n"
			 "fib daddr type local counter comment \"d\"\n"
			 "fib saddr oif \"left\" counter comment \"e\"\n"
			 "fib saddr . iif oif missing counter comment \"f\"\n"
			 "iif \"left\" counter comment \"g\"\n"
			 "iifname \"ri*\" counter comment \"h\"\n"
			 "ip saddr & 0.0.0.1 == 0.0.0.0 counter comment \"i\"\n"
			 "tcp flags syn / syn,ack counter comment \"j\"\n"
			 "meta length 44 ip ttl 64 ip length 44 counter comment \"k\"\n"
			 "udp dport 80 counter comment \"l\"\n"
			 "@th,16,16 80 counter comment \"m\"\n} }");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 80, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.3", "10.96.0.1", 81, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.1.1", 80, NULL));
	netns_input(lab.router, lab.right, segment(&lab, "10.0.2.2", "10.0.1.1", 80, NULL));
	netns_input(lab.router, lab.right, segment(&lab, "10.0.1.2", "10.0.2.9", 90, NULL));
	static const char *const counts[] = {
		"1 bytes 44 comment \"a\"",  "5 bytes 220 comment \"b\"",
		"4 bytes 176 comment \"c\"", "2 bytes 88 comment \"d\"",
		"4 bytes 176 comment \"e\"", "1 bytes 44 comment \"f\"",
		"3 bytes 132 comment \"g\"", "2 bytes 88 comment \"h\"",
		"4 bytes 176 comment \"i\"", "5 bytes 220 comment \"j\"",
		"5 bytes 220 comment \"k\"", "0 bytes 0 comment \"l\"",
		"3 bytes 132 comment \"m\""
	};
	for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
		CHECK(has(lab.router, counts[i]));
	lab_close(&lab);
}

static void connection_state_and_marks(void)
{
	struct lab lab;
	struct lab_app server, app;
	lab_open(&lab);
	load(lab.router,
	     RAW "tcp dport 90 notrack\n}\n"
	     "chain f { type filter hook forward priority -150;\n"
	     "ct state new ct mark set 5 counter comment \"a\"\n"
	     "ct state established ct direction reply meta mark set ct mark counter comment \"b\"\n"
	     "meta mark 5 counter comment \"c\"\n"
	     "ct original ip daddr 10.0.2.2 ct original proto-dst 80 ct reply ip saddr 10.0.2.0/24 "
	     "counter comment \"d\"\n"
	     "ct state untracked counter comment \"e\"\n"
	     "ct status assured counter comment \"f\"\n"
	     "ct status seen-reply counter comment \"g\"\n} }\n");
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	struct sock_name to = lab_name("10.0.2.2", 80);
	CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&app.said), "connected");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 90, NULL));
	CHECK(has(lab.router, "counter packets 1 bytes 44 comment \"a\""));
	CHECK(has(lab.router, "counter packets 1 bytes 44 comment \"b\""));
	CHECK(has(lab.router, "counter packets 1 bytes 44 comment \"c\"")); /* SYN/ACK only */
	CHECK(has(lab.router, "counter packets 3 bytes 128 comment \"d\""));
	CHECK(has(lab.router, "counter packets 1 bytes 44 comment \"e\""));
	CHECK(has(lab.router, "counter packets 1 bytes 40 comment \"f\"")); /* the ACK */
	CHECK(has(lab.router, "counter packets 2 bytes 84 comment \"g\""));
	lab_app_free(&server);
	lab_app_free(&app);
	lab_close(&lab);
}

static void addresses_from_maps(void)
{
	struct lab lab;
	struct trace *t = trace_new();
	lab_open(&lab);
	load(lab.router,
	     "table ip t {\n"
	     "map ports { type inet_service : ipv4_addr . inet_service; elements = { 81 : 10.0.2.2 "
	     ". 8081 } }\n"
	     "chain p { type nat hook prerouting priority -100;\n"
	     "dnat ip to tcp dport map @ports\n"
	     "ip daddr 10.9.0.0/16 dnat ip prefix to ip daddr map { 10.9.0.0/16 : 10.0.0.0/16 }\n"
	     "tcp dport 83 redirect to :8083\n} }");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 81, t));
	struct net_addr expected = lab_addr("10.0.2.2");
	CHECK(net_addr_equal(&t->dnat_addr, &expected));
	CHECK_INT(t->dnat_port, 8081);
	trace_free(t);
	t = trace_new();
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.9.2.77", 82, t));
	expected = lab_addr("10.0.2.77");
	CHECK(net_addr_equal(&t->dnat_addr, &expected));
	trace_free(t);
	t = trace_new();
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 83, t));
	expected = lab_addr("10.0.1.1");
	CHECK(net_addr_equal(&t->dnat_addr, &expected));
	CHECK_INT(t->dnat_port, 8083);
	trace_free(t);
	lab_close(&lab);
}

/* ---- hooks and the unknown
 * ------------------------------------------------------------------------ */

/* A base chain works from the transaction's end on, until it or its table goes. */
static void hooks_follow_transactions(void)
{
	struct lab lab;
	struct err err;
	lab_open(&lab);
	const char *bad = RAW "drop\n} }\nadd rule t nope drop\n";
	CHECK(nft_load(netns_nft(lab.router), bad, strlen(bad), "f", &err) == ENOENT);
	send_syn(&lab, "10.0.1.2", "10.0.2.2", 80);
	CHECK(lab_saw(&lab, "router:right out"));
	strbuf_clear(&lab.frames);
	load(lab.router, RAW "drop\n} }\n");
	send_syn(&lab, "10.0.1.2", "10.0.2.3", 80);
	CHECK(!lab_saw(&lab, "router:right out"));
	load(lab.router, "add chain t c\ndelete chain t c\n"
			 "add chain t c { type filter hook prerouting priority 5; }\n"
			 "add rule t c counter\n");
	send_syn(&lab, "10.0.1.2", "10.0.2.3", 80);
	CHECK(lab_saw(&lab, "router:right out"));
	CHECK(has(lab.router,
		  "priority filter + 5; policy accept;\n\t\tcounter packets 1 bytes 44\n"));
	load(lab.router, "table ip t { flags dormant; }");
	send_syn(&lab, "10.0.1.2", "10.0.2.3", 80);
	CHECK(has(lab.router, "counter packets 1 bytes 44\n"));
	load(lab.router, "flush ruleset");
	send_syn(&lab, "10.0.1.2", "10.0.2.3", 80);
	lab_close(&lab);
}

/* kube-proxy's text names no file: an interface by number must be there, as nft demands. */
static void interfaces_must_exist(void)
{
	struct lab lab;
	struct err err;
	lab_open(&lab);
	load_as(lab.router, "table ip t { chain c { iif left; } }", NULL);
	const char *missing = "add rule ip t c iif cni0 accept";
	CHECK_INT(nft_load(netns_nft(lab.router), missing, strlen(missing), NULL, &err), ENOENT);
	CHECK_TEXT(err.text, "nft:1:21: interface cni0 does not exist: expected one that is there "
			     "(iifname and oifname take names of others)");
	load_as(lab.router, missing, "a dump");
	lab_close(&lab);
}

static void unknown_makes_undecidable(void)
{
	struct lab lab;
	struct strbuf steps = { 0 };
	enum nf_verdict verdict;
	lab_open(&lab);
	load(lab.router, RAW "meta l4proto udp socket transparent 1 drop\n"
			     "socket transparent 1 drop\nmeta skuid 0 drop\n} }");
	struct trace *t = trace_new();
	struct packet *p = segment(&lab, "10.0.1.2", "10.0.2.2", 80, t);
	struct hook_state state = { lab.router, HOOK_PREROUTING, p, 0 };
	CHECK_INT(nft_evaluate(netns_nft(lab.router), "t", "c", false, &state, &verdict), 0);
	CHECK_INT(verdict, VERDICT_ACCEPT);
	CHECK_TEXT(t->undecidable, "a statement that svclab does not know");
	print_steps(t, &steps);
	/* Another condition decides the first rule, no socket the third. */
	CHECK_TEXT(strbuf_text(&steps),
		   "PREROUTING ip t c 2 rules.nft:3 socket transparent 1 drop | undecidable: a "
		   "statement that svclab does not know\n"
		   "PREROUTING ip t c 0 -:0 policy accept\n");
	CHECK_INT(nft_evaluate(netns_nft(lab.router), "t", "x", false, &state, &verdict), ENOENT);
	packet_free(p);
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "a service step by step: dispatch, mark, draw, DNAT, masquerade",
	  a_service_step_by_step },
	{ "numgen random is enumerated", every_backend_in_turn },
	{ "iptables' statistic in nft's words is one draw", statistic_in_nft },
	{ "an IPv6 service works end to end", ipv6_service },
	{ "jump, goto, return, accept and the policy", jumps_gotos_returns },
	{ "reject and drop as a program sees them", rejects_and_drops_at_the_socket },
	{ "limits follow virtual time", limits_follow_virtual_time },
	{ "affinity sets forget after their timeout", affinity_sets },
	{ "a full set takes nothing until elements expire", a_full_set },
	{ "numgen inc goes round", numgen_inc_goes_round },
	{ "sets, fib, interfaces and header fields", sets_fib_and_interfaces },
	{ "states, marks and tuples of connections", connection_state_and_marks },
	{ "NAT by maps, prefixes and redirect", addresses_from_maps },
	{ "base chains work when, and while, their transaction says so",
	  hooks_follow_transactions },
	{ "an interface by number must exist", interfaces_must_exist },
	{ "what is not known is undecidable", unknown_makes_undecidable },
};

CHECK_MAIN(tests)
