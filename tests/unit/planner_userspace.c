/* tests/unit/planner_userspace.c: userspace mode: its rules against what real kube-proxy
 * v1.20.2 ran, and its proxy on the model's sockets. */
#include "golden.h"
#include "linux_lab.h"

#include "dataplanes/userspace/proxy.h"
#include "dataplanes/userspace/userspace.h"

/* The kernel chose kube-proxy's ports: "4000N" becomes "PROXY"; "A || B" becomes B. */
static char *canonical(char *text, bool ours)
{
	struct strbuf out = { 0 };
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *second = strstr(line, " || ");
		if (ours)
			strbuf_puts(&out, "iptables ");
		for (const char *c = second ? second + 4 : line; *c; c++) {
			if (strncmp(c, "4000", 4) == 0) {
				strbuf_puts(&out, "PROXY");
				c += 4;
			} else {
				strbuf_putc(&out, *c);
			}
		}
		strbuf_putc(&out, '\n');
	}
	free(text);
	return strbuf_steal(&out);
}

/* Source: kube-proxy v1.20.2's commands. */
static void commands_of_three_syncs(void)
{
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &userspace_planner, KUBE_1_20)) {
		if (golden_plan(&g, true)) {
			char *ours = canonical(golden_text(&g, TX_IPTABLES), true);
			char *theirs = canonical(golden_file("five/v1.20.2-userspace",
							     "step0-iptables-commands.txt"),
						 false);
			/* The first fifteen make the chains: in this order. */
			const char *flushed = "iptables -t filter -F KUBE-NODEPORT-NON-LOCAL\n";
			char *a = strstr(ours, flushed), *t = strstr(theirs, flushed);
			CHECK(a && t && a - ours == t - theirs &&
			      strncmp(ours, theirs, (size_t)(a - ours)) == 0);
			golden_same("step0", golden_sorted(ours), golden_sorted(theirs));
		}
		golden_step(&g, 1);
		if (golden_plan(&g, false)) {
			char *none = golden_text(&g, TX_IPTABLES);
			CHECK_TEXT(none, "");
			free(none);
		}
		golden_step(&g, 2);
		if (golden_plan(&g, false))
			golden_same("step2", canonical(golden_text(&g, TX_IPTABLES), true),
				    canonical(golden_file("five/v1.20.2-userspace",
							  "step2-iptables-commands.txt"), false));
	}
	golden_close(&g);
}

/* ---- the proxy ----------------------------------------------------------------------------- */

struct house { /* the proxy runs on the lab's router */
	struct lab lab;
	struct proxy_process *process;
	struct proxy_port *port;
	struct endpoint endpoints[2];
	struct service_port service;
	struct lab_app server;
};

static void house_open(struct house *h, uint8_t proto, const char *first, const char *second)
{
	lab_open(&h->lab);
	h->service = (struct service_port){ .endpoints = h->endpoints };
	for (unsigned i = 0; i < 2; i++) {
		const char *text = i ? second : first;
		if (!text)
			continue;
		h->endpoints[h->service.endpoint_count++] =
			(struct endpoint){ .addr = lab_addr(text), .port = 8080, .ready = true };
	}
	h->process = proxy_process_new(netns_sockets(h->lab.router), h->lab.env.engine,
				       h->lab.env.choice, 250 * NS_PER_MS);
	CHECK_INT(proxy_port_open(h->process, NET_V4, proto, 40001, 0, &h->port), 0);
	balancer_update(proxy_port_balancer(h->port), &h->service, NULL);
	lab_serve(&h->server, h->lab.server, proto, 8080);
}

static void house_close(struct house *h)
{
	proxy_process_free(h->process);
	lab_run(&h->lab, NS_PER_S);
	lab_app_free(&h->server);
	lab_close(&h->lab);
}

static void talk(struct house *h, struct lab_app *client, uint8_t proto, const char *text)
{
	struct sock_name to = lab_name("10.0.1.1", 40001);
	CHECK_INT(lab_connect(client, h->lab.client, proto, &to, NULL), 0);
	if (proto == PROTO_TCP)
		lab_run(&h->lab, 10 * NS_PER_MS);
	CHECK_INT(lab_send(client, text), 0);
	lab_run(&h->lab, 10 * NS_PER_MS);
}

/* USR-01: the server sees the proxy's address. */
static void bytes_go_both_ways(void)
{
	struct house h;
	struct lab_app client;
	house_open(&h, PROTO_TCP, "10.0.2.2", NULL);
	talk(&h, &client, PROTO_TCP, "hello");
	CHECK_TEXT(strbuf_text(&client.data), "hello");
	CHECK(lab_saw(&h.lab, "10.0.2.1."));
	CHECK(!lab_saw(&h.lab, "10.0.1.2 > 10.0.2.2"));
	CHECK_INT(proxy_process_copied(h.process), 10);
	client.sockets.class->close(client.sock);
	lab_app_free(&client);
	house_close(&h);
}

/* USR-02: 250 ms for a dead endpoint, then the next one. */
static void a_dead_endpoint_is_passed_over(void)
{
	struct house h;
	struct lab_app client;
	house_open(&h, PROTO_TCP, "10.0.2.77", "10.0.2.2");
	talk(&h, &client, PROTO_TCP, "hello");
	CHECK_TEXT(strbuf_text(&client.data), "");
	lab_run(&h.lab, 240 * NS_PER_MS);
	CHECK_TEXT(strbuf_text(&client.data), "hello");
	client.sockets.class->close(client.sock);
	lab_app_free(&client);
	house_close(&h);
}

/* USR-04: the handshake succeeds, then the connection is closed. */
static void without_endpoints_the_client_is_accepted_and_closed(void)
{
	struct house h;
	struct lab_app client;
	struct sock_name to = lab_name("10.0.1.1", 40001);
	house_open(&h, PROTO_TCP, NULL, NULL);
	CHECK_INT(lab_connect(&client, h.lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&h.lab, 10 * NS_PER_MS);
	CHECK(strncmp(strbuf_text(&client.said), "connected", 9) == 0);
	CHECK(strstr(strbuf_text(&client.said), "eof") || strstr(strbuf_text(&client.said), "error"));
	client.sockets.class->close(client.sock);
	lab_app_free(&client);
	house_close(&h);
}

/* USR-05: a backend socket a client, gone after the idle time. */
static void datagrams_have_sessions(void)
{
	struct house h;
	struct lab_app client;
	struct strbuf sockets = { 0 };
	house_open(&h, PROTO_UDP, "10.0.2.2", NULL);
	talk(&h, &client, PROTO_UDP, "ping");
	CHECK_TEXT(strbuf_text(&client.data), "ping");
	netns_print_sockets(h.lab.router, &sockets);
	CHECK(strstr(strbuf_text(&sockets), "10.0.2.2:8080") != NULL);
	lab_run(&h.lab, 300 * NS_PER_MS);
	strbuf_clear(&sockets);
	netns_print_sockets(h.lab.router, &sockets);
	CHECK(strstr(strbuf_text(&sockets), "10.0.2.2:8080") == NULL);
	strbuf_free(&sockets);
	client.sockets.class->close(client.sock);
	lab_app_free(&client);
	house_close(&h);
}

/* Source: the recording's picks: round robin, and a client stays where it was. */
static void round_robin_and_affinity(void)
{
	struct endpoint endpoints[2] = {
		{ .addr = lab_addr("10.244.1.30"), .port = 8080, .ready = true },
		{ .addr = lab_addr("10.244.2.30"), .port = 8080, .ready = true },
	};
	struct service_port p = { .endpoints = endpoints, .endpoint_count = 2, .affinity = true,
				  .affinity_seconds = 600 };
	struct net_addr first = lab_addr("10.244.1.99"), second = lab_addr("10.244.1.98");
	struct balancer b;
	struct sock_name got;
	char text[64];
	balancer_init(&b);
	CHECK(!balancer_next(&b, &first, false, 0, &got));
	balancer_update(&b, &p, NULL);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(balancer_next(&b, &first, false, 0, &got));
		CHECK_TEXT(net_endpoint_text(&got.addr, got.port, text), "10.244.1.30:8080");
	}
	CHECK(balancer_next(&b, &second, false, 0, &got));
	CHECK_TEXT(net_endpoint_text(&got.addr, got.port, text), "10.244.2.30:8080");
	/* USR-03: a failed dial resets it; a late client starts anew. */
	CHECK(balancer_next(&b, &second, true, 0, &got));
	CHECK_TEXT(net_endpoint_text(&got.addr, got.port, text), "10.244.1.30:8080");
	CHECK(balancer_next(&b, &first, false, 600 * NS_PER_S, &got));
	CHECK_TEXT(net_endpoint_text(&got.addr, got.port, text), "10.244.2.30:8080");
	balancer_free(&b);
}

static const struct check tests[] = {
	{ "v1.20: portals are opened and closed by the commands real kube-proxy ran",
	  commands_of_three_syncs },
	{ "bytes are copied both ways and the server sees the proxy", bytes_go_both_ways },
	{ "a dead endpoint costs a quarter of a second", a_dead_endpoint_is_passed_over },
	{ "without endpoints a client is accepted, then closed",
	  without_endpoints_the_client_is_accepted_and_closed },
	{ "a UDP client has a backend socket until it is idle", datagrams_have_sessions },
	{ "round robin, and affinity that a failure or a late return ends",
	  round_robin_and_affinity },
};

CHECK_MAIN(tests)
