/* net/addr.c: see addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned net_family_bits(uint8_t family)
{
	return family == NET_V4 ? 32 : family == NET_V6 ? 128 : 0;
}

bool net_addr_parse(const char *text, struct net_addr *out)
{
	struct net_addr a = { .family = strchr(text, ':') ? NET_V6 : NET_V4 };
	if (inet_pton(a.family == NET_V6 ? AF_INET6 : AF_INET, text, a.bytes) != 1)
		return false;
	*out = a;
	return true;
}

/* Decimal without sign, blanks or leading zeros, at most `limit`. */
static bool parse_length(const char *text, unsigned limit, uint8_t *out)
{
	unsigned value = 0;
	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (unsigned)(*p - '0');
		if (value > limit)
			return false;
	}
	*out = (uint8_t)value;
	return true;
}

bool net_prefix_parse(const char *text, struct net_prefix *out)
{
	char addr[NET_ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct net_prefix p = { 0 };
	if (length >= sizeof addr)
		return false;
	memcpy(addr, text, length);
	addr[length] = '\0';
	if (!net_addr_parse(addr, &p.addr))
		return false;
	p.bits = (uint8_t)net_family_bits(p.addr.family);
	if (slash && !parse_length(slash + 1, p.bits, &p.bits))
		return false;
	*out = p;
	return true;
}

static bool is_v4_mapped(const struct net_addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	return a->family == NET_V6 && memcmp(a->bytes, prefix, sizeof prefix) == 0;
}

/* Decimal digits, without the weight of printf: addresses are printed by the hundred
 * thousand. Returns the end. */
static char *put_number(char *p, unsigned n)
{
	char digits[10];
	unsigned count = 0;
	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	while (count)
		*p++ = digits[--count];
	return p;
}

static void v4_text(const uint8_t *bytes, char *out)
{
	char *p = put_number(out, bytes[0]);
	for (unsigned i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_number(p, bytes[i]);
	}
	*p = '\0';
}

/* RFC 5952: the first of the longest runs of two or more zero words becomes "::". */
static void v6_text(const uint8_t *bytes, char out[NET_ADDR_TEXT])
{
	unsigned words[8], best = 8, best_count = 1;
	for (unsigned i = 0; i < 8; i++)
		words[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	for (unsigned i = 0; i < 8; i++) {
		unsigned end = i;
		while (end < 8 && words[end] == 0)
			end++;
		if (end - i > best_count) {
			best = i;
			best_count = end - i;
		}
	}
	char *at = out;
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			at += sprintf(at, "::");
			i += best_count - 1;
			continue;
		}
		bool first = i == 0 || i == best + best_count;
		at += sprintf(at, first ? "%x" : ":%x", words[i]);
	}
}

const char *net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT])
{
	if (a->family == NET_V4) {
		v4_text(a->bytes, out);
	} else if (is_v4_mapped(a)) {
		int n = snprintf(out, NET_ADDR_TEXT, "::ffff:");
		v4_text(a->bytes + 12, out + n);
	} else if (a->family == NET_V6) {
		v6_text(a->bytes, out);
	} else {
		snprintf(out, NET_ADDR_TEXT, "none");
	}
	return out;
}

const char *net_prefix_text(const struct net_prefix *p, char out[NET_ADDR_TEXT])
{
	net_addr_text(&p->addr, out);
	size_t length = strlen(out);
	snprintf(out + length, NET_ADDR_TEXT - length, "/%u", p->bits);
	return out;
}

const char *net_endpoint_text(const struct net_addr *a, uint16_t port, char *out)
{
	bool six = a->family == NET_V6;
	char *p = out;
	if (six)
		*p++ = '[';
	net_addr_text(a, p);
	p += strlen(p);
	if (six)
		*p++ = ']';
	*p++ = ':';
	*put_number(p, port) = '\0';
	return out;
}

struct net_addr net_addr_v4(uint32_t host_order)
{
	return (struct net_addr){
		.family = NET_V4,
		.bytes = { (uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
			   (uint8_t)(host_order >> 8), (uint8_t)host_order },
	};
}

uint32_t net_addr_v4_value(const struct net_addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 |
	       (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int net_addr_compare(const struct net_addr *a, const struct net_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool net_addr_is_loopback(const struct net_addr *a)
{
	static const uint8_t v6[16] = { [15] = 1 };
	if (a->family == NET_V4)
		return a->bytes[0] == 127;
	return a->family == NET_V6 && memcmp(a->bytes, v6, sizeof v6) == 0;
}

bool net_addr_is_link_local(const struct net_addr *a)
{
	if (a->family == NET_V4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == NET_V6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool net_addr_is_multicast(const struct net_addr *a)
{
	if (a->family == NET_V4)
		return (a->bytes[0] & 0xf0) == 0xe0;
	return a->family == NET_V6 && a->bytes[0] == 0xff;
}

bool net_addr_is_unspecified(const struct net_addr *a)
{
	static const uint8_t zero[16];
	return a->family != NET_NONE && memcmp(a->bytes, zero, sizeof zero) == 0;
}

bool net_prefix_contains(const struct net_prefix *p, const struct net_addr *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	if (p->addr.family != a->family || memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

struct net_prefix net_prefix_masked(const struct net_prefix *p)
{
	struct net_prefix out = *p;
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	if (rest) {
		out.addr.bytes[whole] &= (uint8_t)(0xff << (8 - rest));
		whole++;
	}
	memset(out.addr.bytes + whole, 0, sizeof out.addr.bytes - whole);
	return out;
}

struct net_addr net_prefix_last(const struct net_prefix *p)
{
	struct net_addr a = net_prefix_masked(p).addr;
	unsigned bits = net_family_bits(a.family);
	for (unsigned i = p->bits; i < bits; i++)
		a.bytes[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	a.bytes[bits / 8 - 1] &= 0xfe;
	return a;
}

bool net_prefix_nth(const struct net_prefix *p, uint64_t offset, struct net_addr *out)
{
	struct net_addr a = net_prefix_masked(p).addr;
	unsigned total = net_family_bits(a.family), host = total - p->bits;
	if (host < 64 && offset >> host)
		return false;
	for (unsigned i = total / 8; i-- > 0 && offset;) {
		a.bytes[i] |= (uint8_t)offset;
		offset >>= 8;
	}
	*out = a;
	return true;
}
