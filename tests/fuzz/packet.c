/* tests/fuzz/packet.c: any bytes as frames that arrive at a node.
 *
 * The first byte says by which rules the node balances (iptables, nft, IPVS, or none) and
 * whether packets are watched. Then come frames: one byte for the interface and the time
 * that passes, two for the length, and the bytes from the IP header on. Connection
 * tracking, NAT, the hooks, ICMP and the host stack must survive them; the listing of
 * connections must be readable text. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/ipvs/ipvs.h"
#include "linux/netns.h"
#include "linux/nft/nft.h"
#include "linux/xtables/xtables.h"
#include "net/trace.h"

#include "fuzz.h"

static const char iptables[] =
	"*nat\n:SVC - [0:0]\n"
	"-A PREROUTING -d 10.96.0.1 -p tcp -m tcp --dport 80 -j SVC\n"
	"-A PREROUTING -p udp -j DNAT --to-destination 10.0.2.2-10.0.2.3\n"
	"-A SVC -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.2.2:80\n"
	"-A SVC -p tcp -j DNAT --to-destination 10.0.2.3:8080\n"
	"-A POSTROUTING -j MASQUERADE --random-fully\nCOMMIT\n"
	"*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
	"-A FORWARD -p icmp -j REJECT\n-A INPUT -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n";
static const char nft[] =
	"table inet t {\n"
	"chain pre { type nat hook prerouting priority -100; ip daddr 10.96.0.1 dnat ip to "
	"numgen random mod 2 map { 0 : 10.0.2.2, 1 : 10.0.2.3 }; }\n"
	"chain post { type nat hook postrouting priority 100; masquerade fully-random; }\n"
	"chain fwd { type filter hook forward priority 0; ct state invalid drop; "
	"ip protocol icmp reject; tcp flags syn tcp option maxseg size set rt mtu; }\n}\n";
static const char ipvs[] = "-A -t 10.0.1.1:80 -s rr\n-a -t 10.0.1.1:80 -r 10.0.2.2:80 -m -w 1\n"
			   "-A -u 10.0.1.1:53 -s sh\n-a -u 10.0.1.1:53 -r 10.0.2.3:53 -m -w 1\n";

static void add_addr(struct netns *ns, uint16_t ifindex, const char *text)
{
	struct net_prefix p;
	if (!net_prefix_parse(text, &p))
		abort();
	netns_add_addr(ns, ifindex, &p);
}

static struct netns *router(struct linux_env *env, uint8_t how, uint16_t *left, uint16_t *right)
{
	struct netns *ns = netns_new(env, "router");
	struct xt_restore_options options = { .file = "rules" };
	struct err err = { "" };
	int code = 0;
	*left = netns_add_dummy(ns, "left");
	*right = netns_add_dummy(ns, "right");
	netns_set_up(ns, *left, true);
	netns_set_up(ns, *right, true);
	add_addr(ns, *left, "10.0.1.1/24");
	add_addr(ns, *right, "10.0.2.1/24");
	add_addr(ns, *left, "fd01::1/64");
	add_addr(ns, *right, "fd02::1/64");
	netns_sysctl_set(ns, "net.ipv4.ip_forward", 1);
	netns_sysctl_set(ns, "net.ipv6.conf.all.forwarding", 1);
	netns_sysctl_set(ns, "net.netfilter.nf_conntrack_max", 8);
	if (how & 1)
		code |= xt_restore(netns_xt(ns, NET_V4), iptables, strlen(iptables), &options, &err);
	if (how & 2)
		code |= nft_load(netns_nft(ns), nft, strlen(nft), "rules", &err);
	if (how & 4)
		code |= ipvs_restore(netns_ipvs(ns), ipvs, strlen(ipvs), "rules", &err);
	if (code) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return ns;
}

static void arrive(struct netns *ns, uint16_t ifindex, const uint8_t *bytes, size_t length,
		   struct trace *t)
{
	struct packet *p = packet_new((uint32_t)(ETHER_BYTES + length));
	memset(p->bytes, 0, ETHER_BYTES);
	p->bytes[12] = length && bytes[0] >> 4 == 6 ? 0x86 : 0x08;
	p->bytes[13] = length && bytes[0] >> 4 == 6 ? 0xdd : 0x00;
	if (length)
		memcpy(p->bytes + ETHER_BYTES, bytes, length);
	p->length = (uint32_t)(ETHER_BYTES + length);
	if (packet_parse(p) == 0)
		packet_checksums_fill(p); /* else nothing gets past the stack's check */
	p->trace = t;
	netns_input(ns, ifindex, p);
}

FUZZ_TARGET(bytes, length)
{
	struct linux_env env = { .engine = engine_new(), .choice = choice_new(1),
				 .craft = craft_new() };
	struct trace *t = length && bytes[0] & 8 ? trace_new() : NULL;
	struct strbuf text = { 0 };
	uint16_t side[2];
	struct netns *ns = router(&env, length ? bytes[0] : 0, &side[0], &side[1]);
	for (size_t at = 1, n; at + 3 <= length; at += 3 + n) {
		n = (size_t)bytes[at + 1] << 8 | bytes[at + 2];
		if (n > length - at - 3)
			n = length - at - 3;
		arrive(ns, side[bytes[at] & 1], bytes + at + 3, n, t);
		engine_run_until(env.engine, engine_now(env.engine) +
						     (int64_t)(bytes[at] >> 1) * NS_PER_S);
	}
	conntrack_print(netns_conntrack(ns), 0, &text);
	for (size_t i = 0; i < text.length; i++)
		assert(text.data[i] == '\n' || (text.data[i] >= ' ' && text.data[i] <= '~'));
	netns_free(ns);
	trace_free(t);
	strbuf_free(&text);
	craft_free(env.craft);
	choice_free(env.choice);
	engine_free(env.engine);
}
