/* dns/name.c: domain names in wire form; see wire.h. */
#include "dns/wire.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* One character of presentation form at *p; false: a bad escape. */
static bool take_character(const char **p, uint8_t *out)
{
	const char *s = *p;
	if (*s != '\\') {
		*out = (uint8_t)*s;
		*p = s + 1;
		return true;
	}
	s++;
	if (isdigit((unsigned char)s[0])) {
		if (!isdigit((unsigned char)s[1]) || !isdigit((unsigned char)s[2]))
			return false;
		unsigned value = (unsigned)(s[0] - '0') * 100 + (unsigned)(s[1] - '0') * 10 +
				 (unsigned)(s[2] - '0');
		if (value > 255)
			return false;
		*out = (uint8_t)value;
		*p = s + 3;
		return true;
	}
	if (!*s)
		return false;
	*out = (uint8_t)*s;
	*p = s + 1;
	return true;
}

bool dns_name_parse(const char *text, struct dns_name *out)
{
	memset(out, 0, sizeof *out);
	if (!*text)
		return false;
	if (strcmp(text, ".") == 0) {
		out->length = 1;
		return true;
	}
	unsigned start = 0, at = 1; /* of the label's length octet, of the next octet */
	const char *p = text;
	while (*p) {
		if (*p == '.') {
			unsigned label = at - start - 1;
			if (label == 0)
				return false;
			out->bytes[start] = (uint8_t)label;
			start = at++;
			p++;
			if (start >= DNS_NAME_BYTES)
				return false;
			continue;
		}
		uint8_t c;
		if (!take_character(&p, &c) || at - start > 63 || at >= DNS_NAME_BYTES)
			return false;
		out->bytes[at++] = c;
	}
	if (at - start > 1) { /* no final dot */
		out->bytes[start] = (uint8_t)(at - start - 1);
		start = at;
		if (start >= DNS_NAME_BYTES)
			return false;
	}
	out->bytes[start] = 0;
	out->length = (uint8_t)(start + 1);
	return true;
}

const char *dns_name_text(const struct dns_name *n, char out[DNS_NAME_TEXT])
{
	size_t at = 0;
	unsigned i = 0;
	if (n->length <= 1) {
		strcpy(out, n->length ? "." : "");
		return out;
	}
	while (n->bytes[i]) {
		unsigned label = n->bytes[i++];
		for (unsigned k = 0; k < label; k++, i++) {
			uint8_t c = n->bytes[i];
			if (c <= ' ' || c >= 127)
				at += (size_t)snprintf(out + at, 5, "\\%03u", c);
			else if (strchr(".\\\"();@$", c))
				at += (size_t)snprintf(out + at, 3, "\\%c", c);
			else
				out[at++] = (char)c;
		}
		out[at++] = '.';
	}
	out[at] = 0;
	return out;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->length != b->length)
		return false;
	for (unsigned i = 0; i < a->length; i++)
		if (a->bytes[i] != b->bytes[i] && lower(a->bytes[i]) != lower(b->bytes[i]))
			return false;
	return true;
}

unsigned dns_name_labels(const struct dns_name *n)
{
	unsigned count = 0;
	for (unsigned i = 0; i < n->length && n->bytes[i]; i += n->bytes[i] + 1u)
		count++;
	return count;
}

unsigned dns_name_suffix(const struct dns_name *n, unsigned count)
{
	unsigned skip = dns_name_labels(n) - count, i = 0;
	while (skip--)
		i += n->bytes[i] + 1u;
	return i;
}

static int compare_label(const uint8_t *a, const uint8_t *b)
{
	unsigned shorter = a[0] < b[0] ? a[0] : b[0];
	for (unsigned i = 1; i <= shorter; i++)
		if (lower(a[i]) != lower(b[i]))
			return lower(a[i]) < lower(b[i]) ? -1 : 1;
	return a[0] == b[0] ? 0 : a[0] < b[0] ? -1 : 1;
}

int dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
	unsigned la = dns_name_labels(a), lb = dns_name_labels(b);
	for (unsigned k = 1; k <= la && k <= lb; k++) {
		int order = compare_label(a->bytes + dns_name_suffix(a, k),
					  b->bytes + dns_name_suffix(b, k));
		if (order)
			return order;
	}
	return la == lb ? 0 : la < lb ? -1 : 1;
}

bool dns_name_under(const struct dns_name *n, const struct dns_name *zone)
{
	if (n->length < zone->length)
		return false;
	unsigned at = n->length - (unsigned)zone->length, i = 0;
	while (i < at)
		i += n->bytes[i] + 1u;
	if (i != at)
		return false;
	for (unsigned k = 0; k < zone->length; k++)
		if (lower(n->bytes[at + k]) != lower(zone->bytes[k]))
			return false;
	return true;
}

void dns_name_parent(struct dns_name *n)
{
	if (n->length <= 1)
		return;
	unsigned skip = n->bytes[0] + 1u;
	memmove(n->bytes, n->bytes + skip, n->length - skip);
	memset(n->bytes + n->length - skip, 0, skip);
	n->length = (uint8_t)(n->length - skip);
}

void dns_name_lower(struct dns_name *n)
{
	for (unsigned i = 0; i < n->length; i++)
		n->bytes[i] = lower(n->bytes[i]);
}

uint64_t dns_name_hash(const struct dns_name *n)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < n->length; i++)
		h = (h ^ lower(n->bytes[i])) * 0x100000001b3u;
	return h;
}

bool dns_name_prepend(struct dns_name *n, const uint8_t *labels, size_t length)
{
	if (n->length + length > DNS_NAME_BYTES)
		return false;
	memmove(n->bytes + length, n->bytes, n->length);
	memcpy(n->bytes, labels, length);
	n->length = (uint8_t)(n->length + length);
	return true;
}

bool dns_name_prepend_text(struct dns_name *n, const char *text)
{
	struct dns_name front;
	if (!dns_name_parse(text, &front) || front.length <= 1)
		return false;
	return dns_name_prepend(n, front.bytes, front.length - 1u);
}

void dns_name_reverse(const struct net_addr *addr, struct dns_name *out)
{
	char text[96];
	size_t at = 0;
	if (addr->family == NET_V4) {
		snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa.", addr->bytes[3],
			 addr->bytes[2], addr->bytes[1], addr->bytes[0]);
	} else {
		for (int i = 15; i >= 0; i--)
			at += (size_t)snprintf(text + at, sizeof text - at, "%x.%x.",
					       addr->bytes[i] & 15u, addr->bytes[i] >> 4);
		snprintf(text + at, sizeof text - at, "ip6.arpa.");
	}
	dns_name_parse(text, out);
}

/* Fills starts[] with the offsets of the labels left of the last two; their number. */
static unsigned reverse_labels(const struct dns_name *n, unsigned starts[128])
{
	unsigned count = 0, total = dns_name_labels(n);
	for (unsigned i = 0; count + 2 < total; i += n->bytes[i] + 1u)
		starts[count++] = i;
	return count;
}

/* Four decimal octets without leading zeros, in reverse. */
static bool reverse_v4(const struct dns_name *n, struct net_addr *out)
{
	unsigned starts[128], count = reverse_labels(n, starts);
	if (count != 4)
		return false;
	out->family = NET_V4;
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *label = n->bytes + starts[3 - i];
		unsigned value = 0;
		if (label[0] > 3 || (label[0] > 1 && label[1] == '0'))
			return false;
		for (unsigned k = 1; k <= label[0]; k++) {
			if (label[k] < '0' || label[k] > '9')
				return false;
			value = value * 10 + (label[k] - '0');
		}
		if (value > 255)
			return false;
		out->bytes[i] = (uint8_t)value;
	}
	return true;
}

/* 32 nibbles in reverse. Labels in front of them, up to three, do not matter: CoreDNS
 * takes groups of four from the right and drops what is left over. */
static bool reverse_v6(const struct dns_name *n, struct net_addr *out)
{
	unsigned starts[128], count = reverse_labels(n, starts);
	if (count < 32 || count > 35)
		return false;
	out->family = NET_V6;
	for (unsigned i = 0; i < 32; i++) {
		const uint8_t *label = n->bytes + starts[count - 1 - i];
		uint8_t c = lower(label[1]);
		unsigned value;
		if (label[0] != 1)
			return false;
		if (c >= '0' && c <= '9')
			value = c - '0';
		else if (c >= 'a' && c <= 'f')
			value = c - 'a' + 10u;
		else
			return false;
		out->bytes[i / 2] |= (uint8_t)(i % 2 ? value : value << 4);
	}
	return true;
}

bool dns_name_address(const struct dns_name *n, struct net_addr *out)
{
	static const struct dns_name v4 = { 14, "\7in-addr\4arpa" };
	static const struct dns_name v6 = { 10, "\3ip6\4arpa" };
	memset(out, 0, sizeof *out);
	if (n->length > v4.length && dns_name_under(n, &v4))
		return reverse_v4(n, out);
	if (n->length > v6.length && dns_name_under(n, &v6))
		return reverse_v6(n, out);
	return false;
}
