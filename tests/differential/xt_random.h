/* tests/differential/xt_random.h: random iptables rule sets and packets.
 *
 * The rule sets are texts that iptables-restore takes: filter, nat, mangle and raw
 * with chains that jump forward only, long enough to be indexed, over few addresses
 * and ports, so that packets meet them often. The same texts and packets go through
 * the model's two evaluators and, on machines that have them, through real kernels.
 *
 * The router of linux_lab.h is meant: interfaces left (10.0.1.0/24) and right
 * (10.0.2.0/24). Sets "addresses" (hash:ip) and "services" (hash:ip,port) must exist. For
 * IPv6 the same texts are translated (random_v6.h) and packets get those addresses.
 */
#ifndef TESTS_XT_RANDOM_H
#define TESTS_XT_RANDOM_H

#include <stdio.h>

#include "core/choice.h"
#include "core/strbuf.h"
#include "net/craft.h"

#define XT_RANDOM_SETS                                                                         \
	"create addresses hash:ip\nadd addresses 10.0.1.2\nadd addresses 10.96.0.2\n"          \
	"create services hash:ip,port\nadd services 10.96.0.1,tcp:80\n"                        \
	"add services 10.0.2.2,udp:53\n"

struct xt_random {
	struct choice *choice;
	struct strbuf out;
	unsigned chains; /* user chains of the table being written */
	char prefix;
	bool repeatable; /* no rule that draws or looks at the clock: for real kernels */
	uint8_t family;  /* of packets; NET_NONE is IPv4 */
};

static inline unsigned xt_random_below(struct xt_random *r, unsigned n)
{
	return (unsigned)choice_uniform(r->choice, "rule", n);
}

static inline bool xt_random_one_in(struct xt_random *r, unsigned n)
{
	return xt_random_below(r, n) == 0;
}

static inline const char *xt_random_pick(struct xt_random *r, const char *const *list)
{
	unsigned n = 0;
	while (list[n])
		n++;
	return list[xt_random_below(r, n)];
}

static const char *const xt_random_addresses[] = { "10.0.1.2", "10.0.1.3", "10.0.2.2", "10.0.2.3",
						   "10.96.0.1", "10.96.0.2", "10.96.0.3",
						   "10.0.2.1", NULL };
static const uint16_t xt_random_ports[] = { 53, 80, 81, 443, 8080, 30080 };

static inline void xt_random_header(struct xt_random *r, bool in, bool out)
{
	static const char *const networks[] = { "10.0.0.0/8", "10.0.1.0/24", "10.0.2.0/24",
						"10.96.0.0/12", "0.0.0.0/0", NULL };
	for (unsigned side = 0; side < 2; side++) {
		if (!xt_random_one_in(r, 2 + side))
			continue;
		strbuf_printf(&r->out, "%s -%c %s", xt_random_one_in(r, 6) ? " !" : "",
			      side ? 's' : 'd',
			      xt_random_pick(r, xt_random_one_in(r, 3) ? networks :
						 xt_random_addresses));
	}
	if (in && xt_random_one_in(r, 8))
		strbuf_printf(&r->out, "%s -i %s", xt_random_one_in(r, 3) ? " !" : "",
			      xt_random_one_in(r, 2) ? "left" : "ri+");
	if (out && xt_random_one_in(r, 8))
		strbuf_printf(&r->out, "%s -o %s", xt_random_one_in(r, 3) ? " !" : "",
			      xt_random_one_in(r, 2) ? "right" : "le+");
}

static inline unsigned xt_random_port(struct xt_random *r)
{
	return xt_random_ports[xt_random_below(r, 6)];
}

static inline void xt_random_ports_match(struct xt_random *r, const char *proto)
{
	unsigned low = xt_random_port(r), high = xt_random_port(r);
	if (xt_random_one_in(r, 6)) {
		strbuf_printf(&r->out, " -m multiport%s --%s %u,%u,%u:%u",
			      xt_random_one_in(r, 4) ? " !" : "",
			      xt_random_one_in(r, 4) ? "ports" : "dports", low, high, low, low + 500);
		return;
	}
	strbuf_printf(&r->out, " -m %s", proto);
	if (xt_random_one_in(r, 5))
		strbuf_printf(&r->out, " --sport %u:%u", 40000 + xt_random_below(r, 4), 40005u);
	if (xt_random_one_in(r, 6))
		strbuf_printf(&r->out, " --dport %u:%u", low < high ? low : high,
			      low < high ? high : low);
	else
		strbuf_printf(&r->out, "%s --dport %u", xt_random_one_in(r, 8) ? " !" : "", low);
	if (*proto == 't' && xt_random_one_in(r, 6))
		strbuf_puts(&r->out, " --tcp-flags SYN,ACK,FIN,RST SYN");
	if (*proto == 't' && xt_random_one_in(r, 12))
		strbuf_printf(&r->out, "%s --tcp-option 2", xt_random_one_in(r, 2) ? " !" : "");
}

/* One match that keeps nothing, or one that draws, counts or remembers. */
static inline void xt_random_match(struct xt_random *r)
{
	const char *bang = xt_random_one_in(r, 4) ? " !" : "";
	static const char *const flows[] = { "--ctdir ORIGINAL", "--ctdir REPLY",
					     "--ctstatus SEEN_REPLY", "--ctstatus ASSURED,CONFIRMED",
					     "--ctstate DNAT", "--ctstate SNAT,UNTRACKED",
					     "--ctorigdstport 80:443", "--ctproto 6", NULL };
	unsigned n = xt_random_below(r, 8), kind = xt_random_below(r, 16);
	if (r->repeatable && kind == 2)
		kind = 0;
	switch (kind) {
	case 0:
		strbuf_printf(&r->out, " -m mark%s --mark 0x%x/0x%x", bang, n & 3, 3u);
		break;
	case 1:
		strbuf_printf(&r->out, " -m conntrack%s --ctstate %s", bang,
			      n < 3 ? "NEW" : n < 6 ? "RELATED,ESTABLISHED" : "INVALID,DNAT");
		break;
	case 2:
		strbuf_printf(&r->out, " -m statistic --mode random%s --probability 0.%u", bang,
			      1 + n);
		break;
	case 3:
		strbuf_printf(&r->out, " -m statistic --mode nth%s --every %u --packet %u", bang, 2 + n,
			      n / 2);
		break;
	case 4:
		strbuf_printf(&r->out, " -m recent%s --%s --name L%u --rsource", bang,
			      n < 4 ? "set" : n < 6 ? "rcheck --seconds 60 --reap" :
			      n < 7 ? "update --hitcount 2" : "remove", n & 1);
		break;
	case 5:
		strbuf_printf(&r->out, " -m limit --limit %u/%s --limit-burst %u", 1 + n,
			      r->repeatable ? "day" : "min", 1 + n);
		break;
	case 6:
		strbuf_printf(&r->out, " -m addrtype%s --%s-type %s", bang, n & 1 ? "src" : "dst",
			      n < 5 ? "LOCAL" : "UNICAST");
		break;
	case 7:
		strbuf_printf(&r->out, " -m connmark%s --mark 0x%x/0x3", bang, n & 3);
		break;
	case 8:
		strbuf_printf(&r->out, " -m comment --comment \"rule %u\"", n);
		break;
	case 9:
		strbuf_printf(&r->out, " -m set%s --match-set %s", bang,
			      n < 4 ? "addresses src" : "services dst,dst");
		break;
	case 10:
		strbuf_printf(&r->out, " -m tos%s --tos 0x%x/0x3c", bang, n << 2);
		break;
	case 11:
		strbuf_printf(&r->out, " -m dscp%s --dscp 0x%02x", bang, n & 3);
		break;
	case 12:
		strbuf_printf(&r->out, " -m conntrack%s %s", n < 2 ? "" : bang, flows[n]);
		break;
	case 13:
		strbuf_printf(&r->out, " -m conntrack%s --ct%s %s", bang,
			      n & 1 ? "origdst" : n & 2 ? "replsrc" : "origsrc",
			      n < 5 ? "10.0.0.0/8" : "10.96.0.0/12");
		break;
	default:
		break;
	}
}

static inline void xt_random_nat(struct xt_random *r, unsigned n, bool at_source, bool ported)
{
	if (at_source && xt_random_one_in(r, 6))
		strbuf_puts(&r->out, " -j NETMAP --to 10.0.2.0/24");
	else if (at_source)
		strbuf_puts(&r->out, n < 12 ? " -j MASQUERADE" : " -j SNAT --to-source 10.0.2.1");
	else if (ported && xt_random_one_in(r, 6))
		strbuf_puts(&r->out, " -j REDIRECT --to-ports 8081");
	else if (ported)
		strbuf_printf(&r->out, " -j DNAT --to-destination 10.0.2.%u:%u", 2 + (n & 1),
			      8080 + (n & 1));
	else if (xt_random_one_in(r, 6))
		strbuf_puts(&r->out, " -j NETMAP --to 10.0.2.0/24");
	else
		strbuf_printf(&r->out, " -j DNAT --to-destination 10.0.2.%u", 2 + (n & 1));
}

/* What only mangle's, raw's or filter's chains do. */
static inline void xt_random_special(struct xt_random *r, char table, unsigned chain)
{
	static const char *const rejects[] = { "", "", " --reject-with icmp-net-unreachable",
					       " --reject-with icmp-host-unreachable",
					       " --reject-with icmp-admin-prohibited", NULL };
	unsigned n = xt_random_below(r, 4);
	if (table == 'm' && n == 0)
		strbuf_printf(&r->out, " -j TOS --set-tos 0x%x/0x3c", 4 + 4 * (chain & 3));
	else if (table == 'm' && n == 1)
		strbuf_printf(&r->out, " -j DSCP --set-dscp 0x%02x", chain & 3);
	else if (table == 'm' && n == 2)
		strbuf_puts(&r->out, " -j CONNMARK --restore-mark --nfmask 0x3 --ctmask 0x3");
	else if (table == 'm')
		strbuf_puts(&r->out, " -j CONNMARK --set-xmark 0x1/0x3");
	else if (table == 'r')
		strbuf_puts(&r->out, n < 2 ? " -j CT --notrack" : " -j NOTRACK");
	else if (table == 'f' && n < 2)
		strbuf_printf(&r->out, " -j REJECT%s", xt_random_pick(r, rejects));
	else if (table == 'f')
		strbuf_puts(&r->out, n == 2 ? " -j DROP" : " -j LOG --log-prefix \"x \"");
}

static inline void xt_random_target(struct xt_random *r, char table, unsigned chain, bool at_source,
				    bool ported)
{
	unsigned n = xt_random_below(r, 16);
	if (n < 5 && chain < r->chains) {
		unsigned to = chain + xt_random_below(r, r->chains - chain);
		strbuf_printf(&r->out, " -%c %c%u", n == 4 ? 'g' : 'j', r->prefix, to);
	} else if (n == 5) {
		strbuf_puts(&r->out, " -j RETURN");
	} else if (n == 6) {
		strbuf_puts(&r->out, " -j ACCEPT");
	} else if (n == 7 || n == 8) {
		strbuf_printf(&r->out, " -j MARK --set-xmark 0x%x/0x3", 1 + n % 3);
	} else if (n == 9) {
		strbuf_printf(&r->out, " -j CONNMARK --%s",
			      chain & 1 ? "save-mark --nfmask 0x3 --ctmask 0x3" : "set-mark 0x2");
	} else if (table == 'n' && n < 14) {
		xt_random_nat(r, n, at_source, ported);
	} else if (n < (table == 'f' ? 13u : 12u)) {
		xt_random_special(r, table, chain);
	}
}

static inline void xt_random_rule(struct xt_random *r, char table, const char *name, unsigned chain,
				  bool at_source, bool in, bool out)
{
	static const char *const protos[] = { "tcp", "tcp", "udp", "icmp", NULL };
	bool ported = false;
	strbuf_printf(&r->out, "-A %s", name);
	xt_random_header(r, in, out);
	unsigned before = xt_random_below(r, 3) / 2, after = xt_random_below(r, 2);
	const char *proto = xt_random_one_in(r, 3) ? NULL : xt_random_pick(r, protos);
	if (proto)
		strbuf_printf(&r->out, " -p %s", proto);
	if (in && (table == 'r' || table == 'm') && xt_random_one_in(r, 8))
		strbuf_printf(&r->out, " -m rpfilter%s%s", xt_random_one_in(r, 3) ? " --loose" : "",
			      xt_random_one_in(r, 2) ? " --invert" : "");
	while (before--)
		xt_random_match(r);
	if (proto && *proto != 'i') {
		ported = true;
		if (!xt_random_one_in(r, 5))
			xt_random_ports_match(r, proto);
	}
	if (proto && *proto == 'i' && xt_random_one_in(r, 3))
		strbuf_printf(&r->out, " -m icmp%s --icmp-type %s", xt_random_one_in(r, 3) ? " !" : "",
			      xt_random_one_in(r, 2) ? "8" : "3");
	while (after--)
		xt_random_match(r);
	xt_random_target(r, table, chain, at_source, ported);
	strbuf_putc(&r->out, '\n');
}

/* User chains `prefix`0.. and then the rules of `base`, which may jump to them. */
static inline void xt_random_chains(struct xt_random *r, char table, const char *const *bases,
				    char prefix, bool at_source)
{
	char name[16];
	r->prefix = prefix;
	r->chains = 2 + xt_random_below(r, 3);
	for (unsigned c = 0; c < r->chains; c++)
		strbuf_printf(&r->out, ":%c%u - [0:0]\n", prefix, c);
	for (unsigned c = 0; c < r->chains; c++) {
		snprintf(name, sizeof name, "%c%u", prefix, c);
		for (unsigned n = xt_random_below(r, 24); n > 0; n--)
			xt_random_rule(r, table, name, c + 1, at_source, false, false);
	}
	for (unsigned b = 0; bases[b]; b++)
		for (unsigned n = 1 + xt_random_below(r, 20); n > 0; n--)
			xt_random_rule(r, table, bases[b], 0, at_source, bases[b][0] == 'P' &&
				       bases[b][1] == 'R', bases[b][0] == 'P' && bases[b][1] == 'O');
}

/* A whole iptables-restore text. */
static inline const char *xt_random_ruleset(struct xt_random *r)
{
	static const char *const filter[] = { "INPUT", "FORWARD", "OUTPUT", NULL };
	static const char *const dst[] = { "PREROUTING", NULL }, *const src[] = { "POSTROUTING", NULL };
	static const char *const mangle[] = { "PREROUTING", "FORWARD", "POSTROUTING", NULL };
	strbuf_clear(&r->out);
	strbuf_puts(&r->out, "*raw\n");
	xt_random_chains(r, 'r', dst, 'R', false);
	if (xt_random_one_in(r, 4)) /* at the end: rules behind it would see a zone's template */
		strbuf_puts(&r->out, "-A PREROUTING -s 10.0.1.2 -j CT --zone 1\n");
	strbuf_puts(&r->out, "COMMIT\n*mangle\n");
	xt_random_chains(r, 'm', mangle, 'M', false);
	strbuf_puts(&r->out, "COMMIT\n*nat\n");
	xt_random_chains(r, 'n', dst, 'D', false);
	xt_random_chains(r, 'n', src, 'S', true);
	strbuf_printf(&r->out, "COMMIT\n*filter\n:FORWARD %s [0:0]\n",
		      xt_random_one_in(r, 4) ? "DROP" : "ACCEPT");
	xt_random_chains(r, 'f', filter, 'F', false);
	strbuf_puts(&r->out, "COMMIT\n");
	return strbuf_text(&r->out);
}

static inline void xt_random_parse(const struct xt_random *r, const char *text,
				   struct net_addr *out)
{
	unsigned a, b, c;
	char six[40];
	if (r->family == NET_V6 && sscanf(text, "10.%u.%u.%u", &a, &b, &c) == 3) {
		snprintf(six, sizeof six, a == 96 ? "fd96::%u" : b == 1 ? "fd01::%u" : "fd02::%u", c);
		text = six;
	}
	net_addr_parse(text, out);
}

/* What an answer of a server on the right looks like: to a client, or to the router's
 * address that the client was given. */
static inline void xt_random_answer(struct xt_random *r, struct craft_ip *ip)
{
	/* Low ports would be drawn anew from few. */
	static const uint16_t servers[] = { 8080, 8080, 8081, 8081, 30080 };
	static const char *const clients[] = { "10.0.1.2", "10.0.1.3", "10.0.2.1", NULL };
	ip->src_port = servers[xt_random_below(r, 5)];
	ip->dst_port = (uint16_t)(40000 + xt_random_below(r, 6));
	xt_random_parse(r, xt_random_one_in(r, 2) ? "10.0.2.2" : "10.0.2.3", &ip->src);
	xt_random_parse(r, xt_random_pick(r, clients), &ip->dst);
}

/* An ICMP error about a datagram or SYN that may have gone out by `right`. */
static inline struct packet *xt_random_error(struct xt_random *r, struct craft *craft)
{
	struct craft_ip quoted, swapped;
	xt_random_answer(r, &quoted);
	swapped = (struct craft_ip){ .src = quoted.dst, .dst = quoted.src, .ttl = 63,
				     .src_port = quoted.dst_port, .dst_port = quoted.src_port };
	struct craft_tcp syn = { .seq = 1, .flags = TCP_SYN, .window = 64240, .window_scale = -1 };
	struct packet *cause = xt_random_one_in(r, 2)
				       ? craft_udp(craft, &swapped, "data", 4)
				       : craft_tcp(craft, &swapped, &syn, "", 0);
	bool v6 = r->family == NET_V6, far = xt_random_one_in(r, 2);
	struct packet *p = craft_icmp_error(craft, &quoted.src, &quoted.dst,
					    v6 ? (far ? 3 : 1) : (far ? 11 : 3),
					    (uint8_t)(far ? 0 : v6 ? 4 : 3), 0, cause);
	packet_free(cause);
	return p;
}

/* A packet that comes in at `left` (or at `right`, *right). */
static inline struct packet *xt_random_packet(struct xt_random *r, struct craft *craft, bool *right)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN, TCP_SYN, TCP_ACK, TCP_SYN | TCP_ACK, TCP_RST };
	struct craft_ip ip = { .src_port = (uint16_t)(40000 + xt_random_below(r, 6)),
			       .dst_port = (uint16_t)xt_random_port(r),
			       .ttl = xt_random_one_in(r, 40) ? 1 : 64,
			       .tos = (uint8_t)(xt_random_below(r, 4) << 2) };
	*right = xt_random_one_in(r, 4);
	bool answer = *right && xt_random_one_in(r, 2), strange = xt_random_one_in(r, 20);
	/* Not in IPv6: errors to such a sender come from the address of the interface that it
	 * came in by, which the model does not know yet. */
	strange &= r->family != NET_V6;
	xt_random_parse(r, *right != strange ? "10.0.2.2" : "10.0.1.2", &ip.src);
	ip.src.bytes[ip.src.family == NET_V6 ? 15 : 3] = (uint8_t)(2 + xt_random_below(r, 2));
	xt_random_parse(r, xt_random_pick(r, xt_random_addresses), &ip.dst);
	if (answer)
		xt_random_answer(r, &ip);
	unsigned kind = xt_random_below(r, 8);
	if (kind == 0 && *right && answer)
		return xt_random_error(r, craft);
	if (kind == 0)
		return craft_icmp_echo(craft, &ip, false, ip.src_port, 1, "ping", 4);
	if (kind < 3)
		return craft_udp(craft, &ip, "data", 4);
	struct craft_tcp tcp = { .seq = 1, .ack = 1, .flags = flags[xt_random_below(r, 6)],
				 .window = 64240, .mss = 1460, .window_scale = -1 };
	if (answer && xt_random_one_in(r, 2))
		tcp = (struct craft_tcp){ .seq = 1, .ack = 2, .flags = TCP_SYN | TCP_ACK,
					  .window = 64240, .mss = 1460, .window_scale = -1 };
	if (!(tcp.flags & TCP_SYN))
		tcp.mss = 0;
	return craft_tcp(craft, &ip, &tcp, "", 0);
}

#endif
