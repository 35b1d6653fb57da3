/* tests/differential/nft_random.h: random nft rule sets.
 *
 * The rule sets are texts that nft takes and, but for counters, prints again the same: one
 * table with chains of every kind that jump forward only, long enough to be indexed, sets
 * and maps, over the addresses and ports of xt_random.h, whose packets go through them.
 * The router of linux_lab.h is meant: interfaces left (10.0.1.0/24) and right
 * (10.0.2.0/24).
 */
#ifndef TESTS_NFT_RANDOM_H
#define TESTS_NFT_RANDOM_H

#include "tests/differential/xt_random.h"

/* What the chains of one family of base chains may hold. */
enum nft_random_kind { NFT_RANDOM_RAW, NFT_RANDOM_MANGLE, NFT_RANDOM_DST, NFT_RANDOM_SRC,
		       NFT_RANDOM_FILTER };

static inline const char *nft_random_address(struct xt_random *r)
{
	return xt_random_pick(r, xt_random_addresses);
}

static inline void nft_random_addresses_match(struct xt_random *r)
{
	static const char *const networks[] = { "10.0.0.0/8", "10.0.1.0/24", "10.96.0.0/12",
						"10.0.1.3-10.0.2.2", NULL };
	for (unsigned side = 0; side < 2; side++) {
		if (!xt_random_one_in(r, 2 + side))
			continue;
		unsigned form = xt_random_below(r, 12);
		strbuf_printf(&r->out, "ip %s ", side ? "saddr" : "daddr");
		if (form == 0)
			strbuf_puts(&r->out, "@addresses ");
		else if (form == 1)
			strbuf_puts(&r->out, "!= @networks ");
		else if (form == 2)
			strbuf_puts(&r->out, "{ 10.0.1.2, 10.0.2.0/30, 10.96.0.2 } ");
		else if (form < 5)
			strbuf_printf(&r->out, "%s%s ", form == 3 ? "!= " : "",
				      xt_random_pick(r, networks));
		else
			strbuf_printf(&r->out, "%s%s ", form == 5 ? "!= " : "",
				      nft_random_address(r));
	}
}

/* True when another protocol than TCP may be demanded afterwards. */
static inline bool nft_random_ports_match(struct xt_random *r)
{
	static const char *const protos[] = { "tcp", "tcp", "udp", NULL };
	const char *proto = xt_random_pick(r, protos);
	unsigned port = xt_random_port(r);
	bool other = *proto != 't';
	switch (xt_random_below(r, 9)) {
	case 0:
		strbuf_printf(&r->out, "%s dport { 53, 80-90, 8080 } ", proto);
		return other;
	case 1:
		strbuf_printf(&r->out, "%s dport != %u ", proto, port);
		return other;
	case 2:
		strbuf_printf(&r->out, "%s sport 40001-40003 ", proto);
		return other;
	case 3:
		strbuf_printf(&r->out, "%s dport >= 443 ", proto);
		return other;
	case 4:
		strbuf_puts(&r->out, "tcp flags syn / fin,syn,rst,ack ");
		return false;
	case 5:
		strbuf_puts(&r->out, "meta l4proto { tcp, udp } th dport 80 ");
		return true;
	case 6:
		strbuf_puts(&r->out, "ip daddr . tcp dport { 10.96.0.1 . 80 } ");
		return false;
	default:
		strbuf_printf(&r->out, "%s dport %u ", proto, port);
		return other;
	}
}

static inline void nft_random_match(struct xt_random *r)
{
	unsigned n = xt_random_below(r, 8), kind = xt_random_below(r, 15);
	struct strbuf *out = &r->out;
	switch (kind) {
	case 0:
		strbuf_printf(out, "meta mark & 0x00000003 %s 0x0000000%u ",
			      n & 1 ? "==" : "!=", n & 3);
		break;
	case 1:
		strbuf_printf(out, "ct state %s ", n < 3 ? "new" : n < 5 ? "established,related" :
			      n < 6 ? "{ invalid, new }" : "!= new");
		break;
	case 2:
		if (!r->repeatable)
			strbuf_printf(out, "numgen random mod %u 0 ", 2 + n);
		break;
	case 3:
		strbuf_printf(out, "numgen inc mod %u %u ", 2 + n, n / 2);
		break;
	case 4:
		strbuf_printf(out, "%s @seen { ip saddr } ", n < 5 ? "add" : "update");
		break;
	case 5:
		strbuf_printf(out, "limit rate %s%u/week burst %u packets ", n & 1 ? "over " : "",
			      1 + n, 6 + n);
		break;
	case 6:
		strbuf_printf(out, "fib %s type %s%s ", n & 1 ? "saddr" : "daddr",
			      n & 2 ? "" : "!= ", n < 5 ? "local" : "unicast");
		break;
	case 7:
		strbuf_printf(out, "ct mark %s0x0000000%u ", n & 4 ? "!= " : "", n & 3);
		break;
	case 8:
		strbuf_puts(out, "ip saddr @seen ");
		break;
	case 9:
		strbuf_printf(out, "ip dscp %scs%u ", n & 4 ? "!= " : "", n & 3);
		break;
	case 10:
		strbuf_printf(out, "quota %s%u bytes ", n & 1 ? "over " : "", 100 * (n + 1));
		break;
	case 11:
		strbuf_printf(out, "jhash ip saddr . th sport mod 4 seed 0x1%x %u ", n, n & 3);
		break;
	case 12:
		strbuf_printf(out, "ct status %s ", n & 1 ? "dnat" : "snat");
		break;
	case 13:
		strbuf_printf(out, "ct %s ", n < 4 ? "direction original" :
			      "original ip daddr 10.96.0.0/12");
		break;
	default:
		break;
	}
}

static inline void nft_random_nat(struct xt_random *r, enum nft_random_kind kind, unsigned n,
				  bool other)
{
	struct strbuf *out = &r->out;
	if (kind == NFT_RANDOM_SRC) {
		strbuf_puts(out, n & 1 ? "masquerade" : "snat to 10.0.2.1");
	} else if (n == 0) {
		strbuf_puts(out, "dnat to numgen inc mod 2 map { 0 : 10.0.2.2, 1 : 10.0.2.3 }");
	} else if (n == 1) {
		strbuf_puts(out,
			    "dnat to ip saddr map { 10.0.1.2 : 10.0.2.3, 10.0.1.3 : 10.0.2.2 }");
	} else if (n == 2) {
		strbuf_puts(out, "redirect");
	} else if (n < 5 || other) {
		strbuf_printf(out, "dnat to 10.0.2.%u", 2 + (n & 1));
	} else {
		strbuf_printf(out, "tcp dport %u dnat to 10.0.2.%u:8081", xt_random_port(r),
			      2 + (n & 1));
	}
}

static inline void nft_random_action(struct xt_random *r, enum nft_random_kind kind, unsigned chain,
				     bool other)
{
	unsigned n = xt_random_below(r, 18), m = xt_random_below(r, 8);
	struct strbuf *out = &r->out;
	bool user = chain < r->chains;
	unsigned to = user ? chain + xt_random_below(r, r->chains - chain) : 0;
	if (n < 4 && user)
		strbuf_printf(out, "%s %c%u", n == 3 ? "goto" : "jump", r->prefix, to);
	else if (n == 4 && user && !other)
		strbuf_printf(out, "tcp dport vmap { 53 : return, 80 : jump %c%u, 443 : accept }",
			      r->prefix, to);
	else if (n == 5 && user)
		strbuf_printf(out,
			      "ip daddr . meta l4proto . th dport vmap { 10.96.0.1 . tcp . 80 : "
			      "goto %c%u }",
			      r->prefix, to);
	else if (n == 6 && user)
		strbuf_printf(out, "numgen inc mod 2 vmap { 0 : jump %c%u, 1 : continue }",
			      r->prefix, to);
	else if (n == 7)
		strbuf_puts(out, "return");
	else if (n == 8)
		strbuf_puts(out, m < 4 ? "accept" : "ip daddr vmap @verdicts");
	else if (n < 11)
		strbuf_printf(out, "meta mark set %s", m < 3 ? "meta mark | 0x00000001" : m < 5 ?
			      "meta mark & 0xfffffffe" : m < 6 ? "ct mark" :
			      "ip saddr map { 10.0.1.2 : 0x00000002, 10.0.1.3 : 0x00000003 }");
	else if (n == 11)
		strbuf_puts(out, m < 4 ? "ct mark set meta mark" : "ct mark set 0x00000002");
	else if (kind == NFT_RANDOM_FILTER && n < 15)
		strbuf_puts(out, m < 2	 ? "reject"
				 : m < 3 ? "reject with icmp host-unreachable"
				 : m < 6 ? "drop"
					 : "log prefix \"x \"");
	else if (kind == NFT_RANDOM_RAW && n < 14)
		strbuf_puts(out, "notrack");
	else if (kind == NFT_RANDOM_MANGLE && n < 14)
		strbuf_printf(out, "ip dscp set cs%u", m & 3);
	else if ((kind == NFT_RANDOM_DST || kind == NFT_RANDOM_SRC) && n < 17)
		nft_random_nat(r, kind, m, other);
}

static inline void nft_random_rule(struct xt_random *r, enum nft_random_kind kind, unsigned chain,
				   const char *iface)
{
	strbuf_puts(&r->out, "\t\t");
	if (iface && xt_random_one_in(r, 8))
		strbuf_printf(&r->out, "%s %s ", iface, xt_random_one_in(r, 2) ? "\"left\"" :
			      xt_random_one_in(r, 2) ? "\"ri*\"" : "{ \"right\", \"other\" }");
	if (xt_random_one_in(r, 6))
		nft_random_match(r);
	nft_random_addresses_match(r);
	bool other = xt_random_one_in(r, 2) && nft_random_ports_match(r);
	if (xt_random_one_in(r, 3))
		nft_random_match(r);
	strbuf_puts(&r->out, "counter packets 0 bytes 0 ");
	nft_random_action(r, kind, chain, other);
	while (r->out.data[r->out.length - 1] == ' ')
		r->out.data[--r->out.length] = '\0';
	strbuf_putc(&r->out, '\n');
}

struct nft_random_base {
	const char *name, *type, *iface;
};

/* User chains `prefix`0.. and base chains that may jump to them. */
static inline void nft_random_chains(struct xt_random *r, enum nft_random_kind kind, char prefix,
				     const struct nft_random_base *bases)
{
	r->prefix = prefix;
	r->chains = 2 + xt_random_below(r, 3);
	for (unsigned c = 0; c < r->chains; c++) {
		strbuf_printf(&r->out, "\n\tchain %c%u {\n", prefix, c);
		for (unsigned n = xt_random_below(r, 24); n > 0; n--)
			nft_random_rule(r, kind, c + 1, NULL);
		strbuf_puts(&r->out, "\t}\n");
	}
	for (; bases->name; bases++) {
		strbuf_printf(
		    &r->out, "\n\tchain %s {\n\t\ttype %s; policy %s;\n", bases->name, bases->type,
		    kind == NFT_RANDOM_FILTER && xt_random_one_in(r, 5) ? "drop" : "accept");
		for (unsigned n = 1 + xt_random_below(r, 20); n > 0; n--)
			nft_random_rule(r, kind, 0, bases->iface);
		strbuf_puts(&r->out, "\t}\n");
	}
}

static inline const char *nft_random_ruleset(struct xt_random *r)
{
	static const struct nft_random_base raw[] = {
		{ "raw", "filter hook prerouting priority raw", "iifname" }, { NULL, NULL, NULL },
	};
	static const struct nft_random_base mangle[] = {
		{ "mangle", "filter hook prerouting priority mangle", "iifname" },
		{ "last", "filter hook postrouting priority mangle", "oifname" },
		{ NULL, NULL, NULL },
	};
	static const struct nft_random_base dst[] = {
		{ "dstnat", "nat hook prerouting priority dstnat", "iifname" },
		{ NULL, NULL, NULL },
	};
	static const struct nft_random_base src[] = {
		{ "srcnat", "nat hook postrouting priority srcnat", "oifname" },
		{ NULL, NULL, NULL },
	};
	static const struct nft_random_base filter[] = {
		{ "in", "filter hook input priority filter", "iifname" },
		{ "forward", "filter hook forward priority filter", "oifname" },
		{ "out", "filter hook output priority filter", "oifname" },
		{ "early", "filter hook forward priority filter - 5", "iifname" },
		{ NULL, NULL, NULL },
	};
	strbuf_clear(&r->out);
	strbuf_puts(&r->out,
		    "table ip routed {\n"
		    "\tset addresses {\n\t\ttype ipv4_addr\n"
		    "\t\telements = { 10.0.1.2, 10.96.0.2 }\n\t}\n\n"
		    "\tset networks {\n\t\ttype ipv4_addr\n\t\tflags interval\n"
		    "\t\telements = { 10.0.2.0/24, 10.96.0.3-10.96.0.9 }\n\t}\n\n"
		    "\tset seen {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic\n\t}\n\n"
		    "\tmap verdicts {\n\t\ttype ipv4_addr : verdict\n\t\tflags interval\n"
		    "\t\telements = { 10.0.2.3 : accept, 10.96.0.2/31 : return }\n\t}\n");
	nft_random_chains(r, NFT_RANDOM_RAW, 'R', raw);
	nft_random_chains(r, NFT_RANDOM_MANGLE, 'M', mangle);
	nft_random_chains(r, NFT_RANDOM_DST, 'D', dst);
	nft_random_chains(r, NFT_RANDOM_SRC, 'S', src);
	nft_random_chains(r, NFT_RANDOM_FILTER, 'F', filter);
	strbuf_puts(&r->out, "}\n");
	return strbuf_text(&r->out);
}

#endif
