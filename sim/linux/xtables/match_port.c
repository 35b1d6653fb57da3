/* linux/xtables/match_port.c: tcp, udp, sctp, multiport, icmp, icmp6. */
#include "linux/xtables/internal.h"

#include <stdlib.h>
#include <string.h>

#include "linux/xtables/match.h"

enum { OPT_SPORT, OPT_DPORT, OPT_FLAGS, OPT_SYN, OPT_OPTION, OPT_CHUNKS };

/* A closed interval, negated or not. */
static bool port_in(const uint16_t range[2], uint16_t port, bool invert)
{
	return (port >= range[0] && port <= range[1]) != invert;
}

static void ports_print(struct strbuf *out, const char *name, const uint16_t range[2], bool invert)
{
	if (range[0] == 0 && range[1] == UINT16_MAX && !invert)
		return;
	strbuf_printf(out, "%s --%s %u", invert ? " !" : "", name, range[0]);
	if (range[0] != range[1])
		strbuf_printf(out, ":%u", range[1]);
}

static void ports_list(struct strbuf *out, const char *name, const uint16_t range[2], bool invert)
{
	if (range[0] == 0 && range[1] == UINT16_MAX && !invert)
		return;
	const char *bang = invert ? "!" : "";
	if (range[0] == range[1])
		strbuf_printf(out, " %s:%s%u", name, bang, range[0]);
	else
		strbuf_printf(out, " %ss:%s%u:%u", name, bang, range[0], range[1]);
}

static int need_proto(struct xt_parse *p, const char *match, uint8_t proto)
{
	if (parse_rule_proto(p) == proto)
		return 0;
	return xt_complain(p, "%s: the match works with `-p %s' only", match, print_proto(proto));
}

/* --- tcp */

static const char *const flag_names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };

static bool parse_flags(const char *text, uint8_t *out)
{
	*out = 0;
	for (const char *s = text;; s++) {
		size_t n = strcspn(s, ",");
		bool found = false;
		for (unsigned i = 0; i < 6 && !found; i++) {
			found = strlen(flag_names[i]) == n && strncasecmp(s, flag_names[i], n) == 0;
			if (found)
				*out |= (uint8_t)(1u << i);
		}
		if (!found && n == 3 && strncasecmp(s, "ALL", 3) == 0)
			*out = 0x3f;
		else if (!found && !(n == 4 && strncasecmp(s, "NONE", 4) == 0))
			return false;
		s += n;
		if (!*s)
			return true;
	}
}

static void flags_text(struct strbuf *out, uint8_t flags)
{
	const char *comma = " ";
	for (unsigned i = 0; i < 6; i++) {
		if (flags & 1u << i) {
			strbuf_printf(out, "%s%s", comma, flag_names[i]);
			comma = ",";
		}
	}
	if (!flags)
		strbuf_puts(out, " NONE");
}

static void tcp_init(struct xt_record *r)
{
	struct xt_ports *t = (struct xt_ports *)r;
	t->src[1] = t->dst[1] = UINT16_MAX;
}

static int tcp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_tcp *t = (struct xt_tcp *)(void *)&b->u;
	uint64_t number;
	if (invert)
		t->ports.head.invert |= (uint8_t)(1u << (id == OPT_SYN ? OPT_FLAGS : id));
	switch (id) {
	case OPT_SPORT:
		return parse_ports(p, value, &t->ports.src[0], &t->ports.src[1]);
	case OPT_DPORT:
		return parse_ports(p, value, &t->ports.dst[0], &t->ports.dst[1]);
	case OPT_OPTION:
		if (!parse_u32(value, 255, &number) || !number)
			return xt_complain(p, "Bad TCP option `%s'", value);
		t->option = (uint8_t)number;
		return 0;
	case OPT_SYN:
		t->mask = TCP_SYN | TCP_RST | TCP_ACK | TCP_FIN;
		t->wanted = TCP_SYN;
		return 0;
	default:
		if (!parse_flags(value, &t->mask))
			return xt_complain(p, "Unknown TCP flag `%s'", value);
		if (!parse_flags(second, &t->wanted))
			return xt_complain(p, "Unknown TCP flag `%s'", second);
		return 0;
	}
}

static int tcp_finish(struct xt_parse *p, struct xt_build *b)
{
	(void)b;
	return need_proto(p, "tcp", PROTO_TCP);
}

static void tcp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_tcp *t = (const struct xt_tcp *)r;
	(void)family;
	ports_print(out, "sport", t->ports.src, r->invert & 1u << OPT_SPORT);
	ports_print(out, "dport", t->ports.dst, r->invert & 1u << OPT_DPORT);
	if (t->option)
		strbuf_printf(out, "%s --tcp-option %u", r->invert & 1u << OPT_OPTION ? " !" : "",
			      t->option);
	if (!t->mask && !(r->invert & 1u << OPT_FLAGS))
		return;
	strbuf_printf(out, "%s --tcp-flags", r->invert & 1u << OPT_FLAGS ? " !" : "");
	flags_text(out, t->mask);
	flags_text(out, t->wanted);
}

static void tcp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_tcp *t = (const struct xt_tcp *)r;
	(void)family;
	strbuf_puts(out, " tcp");
	ports_list(out, "spt", t->ports.src, r->invert & 1u << OPT_SPORT);
	ports_list(out, "dpt", t->ports.dst, r->invert & 1u << OPT_DPORT);
	if (t->option)
		strbuf_printf(out, " option=%s%u", r->invert & 1u << OPT_OPTION ? "!" : "",
			      t->option);
	if (t->mask || (r->invert & 1u << OPT_FLAGS))
		strbuf_printf(out, " flags:%s0x%02X/0x%02X",
			      r->invert & 1u << OPT_FLAGS ? "!" : "", t->mask, t->wanted);
}

/* Whether the TCP header carries the option. */
static bool tcp_has_option(const struct packet *p, uint8_t wanted)
{
	const uint8_t *h = p->bytes + p->l4;
	uint32_t end = (uint32_t)(h[12] >> 4) * 4, have = p->length - p->l4;
	if (end > have)
		end = have;
	for (uint32_t i = 20; i < end;) {
		if (h[i] == wanted)
			return true;
		if (h[i] < 2)
			i++;
		else
			i += i + 1 < end && h[i + 1] ? h[i + 1] : 1;
	}
	return false;
}

static bool has_l4(const struct packet *p, uint8_t proto)
{
	return p->proto == proto && p->l4 && !p->fragment;
}

static bool ports_match(const struct xt_record *r, const struct packet *p)
{
	const struct xt_ports *t = (const struct xt_ports *)r;
	return port_in(t->src, packet_src_port(p), r->invert & 1u << OPT_SPORT) &&
	       port_in(t->dst, packet_dst_port(p), r->invert & 1u << OPT_DPORT);
}

static enum xt_answer tcp_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_tcp *t = (const struct xt_tcp *)r;
	const struct packet *p = e->packet;
	(void)s;
	if (!has_l4(p, PROTO_TCP) || !ports_match(r, p))
		return XT_NO;
	bool flags = (packet_tcp_flags(p) & t->mask) == t->wanted;
	if (flags == !!(r->invert & 1u << OPT_FLAGS))
		return XT_NO;
	if (t->option &&
	    tcp_has_option(p, t->option) == !!(r->invert & 1u << OPT_OPTION))
		return XT_NO;
	return XT_YES;
}

#define PORT_OPTIONS                                                                           \
	{ "source-port", OPT_SPORT, XT_VALUE | XT_NEGATES },                                   \
	{ "sport", OPT_SPORT, XT_VALUE | XT_NEGATES },                                         \
	{ "destination-port", OPT_DPORT, XT_VALUE | XT_NEGATES },                              \
	{ "dport", OPT_DPORT, XT_VALUE | XT_NEGATES }

static const struct xt_option tcp_options[] = {
	PORT_OPTIONS,
	{ "syn", OPT_SYN, XT_NEGATES },
	{ "tcp-flags", OPT_FLAGS, XT_VALUE | XT_NEGATES | XT_SECOND },
	{ "tcp-option", OPT_OPTION, XT_VALUE | XT_NEGATES },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_tcp = {
	.name = "tcp", .kind = XT_M_TCP, .families = 3, .size = sizeof(struct xt_tcp),
	.options = tcp_options, .init = tcp_init, .option = tcp_option, .finish = tcp_finish,
	.print = tcp_print, .list = tcp_list, .match = tcp_match,
};

/* --- udp */

static int udp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_ports *t = (struct xt_ports *)(void *)&b->u;
	uint16_t *range = id == OPT_SPORT ? t->src : t->dst;
	(void)second;
	if (invert)
		t->head.invert |= (uint8_t)(1u << id);
	return parse_ports(p, value, &range[0], &range[1]);
}

static int udp_finish(struct xt_parse *p, struct xt_build *b)
{
	(void)b;
	return need_proto(p, "udp", PROTO_UDP);
}

static void udp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_ports *t = (const struct xt_ports *)r;
	(void)family;
	ports_print(out, "sport", t->src, r->invert & 1u << OPT_SPORT);
	ports_print(out, "dport", t->dst, r->invert & 1u << OPT_DPORT);
}

static void udp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_ports *t = (const struct xt_ports *)r;
	(void)family;
	strbuf_puts(out, " udp");
	ports_list(out, "spt", t->src, r->invert & 1u << OPT_SPORT);
	ports_list(out, "dpt", t->dst, r->invert & 1u << OPT_DPORT);
}

static enum xt_answer udp_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	(void)s;
	return has_l4(e->packet, PROTO_UDP) && ports_match(r, e->packet) ? XT_YES : XT_NO;
}

static const struct xt_option udp_options[] = { PORT_OPTIONS, { NULL, 0, 0 } };

const struct xt_extension xt_match_udp = {
	.name = "udp", .kind = XT_M_UDP, .families = 3, .size = sizeof(struct xt_ports),
	.options = udp_options, .init = tcp_init, .option = udp_option, .finish = udp_finish,
	.print = udp_print, .list = udp_list, .match = udp_match,
};

/* --- multiport */

enum { OPT_PORTS = 2 };

static int multiport_option(struct xt_parse *p, struct xt_build *b, uint8_t id,
			    const char *value, const char *second, bool invert)
{
	struct xt_multiport *m = (struct xt_multiport *)(void *)&b->u;
	char one[64];
	(void)second;
	if (m->count)
		return xt_complain(p, "multiport: only one of --sports, --dports, --ports");
	m->head.flags = id;
	m->head.invert = invert;
	for (const char *s = value;; s++) {
		size_t n = strcspn(s, ",");
		if (n >= sizeof one)
			return xt_complain(p, "invalid port/service `%s' specified", s);
		memcpy(one, s, n);
		one[n] = '\0';
		if (m->count == XT_MULTIPORTS ||
		    (strchr(one, ':') && m->count + 2 > XT_MULTIPORTS))
			return xt_complain(p, "too many ports specified");
		char *colon = strchr(one, ':');
		if (colon)
			*colon = '\0';
		if (!parse_port(one, &m->ports[m->count]) ||
		    (colon && !parse_port(colon + 1, &m->ports[m->count + 1])))
			return xt_complain(p, "invalid port/service `%s' specified", one);
		if (colon && m->ports[m->count] >= m->ports[m->count + 1])
			return xt_complain(p, "invalid portrange specified");
		if (colon)
			m->ranges |= (uint16_t)(1u << m->count);
		m->count = (uint16_t)(m->count + (colon ? 2 : 1));
		s += n;
		if (!*s)
			return 0;
	}
}

static int multiport_finish(struct xt_parse *p, struct xt_build *b)
{
	const struct xt_multiport *m = (const struct xt_multiport *)(const void *)&b->u;
	uint8_t proto = parse_rule_proto(p);
	if (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP && proto != 136 &&
	    proto != 33)
		return xt_complain(p, "multiport needs `-p tcp', `-p udp', `-p udplite', "
				      "`-p sctp' or `-p dccp'");
	return m->count ? 0 : xt_complain(p, "multiport expection an option");
}

static void multiport_ports(const struct xt_multiport *m, struct strbuf *out)
{
	for (unsigned i = 0; i < m->count; i++)
		strbuf_printf(out, "%s%u",
			      i == 0 ? "" : m->ranges & 1u << (i - 1) ? ":" : ",", m->ports[i]);
}

static const char *const multiport_names[] = { "sports", "dports", "ports" };

static void multiport_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, "%s --%s ", r->invert ? " !" : "", multiport_names[r->flags]);
	multiport_ports((const struct xt_multiport *)r, out);
}

static void multiport_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " multiport %s %s", multiport_names[r->flags], r->invert ? " !" : "");
	multiport_ports((const struct xt_multiport *)r, out);
}

static bool multiport_has(const struct xt_multiport *m, uint16_t port)
{
	for (unsigned i = 0; i < m->count; i++) {
		bool range = m->ranges & 1u << i;
		uint16_t high = m->ports[range ? i + 1 : i];
		if (port >= m->ports[i] && port <= high)
			return true;
		i += range;
	}
	return false;
}

static enum xt_answer multiport_match(struct xt_eval *e, const struct xt_record *r,
				      union xt_state *s)
{
	const struct xt_multiport *m = (const struct xt_multiport *)r;
	const struct packet *p = e->packet;
	(void)s;
	if (!p->l4 || p->fragment)
		return XT_NO;
	uint32_t which = r->flags;
	bool found = (which != (uint32_t)OPT_DPORT && multiport_has(m, packet_src_port(p))) ||
		     (which != (uint32_t)OPT_SPORT && multiport_has(m, packet_dst_port(p)));
	return found != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option multiport_options[] = {
	{ "source-ports", OPT_SPORT, XT_VALUE | XT_NEGATES },
	{ "sports", OPT_SPORT, XT_VALUE | XT_NEGATES },
	{ "destination-ports", OPT_DPORT, XT_VALUE | XT_NEGATES },
	{ "dports", OPT_DPORT, XT_VALUE | XT_NEGATES },
	{ "ports", OPT_PORTS, XT_VALUE | XT_NEGATES },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_multiport = {
	.name = "multiport", .kind = XT_M_MULTIPORT, .families = 3,
	.size = sizeof(struct xt_multiport), .options = multiport_options,
	.option = multiport_option, .finish = multiport_finish, .print = multiport_print,
	.list = multiport_list, .match = multiport_match,
};
