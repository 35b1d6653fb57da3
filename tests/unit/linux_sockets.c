/* tests/unit/linux_sockets.c: what a program gets from connect, send and listen. */
#include <errno.h>

#include "linux/hook.h"
#include "tests/unit/linux_lab.h"

static void closed_ports(void)
{
	struct lab lab;
	struct lab_app tcp, sctp, local;
	lab_open(&lab);
	struct sock_name to = lab_name("10.0.2.2", 81), self = lab_name("127.0.0.1", 81);
	lab_connect(&tcp, lab.client, PROTO_TCP, &to, NULL);
	lab_connect(&sctp, lab.client, PROTO_SCTP, &to, NULL);
	lab_connect(&local, lab.client, PROTO_TCP, &self, NULL);
	lab_run(&lab, NS_PER_S / 2);
	CHECK_INT(tcp.error, ECONNREFUSED);
	CHECK_INT(sctp.error, ECONNREFUSED);
	CHECK_INT(local.error, ECONNREFUSED);
	CHECK_TEXT(strbuf_text(&tcp.said), "error");
	CHECK(lab_saw(&lab, "client:eth0 in 10.0.2.2.81 > 10.0.1.2"));
	CHECK_INT(lab.bad_checksums, 0);
	lab_app_free(&tcp);
	lab_app_free(&sctp);
	lab_app_free(&local);
	lab_close(&lab);
}

static void addresses_and_ports(void)
{
	struct lab lab;
	struct lab_app a, b, c;
	struct sock_name local, to = lab_name("10.0.2.2", 80);
	lab_open(&lab);
	lab_serve(&a, lab.client, PROTO_TCP, 80);
	struct sock_options same = { .local = { { 0 }, 80 } };
	struct sock_options foreign = { .local = lab_name("192.0.2.7", 90) };
	struct sock_options one = { .local = lab_name("10.0.1.2", 81) };
	b = (struct lab_app){ .sockets = netns_sockets(lab.client) };
	const struct sockets_class *k = b.sockets.class;
	CHECK_INT(k->listen(b.sockets.object, PROTO_TCP, &same, lab_app_event, &b, &b.sock),
		  EADDRINUSE);
	CHECK(b.sock == NULL);
	CHECK_INT(k->listen(b.sockets.object, PROTO_TCP, &foreign, lab_app_event, &b, &b.sock),
		  EADDRNOTAVAIL);
	CHECK_INT(k->listen(b.sockets.object, PROTO_TCP, &one, lab_app_event, &b, &b.sock), 0);
	same.local.port = 81;
	CHECK_INT(k->listen(b.sockets.object, PROTO_TCP, &same, lab_app_event, &b, &b.sock),
		  EADDRINUSE);
	CHECK_INT(lab_connect(&c, lab.client, PROTO_TCP, &to, &foreign), EADDRNOTAVAIL);
	to = lab_name("203.0.113.1", 80);
	CHECK_INT(lab_connect(&c, lab.router, PROTO_TCP, &to, NULL), ENETUNREACH);
	choice_script(lab.env.choice, "sport", 11908);
	CHECK_INT(lab_connect(&c, lab.client, PROTO_TCP, &to, NULL), 0);
	k->names(c.sock, &local, NULL);
	CHECK_INT(local.port, 32768 + 11908);
	lab_app_free(&a);
	lab_app_free(&b);
	lab_app_free(&c);
	lab_close(&lab);
}

static void time_wait_holds_the_port(void)
{
	struct lab lab;
	struct lab_app server, client, again;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	server.echo = false;
	struct sock_name to = lab_name("10.0.2.2", 80);
	struct sock_options options = { .local = { { 0 }, 5000 } };
	lab_connect(&client, lab.client, PROTO_TCP, &to, &options);
	lab_run(&lab, NS_PER_S);
	client.sockets.class->close(client.sock);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&server.said), "accepted eof");
	/* The server's own end is still there: its port cannot be listened on again ... */
	server.sockets.class->close(server.sock);
	struct sock_options listen = { .local = { { 0 }, 80 } };
	again = (struct lab_app){ .sockets = netns_sockets(lab.server) };
	CHECK_INT(again.sockets.class->listen(again.sockets.object, PROTO_TCP, &listen,
					      lab_app_event, &again, &again.sock), EADDRINUSE);
	listen.reuse_port_now = true; /* ... unless it says SO_REUSEADDR */
	CHECK_INT(again.sockets.class->listen(again.sockets.object, PROTO_TCP, &listen,
					      lab_app_event, &again, &again.sock), 0);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&again);
	lab_close(&lab);
}

struct syns { /* the first numbers of what a namespace sent with SYN */
	struct netns *client;
	uint32_t client_first[2], server_first[2], client_count, server_count;
};

static void note_syn(void *ctx, struct netns *ns, uint16_t ifindex, int direction,
		     const struct packet *p)
{
	struct syns *syns = ctx;
	uint8_t syn = p->proto == PROTO_TCP ? packet_tcp_flags(p) & (TCP_SYN | TCP_ACK) : 0;
	(void)ifindex;
	if (ns != syns->client)
		return;
	if (direction != 1 && syn == TCP_SYN && syns->client_count < 2)
		syns->client_first[syns->client_count++] = packet_tcp_seq(p);
	if (direction == 1 && syn == (TCP_SYN | TCP_ACK) && syns->server_count < 2)
		syns->server_first[syns->server_count++] = packet_tcp_seq(p);
}

static void connect_from_5000(struct lab *lab, struct lab_app *client, struct lab_app *server)
{
	struct sock_options options = { .local = { { 0 }, 5000 } };
	struct sock_name to = lab_name("10.0.2.2", 80);
	strbuf_clear(&server->said);
	CHECK_INT(lab_connect(client, lab->client, PROTO_TCP, &to, &options), 0);
	lab_run(lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&server->said), "accepted");
}

/* Client numbers: secure_tcp_seq, a step each 64 ns. The server's end is in TIME_WAIT:
 * beyond its last number by 65535 + 2 (tcp_timewait_state_process). */
static void a_port_used_again_begins_beyond(void)
{
	struct lab lab;
	struct lab_app server, client, again;
	lab_open(&lab);
	struct syns syns = { .client = lab.client };
	lab.env.tap = note_syn;
	lab.env.tap_ctx = &syns;
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	server.echo = false;
	connect_from_5000(&lab, &client, &server);
	struct sock *served = server.last.accepted;
	server.sockets.class->close(served); /* the first to close waits */
	lab_run(&lab, NS_PER_S / 4);
	client.sockets.class->close(client.sock);
	lab_run(&lab, NS_PER_S / 4);
	connect_from_5000(&lab, &again, &server);
	CHECK_TEXT(strbuf_text(&again.said), "connected");
	CHECK_INT(syns.client_count, 2);
	CHECK_INT(syns.client_first[1] - syns.client_first[0], NS_PER_S / 64);
	CHECK_INT(syns.server_first[1] - syns.server_first[0],
		  2 + 65535 + 2); /* SYN and FIN took one each */
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&again);
	lab_close(&lab);
}

struct refusal {
	struct netns *ns;
	bool reset;
};

static enum nf_verdict reject(void *ctx, struct hook_state *state)
{
	struct refusal *r = ctx;
	if (packet_is_icmp_error(state->packet) || state->packet->ct_info == CT_INFO_RELATED ||
	    packet_dst_port(state->packet) != 80)
		return VERDICT_ACCEPT;
	netns_send_reject(r->ns, state, r->reset, 3, 3);
	return VERDICT_DROP;
}

static void reject_at_output(void)
{
	struct lab lab;
	struct lab_app tcp, udp;
	lab_open(&lab);
	struct refusal refusal = { lab.client, false };
	hook_register(lab.client, NET_V4, HOOK_OUTPUT, PRI_FILTER, reject, &refusal);
	struct sock_name to = lab_name("10.0.2.2", 80);
	CHECK_INT(lab_connect(&tcp, lab.client, PROTO_TCP, &to, NULL), 0);
	CHECK_INT(lab_connect(&udp, lab.client, PROTO_UDP, &to, NULL), 0);
	CHECK_INT(lab_send(&udp, "x"), EPERM);
	lab_run(&lab, 500 * NS_PER_MS);
	CHECK_INT(udp.error, ECONNREFUSED);
	/* connect() has the socket when the first error comes; a program that polls hears of it
	 * at once all the same (6.18, IPv4: tests/captures/refusal-*). */
	CHECK_INT(tcp.error, ECONNREFUSED);
	CHECK(!lab_saw(&lab, "client:eth0"));
	lab_app_free(&tcp);
	lab_app_free(&udp);
	lab_close(&lab);
}

static void reject_in_forward(void)
{
	struct lab lab;
	struct lab_app icmp, reset;
	lab_open(&lab);
	struct refusal refusal = { lab.router, false };
	netns_conntrack(lab.router);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, reject, &refusal);
	struct sock_name to = lab_name("10.0.2.2", 80);
	lab_connect(&icmp, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S / 2);
	CHECK_INT(icmp.error, ECONNREFUSED);
	CHECK(lab_saw(&lab, "client:eth0 in 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 tcp port 80 unreachable"));
	refusal.reset = true;
	lab_connect(&reset, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S / 2);
	CHECK_INT(reset.error, ECONNREFUSED);
	CHECK(lab_saw(&lab, "client:eth0 in 10.0.2.2.80 > 10.0.1.2"));
	CHECK_INT(conntrack_count(netns_conntrack(lab.router)), 0);
	lab_app_free(&icmp);
	lab_app_free(&reset);
	lab_close(&lab);
}

static enum nf_verdict drop_all(void *ctx, struct hook_state *state)
{
	(void)ctx;
	(void)state;
	return VERDICT_DROP;
}

static void silence(void)
{
	struct lab lab;
	struct lab_app patient, hasty;
	lab_open(&lab);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, drop_all, NULL);
	struct sock_name to = lab_name("10.0.2.2", 80);
	struct sock_options limit = { .connect_timeout_ns = 5 * NS_PER_S };
	lab_connect(&patient, lab.client, PROTO_TCP, &to, NULL);
	lab_connect(&hasty, lab.client, PROTO_TCP, &to, &limit);
	lab_run(&lab, 6 * NS_PER_S);
	CHECK_INT(hasty.error, ETIMEDOUT);
	lab_run(&lab, 120 * NS_PER_S);
	CHECK_INT(patient.error, 0);
	lab_run(&lab, 2 * NS_PER_S); /* tcp_syn_retries 6: 127 s */
	CHECK_INT(patient.error, ETIMEDOUT);
	lab_app_free(&patient);
	lab_app_free(&hasty);
	lab_close(&lab);
}

static void loopback(void)
{
	struct lab lab;
	struct lab_app server, client, six;
	lab_open(&lab);
	lab_serve(&server, lab.client, PROTO_TCP, 80);
	struct sock_name to = lab_name("10.0.1.2", 80), to6 = lab_name("::1", 80), local;
	lab_connect(&client, lab.client, PROTO_TCP, &to, NULL);
	CHECK_TEXT(strbuf_text(&client.said), ""); /* never within the call */
	lab_run(&lab, 0);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	client.sockets.class->names(client.sock, &local, NULL);
	CHECK(net_addr_equal(&local.addr, &to.addr));
	lab_connect(&six, lab.client, PROTO_TCP, &to6, NULL);
	lab_run(&lab, 0);
	CHECK_TEXT(strbuf_text(&six.said), "connected");
	CHECK(lab_saw(&lab, "client:lo in"));
	CHECK(!lab_saw(&lab, "client:eth0"));
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&six);
	lab_close(&lab);
}

static void associations(void)
{
	struct lab lab;
	struct lab_app server, client;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_SCTP, 9999);
	struct sock_name to = lab_name("10.0.2.2", 9999);
	lab_connect(&client, lab.client, PROTO_SCTP, &to, NULL);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	CHECK_TEXT(strbuf_text(&server.said), "accepted");
	client.sockets.class->close(client.sock);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&server.said), "accepted eof closed");
	lab_app_free(&server);
	lab_app_free(&client);
	lab_close(&lab);
}

static void resets(void)
{
	struct lab lab;
	struct lab_app server, client;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	struct sock_name to = lab_name("10.0.2.2", 80);
	lab_connect(&client, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S);
	server.echo = false;
	client.sockets.class->abort(client.sock);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&server.said), "accepted error");
	CHECK_INT(server.error, ECONNRESET);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_close(&lab);
}

static void refuse_accept(void *ctx, struct sock *s, const struct sock_event *event)
{
	struct lab_app *app = ctx;
	strbuf_printf(&app->said, "%d", event->kind);
	if (event->kind == SOCK_ACCEPTED) { /* closes both, within the event */
		app->sockets.class->close(event->accepted);
		app->sockets.class->close(s);
	}
}

static void closing_inside_events(void)
{
	struct lab lab;
	struct lab_app server, client, late;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_TCP, 80);
	server.sockets.class->set_handler(server.sock, refuse_accept, &server);
	struct sock_name to = lab_name("10.0.2.2", 80);
	lab_connect(&client, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "connected eof");
	lab_connect(&late, lab.client, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S);
	CHECK_INT(late.error, ECONNREFUSED);
	client.sockets.class->close(client.sock);
	late.sockets.class->close(late.sock);
	lab_run(&lab, 100 * NS_PER_S);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_app_free(&late);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "closed ports refuse: RST, SCTP ABORT, on the loopback as well", closed_ports },
	{ "bind and connect check addresses and ports; ephemeral ports are a choice",
	  addresses_and_ports },
	{ "a port whose connections are not over is free only for SO_REUSEADDR",
	  time_wait_holds_the_port },
	{ "a client port used again while the server waits begins beyond its old numbers",
	  a_port_used_again_begins_beyond },
	{ "REJECT at OUTPUT: EPERM for a datagram, ECONNREFUSED at once for TCP",
	  reject_at_output },
	{ "REJECT in FORWARD: ICMP from the router's address, or RST from the server's",
	  reject_in_forward },
	{ "silence ends in ETIMEDOUT after 127 s, or when the program says", silence },
	{ "a host talks to itself by its addresses, IPv4 and IPv6", loopback },
	{ "an SCTP association opens and shuts down", associations },
	{ "an abort resets the peer", resets },
	{ "sockets may be closed inside their events", closing_inside_events },
};

CHECK_MAIN(tests)
