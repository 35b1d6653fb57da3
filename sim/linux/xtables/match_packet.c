/* linux/xtables/match_packet.c: comment, addrtype, mac, tos, dscp. */
#include "linux/xtables/internal.h"

#include <stdio.h>
#include <string.h>

#include "linux/xtables/match.h"

/* --- comment */

#define XT_COMMENT_MAX 255u

static int comment_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			  const char *second, bool invert)
{
	(void)id;
	(void)second;
	(void)invert;
	if (build_text(b, sizeof(struct xt_text), value, XT_COMMENT_MAX))
		return 0;
	return xt_complain(p, "comment: Argument must have a maximum length of %u characters.",
			   XT_COMMENT_MAX);
}

static int comment_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "comment: option \"--comment\" must be specified");
}

static void comment_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, " --comment");
	print_quoted(out, ((const struct xt_text *)r)->text);
}

static void comment_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " /* %s */", ((const struct xt_text *)r)->text);
}

static enum xt_answer comment_match(struct xt_eval *e, const struct xt_record *r,
				    union xt_state *s)
{
	(void)e;
	(void)r;
	(void)s;
	return XT_YES;
}

static const struct xt_option comment_options[] = {
	{ "comment", 0, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_comment = {
	.name = "comment", .kind = XT_M_COMMENT, .families = 3, .size = sizeof(struct xt_text) + 1,
	.options = comment_options, .option = comment_option, .finish = comment_finish,
	.print = comment_print, .list = comment_list, .match = comment_match,
};

/* --- addrtype */

enum { OPT_SRC, OPT_DST, OPT_IFACE_IN, OPT_IFACE_OUT };

struct xt_addrtype {
	struct xt_record head; /* flags: options given; invert: same bits */
	uint16_t src, dst;     /* bit per type, in the kernel's order */
	uint32_t pad;
};

static const char *const type_names[] = { "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST",
					  "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
					  "THROW", "NAT", "XRESOLVE" };
#define TYPES (sizeof type_names / sizeof *type_names)

static int addrtype_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			   const char *second, bool invert)
{
	struct xt_addrtype *t = (struct xt_addrtype *)(void *)&b->u;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->head.invert |= (uint8_t)(1u << id);
	if (id >= OPT_IFACE_IN)
		return 0;
	for (const char *s = value;; s++) {
		size_t n = strcspn(s, ",");
		unsigned i = 0;
		while (i < TYPES && (strlen(type_names[i]) != n ||
				     strncasecmp(type_names[i], s, n) != 0))
			i++;
		if (i == TYPES)
			return xt_complain(p, "addrtype: bad type `%s'", value);
		*(id == OPT_SRC ? &t->src : &t->dst) |= (uint16_t)(1u << i);
		s += n;
		if (!*s)
			return 0;
	}
}

static int addrtype_finish(struct xt_parse *p, struct xt_build *b)
{
	uint32_t has = b->u.head.flags;
	if (!(has & (1u << OPT_SRC | 1u << OPT_DST)))
		return xt_complain(p, "addrtype: you must specify --src-type or --dst-type");
	if ((has & 1u << OPT_IFACE_IN) && (has & 1u << OPT_IFACE_OUT))
		return xt_complain(p, "addrtype: you can't specify both --limit-iface-in and "
				      "--limit-iface-out");
	return 0;
}

static void types_text(struct strbuf *out, uint16_t types)
{
	const char *comma = "";
	for (unsigned i = 0; i < TYPES; i++) {
		if (types & 1u << i) {
			strbuf_printf(out, "%s%s", comma, type_names[i]);
			comma = ",";
		}
	}
}

static void addrtype_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_addrtype *t = (const struct xt_addrtype *)r;
	(void)family;
	for (unsigned i = 0; i < 2; i++) {
		if (!(r->flags & 1u << i))
			continue;
		strbuf_printf(out, "%s --%s-type ", r->invert & 1u << i ? " !" : "",
			      i == OPT_SRC ? "src" : "dst");
		types_text(out, i == OPT_SRC ? t->src : t->dst);
	}
	if (r->flags & 1u << OPT_IFACE_IN)
		strbuf_puts(out, " --limit-iface-in");
	if (r->flags & 1u << OPT_IFACE_OUT)
		strbuf_puts(out, " --limit-iface-out");
}

static void addrtype_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_addrtype *t = (const struct xt_addrtype *)r;
	(void)family;
	strbuf_puts(out, " ADDRTYPE match");
	for (unsigned i = 0; i < 2; i++) {
		if (!(r->flags & 1u << i))
			continue;
		strbuf_printf(out, " %s-type %s", i == OPT_SRC ? "src" : "dst",
			      r->invert & 1u << i ? "!" : "");
		types_text(out, i == OPT_SRC ? t->src : t->dst);
	}
	if (r->flags & 1u << OPT_IFACE_IN)
		strbuf_puts(out, " limit-in");
	if (r->flags & 1u << OPT_IFACE_OUT)
		strbuf_puts(out, " limit-out");
}

/* Bit of each type, in the kernel's order (RTN_*). */
enum { TYPE_UNSPEC = 1, TYPE_UNICAST = 2, TYPE_LOCAL = 4, TYPE_BROADCAST = 8, TYPE_ANYCAST = 16,
       TYPE_MULTICAST = 32, TYPE_UNREACHABLE = 128 };

static bool type4_in(const struct netns *ns, const struct net_addr *a, uint16_t types,
		     uint16_t ifindex)
{
	switch (netns_addr_type_on(ns, a, ifindex)) {
	case ADDR_UNSPEC:
		return types & TYPE_UNSPEC;
	case ADDR_LOCAL:
		return types & TYPE_LOCAL;
	case ADDR_BROADCAST:
		return types & TYPE_BROADCAST;
	case ADDR_MULTICAST:
		return types & TYPE_MULTICAST;
	default: /* only the local table is asked */
		return types & TYPE_UNICAST;
	}
}

/* IPv6 asks the address itself first, and the routes only for some types (match_type6):
 * a local address is unicast as well. */
static bool type6_in(const struct netns *ns, const struct net_addr *a, uint16_t types,
		     uint16_t ifindex)
{
	static const struct net_addr unspecified = { .family = NET_V6 };
	struct route_result route;
	bool multicast = net_addr_is_multicast(a), any = net_addr_equal(a, &unspecified);
	if ((types & TYPE_MULTICAST && !multicast) || (types & TYPE_UNSPEC && !any) ||
	    (types & TYPE_UNICAST && (multicast || any)))
		return false;
	if (!(types & (TYPE_LOCAL | TYPE_ANYCAST | TYPE_UNREACHABLE)))
		return true;
	if (types & TYPE_LOCAL && netns_addr_type_on(ns, a, ifindex) == ADDR_LOCAL)
		return true;
	return types & TYPE_UNREACHABLE &&
	       (!netns_route(ns, a, NULL, 0, &route) ||
		(route.kind != ROUTE_UNICAST && route.kind != ROUTE_LOCAL));
}

static enum xt_answer addrtype_match(struct xt_eval *e, const struct xt_record *r,
				     union xt_state *s)
{
	const struct xt_addrtype *t = (const struct xt_addrtype *)r;
	const struct packet *p = e->packet;
	const struct net_addr addr[2] = { packet_src(p), packet_dst(p) };
	const uint16_t types[2] = { t->src, t->dst };
	uint16_t ifindex = r->flags & 1u << OPT_IFACE_IN ? p->in_if :
			   r->flags & 1u << OPT_IFACE_OUT ? p->out_if : 0;
	(void)s;
	for (unsigned i = 0; i < 2; i++) {
		if (!(r->flags & 1u << i))
			continue;
		bool in = (addr[i].family == NET_V6 ? type6_in : type4_in)(e->ns, &addr[i], types[i],
									   ifindex);
		if (in == !!(r->invert & 1u << i))
			return XT_NO;
	}
	return XT_YES;
}

static const struct xt_option addrtype_options[] = {
	{ "src-type", OPT_SRC, XT_VALUE | XT_NEGATES },
	{ "dst-type", OPT_DST, XT_VALUE | XT_NEGATES },
	{ "limit-iface-in", OPT_IFACE_IN, 0 }, { "limit-iface-out", OPT_IFACE_OUT, 0 },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_addrtype = {
	.name = "addrtype", .kind = XT_M_ADDRTYPE, .families = 3,
	.size = sizeof(struct xt_addrtype), .options = addrtype_options,
	.option = addrtype_option, .finish = addrtype_finish, .print = addrtype_print,
	.list = addrtype_list, .match = addrtype_match,
};

/* --- mac */

struct xt_mac {
	struct xt_record head;
	struct net_mac mac;
	uint16_t pad;
};

static int mac_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_mac *m = (struct xt_mac *)(void *)&b->u;
	unsigned v[6];
	int end = 0;
	(void)id;
	(void)second;
	m->head.invert = invert;
	if (strlen(value) != 17 || strspn(value, "0123456789abcdefABCDEF:") != 17 ||
	    sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
		   &end) != 6 || end != 17)
		return xt_complain(p, "mac: Invalid MAC address specified.");
	for (unsigned i = 0; i < 6; i++)
		m->mac.bytes[i] = (uint8_t)v[i];
	return 0;
}

static int mac_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "mac: option \"--mac-source\" must be specified");
}

static void mac_text(struct strbuf *out, const struct xt_record *r)
{
	const uint8_t *m = ((const struct xt_mac *)r)->mac.bytes;
	strbuf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void mac_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, r->invert ? " ! --mac-source " : " --mac-source ");
	mac_text(out, r);
}

static void mac_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, r->invert ? " MAC ! " : " MAC ");
	mac_text(out, r);
}

/* Packets of local processes have no source MAC yet: no match, negated or not. */
static enum xt_answer mac_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct packet *p = e->packet;
	(void)s;
	if (!p->in_if || p->in_if == 1)
		return XT_NO;
	bool same = memcmp(p->bytes + 6, ((const struct xt_mac *)r)->mac.bytes, 6) == 0;
	return same != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option mac_options[] = {
	{ "mac-source", 0, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_mac = {
	.name = "mac", .kind = XT_M_MAC, .families = 3, .size = sizeof(struct xt_mac),
	.options = mac_options, .option = mac_option, .finish = mac_finish, .print = mac_print,
	.list = mac_list, .match = mac_match,
};

/* --- tos, dscp: flags hold value << 8 | mask, or the code point */

static int tos_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_tos_value v;
	(void)id;
	(void)second;
	b->u.head.invert = invert;
	if (!parse_tos(value, &v))
		return xt_complain(p, "tos: bad value for option \"--tos\": `%s'", value);
	b->u.head.flags = (uint32_t)v.value << 8 | v.mask;
	return 0;
}

static int tos_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "tos: option \"--tos\" must be specified");
}

static void tos_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, "%s --tos 0x%02x/0x%02x", r->invert ? " !" : "", r->flags >> 8,
		      r->flags & 255);
}

static void tos_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " tos match%s0x%02x/0x%02x", r->invert ? "!" : "", r->flags >> 8,
		      r->flags & 255);
}

static enum xt_answer tos_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	(void)s;
	bool same = (packet_tos(e->packet) & (r->flags & 255)) == r->flags >> 8;
	return same != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option tos_options[] = {
	{ "tos", 0, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_tos = {
	.name = "tos", .kind = XT_M_TOS, .families = 3, .size = sizeof(struct xt_record),
	.options = tos_options, .option = tos_option, .finish = tos_finish, .print = tos_print,
	.list = tos_list, .match = tos_match,
};

static int dscp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	uint8_t code;
	(void)second;
	b->u.head.invert = invert;
	if (!(id ? parse_dscp_class(value, &code) : parse_dscp(value, &code)))
		return xt_complain(p, "dscp: bad value for option \"--dscp%s\": `%s'",
				   id ? "-class" : "", value);
	b->u.head.flags = code;
	return 0;
}

static int dscp_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "DSCP match: Parameter --dscp is required");
}

static void dscp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, "%s --dscp 0x%02x", r->invert ? " !" : "", r->flags);
}

static void dscp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " DSCP match %s0x%02x", r->invert ? "!" : "", r->flags);
}

static enum xt_answer dscp_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	(void)s;
	bool same = packet_tos(e->packet) >> 2 == r->flags;
	return same != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option dscp_options[] = {
	{ "dscp", 0, XT_VALUE | XT_NEGATES }, { "dscp-class", 1, XT_VALUE | XT_NEGATES },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_dscp = {
	.name = "dscp", .kind = XT_M_DSCP, .families = 3, .size = sizeof(struct xt_record),
	.options = dscp_options, .option = dscp_option, .finish = dscp_finish,
	.print = dscp_print, .list = dscp_list, .match = dscp_match,
};
