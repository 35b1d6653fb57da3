/* tests/differential/random_v6.h: random rule sets of IPv4 in words of IPv6, or of both. */
#ifndef TESTS_RANDOM_V6_H
#define TESTS_RANDOM_V6_H

#include <string.h>

#include "core/strbuf.h"

struct random_words {
	const char *from, *to;
};

/* Longer words before those that begin them. */
static const struct random_words random_v6[] = {
	{ "10.0.0.0/8", "fc00::/7" },	    { "10.0.1.0/24", "fd01::/64" },
	{ "10.0.2.0/24", "fd02::/64" },	    { "10.96.0.0/12", "fd96::/16" },
	{ "0.0.0.0/0", "::/0" },	    { "10.0.2.0/30", "fd02::/126" },
	{ "10.96.0.2/31", "fd96::2/127" },  { "10.0.2.2:8080", "[fd02::2]:8080" },
	{ "10.0.2.3:8081", "[fd02::3]:8081" }, { "10.0.2.2:8081", "[fd02::2]:8081" },
	{ "10.0.2.3:8080", "[fd02::3]:8080" }, { "10.0.1.", "fd01::" },
	{ "10.0.2.", "fd02::" },	    { "10.96.0.", "fd96::" },
	{ "hash:ip\n", "hash:ip family inet6\n" },
	{ "hash:ip,port\n", "hash:ip,port family inet6\n" },
	{ "-p icmp -m icmp", "-p ipv6-icmp -m icmp6" }, { "-p icmp", "-p ipv6-icmp" },
	{ "-m icmp ", "-m icmp6 " },	    { "--icmp-type 8", "--icmpv6-type 128" },
	{ "--icmp-type 3", "--icmpv6-type 1" },
	{ "icmp-net-unreachable", "icmp6-no-route" },
	{ "icmp-host-unreachable", "icmp6-addr-unreachable" },
	{ "icmp-admin-prohibited", "icmp6-adm-prohibited" },
	{ "with icmp host-unreachable", "with icmpv6 addr-unreachable" },
	{ "table ip ", "table ip6 " },	    { "ip saddr", "ip6 saddr" },
	{ "ip daddr", "ip6 daddr" },	    { "ip dscp", "ip6 dscp" },
	{ "ipv4_addr", "ipv6_addr" },	    { NULL, NULL },
};

/* nft's family of both: translations say which one they mean. */
static const struct random_words random_inet[] = {
	{ "table ip ", "table inet " },
	{ "dnat to", "dnat ip to" },
	{ "snat to", "snat ip to" },
	{ "with icmp host-unreachable", "with icmpx host-unreachable" },
	{ NULL, NULL },
};

static inline void random_translate(struct strbuf *text, const struct random_words *words)
{
	struct strbuf out = { 0 };
	for (const char *s = strbuf_text(text); *s;) {
		const struct random_words *w = words;
		while (w->from && strncmp(s, w->from, strlen(w->from)) != 0)
			w++;
		if (w->from) {
			strbuf_puts(&out, w->to);
			s += strlen(w->from);
		} else {
			strbuf_putc(&out, *s++);
		}
	}
	strbuf_clear(text);
	strbuf_puts(text, strbuf_text(&out));
	strbuf_free(&out);
}

#endif
