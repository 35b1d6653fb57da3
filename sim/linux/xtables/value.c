/* linux/xtables/value.c: numbers, ports, networks and protocols as iptables reads them. */
#include "linux/xtables/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct name_number {
	const char *name;
	uint16_t number;
};

/* /etc/protocols of Debian 12, as far as rules name them; first spelling is printed. */
static const struct name_number protocols[] = {
	{ "all", 0 }, { "icmp", 1 }, { "igmp", 2 }, { "ipencap", 4 }, { "tcp", 6 }, { "egp", 8 },
	{ "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 }, { "gre", 47 }, { "esp", 50 },
	{ "ah", 51 }, { "ipv6-icmp", 58 }, { "icmpv6", 58 }, { "icmp6", 58 }, { "ospf", 89 },
	{ "ipip", 94 }, { "pim", 103 }, { "ipcomp", 108 }, { "vrrp", 112 }, { "l2tp", 115 },
	{ "sctp", 132 }, { "ipv6-mh", 135 }, { "mh", 135 }, { "mobility-header", 135 },
	{ "udplite", 136 },
};

/* Services that people write by name in rules. */
static const struct name_number services[] = {
	{ "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 },
	{ "domain", 53 }, { "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 }, { "http", 80 },
	{ "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 }, { "ntp", 123 }, { "imap2", 143 },
	{ "snmp", 161 }, { "bgp", 179 }, { "ldap", 389 }, { "https", 443 },
	{ "microsoft-ds", 445 }, { "submission", 587 }, { "ldaps", 636 }, { "domain-s", 853 },
	{ "imaps", 993 }, { "mysql", 3306 }, { "postgresql", 5432 },
};

/* A name that prints as it was written, without quotes. */
bool plain_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c == 0x7f || *c == '"' || *c == '\\')
			return false;
	return *text;
}

bool parse_u32(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	uint64_t v = strtoull(text, &end, 0);
	if (errno || *end || v > max)
		return false;
	*out = v;
	return true;
}

bool parse_mark(const char *text, uint32_t *value, uint32_t *mask)
{
	char *end;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 0), m = UINT32_MAX;
	if (*end == '/') {
		if (!isdigit((unsigned char)end[1]))
			return false;
		m = strtoull(end + 1, &end, 0);
	}
	if (errno || *end || v > UINT32_MAX || m > UINT32_MAX)
		return false;
	*value = (uint32_t)v;
	*mask = (uint32_t)m;
	return true;
}

bool parse_port(const char *text, uint16_t *out)
{
	uint64_t v;
	if (parse_u32(text, UINT16_MAX, &v)) {
		*out = (uint16_t)v;
		return true;
	}
	for (unsigned i = 0; i < sizeof services / sizeof *services; i++) {
		if (strcmp(services[i].name, text) == 0) {
			*out = services[i].number;
			return true;
		}
	}
	return false;
}

int parse_ports(struct xt_parse *p, const char *text, uint16_t *min, uint16_t *max)
{
	char low[64];
	size_t n = strcspn(text, ":");
	if (n >= sizeof low)
		return xt_complain(p, "invalid port/service `%s' specified", text);
	memcpy(low, text, n);
	low[n] = '\0';
	*min = 0;
	if ((n || text[n] != ':') && !parse_port(low, min))
		return xt_complain(p, "invalid port/service `%s' specified", low);
	*max = *min;
	if (text[n] != ':')
		return 0;
	*max = UINT16_MAX;
	if (text[n + 1] && !parse_port(text + n + 1, max))
		return xt_complain(p, "invalid port/service `%s' specified", text + n + 1);
	if (*min > *max)
		return xt_complain(p, "invalid portrange (min > max)");
	return 0;
}

/* One to four decimal parts; missing ones are zero, as iptables reads "10.1". */
static bool parse_v4(const char *text, uint8_t out[4])
{
	memset(out, 0, 4);
	for (unsigned part = 0; part < 4; part++) {
		unsigned v = 0, digits = 0;
		for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
			v = v * 10 + (unsigned)(*text - '0');
		if (!digits || v > 255)
			return false;
		out[part] = (uint8_t)v;
		if (!*text)
			return true;
		if (*text++ != '.')
			return false;
	}
	return false;
}

static bool parse_address(const char *text, uint8_t family, uint8_t *out)
{
	struct net_addr a;
	if (family == NET_V4)
		return parse_v4(text, out);
	if (!net_addr_parse(text, &a) || a.family != NET_V6)
		return false;
	memcpy(out, a.bytes, 16);
	return true;
}

bool parse_host_network(const char *text, uint8_t family, uint8_t *addr, uint8_t *mask)
{
	unsigned bytes = family == NET_V6 ? 16 : 4;
	const char *slash = strchr(text, '/');
	char head[64];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof head)
		return false;
	memcpy(head, text, n);
	head[n] = '\0';
	if (!parse_address(head, family, addr))
		return false;
	uint64_t length = bytes * 8;
	if (slash && !parse_u32(slash + 1, bytes * 8, &length)) {
		if (!parse_address(slash + 1, family, mask) ||
		    (family == NET_V4 && strspn(slash + 1, "0123456789.") != strlen(slash + 1)))
			return false;
		length = UINT64_MAX;
	}
	for (unsigned i = 0; i < bytes && length != UINT64_MAX; i++) {
		unsigned left = length > i * 8u ? (unsigned)length - i * 8u : 0;
		mask[i] = (uint8_t)(left >= 8 ? 0xff : 0xff00u >> left);
	}
	return true;
}

bool parse_network(const char *text, uint8_t family, uint8_t *addr, uint8_t *mask)
{
	if (!parse_host_network(text, family, addr, mask))
		return false;
	for (unsigned i = 0; i < (family == NET_V6 ? 16u : 4u); i++)
		addr[i] &= mask[i];
	return true;
}

bool parse_proto(const char *text, uint8_t *out)
{
	uint64_t v;
	if (parse_u32(text, 255, &v)) {
		*out = (uint8_t)v;
		return true;
	}
	for (unsigned i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (strcasecmp(protocols[i].name, text) == 0) {
			*out = (uint8_t)protocols[i].number;
			return true;
		}
	}
	return false;
}

const char *print_proto(uint8_t proto)
{
	for (unsigned i = 1; i < sizeof protocols / sizeof *protocols; i++)
		if (protocols[i].number == proto)
			return protocols[i].name;
	return NULL;
}

struct net_addr addr_from(const uint8_t *bytes, uint8_t family)
{
	struct net_addr a = { .family = family };
	memcpy(a.bytes, bytes, family == NET_V6 ? 16 : 4);
	return a;
}

int mask_bits(const uint8_t *mask, uint8_t family)
{
	int total = family == NET_V6 ? 128 : 32, bits = 0;
	while (bits < total && (mask[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	for (int i = bits; i < total; i++)
		if (mask[i / 8] & (0x80 >> i % 8))
			return -1;
	return bits;
}
