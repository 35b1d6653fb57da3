/* linux/nft/types.c: data types, their names for values, and text to bytes and back.
 *
 * Names and forms are those of nft 1.0.6 (src/datatype.c, proto.c, ct.c, meta.c, fib.c).
 */
#include "linux/nft/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct nft_symbol protocols[] = {
	{ "ip", 0 }, { "icmp", 1 }, { "igmp", 2 }, { "ggp", 3 }, { "ipencap", 4 }, { "st", 5 },
	{ "tcp", 6 }, { "egp", 8 }, { "igp", 9 }, { "pup", 12 }, { "udp", 17 }, { "hmp", 20 },
	{ "xns-idp", 22 }, { "rdp", 27 }, { "iso-tp4", 29 }, { "dccp", 33 }, { "xtp", 36 },
	{ "ddp", 37 }, { "idpr-cmtp", 38 }, { "ipv6", 41 }, { "ipv6-route", 43 },
	{ "ipv6-frag", 44 }, { "idrp", 45 }, { "rsvp", 46 }, { "gre", 47 }, { "esp", 50 },
	{ "ah", 51 }, { "skip", 57 }, { "ipv6-icmp", 58 }, { "ipv6-nonxt", 59 },
	{ "ipv6-opts", 60 }, { "rspf", 73 }, { "vmtp", 81 }, { "eigrp", 88 }, { "ospf", 89 },
	{ "ax.25", 93 }, { "ipip", 94 }, { "etherip", 97 }, { "encap", 98 }, { "pim", 103 },
	{ "ipcomp", 108 }, { "vrrp", 112 }, { "l2tp", 115 }, { "isis", 124 }, { "sctp", 132 },
	{ "fc", 133 }, { "mobility-header", 135 }, { "udplite", 136 }, { "mpls-in-ip", 137 },
	{ "manet", 138 }, { "shim6", 139 }, { "wesp", 140 }, { "rohc", 141 }, { "icmpv6", 58 },
	{ "comp", 108 }, { NULL, 0 },
};

static const struct nft_symbol services[] = { /* read, not printed */
	{ "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "domain", 53 },
	{ "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 }, { "http", 80 }, { "www", 80 },
	{ "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 }, { "ntp", 123 }, { "imap2", 143 },
	{ "snmp", 161 }, { "bgp", 179 }, { "ldap", 389 }, { "https", 443 }, { "microsoft-ds", 445 },
	{ "syslog", 514 }, { "dhcpv6-client", 546 }, { "dhcpv6-server", 547 }, { "ldaps", 636 },
	{ "imaps", 993 }, { "pop3s", 995 }, { "nfs", 2049 }, { "mysql", 3306 },
	{ "postgresql", 5432 }, { "mdns", 5353 }, { "http-alt", 8080 }, { NULL, 0 },
};

static const struct nft_symbol ct_states[] = {
	{ "invalid", 1 }, { "established", 2 }, { "related", 4 }, { "new", 8 }, { "untracked", 64 },
	{ NULL, 0 },
};

static const struct nft_symbol ct_directions[] = {
	{ "original", 0 }, { "reply", 1 }, { NULL, 0 },
};

static const struct nft_symbol ct_statuses[] = {
	{ "expected", 1 }, { "seen-reply", 2 }, { "assured", 4 }, { "confirmed", 8 },
	{ "snat", 16 }, { "dnat", 32 }, { "dying", 512 }, { NULL, 0 },
};

static const struct nft_symbol fib_types[] = {
	{ "unspec", 0 }, { "unicast", 1 }, { "local", 2 }, { "broadcast", 3 }, { "anycast", 4 },
	{ "multicast", 5 }, { "blackhole", 6 }, { "unreachable", 7 }, { "prohibit", 8 },
	{ NULL, 0 },
};

static const struct nft_symbol packet_types[] = {
	{ "host", 0 }, { "unicast", 0 }, { "broadcast", 1 }, { "multicast", 2 }, { "other", 3 },
	{ NULL, 0 },
};

static const struct nft_symbol nfprotos[] = { { "ipv4", 2 }, { "ipv6", 10 }, { NULL, 0 } };

static const struct nft_symbol icmp_types[] = {
	{ "echo-reply", 0 }, { "destination-unreachable", 3 }, { "source-quench", 4 },
	{ "redirect", 5 }, { "echo-request", 8 }, { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 }, { "parameter-problem", 12 },
	{ "timestamp-request", 13 }, { "timestamp-reply", 14 }, { "info-request", 15 },
	{ "info-reply", 16 }, { "address-mask-request", 17 }, { "address-mask-reply", 18 },
	{ NULL, 0 },
};

static const struct nft_symbol icmpv6_types[] = {
	{ "destination-unreachable", 1 }, { "packet-too-big", 2 }, { "time-exceeded", 3 },
	{ "parameter-problem", 4 }, { "echo-request", 128 }, { "echo-reply", 129 },
	{ "mld-listener-query", 130 }, { "mld-listener-report", 131 },
	{ "mld-listener-done", 132 }, { "mld-listener-reduction", 132 },
	{ "nd-router-solicit", 133 }, { "nd-router-advert", 134 }, { "nd-neighbor-solicit", 135 },
	{ "nd-neighbor-advert", 136 }, { "nd-redirect", 137 }, { "router-renumbering", 138 },
	{ "ind-neighbor-solicit", 141 }, { "ind-neighbor-advert", 142 },
	{ "mld2-listener-report", 143 }, { NULL, 0 },
};

static const struct nft_symbol icmp_codes[] = {
	{ "net-unreachable", 0 }, { "host-unreachable", 1 }, { "prot-unreachable", 2 },
	{ "port-unreachable", 3 }, { "frag-needed", 4 }, { "net-prohibited", 9 },
	{ "host-prohibited", 10 }, { "admin-prohibited", 13 }, { NULL, 0 },
};

static const struct nft_symbol icmpv6_codes[] = {
	{ "no-route", 0 }, { "admin-prohibited", 1 }, { "addr-unreachable", 3 },
	{ "port-unreachable", 4 }, { "policy-fail", 5 }, { "reject-route", 6 }, { NULL, 0 },
};

static const struct nft_symbol icmpx_codes[] = {
	{ "no-route", 0 }, { "port-unreachable", 1 }, { "host-unreachable", 2 },
	{ "admin-prohibited", 3 }, { NULL, 0 },
};

static const struct nft_symbol tcp_flags[] = {
	{ "fin", 1 }, { "syn", 2 }, { "rst", 4 }, { "psh", 8 }, { "ack", 16 }, { "urg", 32 },
	{ "ecn", 64 }, { "cwr", 128 }, { NULL, 0 },
};

static const struct nft_symbol dscps[] = {
	{ "cs0", 0 }, { "cs1", 8 }, { "cs2", 16 }, { "cs3", 24 }, { "cs4", 32 }, { "cs5", 40 },
	{ "cs6", 48 }, { "cs7", 56 }, { "af11", 10 }, { "af12", 12 }, { "af13", 14 },
	{ "af21", 18 }, { "af22", 20 }, { "af23", 22 }, { "af31", 26 }, { "af32", 28 },
	{ "af33", 30 }, { "af41", 34 }, { "af42", 36 }, { "af43", 38 }, { "va", 44 },
	{ "ef", 46 }, { NULL, 0 },
};

static const struct nft_symbol ecns[] = {
	{ "not-ect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 }, { NULL, 0 },
};

static const struct nft_symbol ether_types[] = {
	{ "ip", 0x800 }, { "arp", 0x806 }, { "8021q", 0x8100 }, { "ip6", 0x86dd },
	{ "vlan", 0x8100 }, { NULL, 0 },
};

static const struct nft_symbol booleans[] = { { "missing", 0 }, { "exists", 1 }, { NULL, 0 } };

static const struct nft_symbol groups[] = { { "default", 0 }, { NULL, 0 } };

static const struct nft_type_info types[NT_COUNT] = {
	[NT_NONE] = { "", 0, false, false, false, 1, NULL },
	[NT_INTEGER] = { "integer", 0, false, false, false, 5, NULL },
	[NT_IPV4] = { "ipv4_addr", 4, false, false, false, 2, NULL },
	[NT_IPV6] = { "ipv6_addr", 16, false, false, false, 1, NULL },
	[NT_ETHER] = { "ether_addr", 6, false, false, false, 1, NULL },
	[NT_PROTO] = { "inet_proto", 1, false, false, false, 5, protocols },
	[NT_SERVICE] = { "inet_service", 2, false, false, false, 5, services },
	[NT_MARK] = { "mark", 4, true, false, true, 5, NULL },
	[NT_IFINDEX] = { "iface_index", 16, false, false, true, 5, NULL },
	[NT_IFNAME] = { "ifname", 16, false, false, true, 1, NULL },
	[NT_CT_STATE] = { "ct_state", 4, true, true, true, 5, ct_states },
	[NT_CT_DIR] = { "ct_dir", 1, false, false, true, 5, ct_directions },
	[NT_CT_STATUS] = { "ct_status", 4, true, true, true, 5, ct_statuses },
	[NT_FIB_TYPE] = { "fib_addrtype", 4, false, false, true, 5, fib_types },
	[NT_PKTTYPE] = { "pkt_type", 1, false, false, true, 5, packet_types },
	[NT_UID] = { "uid", 4, false, false, true, 5, NULL },
	[NT_GID] = { "gid", 4, false, false, true, 5, NULL },
	[NT_NFPROTO] = { "nf_proto", 1, false, false, true, 5, nfprotos },
	[NT_ICMP_TYPE] = { "icmp_type", 1, false, false, false, 1, icmp_types },
	[NT_ICMPV6_TYPE] = { "icmpv6_type", 1, false, false, false, 5, icmpv6_types },
	[NT_ICMP_CODE] = { "icmp_code", 1, false, false, false, 5, icmp_codes },
	[NT_ICMPV6_CODE] = { "icmpv6_code", 1, false, false, false, 5, icmpv6_codes },
	[NT_ICMPX_CODE] = { "icmpx_code", 1, false, false, false, 5, icmpx_codes },
	[NT_TCP_FLAG] = { "tcp_flag", 1, true, true, false, 5, tcp_flags },
	[NT_DSCP] = { "dscp", 1, true, false, false, 1, dscps },
	[NT_ECN] = { "ecn", 1, true, false, false, 1, ecns },
	[NT_ETHER_TYPE] = { "ether_type", 2, true, false, false, 5, ether_types },
	[NT_BOOLEAN] = { "boolean", 1, false, false, true, 5, booleans },
	[NT_DEVGROUP] = { "devgroup", 4, false, false, true, 5, groups },
	[NT_CLASSID] = { "classid", 4, true, false, true, 5, NULL },
	[NT_VERDICT] = { "verdict", 0, false, false, false, 1, NULL },
};

const struct nft_type_info *nft_type_info(enum nft_type type)
{
	return &types[type];
}

enum nft_type nft_type_by_name(const char *name, size_t length)
{
	for (unsigned i = NT_NONE + 1; i < NT_COUNT; i++)
		if (strlen(types[i].name) == length && memcmp(types[i].name, name, length) == 0)
			return (enum nft_type)i;
	return NT_NONE;
}

uint64_t nft_number(const uint8_t *value, unsigned bytes)
{
	uint64_t n = 0;
	for (unsigned i = bytes > 8 ? bytes - 8 : 0; i < bytes; i++)
		n = n << 8 | value[i];
	return n;
}

void nft_put_number(uint8_t *value, unsigned bytes, uint64_t number)
{
	for (unsigned i = bytes; i-- > 0; number >>= 8)
		value[i] = (uint8_t)number;
}

const char *nft_symbol_name(const struct nft_symbol *s, uint64_t value)
{
	for (; s && s->name; s++)
		if (s->value == value)
			return s->name;
	return NULL;
}

bool nft_symbol_value(const struct nft_symbol *s, const char *name, size_t length, uint32_t *value)
{
	for (; s && s->name; s++) {
		if (*s->name == *name && strncmp(s->name, name, length) == 0 && !s->name[length]) {
			*value = s->value;
			return true;
		}
	}
	return false;
}

/* ---- text to bytes ------------------------------------------------------------------- */

static unsigned hex_digit(unsigned char c)
{
	return (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
}

static bool parse_number(const char *text, size_t length, unsigned bytes, uint64_t *out)
{
	uint64_t n = 0, max = bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << bytes * 8) - 1;
	unsigned base = 10;
	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		length -= 2;
	}
	if (!length || length > 20)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned digit = isxdigit(c) ? hex_digit(c) : 16;
		if (digit >= base || n > (max - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return true;
}

static bool parse_address(uint8_t family, const char *text, size_t length, uint8_t *out)
{
	char copy[NET_ADDR_TEXT];
	struct net_addr a;
	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (!net_addr_parse(copy, &a) || a.family != family)
		return false;
	memcpy(out, a.bytes, family == NET_V6 ? 16 : 4);
	return true;
}

static bool parse_mac(const char *text, size_t length, uint8_t out[6])
{
	if (length != 17)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		const char *at = text + i * 3;
		char pair[3] = { at[0], at[1], '\0' };
		unsigned v;
		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
		    (i < 5 && at[2] != ':') || sscanf(pair, "%x", &v) != 1)
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

static bool classid_number(const char *text, size_t length, uint8_t out[4])
{
	uint64_t number;
	bool ok = parse_number(text, length, 4, &number);
	if (ok)
		nft_put_number(out, 4, number);
	return ok;
}

/* tc's handles: "1:2", "none", "root". */
static bool parse_classid(const char *text, size_t length, uint8_t out[4])
{
	const char *colon = memchr(text, ':', length);
	uint64_t major = 0, minor = 0;
	if (length == 4 && memcmp(text, "none", 4) == 0)
		return true;
	if (length == 4 && memcmp(text, "root", 4) == 0) {
		nft_put_number(out, 4, UINT32_MAX);
		return true;
	}
	if (!colon || length >= 16)
		return classid_number(text, length, out);
	for (const char *at = text; at < text + length; at++) {
		unsigned char c = (unsigned char)*at;
		uint64_t *half = at < colon ? &major : &minor;
		if (at != colon && !isxdigit(c))
			return false;
		if (at != colon)
			*half = *half << 4 | hex_digit(c);
	}
	if (major > UINT16_MAX || minor > UINT16_MAX)
		return false;
	nft_put_number(out, 4, major << 16 | minor);
	return true;
}

bool nft_value_parse(enum nft_type type, const char *text, size_t length, unsigned bytes,
		     uint8_t out[NFT_VALUE])
{
	uint32_t symbol;
	uint64_t number;
	memset(out, 0, NFT_VALUE);
	switch (type) {
	case NT_IPV4:
		return parse_address(NET_V4, text, length, out);
	case NT_IPV6:
		return parse_address(NET_V6, text, length, out);
	case NT_ETHER:
		return parse_mac(text, length, out);
	case NT_CLASSID:
		return parse_classid(text, length, out);
	case NT_IFINDEX:
	case NT_IFNAME:
		if (!length || length >= NFT_VALUE)
			return false;
		memcpy(out, text, length);
		return true;
	default:
		break;
	}
	if (nft_symbol_value(types[type].symbols, text, length, &symbol))
		number = symbol;
	else if (type == NT_UID && length == 4 && memcmp(text, "root", 4) == 0)
		number = 0;
	else if (!parse_number(text, length, bytes, &number))
		return false;
	if (((type == NT_DSCP && number > 63) || (type == NT_ECN && number > 3)) ||
	    (bytes < 4 && number >> bytes * 8))
		return false;
	nft_put_number(out, bytes, number);
	return true;
}

/* ---- bytes to text --------------------------------------------------------------------- */

void nft_flags_print(enum nft_type type, const uint8_t *value, unsigned bytes, const char *between,
		     struct strbuf *out)
{
	uint64_t number = nft_number(value, bytes);
	const char *comma = "";
	if (!number) {
		strbuf_puts(out, type == NT_TCP_FLAG ? "0x0" : "0");
		return;
	}
	for (const struct nft_symbol *s = types[type].symbols; s->name; s++) {
		if (!(number & s->value))
			continue;
		strbuf_printf(out, "%s%s", comma, s->name);
		comma = between;
		number &= ~(uint64_t)s->value;
	}
	if (number)
		strbuf_printf(out, "%s0x%llx", comma, (unsigned long long)number);
}

static void print_name(const uint8_t *value, struct strbuf *out)
{
	strbuf_printf(out, "\"%.15s\"", (const char *)value);
}

void nft_value_print(enum nft_type type, const uint8_t *value, unsigned bytes, struct strbuf *out)
{
	struct net_addr a = { .family = type == NT_IPV6 ? NET_V6 : NET_V4 };
	char text[NET_ADDR_TEXT];
	uint64_t number = nft_number(value, bytes);
	const char *name = type == NT_SERVICE ? NULL : nft_symbol_name(types[type].symbols, number);
	switch (type) {
	case NT_IPV4:
	case NT_IPV6:
		memcpy(a.bytes, value, bytes > 16 ? 16 : bytes);
		strbuf_puts(out, net_addr_text(&a, text));
		return;
	case NT_ETHER:
		strbuf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", value[0], value[1], value[2],
			      value[3], value[4], value[5]);
		return;
	case NT_IFINDEX:
		if (isdigit(value[0]))
			strbuf_printf(out, "%.15s", (const char *)value);
		else
			print_name(value, out);
		return;
	case NT_IFNAME:
		print_name(value, out);
		return;
	case NT_CLASSID:
		if (number == 0 || number == UINT32_MAX)
			strbuf_puts(out, number ? "root" : "none");
		else
			strbuf_printf(out, "%x:%x", (unsigned)(number >> 16),
				      (unsigned)number & 0xffff);
		return;
	default:
		break;
	}
	if (name)
		strbuf_puts(out, name);
	else if (types[type].flags)
		nft_flags_print(type, value, bytes, " | ", out);
	else if (types[type].hex)
		strbuf_printf(out, "0x%0*llx", (int)bytes * 2, (unsigned long long)number);
	else
		strbuf_printf(out, "%llu", (unsigned long long)number);
}

int nft_prefix_of(const uint8_t *low, const uint8_t *high, unsigned bytes)
{
	unsigned bits = 0, total = bytes * 8;
	while (bits < total && ((low[bits / 8] ^ high[bits / 8]) & (0x80 >> bits % 8)) == 0)
		bits++;
	for (unsigned i = bits; i < total; i++)
		if ((low[i / 8] & (0x80 >> i % 8)) || !(high[i / 8] & (0x80 >> i % 8)))
			return -1;
	return (int)bits;
}

void nft_range_print(enum nft_type type, const uint8_t *low, const uint8_t *high, unsigned bytes,
		     struct strbuf *out)
{
	int bits;
	if (memcmp(low, high, bytes) == 0) {
		nft_value_print(type, low, bytes, out);
		return;
	}
	bits = nft_prefix_of(low, high, bytes);
	if (bits >= 0 && type == NT_IFNAME && bits % 8 == 0) {
		strbuf_printf(out, "\"%.*s*\"", bits / 8, (const char *)low);
		return;
	}
	nft_value_print(type, low, bytes, out);
	if (bits >= 0 && (type == NT_IPV4 || type == NT_IPV6)) {
		strbuf_printf(out, "/%d", bits);
		return;
	}
	strbuf_putc(out, '-');
	nft_value_print(type, high, bytes, out);
}

/* ---- times ------------------------------------------------------------------------------- */

struct unit {
	const char *name;
	uint64_t ms;
};

static const struct unit units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

void nft_time_print(uint64_t ms, struct strbuf *out)
{
	if (!ms)
		strbuf_puts(out, "0s");
	for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
		if (ms / units[i].ms)
			strbuf_printf(out, "%llu%s", (unsigned long long)(ms / units[i].ms),
				      units[i].name);
		ms %= units[i].ms;
	}
}

bool nft_time_parse(const char *text, size_t length, uint64_t *ms)
{
	const char *end = text + length;
	uint64_t sum = 0;
	if (!length)
		return false;
	while (text < end) {
		uint64_t n = 0;
		size_t digits = 0, letters = 0;
		const struct unit *unit = NULL;
		while (text + digits < end && isdigit((unsigned char)text[digits]) && digits < 10)
			n = n * 10 + (unsigned)(text[digits++] - '0');
		if (!digits)
			return false;
		text += digits;
		while (text + letters < end && isalpha((unsigned char)text[letters]))
			letters++;
		for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
			if (strlen(units[i].name) == letters &&
			    memcmp(units[i].name, text, letters) == 0)
				unit = &units[i];
		if (!letters && text == end)
			unit = &units[3];
		if (!unit)
			return false;
		sum += n * unit->ms;
		text += letters;
	}
	*ms = sum;
	return true;
}
