/* tests/unit/linux_netns.c: packets between namespaces, bridges and segments. */
#include <errno.h>
#include <malloc.h>

#include "linux/hook.h"
#include "tests/unit/linux_lab.h"

static void request_end_to_end(void)
{
	struct lab lab;
	struct lab_app server, client;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_TCP, 8080);
	struct sock_name to = lab_name("10.0.2.2", 8080);
	CHECK_INT(lab_connect(&client, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	CHECK_INT(lab_send(&client, "hello"), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.data), "hello");
	client.sockets.class->close(client.sock);
	lab_run(&lab, 300 * NS_PER_S);
	CHECK_TEXT(strbuf_text(&server.said), "accepted data eof closed");
	CHECK_INT(lab.bad_checksums, 0);
	CHECK(lab_saw(&lab, "server:eth0 in"));
	struct strbuf sockets = { 0 };
	netns_print_sockets(lab.client, &sockets);
	CHECK(!strstr(strbuf_text(&sockets), "tcp")); /* TIME_WAIT is over */
	strbuf_free(&sockets);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_close(&lab);
}

/* A node with a bridge and two pods, as a CNI plug-in leaves it. */
struct node {
	struct lab lab;
	struct netns *node, *pods[2];
	uint16_t bridge, ports[2], eth[2];
	struct net_addr vip;
	unsigned chosen;
};

static enum nf_verdict service(void *ctx, struct hook_state *state)
{
	struct node *n = ctx;
	struct net_addr dst = packet_dst(state->packet);
	if (!net_addr_equal(&dst, &n->vip))
		return VERDICT_ACCEPT;
	struct net_addr pod = netns_iface_addr(n->pods[n->chosen], n->eth[n->chosen], NET_V4);
	struct nat_range to = { .min = pod, .max = pod, .port_min = 8080, .port_max = 8080 };
	return nat_setup(state, NAT_DST, &to);
}

static enum nf_verdict masquerade_hairpin(void *ctx, struct hook_state *state)
{
	struct net_addr src = packet_src(state->packet), dst = packet_dst(state->packet);
	struct nat_range any = { .random_fully = true };
	(void)ctx;
	return net_addr_equal(&src, &dst) ? nat_masquerade(state, &any) : VERDICT_ACCEPT;
}

static void node_open(struct node *n, bool hairpin)
{
	static const char *const names[] = { "pod0", "pod1" };
	static const char *const addrs[] = { "10.244.1.2/24", "10.244.1.3/24" };
	static const char *const ports[] = { "veth0", "veth1" };
	*n = (struct node){ .vip = lab_addr("10.96.0.1") };
	lab_env_open(&n->lab);
	n->lab.env.tap_ctx = &n->lab;
	n->node = netns_new(&n->lab.env, "node");
	netns_set_entry(n->node, true);
	netns_sysctl_set(n->node, "net.ipv4.ip_forward", 1);
	n->bridge = netns_add_bridge(n->node, "cni0");
	lab_add_addr(n->node, n->bridge, "10.244.1.1/24");
	for (int i = 0; i < 2; i++) {
		n->pods[i] = netns_new(&n->lab.env, names[i]);
		netns_add_veth(n->pods[i], "eth0", n->node, ports[i], 0, &n->eth[i], &n->ports[i]);
		CHECK_INT(netns_bridge_port(n->node, n->bridge, n->ports[i], hairpin), 0);
		lab_add_addr(n->pods[i], n->eth[i], addrs[i]);
		lab_route(n->pods[i], "0.0.0.0/0", "10.244.1.1", n->eth[i]);
	}
	nat_register(n->node, NET_V4, HOOK_PREROUTING, PRI_NAT_DST, service, n);
	nat_register(n->node, NET_V4, HOOK_OUTPUT, PRI_NAT_DST, service, n);
	nat_register(n->node, NET_V4, HOOK_POSTROUTING, PRI_NAT_SRC, masquerade_hairpin, n);
}

static void node_close(struct node *n)
{
	netns_free(n->pods[0]);
	netns_free(n->pods[1]);
	netns_free(n->node);
	lab_env_close(&n->lab);
}

static void bridged_service(void)
{
	struct node n;
	struct lab_app server, client;
	node_open(&n, true);
	n.chosen = 1;
	lab_serve(&server, n.pods[1], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 80 };
	lab_connect(&client, n.pods[0], PROTO_TCP, &to, NULL);
	lab_run(&n.lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	/* The pod sees the client itself, and the frame was bridged: the TTL is whole. */
	char text[NET_ADDR_TEXT];
	CHECK_TEXT(net_addr_text(&server.last.peer.addr, text), "10.244.1.2");
	CHECK(lab_saw(&n.lab, "node:veth0 in 10.244.1.2"));
	CHECK(lab_saw(&n.lab, "node:veth1 out 10.244.1.2"));
	CHECK(!lab_saw(&n.lab, "node:cni0"));
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void hairpin(bool mode, const char *expected)
{
	struct node n;
	struct lab_app server, client;
	node_open(&n, mode);
	lab_serve(&server, n.pods[0], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 80 };
	lab_connect(&client, n.pods[0], PROTO_TCP, &to, NULL);
	lab_run(&n.lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.said), expected);
	if (mode) {
		char text[NET_ADDR_TEXT];
		CHECK_TEXT(net_addr_text(&server.last.peer.addr, text), "10.244.1.1");
	}
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void hairpin_on(void)
{
	hairpin(true, "connected");
}

static void hairpin_off(void)
{
	hairpin(false, "");
}

static void hairpin_without_bridge_nf(void)
{
	struct node n;
	struct lab_app server, client;
	node_open(&n, false);
	netns_sysctl_set(n.node, "net.bridge.bridge-nf-call-iptables", 0);
	lab_serve(&server, n.pods[0], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 80 };
	lab_connect(&client, n.pods[0], PROTO_TCP, &to, NULL);
	lab_run(&n.lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.said), "connected"); /* routed, so the port does not mind */
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void node_to_pod(void)
{
	struct node n;
	struct lab_app server, client;
	node_open(&n, true);
	lab_serve(&server, n.pods[0], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 80 };
	/* The route to the virtual address is not needed once DNAT has taken place, but a
	 * local socket asks for one first. */
	CHECK_INT(lab_connect(&client, n.node, PROTO_TCP, &to, NULL), ENETUNREACH);
	lab_route(n.node, "0.0.0.0/0", NULL, netns_add_dummy(n.node, "up0"));
	CHECK_INT(lab_connect(&client, n.node, PROTO_TCP, &to, NULL), 0);
	lab_run(&n.lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	CHECK_INT(n.lab.bad_checksums, 0);
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void localnet(void)
{
	struct node n;
	struct lab_app server, client;
	node_open(&n, true);
	n.vip = lab_addr("127.0.0.1");
	lab_serve(&server, n.pods[0], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 30080 };
	CHECK_INT(lab_connect(&client, n.node, PROTO_TCP, &to, NULL), 0);
	lab_run(&n.lab, NS_PER_S / 2);
	CHECK_TEXT(strbuf_text(&client.said), ""); /* hangs, it is not refused */
	lab_app_free(&client);
	netns_sysctl_set(n.node, "net.ipv4.conf.all.route_localnet", 1);
	CHECK_INT(lab_connect(&client, n.node, PROTO_TCP, &to, NULL), 0);
	lab_run(&n.lab, NS_PER_S / 2);
	/* Without masquerade the pod would answer to its own loopback. */
	CHECK_TEXT(strbuf_text(&client.said), "");
	CHECK(lab_saw(&n.lab, "pod0:eth0 in 127.0.0.1"));
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void dead_neighbour(void)
{
	struct node n;
	struct lab_app client, udp;
	node_open(&n, true);
	struct sock_name gone = lab_name("10.244.1.99", 80);
	lab_connect(&client, n.pods[0], PROTO_TCP, &gone, NULL);
	lab_connect(&udp, n.pods[0], PROTO_UDP, &gone, NULL);
	lab_send(&udp, "x");
	lab_run(&n.lab, 2900 * NS_PER_MS);
	CHECK_TEXT(strbuf_text(&client.said), "");
	lab_run(&n.lab, 200 * NS_PER_MS);
	CHECK_INT(client.error, EHOSTUNREACH); /* three unanswered ARP requests, 1 s each */
	CHECK_INT(udp.error, 0);               /* not an error that UDP reports */
	CHECK(!lab_saw(&n.lab, "10.244.1.99.80"));
	lab_app_free(&client);
	lab_app_free(&udp);
	node_close(&n);
}

static void time_to_live(void)
{
	struct lab lab;
	lab_open(&lab);
	struct craft_ip ip = { .src = lab_addr("10.0.1.2"), .dst = lab_addr("10.0.2.2"),
			       .src_port = 1, .dst_port = 2, .ttl = 1 };
	netns_input(lab.router, lab.left, craft_udp(lab.env.craft, &ip, "x", 1));
	lab_run(&lab, NS_PER_S);
	CHECK(lab_saw(&lab, "client:eth0 in 10.0.1.1 > 10.0.1.2: ICMP time exceeded in-transit"));
	CHECK(!lab_saw(&lab, "server:eth0"));
	lab_close(&lab);
}

static void errors_are_limited(void)
{
	struct lab lab;
	lab_open(&lab);
	struct craft_ip ip = { .src = lab_addr("10.0.1.2"), .dst = lab_addr("10.0.2.2"),
			       .src_port = 1, .dst_port = 2 };
	uint32_t seen = 0;
	for (int i = 0; i < 10; i++)
		netns_input(lab.server, lab.server_if, craft_udp(lab.env.craft, &ip, "x", 1));
	lab_run(&lab, NS_PER_S);
	for (const char *s = strbuf_text(&lab.frames); (s = strstr(s, "server:eth0 out")); s++)
		seen++;
	CHECK_INT(seen, 6); /* XRLIM_BURST_FACTOR */
	netns_sysctl_set(lab.server, "net.ipv4.icmp_ratelimit", 0);
	netns_input(lab.server, lab.server_if, craft_udp(lab.env.craft, &ip, "x", 1));
	strbuf_clear(&lab.frames);
	lab_run(&lab, NS_PER_S);
	CHECK(lab_saw(&lab, "client:eth0 in 10.0.2.2 > 10.0.1.2: ICMP 10.0.2.2 udp port 2 unreachable"));
	lab_close(&lab);
}

static void segment_hosts(void)
{
	struct lab lab;
	struct lab_app server, client;
	lab_env_open(&lab);
	struct segment *lan = segment_new(&lab.env, "lan", LAB_HOP_NS);
	struct netns *a = netns_new(&lab.env, "a"), *b = netns_new(&lab.env, "b");
	uint16_t ia = netns_add_segment_iface(a, "eth0", lan);
	uint16_t ib = netns_add_segment_iface(b, "eth0", lan);
	lab_add_addr(a, ia, "192.0.2.1/24");
	lab_add_addr(b, ib, "192.0.2.2/24");
	lab_add_addr(b, netns_add_dummy(b, "kube-ipvs0"), "192.0.2.9/32");
	lab_serve(&server, b, PROTO_TCP, 80);
	struct sock_name to = lab_name("192.0.2.9", 80);
	lab_connect(&client, a, PROTO_TCP, &to, NULL);
	lab_run(&lab, NS_PER_S);
	/* arp_ignore=0: the host answers for an address of another interface */
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	client.sockets.class->abort(client.sock);
	lab_run(&lab, NS_PER_S);
	netns_sysctl_set(b, "net.ipv4.conf.all.arp_ignore", 1);
	lab_app_free(&client);
	lab_connect(&client, a, PROTO_TCP, &to, NULL);
	lab_run(&lab, 4 * NS_PER_S);
	CHECK_INT(client.error, EHOSTUNREACH);
	struct segment_faults loss = { .loss_per_million = 1000000 };
	segment_set_faults(lan, &loss);
	lab_app_free(&client);
	to = lab_name("192.0.2.2", 80);
	lab_connect(&client, a, PROTO_TCP, &to, NULL);
	lab_run(&lab, 4 * NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "");
	lab_app_free(&server);
	lab_app_free(&client);
	netns_free(a);
	netns_free(b);
	segment_free(lan);
	lab_env_close(&lab);
}

static void removed_interface(void)
{
	struct lab lab;
	struct lab_app client;
	lab_open(&lab);
	struct sock_name to = lab_name("10.0.2.2", 80);
	lab_connect(&client, lab.client, PROTO_TCP, &to, NULL);
	netns_remove_iface(lab.router, lab.left); /* with a packet in flight toward it */
	CHECK_INT(netns_iface_by_name(lab.client, "eth0"), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "");
	lab_app_free(&client);
	lab_close(&lab);
}

static void trace_tells(void)
{
	struct node n;
	struct lab_app server, client;
	struct trace *t = trace_new();
	struct strbuf steps = { 0 };
	char text[NET_ADDR_TEXT];
	node_open(&n, true);
	n.chosen = 1;
	lab_serve(&server, n.pods[1], PROTO_TCP, 8080);
	struct sock_name to = { n.vip, 80 };
	struct sock_options options = { .trace = t, .once = true };
	lab_connect(&client, n.pods[0], PROTO_TCP, &to, &options);
	lab_run(&n.lab, 0);
	CHECK_INT(t->verdict, TRACE_DELIVERED);
	CHECK_TEXT(t->delivered_in, "pod1");
	CHECK_TEXT(t->entry_node, "node");
	CHECK_TEXT(net_addr_text(&t->source_seen, text), "10.244.1.2");
	CHECK_TEXT(net_addr_text(&t->dnat_addr, text), "10.244.1.3");
	CHECK_INT(t->dnat_port, 8080);
	CHECK(!t->masqueraded);
	for (uint32_t i = 0; i < t->count; i++)
		strbuf_printf(&steps, "%s %s %s [%s]\n", t->steps[i].node, t->steps[i].hook,
			      t->steps[i].text, t->steps[i].note);
	CHECK(strstr(strbuf_text(&steps), "[10.96.0.1:80 -> 10.244.1.3:8080]"));
	CHECK(strstr(strbuf_text(&steps), "pod1 socket delivered: tcp listener *:8080"));
	trace_free(t);
	strbuf_free(&steps);
	lab_app_free(&server);
	lab_app_free(&client);
	node_close(&n);
}

static void idle_is_small(void)
{
	struct lab lab;
	lab_env_open(&lab);
	struct netns *node = netns_new(&lab.env, "node"), *pod;
	uint16_t in, out;
	struct mallinfo2 before = mallinfo2();
	pod = netns_new(&lab.env, "pod/default/web-0");
	netns_add_veth(pod, "eth0", node, "veth0", 0, &in, &out);
	lab_add_addr(pod, in, "10.244.1.2/24");
	lab_route(pod, "0.0.0.0/0", "10.244.1.1", in);
	struct mallinfo2 after = mallinfo2();
	CHECK(after.uordblks - before.uordblks < 2048);
	netns_free(pod);
	netns_free(node);
	lab_env_close(&lab);
}

static const struct check tests[] = {
	{ "a TCP request goes through a router and back, with right checksums", request_end_to_end },
	{ "a service on the same bridge is bridged after DNAT: client address and TTL stay",
	  bridged_service },
	{ "a pod reaches itself through a service when its port has hairpin mode", hairpin_on },
	{ "without hairpin mode on the port the frame is lost", hairpin_off },
	{ "without bridge-nf-call-iptables a hairpin is routed", hairpin_without_bridge_nf },
	{ "a process of the node is re-routed after DNAT", node_to_pod },
	{ "127.0.0.1 leaves the node only with route_localnet", localnet },
	{ "a neighbour that nobody has is host unreachable after three seconds", dead_neighbour },
	{ "a packet whose time to live runs out is reported by the router", time_to_live },
	{ "ICMP errors to one host are limited to a burst of six", errors_are_limited },
	{ "hosts of a segment find each other, also by addresses of other interfaces",
	  segment_hosts },
	{ "a veth dies as a pair, with what is in flight", removed_interface },
	{ "a trace tells interfaces, translation and delivery", trace_tells },
	{ "an idle namespace with one veth takes less than 2 KB", idle_is_small },
};

CHECK_MAIN(tests)
