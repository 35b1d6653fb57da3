/* tests/unit/xt_eval.c: what rules do to packets, in the router of linux_lab.h.
 *
 * Expected behaviour: Linux's ip_tables.c and the extensions named in each test; counts
 * are made by hand after the count contract (every rule visited in every chain until the
 * verdict; policies apart).
 */
#include <errno.h>

#include "linux/ipset.h"
#include "linux/recent.h"
#include "linux/xtables/xtables.h"
#include "tests/unit/linux_lab.h"

static void load(struct netns *ns, uint8_t family, const char *text)
{
	struct err err = { { 0 } };
	struct xt_restore_options o = { .file = "rules.txt", .noflush = true, .counters = true };
	if (!CHECK(xt_restore(netns_xt(ns, family), text, strlen(text), &o, &err) == 0))
		fprintf(stderr, "%s\n", err.text);
}

static bool has(struct netns *ns, const char *line)
{
	struct strbuf b = { 0 };
	xt_save(netns_xt(ns, NET_V4), NULL, true, &b);
	bool found = strstr(strbuf_text(&b), line) != NULL;
	if (!found)
		check_note(false, __FILE__, __LINE__, "no `%s' in\n%s", line, strbuf_text(&b));
	strbuf_free(&b);
	return found;
}

/* A packet of the client's (or `from`) on the wire, watched by `t`. */
static struct packet *segment(struct lab *lab, const char *from, const char *to, uint16_t port,
			      struct trace *t)
{
	struct craft_ip ip = { .src = lab_addr(from), .dst = lab_addr(to), .src_port = 40000,
			       .dst_port = port };
	struct craft_tcp tcp = { .flags = TCP_SYN, .window = 64240, .mss = 1460, .window_scale = -1 };
	struct packet *p = craft_tcp(lab->env.craft, &ip, &tcp, "", 0);
	p->trace = t;
	return p;
}

static void print_steps(const struct trace *t, struct strbuf *out)
{
	strbuf_clear(out);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct trace_step *s = &t->steps[i];
		if (!*s->chain) /* of conntrack and NAT, not of a rule */
			continue;
		strbuf_printf(out, "%s %s %s %u %s:%d %s%s%s\n", s->hook, s->table, s->chain, s->rule,
			      s->file ? s->file : "-", s->line, s->text, *s->note ? " | " : "",
			      s->note);
	}
}

static const char *const service = "*nat\n"
	":KUBE-SERVICES - [0:0]\n:KUBE-SVC - [0:0]\n:KUBE-SEP-A - [0:0]\n:KUBE-SEP-B - [0:0]\n"
	":KUBE-MARK-MASQ - [0:0]\n"
	"-A PREROUTING -j KUBE-SERVICES\n-A OUTPUT -j KUBE-SERVICES\n"
	"-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"
	"-A POSTROUTING -j MARK --xor-mark 0x4000\n"
	"-A POSTROUTING -j MASQUERADE --random-fully\n"
	"-A KUBE-SERVICES -d 10.96.0.9 -p tcp --dport 80 -j KUBE-SVC\n"
	"-A KUBE-SERVICES -d 10.96.0.1 -p tcp --dport 80 -j KUBE-SVC\n"
	"-A KUBE-SVC ! -s 10.244.0.0/16 -d 10.96.0.1 -p tcp --dport 80 -j KUBE-MARK-MASQ\n"
	"-A KUBE-SVC -m statistic --mode random --probability 0.5 -j KUBE-SEP-A\n"
	"-A KUBE-SVC -j KUBE-SEP-B\n"
	"-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000\n"
	"-A KUBE-SEP-A -p tcp -j DNAT --to-destination 10.0.2.9:8080\n"
	"-A KUBE-SEP-B -s 10.0.2.2 -j KUBE-MARK-MASQ\n"
	"-A KUBE-SEP-B -p tcp -j DNAT --to-destination 10.0.2.2:8080\n"
	"COMMIT\n";

static void a_service_step_by_step(void)
{
	struct lab lab;
	struct strbuf steps = { 0 };
	struct trace *t = trace_new();
	lab_open(&lab);
	load(lab.router, NET_V4, service);
	choice_script(lab.env.choice, "backend", 1); /* the first endpoint is not drawn */
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 80, t));
	lab_run(&lab, NS_PER_S / 2);
	print_steps(t, &steps);
	const char *head =
		"PREROUTING nat PREROUTING 1 rules.txt:7 -A PREROUTING -j KUBE-SERVICES\n"
		"PREROUTING nat KUBE-SERVICES 2 rules.txt:13 -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp "
		"-m tcp --dport 80 -j KUBE-SVC\n"
		"PREROUTING nat KUBE-SVC 1 rules.txt:14 -A KUBE-SVC ! -s 10.244.0.0/16 -d 10.96.0.1/32 "
		"-p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ\n"
		"PREROUTING nat KUBE-MARK-MASQ 1 rules.txt:17 -A KUBE-MARK-MASQ -j MARK --set-xmark "
		"0x4000/0x4000 | mark 0x0 -> 0x4000\n"
		"PREROUTING nat KUBE-SVC 3 rules.txt:16 -A KUBE-SVC -j KUBE-SEP-B\n"
		"PREROUTING nat KUBE-SEP-B 2 rules.txt:20 -A KUBE-SEP-B -p tcp -j DNAT "
		"--to-destination 10.0.2.2:8080 | 10.96.0.1:80 -> 10.0.2.2:8080\n"
		"POSTROUTING nat POSTROUTING 2 rules.txt:10 -A POSTROUTING -j MARK --set-xmark "
		"0x4000/0x0 | mark 0x4000 -> 0x0\n"
		"POSTROUTING nat POSTROUTING 3 rules.txt:11 -A POSTROUTING -j MASQUERADE "
		"--random-fully | 10.0.1.2:40000 -> 10.0.2.1:";
	check_note(strncmp(strbuf_text(&steps), head, strlen(head)) == 0, __FILE__, __LINE__,
		   "steps:\n%s\nexpected:\n%s", strbuf_text(&steps), head);
	/* PREROUTING 1; KUBE-SERVICES 2; KUBE-SVC 3; KUBE-MARK-MASQ 1; KUBE-SEP-B 2; POSTROUTING 3 */
	CHECK_INT(t->rules_evaluated, 12);
	CHECK_INT(t->policies, 0);
	CHECK(t->masqueraded);
	struct net_addr backend = lab_addr("10.0.2.2");
	CHECK(net_addr_equal(&t->dnat_addr, &backend));
	CHECK_INT(t->dnat_port, 8080);
	CHECK_INT(xt_rules_evaluated(netns_xt(lab.router, NET_V4), NULL), 12);
	CHECK(has(lab.router, "[1:44] -A KUBE-SVC -j KUBE-SEP-B\n"));
	CHECK(has(lab.router, "[0:0] -A KUBE-SVC -m statistic --mode random --probability "
			      "0.50000000000 -j KUBE-SEP-A\n"));
	CHECK_INT(lab.bad_checksums, 0);
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

/* ip_tables.c: a goto leaves no return address; RETURN and the end of a built-in chain
 * lead to its policy. */
static void jumps_gotos_returns(void)
{
	struct lab lab;
	struct trace *t = trace_new();
	struct strbuf steps = { 0 };
	lab_open(&lab);
	t->keep_passed_over = true;
	load(lab.router, NET_V4, "*filter\n:FORWARD DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n"
				 "-A FORWARD -j A\n-A FORWARD -p udp\n-A FORWARD -g C\n"
				 "-A FORWARD -j ACCEPT\n"
				 "-A A -g B\n-A A -j ACCEPT\n"
				 "-A B -p udp -j ACCEPT\n"
				 "-A C -j RETURN\n-A C -j ACCEPT\nCOMMIT\n");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, t));
	lab_run(&lab, NS_PER_S / 2);
	print_steps(t, &steps);
	CHECK_TEXT(strbuf_text(&steps),
		   "FORWARD filter FORWARD 1 rules.txt:6 -A FORWARD -j A\n"
		   "FORWARD filter A 1 rules.txt:10 -A A -g B\n"
		   "FORWARD filter B 1 rules.txt:12 -A B -p udp -j ACCEPT\n"
		   "FORWARD filter FORWARD 2 rules.txt:7 -A FORWARD -p udp\n"
		   "FORWARD filter FORWARD 3 rules.txt:8 -A FORWARD -g C\n"
		   "FORWARD filter C 1 rules.txt:13 -A C -j RETURN\n"
		   "FORWARD filter FORWARD 0 -:0 policy DROP\n");
	CHECK_INT(t->verdict, TRACE_DROPPED);
	CHECK_TEXT(t->reason, "router: policy DROP of filter chain FORWARD");
	CHECK_INT(t->rules_evaluated, 6);
	CHECK_INT(t->policies, 1);
	CHECK(has(lab.router, ":FORWARD DROP [1:44]\n"));
	CHECK(!lab_saw(&lab, "router:right out"));
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

/* xt_statistic.c, nth: of every 3 packets number 1 (counted from 0) matches. */
static void every_nth(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, NET_V4, "*raw\n-A PREROUTING -m statistic --mode nth --every 3 --packet 1\n"
				 "-A PREROUTING -m statistic --mode nth ! --every 3 --packet 0\nCOMMIT\n");
	for (int i = 0; i < 8; i++)
		netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	CHECK(has(lab.router, "[3:132] -A PREROUTING -m statistic --mode nth --every 3 --packet 1\n"));
	CHECK(has(lab.router, "[5:220] -A PREROUTING -m statistic --mode nth ! --every 3"));
	lab_close(&lab);
}

/* xt_limit.c: a burst, then one packet a period. */
static void limits_follow_virtual_time(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, NET_V4, "*raw\n-A PREROUTING -m limit --limit 6/min --limit-burst 2\nCOMMIT\n");
	for (int i = 0; i < 5; i++)
		netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	CHECK(has(lab.router, "[2:88] -A PREROUTING -m limit"));
	lab_run(&lab, 9 * NS_PER_S);
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	CHECK(has(lab.router, "[2:88] -A PREROUTING -m limit"));
	lab_run(&lab, 2 * NS_PER_S);
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	CHECK(has(lab.router, "[3:132] -A PREROUTING -m limit"));
	lab_close(&lab);
}

/* Session affinity as kube-proxy writes it: held at 10799 s, gone at 10801 s, as seen on
 * Linux 6.18; a full restore keeps the list. */
static void affinity_lists(void)
{
	struct lab lab;
	static const char *const rules = "*raw\n-F\n"
		"-A PREROUTING -p tcp --dport 81 -m recent --set --name SEP --rsource\n"
		"-A PREROUTING -p tcp --dport 82 -m recent --rcheck --seconds 10800 --reap --name SEP "
		"--rsource\nCOMMIT\n";
	struct recent *lists;
	lab_open(&lab);
	load(lab.router, NET_V4, rules);
	lists = xt_recent(netns_xt(lab.router, NET_V4));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 81, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 82, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.3", "10.0.2.2", 82, NULL));
	CHECK(has(lab.router, "[1:44] -A PREROUTING -p tcp -m tcp --dport 82"));
	load(lab.router, NET_V4, rules);
	CHECK_INT(recent_count(lists, "SEP"), 1);
	lab_run(&lab, 10799 * NS_PER_S);
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 82, NULL));
	CHECK(has(lab.router, "[1:44] -A PREROUTING -p tcp -m tcp --dport 82"));
	lab_run(&lab, 2 * NS_PER_S);
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 82, NULL));
	CHECK(has(lab.router, "[1:44] -A PREROUTING -p tcp -m tcp --dport 82"));
	CHECK_INT(recent_count(lists, "SEP"), 0); /* reaped */
	load(lab.router, NET_V4, "*raw\n-F\nCOMMIT\n");
	CHECK(!recent_print(lists, "SEP", &(struct strbuf){ 0 })); /* no rule names it */
	lab_close(&lab);
}

/* xt_recent.c: ip_list_tot is 100; the one unseen longest goes. */
static void a_list_holds_a_hundred(void)
{
	struct lab lab;
	char from[32];
	struct strbuf text = { 0 };
	lab_open(&lab);
	load(lab.router, NET_V4, "*raw\n-A PREROUTING -m recent --set --name L\nCOMMIT\n");
	for (int i = 0; i < 101; i++) {
		snprintf(from, sizeof from, "10.0.1.%d", 2 + i);
		netns_input(lab.router, lab.left, segment(&lab, from, "10.0.2.2", 80, NULL));
		if (i == 99) /* .2 is seen again: now .3 is the oldest */
			netns_input(lab.router, lab.left,
				    segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	}
	struct recent *lists = xt_recent(netns_xt(lab.router, NET_V4));
	CHECK_INT(recent_count(lists, "L"), 100);
	recent_print(lists, "L", &text);
	const char *first = "src=10.0.1.4 ttl: 64 last_seen: 4294892296 oldest_pkt: 1 4294892296\n";
	CHECK(strncmp(strbuf_text(&text), first, strlen(first)) == 0);
	CHECK(strstr(strbuf_text(&text), "src=10.0.1.3 ") == NULL);
	CHECK(strstr(strbuf_text(&text), "src=10.0.1.2 ttl: 64 last_seen: 4294892296 oldest_pkt: 2 "
					 "4294892296, 4294892296\n") != NULL);
	strbuf_free(&text);
	lab_close(&lab);
}

static void rejects_and_drops_at_the_socket(void)
{
	struct lab lab;
	struct lab_app app;
	lab_open(&lab);
	load(lab.router, NET_V4, "*filter\n-A FORWARD -p tcp --dport 81 -j REJECT\n"
				 "-A FORWARD -p tcp --dport 82 -j REJECT --reject-with tcp-reset\n"
				 "-A FORWARD -p tcp --dport 83 -j REJECT --reject-with "
				 "icmp-admin-prohibited\nCOMMIT\n");
	load(lab.client, NET_V4, "*filter\n-A OUTPUT -p udp --dport 9 -j DROP\n"
				 "-A OUTPUT -p udp --dport 10 -j REJECT\nCOMMIT\n");
	for (uint16_t port = 81; port <= 83; port++) {
		struct sock_name to = lab_name("10.0.2.2", port);
		CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
		lab_run(&lab, 3 * NS_PER_S);
		CHECK_TEXT(strbuf_text(&app.said), "error");
		CHECK_INT(app.error, port == 83 ? EHOSTUNREACH : ECONNREFUSED);
		lab_app_free(&app);
	}
	for (uint16_t port = 9; port <= 10; port++) {
		struct sock_name to = lab_name("10.0.2.2", port);
		CHECK_INT(lab_connect(&app, lab.client, PROTO_UDP, &to, NULL), 0);
		CHECK_INT(lab_send(&app, "x"), EPERM);
		lab_app_free(&app);
	}
	CHECK_INT(lab.bad_checksums, 0);
	struct trace *t = trace_new();
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 82, t));
	CHECK_INT(t->verdict, TRACE_REJECTED);
	CHECK_TEXT(t->reason, "router: rejected in FORWARD: filter FORWARD rule 2: -A FORWARD -p tcp -m "
			      "tcp --dport 82 -j REJECT --reject-with tcp-reset");
	trace_free(t);
	lab_close(&lab);
}

static void sets_and_types(void)
{
	struct lab lab;
	struct err err = { { 0 } };
	const char *sets = "create vips hash:ip,port\nadd vips 10.96.0.1,tcp:80\n"
			   "create clients hash:ip\nadd clients 10.0.1.2\n";
	lab_open(&lab);
	CHECK_INT(ipset_restore(netns_ipset(lab.router), sets, strlen(sets), "s", false, &err), 0);
	load(lab.router, NET_V4, "*raw\n-A PREROUTING -m set --match-set vips dst,dst\n"
				 "-A PREROUTING -m set ! --match-set clients src\n"
				 "-A PREROUTING -m addrtype --dst-type LOCAL\n"
				 "-A PREROUTING -m addrtype ! --src-type LOCAL --dst-type UNICAST\n"
				 "-A PREROUTING -i left\n-A PREROUTING ! -i le+\n"
				 "-A PREROUTING -s 10.0.1.0/24 ! -d 10.96.0.0/12\n"
				 "COMMIT\n");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.96.0.1", 80, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.3", "10.96.0.1", 81, NULL));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.1.1", 80, NULL));
	netns_input(lab.router, lab.right, segment(&lab, "10.0.2.2", "10.0.1.1", 80, NULL));
	CHECK(has(lab.router, "[1:44] -A PREROUTING -m set --match-set vips dst,dst\n"));
	CHECK(has(lab.router, "[2:88] -A PREROUTING -m set ! --match-set clients src\n"));
	CHECK(has(lab.router, "[2:88] -A PREROUTING -m addrtype --dst-type LOCAL\n"));
	CHECK(has(lab.router, "[2:88] -A PREROUTING -m addrtype ! --src-type LOCAL --dst-type UNICAST"));
	CHECK(has(lab.router, "[3:132] -A PREROUTING -i left\n"));
	CHECK(has(lab.router, "[1:44] -A PREROUTING ! -i le+\n"));
	CHECK(has(lab.router, "[1:44] -A PREROUTING -s 10.0.1.0/24 ! -d 10.96.0.0/12\n"));
	/* A set that a rule names cannot be destroyed; a set that is not there is an error. */
	const char *destroy = "destroy vips\n";
	CHECK_INT(ipset_restore(netns_ipset(lab.router), destroy, strlen(destroy), "s", false, &err),
		  EINVAL);
	CHECK_INT(xt_command(netns_xt(lab.router, NET_V4), "-A INPUT -m set --match-set nope src", NULL,
			     NULL, &err), EINVAL);
	CHECK_TEXT(err.text, "iptables v1.8.9 (legacy): Set nope doesn't exist.");
	load(lab.router, NET_V4, "*raw\n-F\nCOMMIT\n");
	CHECK_INT(ipset_restore(netns_ipset(lab.router), destroy, strlen(destroy), "s", false, &err), 0);
	lab_close(&lab);
}

static void connection_state_and_marks(void)
{
	struct lab lab;
	struct lab_app server, app;
	lab_open(&lab);
	load(lab.router, NET_V4,
	     "*raw\n-A PREROUTING -p tcp --dport 90 -j NOTRACK\nCOMMIT\n"
	     "*mangle\n-A FORWARD -m conntrack --ctstate NEW -j CONNMARK --set-mark 0x5\n"
	     "-A FORWARD -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j CONNMARK --restore-mark\n"
	     "-A FORWARD -m mark --mark 0x5\n"
	     "-A FORWARD -m conntrack --ctorigdst 10.0.2.2 --ctorigdstport 80 --ctproto 6 "
	     "--ctreplsrc 10.0.2.0/24\n"
	     "-A FORWARD -m conntrack --ctstate UNTRACKED\n"
	     "-A FORWARD -m conntrack --ctstatus SEEN_REPLY,ASSURED\n"
	     "-A FORWARD -m conntrack ! --ctstatus CONFIRMED\n"
	     "-A FORWARD -m conntrack --ctexpire 432000\nCOMMIT\n");
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	struct sock_name to = lab_name("10.0.2.2", 80);
	CHECK_INT(lab_connect(&app, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&app.said), "connected");
	CHECK(has(lab.router, "[1:44] -A FORWARD -m conntrack --ctstate NEW -j CONNMARK"));
	CHECK(has(lab.router, "[1:44] -A FORWARD -m conntrack --ctstate ESTABLISHED --ctdir REPLY"));
	CHECK(has(lab.router, "[1:44] -A FORWARD -m mark --mark 0x5\n")); /* SYN/ACK only */
	CHECK(has(lab.router, "[3:128] -A FORWARD -m conntrack --ctproto 6 --ctorigdst 10.0.2.2 "
			      "--ctreplsrc 10.0.2.0/24 --ctorigdstport 80\n"));
	/* SYN/ACK and ACK; the SYN; the ACK meets an entry of five days. */
	CHECK(has(lab.router, "[2:84] -A FORWARD -m conntrack --ctstatus SEEN_REPLY,ASSURED\n"));
	CHECK(has(lab.router, "[1:44] -A FORWARD -m conntrack ! --ctstatus CONFIRMED\n"));
	CHECK(has(lab.router, "[1:40] -A FORWARD -m conntrack --ctexpire 432000\n"));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 90, NULL));
	CHECK(has(lab.router, "[1:44] -A FORWARD -m conntrack --ctstate UNTRACKED\n"));
	lab_app_free(&server);
	lab_app_free(&app);
	lab_close(&lab);
}

static void unknown_makes_undecidable(void)
{
	struct lab lab;
	struct strbuf steps = { 0 };
	lab_open(&lab);
	load(lab.router, NET_V4, "*mangle\n"
	     "-A PREROUTING -p udp -m socket --transparent -j DROP\n"
	     "-A PREROUTING -m socket --transparent -m mark --mark 7 -j DROP\n"
	     "-A FORWARD -m socket --transparent -j DROP\n"
	     "-A POSTROUTING -p tcp -j TPROXY --on-port 1\nCOMMIT\n");
	struct trace *t = trace_new();
	struct packet *p = segment(&lab, "10.0.1.2", "10.0.2.2", 80, t);
	struct hook_state state = { lab.router, HOOK_PREROUTING, p, 0 };
	/* Another condition decides both rules: nothing is undecidable. */
	CHECK_INT(xt_evaluate(netns_xt(lab.router, NET_V4), "mangle", &state), VERDICT_ACCEPT);
	CHECK(t->undecidable == NULL);
	state.hook = HOOK_FORWARD;
	CHECK_INT(xt_evaluate(netns_xt(lab.router, NET_V4), "mangle", &state), VERDICT_ACCEPT);
	CHECK_TEXT(t->undecidable, "a match that svclab does not know");
	t->undecidable = NULL;
	state.hook = HOOK_POSTROUTING;
	CHECK_INT(xt_evaluate(netns_xt(lab.router, NET_V4), "mangle", &state), VERDICT_ACCEPT);
	CHECK_TEXT(t->undecidable, "a target that svclab does not know");
	print_steps(t, &steps);
	CHECK_TEXT(strbuf_text(&steps),
		   "PREROUTING mangle PREROUTING 0 -:0 policy ACCEPT\n"
		   "FORWARD mangle FORWARD 1 rules.txt:4 -A FORWARD -m socket --transparent -j DROP | "
		   "undecidable: a match that svclab does not know\n"
		   "FORWARD mangle FORWARD 0 -:0 policy ACCEPT\n"
		   "POSTROUTING mangle POSTROUTING 1 rules.txt:5 -A POSTROUTING -p tcp -j TPROXY "
		   "--on-port 1 | undecidable: a target that svclab does not know\n"
		   "POSTROUTING mangle POSTROUTING 0 -:0 policy ACCEPT\n");
	packet_free(p);
	trace_free(t);
	strbuf_free(&steps);
	lab_close(&lab);
}

static void ipv6_service(void)
{
	struct lab lab;
	struct lab_app server, app;
	lab_open(&lab);
	load(lab.router, NET_V6, "*nat\n-A PREROUTING -d fd96::1 -p tcp --dport 80 -j DNAT "
				 "--to-destination [fd02::2]:8080\n"
				 "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
				 "*filter\n-A FORWARD -p tcp --dport 81 -j REJECT\nCOMMIT\n");
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

/* nf_nat_redirect.c, xt_NETMAP.c, xt_TCPMSS.c. */
static void redirect_netmap_tcpmss(void)
{
	struct lab lab;
	lab_open(&lab);
	load(lab.router, NET_V4, "*nat\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080\n"
				 "-A PREROUTING -d 10.9.2.0/24 -j NETMAP --to 10.0.2.0/24\nCOMMIT\n"
				 "*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1200\nCOMMIT\n");
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.0.2.2", 80, NULL));
	CHECK(lab_saw(&lab, "router:left out 10.0.2.2.80 > 10.0.1.2.40000: Flags [R.]"));
	netns_input(lab.router, lab.left, segment(&lab, "10.0.1.2", "10.9.2.2", 90, NULL));
	lab_run(&lab, NS_PER_S);
	CHECK(lab_saw(&lab, "router:right out 10.0.1.2.40000 > 10.0.2.2.90: Flags [S]"));
	CHECK(lab_saw(&lab, "mss 1200"));
	CHECK_INT(lab.bad_checksums, 0);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "a packet to a Service: every rule with its place, changes, counts and counters",
	  a_service_step_by_step },
	{ "jump, goto, RETURN and policies as the kernel does them", jumps_gotos_returns },
	{ "statistic nth counts from its packet on", every_nth },
	{ "limit lets a burst through, then fills with virtual time", limits_follow_virtual_time },
	{ "recent lists hold for their seconds, are reaped, and survive a restore", affinity_lists },
	{ "a recent list holds a hundred addresses", a_list_holds_a_hundred },
	{ "REJECT and DROP become errors at the socket", rejects_and_drops_at_the_socket },
	{ "sets, address types and interfaces match", sets_and_types },
	{ "connection state, tuples and marks match", connection_state_and_marks },
	{ "what is not known is undecidable, unless another condition decides", unknown_makes_undecidable },
	{ "an IPv6 Service is translated and refused as an IPv4 one", ipv6_service },
	{ "REDIRECT, NETMAP and TCPMSS rewrite as in Linux", redirect_netmap_tcpmss },
};

CHECK_MAIN(tests)
