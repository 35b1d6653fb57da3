/* tests/unit/linux_conntrack.c: connection tracking and NAT in a router.
 *
 * Expected texts are those of conntrack 1.4.7 on Linux 6.18, seen for the same traffic in
 * network namespaces.
 */
#include <errno.h>

#include "linux/hook.h"
#include "linux/xtables/xtables.h"
#include "tests/unit/linux_lab.h"

/* A Service in miniature: 10.96.0.1:80 goes to 10.0.2.2:8080, and is masqueraded. */
struct rules {
	struct net_addr vip, backend;
	uint16_t vip_port, backend_port;
	bool masquerade;
	struct nat_range source; /* ports of the masquerade */
	uint32_t asked;
};

static enum nf_verdict prerouting(void *ctx, struct hook_state *state)
{
	struct rules *r = ctx;
	struct net_addr dst = packet_dst(state->packet);
	r->asked++;
	if (!net_addr_equal(&dst, &r->vip) || packet_dst_port(state->packet) != r->vip_port)
		return VERDICT_ACCEPT;
	struct nat_range to = { .min = r->backend, .max = r->backend, .port_min = r->backend_port,
				.port_max = r->backend_port };
	return nat_setup(state, NAT_DST, &to);
}

static enum nf_verdict postrouting(void *ctx, struct hook_state *state)
{
	struct rules *r = ctx;
	struct flow_key original, reply;
	if (!r->masquerade || !ct_tuples(state->packet, &original, &reply) ||
	    !net_addr_equal(&original.dst, &r->vip))
		return VERDICT_ACCEPT;
	return nat_masquerade(state, &r->source);
}

static void install(struct rules *r, struct netns *ns, bool masquerade)
{
	*r = (struct rules){ .vip = lab_addr("10.96.0.1"), .backend = lab_addr("10.0.2.2"),
			     .vip_port = 80, .backend_port = 8080, .masquerade = masquerade };
	nat_register(ns, NET_V4, HOOK_PREROUTING, PRI_NAT_DST, prerouting, r);
	nat_register(ns, NET_V4, HOOK_OUTPUT, PRI_NAT_DST, prerouting, r);
	nat_register(ns, NET_V4, HOOK_POSTROUTING, PRI_NAT_SRC, postrouting, r);
}

static const char *listing(struct netns *ns, struct strbuf *out)
{
	strbuf_clear(out);
	conntrack_print(netns_conntrack(ns), 0, out);
	return strbuf_text(out);
}

static struct sock_options from_port(uint16_t port)
{
	return (struct sock_options){ .local = { { 0 }, port } };
}

static void service_through_router(void)
{
	struct lab lab;
	struct rules rules;
	struct lab_app server, client;
	struct strbuf text = { 0 };
	lab_open(&lab);
	install(&rules, lab.router, true);
	lab_serve(&server, lab.server, PROTO_TCP, 8080);
	struct sock_name to = lab_name("10.96.0.1", 80), local, peer;
	struct sock_options options = from_port(44676);
	CHECK_INT(lab_connect(&client, lab.client, PROTO_TCP, &to, &options), 0);
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	CHECK_INT(server.last.kind, SOCK_ACCEPTED);
	CHECK(net_addr_equal(&server.last.peer.addr, &(struct net_addr){ .family = NET_V4,
							.bytes = { 10, 0, 2, 1 } }));
	client.sockets.class->names(client.sock, &local, &peer);
	CHECK(net_addr_equal(&peer.addr, &to.addr));
	CHECK_TEXT(listing(lab.router, &text),
		   "tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 "
		   "src=10.0.2.2 dst=10.0.2.1 sport=8080 dport=44676 [ASSURED] mark=0 use=1\n");
	lab_send(&client, "x");
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.data), "x");
	client.sockets.class->close(client.sock);
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(listing(lab.router, &text),
		   "tcp      6 119 TIME_WAIT src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 "
		   "src=10.0.2.2 dst=10.0.2.1 sport=8080 dport=44676 [ASSURED] mark=0 use=1\n");
	CHECK_INT(rules.asked, 1); /* the first packet only */
	CHECK_INT(lab.bad_checksums, 0);
	lab_run(&lab, 120 * NS_PER_S);
	CHECK_TEXT(listing(lab.router, &text), "");
	strbuf_free(&text);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_close(&lab);
}

static void collect(void *ctx, const char *line)
{
	strbuf_printf(ctx, "%s\n", line);
}

static void events_of_a_connection(void)
{
	struct lab lab;
	struct rules rules;
	struct lab_app server, client, refused;
	struct strbuf text = { 0 };
	lab_open(&lab);
	install(&rules, lab.router, false);
	conntrack_watch(netns_conntrack(lab.router), collect, &text);
	lab_serve(&server, lab.server, PROTO_TCP, 8080);
	struct sock_name to = lab_name("10.96.0.1", 80), closed = lab_name("10.0.2.2", 81);
	struct sock_options options = from_port(44676), other = from_port(48258);
	lab_connect(&client, lab.client, PROTO_TCP, &to, &options);
	lab_run(&lab, NS_PER_S);
	client.sockets.class->close(client.sock);
	lab_run(&lab, NS_PER_S);
	lab_connect(&refused, lab.client, PROTO_TCP, &closed, &other);
	lab_run(&lab, NS_PER_S);
	CHECK_INT(refused.error, ECONNREFUSED);
	refused.sockets.class->close(refused.sock);
	CHECK_TEXT(strbuf_text(&text),
"    [NEW] tcp      6 120 SYN_SENT src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676\n"
" [UPDATE] tcp      6 60 SYN_RECV src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676\n"
" [UPDATE] tcp      6 432000 ESTABLISHED src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676 [ASSURED]\n"
" [UPDATE] tcp      6 120 FIN_WAIT src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676 [ASSURED]\n"
" [UPDATE] tcp      6 60 CLOSE_WAIT src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676 [ASSURED]\n"
" [UPDATE] tcp      6 30 LAST_ACK src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676 [ASSURED]\n"
" [UPDATE] tcp      6 120 TIME_WAIT src=10.0.1.2 dst=10.96.0.1 sport=44676 dport=80 src=10.0.2.2 dst=10.0.1.2 sport=8080 dport=44676 [ASSURED]\n"
"    [NEW] tcp      6 120 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=48258 dport=81 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=81 dport=48258\n"
"[DESTROY] tcp      6 120 CLOSE src=10.0.1.2 dst=10.0.2.2 sport=48258 dport=81 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=81 dport=48258\n");
	strbuf_free(&text);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&refused);
	lab_close(&lab);
}

static void datagrams_and_echo(void)
{
	struct lab lab;
	struct lab_app server, client, lonely, ping;
	struct strbuf text = { 0 };
	lab_open(&lab);
	netns_conntrack(lab.router);
	lab_serve(&server, lab.server, PROTO_UDP, 53);
	struct sock_name to = lab_name("10.0.2.2", 53), nobody = lab_name("10.0.2.2", 9999);
	struct sock_options options = from_port(36201), other = from_port(54274);
	lab_connect(&client, lab.client, PROTO_UDP, &to, &options);
	lab_connect(&lonely, lab.client, PROTO_UDP, &nobody, &other);
	lab_send(&client, "q");
	lab_send(&lonely, "z");
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.data), "q");
	CHECK_INT(lonely.error, ECONNREFUSED); /* ICMP port unreachable */
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 29 src=10.0.1.2 dst=10.0.2.2 sport=36201 dport=53 src=10.0.2.2 dst=10.0.1.2 sport=53 dport=36201 mark=0 use=1\n"
"udp      17 29 src=10.0.1.2 dst=10.0.2.2 sport=54274 dport=9999 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=9999 dport=54274 mark=0 use=1\n");
	lab_run(&lab, 2 * NS_PER_S);
	lab_send(&client, "q"); /* still talking after two seconds: a stream */
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 119 src=10.0.1.2 dst=10.0.2.2 sport=36201 dport=53 src=10.0.2.2 dst=10.0.1.2 sport=53 dport=36201 [ASSURED] mark=0 use=1\n"
"udp      17 27 src=10.0.1.2 dst=10.0.2.2 sport=54274 dport=9999 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=9999 dport=54274 mark=0 use=1\n");
	struct net_addr six = lab_addr("fd02::2");
	ping = (struct lab_app){ .sockets = netns_sockets(lab.client) };
	choice_script(lab.env.choice, "sport", 15580);
	CHECK_INT(ping.sockets.class->icmp(ping.sockets.object, &six, &(struct sock_options){ 0 },
					   lab_app_event, &ping, &ping.sock), 0);
	lab_send(&ping, "data");
	lab_run(&lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&ping.said), "echo");
	CHECK_INT(ping.last.ttl, 63);
	strbuf_clear(&text);
	conntrack_print(netns_conntrack(lab.router), NET_V6, &text);
	CHECK_TEXT(strbuf_text(&text),
"icmpv6   58 29 src=fd01::2 dst=fd02::2 type=128 code=0 id=15581 src=fd02::2 dst=fd01::2 type=129 code=0 id=15581 mark=0 use=1\n");
	CHECK_INT(conntrack_count(netns_conntrack(lab.router)), 3);
	CHECK_INT(lab.bad_checksums, 0);
	strbuf_free(&text);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&lonely);
	lab_app_free(&ping);
	lab_close(&lab);
}

static void error_is_translated(void)
{
	struct lab lab;
	struct rules rules;
	struct lab_app client;
	lab_open(&lab);
	install(&rules, lab.router, true);
	struct sock_name to = lab_name("10.96.0.1", 80);
	struct sock_options options = from_port(40000);
	lab_connect(&client, lab.client, PROTO_UDP, &to, &options);
	lab_send(&client, "x"); /* nobody listens behind the service */
	lab_run(&lab, NS_PER_S / 2);
	CHECK_INT(client.error, ECONNREFUSED);
	struct net_addr vip = lab_addr("10.96.0.1");
	CHECK(net_addr_equal(&client.last.icmp_from, &vip));
	CHECK(lab_saw(&lab, "client:eth0 in 10.96.0.1 > 10.0.1.2: ICMP 10.96.0.1 udp port 80 "
			    "unreachable"));
	CHECK_INT(lab.bad_checksums, 0);
	lab_app_free(&client);
	lab_close(&lab);
}

static enum nf_verdict drop_all(void *ctx, struct hook_state *state)
{
	(void)ctx;
	(void)state;
	return VERDICT_DROP;
}

static void dropped_leaves_no_entry(void)
{
	struct lab lab;
	struct rules rules;
	struct lab_app client;
	struct strbuf text = { 0 };
	lab_open(&lab);
	install(&rules, lab.router, false);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, drop_all, NULL);
	struct sock_name to = lab_name("10.96.0.1", 80);
	lab_connect(&client, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S * 2);
	CHECK_TEXT(listing(lab.router, &text), "");
	CHECK_INT(rules.asked, 2); /* each retransmission is a new flow */
	CHECK_INT(conntrack_stats(netns_conntrack(lab.router)).insert, 0);
	strbuf_free(&text);
	lab_app_free(&client);
	lab_close(&lab);
}

struct intruder { /* sends the same datagram while the first is between the hooks */
	struct lab *lab;
	struct packet *copy;
	struct net_addr backend;
};

static enum nf_verdict intrude(void *ctx, struct hook_state *state)
{
	struct intruder *i = ctx;
	struct packet *second = i->copy;
	(void)state;
	i->copy = NULL;
	if (second)
		netns_input(i->lab->router, i->lab->left, second);
	return VERDICT_ACCEPT;
}

static enum nf_verdict to_backend(void *ctx, struct hook_state *state)
{
	struct intruder *i = ctx;
	struct nat_range to = { .min = i->backend, .max = i->backend };
	enum nf_verdict verdict = nat_setup(state, NAT_DST, &to);
	i->backend = lab_addr("10.0.2.3"); /* the next packet goes elsewhere */
	return verdict;
}

static struct packet *datagram(struct lab *lab, uint16_t src_port)
{
	struct craft_ip ip = { .src = lab_addr("10.0.1.2"), .dst = lab_addr("10.96.0.1"),
			       .src_port = src_port, .dst_port = 53 };
	return craft_udp(lab->env.craft, &ip, "q", 1);
}

static void clash_at_confirm(void)
{
	struct lab lab;
	struct intruder intruder;
	lab_open(&lab);
	intruder = (struct intruder){ &lab, datagram(&lab, 1000), lab_addr("10.0.2.2") };
	lab_add_addr(lab.server, lab.server_if, "10.0.2.3/24");
	nat_register(lab.router, NET_V4, HOOK_PREROUTING, PRI_NAT_DST, to_backend, &intruder);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, intrude, &intruder);
	netns_input(lab.router, lab.left, datagram(&lab, 1000));
	lab_run(&lab, NS_PER_S / 2);
	struct ct_stats stats = conntrack_stats(netns_conntrack(lab.router));
	/* Since Linux 5.6 the loser of a UDP clash goes on with an entry of one second. */
	CHECK_INT(stats.insert, 2);
	CHECK_INT(stats.insert_failed, 0);
	CHECK(lab_saw(&lab, "10.0.2.2.53") && lab_saw(&lab, "10.0.2.3.53"));
	lab_run(&lab, NS_PER_S);
	CHECK_INT(conntrack_count(netns_conntrack(lab.router)), 1);
	lab_close(&lab);
}

static void clash_of_tcp_fails(void)
{
	struct lab lab;
	struct intruder intruder;
	struct craft_ip ip = { .src = lab_addr("10.0.1.2"), .dst = lab_addr("10.96.0.1"),
			       .src_port = 1000, .dst_port = 80 };
	struct craft_tcp syn = { .seq = 7, .flags = TCP_SYN, .window = 1000, .window_scale = -1 };
	lab_open(&lab);
	lab_add_addr(lab.server, lab.server_if, "10.0.2.3/24");
	intruder = (struct intruder){ &lab, craft_tcp(lab.env.craft, &ip, &syn, NULL, 0),
				      lab_addr("10.0.2.2") };
	nat_register(lab.router, NET_V4, HOOK_PREROUTING, PRI_NAT_DST, to_backend, &intruder);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, intrude, &intruder);
	netns_input(lab.router, lab.left, craft_tcp(lab.env.craft, &ip, &syn, NULL, 0));
	struct ct_stats stats = conntrack_stats(netns_conntrack(lab.router));
	CHECK_INT(stats.insert, 1);
	CHECK_INT(stats.insert_failed, 1);
	CHECK_INT(stats.drop, 1);
	lab_close(&lab);
}

static void masquerade_ports(void)
{
	struct lab lab;
	struct rules rules;
	struct strbuf text = { 0 };
	lab_open(&lab);
	install(&rules, lab.router, true);
	rules.vip_port = 53;
	rules.source.port_min = 5000;
	rules.source.port_max = 5001;
	for (uint16_t port = 1000; port < 1003; port++)
		netns_input(lab.router, lab.left, datagram(&lab, port));
	struct ct_stats stats = conntrack_stats(netns_conntrack(lab.router));
	CHECK_INT(stats.insert, 2); /* two ports, the third flow finds none */
	CHECK_INT(stats.insert_failed, 1);
	conntrack_flush(netns_conntrack(lab.router));
	rules.source = (struct nat_range){ .random_fully = true };
	choice_script(lab.env.choice, "masq-port", 0);
	netns_input(lab.router, lab.left, datagram(&lab, 40000));
	choice_script(lab.env.choice, "masq-port", 64511);
	netns_input(lab.router, lab.left, datagram(&lab, 40001));
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 30 src=10.0.1.2 dst=10.96.0.1 sport=40000 dport=53 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=8080 dport=1024 mark=0 use=1\n"
"udp      17 30 src=10.0.1.2 dst=10.96.0.1 sport=40001 dport=53 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=8080 dport=65535 mark=0 use=1\n");
	strbuf_free(&text);
	lab_close(&lab);
}

static void table_full(void)
{
	struct lab lab;
	lab_open(&lab);
	netns_sysctl_set(lab.router, "net.netfilter.nf_conntrack_max", 2);
	struct conntrack *ct = netns_conntrack(lab.router);
	lab_route(lab.router, "10.96.0.0/16", "10.0.2.2", lab.right);
	for (uint16_t port = 1000; port < 1004; port++)
		netns_input(lab.router, lab.left, datagram(&lab, port));
	/* Unassured entries make room. */
	CHECK_INT(conntrack_count(ct), 2);
	CHECK_INT(conntrack_stats(ct).drop, 0);
	lab_close(&lab);
}

static unsigned state_seen;

static enum nf_verdict see_state(void *ctx, struct hook_state *state)
{
	(void)ctx;
	state_seen = ct_state(state->packet);
	return VERDICT_ACCEPT;
}

static struct packet *segment(struct lab *lab, bool from_client, uint32_t seq, uint32_t ack,
			      uint8_t flags)
{
	struct craft_ip ip = { .src = lab_addr("10.0.1.2"), .dst = lab_addr("10.0.2.2"),
			       .src_port = 1000, .dst_port = 80 };
	struct craft_ip back = { .src = lab_addr("10.0.2.2"), .dst = lab_addr("10.0.1.2"),
				 .src_port = 80, .dst_port = 1000 };
	struct craft_tcp tcp = { .seq = seq, .ack = ack, .flags = flags, .window = 1000,
				 .window_scale = -1 };
	return craft_tcp(lab->env.craft, from_client ? &ip : &back, &tcp, NULL, 0);
}

static void out_of_window(void)
{
	struct lab lab;
	lab_open(&lab);
	netns_conntrack(lab.router);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, see_state, NULL);
	netns_input(lab.router, lab.left, segment(&lab, true, 100, 0, TCP_SYN));
	CHECK_INT(state_seen, CT_NEW);
	netns_input(lab.router, lab.right, segment(&lab, false, 500, 101, TCP_SYN | TCP_ACK));
	CHECK_INT(state_seen, CT_ESTABLISHED);
	netns_input(lab.router, lab.left, segment(&lab, true, 101, 501, TCP_ACK));
	CHECK_INT(state_seen, CT_ESTABLISHED);
	/* far above what the client's window of 1000 allows */
	netns_input(lab.router, lab.right, segment(&lab, false, 500000, 101, TCP_ACK));
	CHECK_INT(state_seen, CT_INVALID);
	/* acknowledges what was never sent */
	netns_input(lab.router, lab.right, segment(&lab, false, 501, 90000, TCP_ACK));
	CHECK_INT(state_seen, CT_INVALID);
	netns_sysctl_set(lab.router, "net.netfilter.nf_conntrack_tcp_be_liberal", 1);
	netns_input(lab.router, lab.right, segment(&lab, false, 500000, 101, TCP_ACK));
	CHECK_INT(state_seen, CT_ESTABLISHED);
	/* a SYN/ACK that nobody asked for */
	conntrack_flush(netns_conntrack(lab.router));
	netns_input(lab.router, lab.right, segment(&lab, false, 500, 101, TCP_SYN | TCP_ACK));
	CHECK_INT(state_seen, CT_INVALID);
	/* picked up under way: loose by default */
	netns_input(lab.router, lab.left, segment(&lab, true, 101, 501, TCP_ACK));
	CHECK_INT(state_seen, CT_NEW);
	conntrack_flush(netns_conntrack(lab.router));
	netns_sysctl_set(lab.router, "net.netfilter.nf_conntrack_tcp_loose", 0);
	netns_input(lab.router, lab.left, segment(&lab, true, 101, 501, TCP_ACK));
	CHECK_INT(state_seen, CT_INVALID);
	lab_close(&lab);
}

static void cleanup_as_kube_proxy_does(void)
{
	struct lab lab;
	struct rules rules;
	lab_open(&lab);
	install(&rules, lab.router, false);
	rules.vip_port = 53;
	struct conntrack *ct = netns_conntrack(lab.router);
	netns_input(lab.router, lab.left, datagram(&lab, 1000));
	struct ct_filter filter = { .proto = PROTO_UDP, .original_dst = lab_addr("10.96.0.1"),
				    .original_dst_port = 53, .reply_src = lab_addr("10.0.2.9") };
	CHECK_INT(conntrack_delete(ct, &filter), 0);
	filter.reply_src = lab_addr("10.0.2.2");
	CHECK_INT(conntrack_delete(ct, &filter), 1);
	CHECK_INT(conntrack_count(ct), 0);
	lab_close(&lab);
}

static void zones_and_marks(void)
{
	struct lab lab;
	struct strbuf text = { 0 };
	lab_open(&lab);
	netns_conntrack(lab.router);
	struct packet *p = datagram(&lab, 57713);
	ct_set_zone(lab.router, p, 7);
	netns_input(lab.router, lab.left, p);
	/* no route to 10.96.0.1 from the router: nothing was confirmed */
	CHECK_TEXT(listing(lab.router, &text), "");
	lab_route(lab.router, "10.96.0.0/16", "10.0.2.2", lab.right);
	p = datagram(&lab, 57713);
	ct_set_zone(lab.router, p, 7);
	netns_input(lab.router, lab.left, p);
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 30 src=10.0.1.2 dst=10.96.0.1 sport=57713 dport=53 [UNREPLIED] src=10.96.0.1 dst=10.0.1.2 sport=53 dport=57713 mark=0 zone=7 use=1\n");
	strbuf_free(&text);
	lab_close(&lab);
}

static struct packet *from_client(struct lab *lab, const char *from, uint16_t port)
{
	struct craft_ip ip = { .src = lab_addr(from), .dst = lab_addr("10.0.2.2"),
			       .src_port = 57713, .dst_port = port };
	return craft_udp(lab->env.craft, &ip, "q", 1);
}

/* nf_nat_bysource, as random rules on Linux 6.18 showed it (kernel_nft.c). */
static void one_source_one_translation(void)
{
	static const struct xt_restore_options options = { .file = "rules" };
	static const char rules[] = "*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n";
	struct lab lab;
	struct strbuf text = { 0 };
	lab_open(&lab);
	CHECK_INT(xt_restore(netns_xt(lab.router, NET_V4), rules, strlen(rules), &options, NULL), 0);
	netns_input(lab.router, lab.left, from_client(&lab, "10.0.1.2", 53));
	choice_script(lab.env.choice, "masq-port", 0);
	netns_input(lab.router, lab.left, from_client(&lab, "10.0.1.3", 53)); /* 57713 is taken */
	netns_input(lab.router, lab.left, from_client(&lab, "10.0.1.3", 54));
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 30 src=10.0.1.2 dst=10.0.2.2 sport=57713 dport=53 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=53 dport=57713 mark=0 use=1\n"
"udp      17 30 src=10.0.1.3 dst=10.0.2.2 sport=57713 dport=53 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=53 dport=1024 mark=0 use=1\n"
"udp      17 30 src=10.0.1.3 dst=10.0.2.2 sport=57713 dport=54 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=54 dport=1024 mark=0 use=1\n");
	conntrack_flush(netns_conntrack(lab.router));
	netns_input(lab.router, lab.left, from_client(&lab, "10.0.1.3", 54)); /* nobody to follow */
	CHECK_TEXT(listing(lab.router, &text),
"udp      17 30 src=10.0.1.3 dst=10.0.2.2 sport=57713 dport=54 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=54 dport=57713 mark=0 use=1\n");
	strbuf_free(&text);
	lab_close(&lab);
}

/* Linux would put it together first; what is not done is said. */
static void fragments_are_said(void)
{
	struct lab lab;
	lab_open(&lab);
	netns_conntrack(lab.router);
	for (unsigned offset = 0; offset < 2; offset++) {
		struct trace *t = trace_new();
		struct packet *p = from_client(&lab, "10.0.1.2", 53);
		p->bytes[p->l3 + 6] = offset ? 0 : 0x20; /* more of it comes */
		p->bytes[p->l3 + 7] = (uint8_t)offset;
		CHECK_INT(packet_parse(p), 0);
		p->trace = t;
		netns_input(lab.router, lab.left, p);
		lab_run(&lab, NS_PER_MS);
		CHECK_TEXT(t->undecidable, "reassembly of IP fragments");
		trace_free(t);
	}
	CHECK_INT(conntrack_stats(netns_conntrack(lab.router)).invalid, 1);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "a service with DNAT and masquerade answers, and its entry prints as conntrack -L",
	  service_through_router },
	{ "events of a connection and of a refused one print as conntrack -E",
	  events_of_a_connection },
	{ "datagrams become a stream after two seconds, echo is tracked by its identifier",
	  datagrams_and_echo },
	{ "an ICMP error about a translated flow comes back in the client's terms",
	  error_is_translated },
	{ "what is dropped between the hooks leaves no entry", dropped_leaves_no_entry },
	{ "two datagrams of one flow clash at confirm, and the loser gets a short entry",
	  clash_at_confirm },
	{ "two SYNs of one flow clash at confirm, and the loser is dropped", clash_of_tcp_fails },
	{ "masquerade takes ports of its range until none is left, or random ones",
	  masquerade_ports },
	{ "a full table evicts what is not assured", table_full },
	{ "segments outside the window are invalid unless tcp_be_liberal says otherwise",
	  out_of_window },
	{ "entries are deleted by original destination and reply source",
	  cleanup_as_kube_proxy_does },
	{ "a zone is kept and printed", zones_and_marks },
	{ "a source that has a translation keeps it for other destinations",
	  one_source_one_translation },
	{ "fragments are not put together, and traces say so", fragments_are_said },
};

CHECK_MAIN(tests)
