/* linux/xtables/match_conntrack.c: conntrack (all options) and its alias state. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/conntrack.h"
#include "linux/xtables/match.h"

enum { OPT_STATE, OPT_PROTO, OPT_ORIGSRC, OPT_ORIGDST, OPT_REPLSRC, OPT_REPLDST, OPT_ORIGSPORT,
       OPT_ORIGDPORT, OPT_REPLSPORT, OPT_REPLDPORT, OPT_STATUS, OPT_EXPIRE, OPT_DIR };

enum { STATUS_EXPECTED = 1, STATUS_SEEN_REPLY = 2, STATUS_ASSURED = 4, STATUS_CONFIRMED = 8 };

/* Written only as far as the options need: a rule with nothing but states ends after
 * `states` (XT_CT_SHORT bytes). head.flags: bit per option given; inverts: `inverts`. */
struct xt_ct {
	struct xt_record head;
	uint16_t inverts;
	uint8_t states, status;
	uint8_t proto, pad[3];
	uint8_t addr[4][16], mask[4][16]; /* orig src, orig dst, repl src, repl dst */
	uint16_t ports[4][2];
	uint32_t expire[2];
};
#define XT_CT_SHORT 16u

struct bit_name {
	const char *name;
	uint8_t bit;
};

/* In the order in which iptables-save prints them. */
static const struct bit_name state_names[] = {
	{ "INVALID", CT_INVALID }, { "NEW", CT_NEW }, { "RELATED", CT_RELATED },
	{ "ESTABLISHED", CT_ESTABLISHED }, { "UNTRACKED", CT_UNTRACKED }, { "SNAT", CT_SNAT },
	{ "DNAT", CT_DNAT }, { NULL, 0 },
};

static const struct bit_name status_names[] = {
	{ "EXPECTED", STATUS_EXPECTED }, { "SEEN_REPLY", STATUS_SEEN_REPLY },
	{ "ASSURED", STATUS_ASSURED }, { "CONFIRMED", STATUS_CONFIRMED }, { NULL, 0 },
};

static int parse_bits(struct xt_parse *p, const char *text, const struct bit_name *names,
		      const char *what, uint8_t *out)
{
	for (const char *s = text;; s++) {
		size_t n = strcspn(s, ",");
		unsigned i = 0;
		while (names[i].name && (strlen(names[i].name) != n ||
					 strncasecmp(names[i].name, s, n) != 0))
			i++;
		if (names[i].name)
			*out |= names[i].bit;
		else if (names != status_names || n != 4 || strncasecmp(s, "NONE", 4) != 0)
			return xt_complain(p, "Bad %s \"%.*s\"", what, (int)n, s);
		s += n;
		if (!*s)
			return 0;
	}
}

static void print_bits(struct strbuf *out, const struct bit_name *names, uint8_t bits)
{
	const char *comma = " ";
	for (unsigned i = 0; names[i].name; i++) {
		if (bits & names[i].bit) {
			strbuf_printf(out, "%s%s", comma, names[i].name);
			comma = ",";
		}
	}
	if (!bits)
		strbuf_puts(out, " NONE");
}

static int ct_address(struct xt_parse *p, struct xt_ct *t, unsigned which, const char *value)
{
	if (parse_host_network(value, p->x->family, t->addr[which], t->mask[which]))
		return 0;
	return xt_complain(p, "host/network `%s' not found", value);
}

static int ct_expire(struct xt_parse *p, struct xt_ct *t, const char *value)
{
	char low[24];
	size_t n = strcspn(value, ":");
	uint64_t a = 0, b = UINT32_MAX;
	if (n >= sizeof low)
		return xt_complain(p, "conntrack rejects ctexpire `%s'", value);
	memcpy(low, value, n);
	low[n] = '\0';
	if ((n && !parse_u32(low, UINT32_MAX, &a)) ||
	    (value[n] && value[n + 1] && !parse_u32(value + n + 1, UINT32_MAX, &b)) ||
	    (!n && !value[n]))
		return xt_complain(p, "conntrack rejects ctexpire `%s'", value);
	t->expire[0] = (uint32_t)a;
	t->expire[1] = (uint32_t)(value[n] ? b : a);
	return 0;
}

static int ct_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		     const char *second, bool invert)
{
	struct xt_ct *t = (struct xt_ct *)(void *)&b->u;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->inverts |= (uint16_t)(1u << id);
	if (id != OPT_STATE && id != OPT_STATUS && id != OPT_DIR)
		t->head.size = sizeof *t;
	switch (id) {
	case OPT_STATE:
		return parse_bits(p, value, state_names,
				  b->ext->kind == XT_M_STATE ? "state" : "ctstate", &t->states);
	case OPT_STATUS:
		return parse_bits(p, value, status_names, "ctstatus", &t->status);
	case OPT_PROTO:
		if (!parse_proto(value, &t->proto))
			return xt_complain(p, "unknown protocol \"%s\" specified", value);
		if (invert && !t->proto)
			return xt_complain(p, "conntrack: rule would never match protocol");
		return 0;
	case OPT_ORIGSRC:
	case OPT_ORIGDST:
	case OPT_REPLSRC:
	case OPT_REPLDST:
		return ct_address(p, t, (unsigned)id - OPT_ORIGSRC, value);
	case OPT_EXPIRE:
		return ct_expire(p, t, value);
	case OPT_DIR:
		if (strcasecmp(value, "ORIGINAL") == 0)
			return 0;
		if (strcasecmp(value, "REPLY") != 0)
			return xt_complain(p, "conntrack rejects ctdir `%s'", value);
		t->inverts |= 1u << OPT_DIR;
		return 0;
	default:
		return parse_ports(p, value, &t->ports[id - OPT_ORIGSPORT][0],
				   &t->ports[id - OPT_ORIGSPORT][1]);
	}
}

static int ct_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen)
		return 0;
	if (b->ext->kind == XT_M_STATE)
		return xt_complain(p, "state: option \"--state\" must be specified");
	return xt_complain(p, "conntrack: At least one option is required");
}

static void ct_addresses(const struct xt_ct *t, uint8_t family, const char *dash,
			 struct strbuf *out)
{
	static const char *const names[] = { "ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst" };
	for (unsigned i = 0; i < 4; i++) {
		if (!(t->head.flags & 1u << (OPT_ORIGSRC + i)))
			continue;
		strbuf_printf(out, "%s %s%s ", t->inverts & 1u << (OPT_ORIGSRC + i) ? " !" : "",
			      dash, names[i]);
		print_network(out, t->addr[i], t->mask[i], family, false);
	}
}

static void ct_text(const struct xt_record *r, uint8_t family, const char *dash,
		    struct strbuf *out)
{
	static const char *const ports[] = { "ctorigsrcport", "ctorigdstport", "ctreplsrcport",
					     "ctrepldstport" };
	const struct xt_ct *t = (const struct xt_ct *)r;
	uint32_t has = r->flags;
	if (has & 1u << OPT_STATE) {
		strbuf_printf(out, "%s %s%s", t->inverts & 1u << OPT_STATE ? " !" : "", dash,
			      r->kind == XT_M_STATE ? "state" : "ctstate");
		print_bits(out, state_names, t->states);
	}
	if (has & 1u << OPT_PROTO)
		strbuf_printf(out, "%s %sctproto %u", t->inverts & 1u << OPT_PROTO ? " !" : "",
			      dash, t->proto);
	ct_addresses(t, family, dash, out);
	for (unsigned i = 0; i < 4; i++) {
		if (!(has & 1u << (OPT_ORIGSPORT + i)))
			continue;
		strbuf_printf(out, "%s %s%s %u", t->inverts & 1u << (OPT_ORIGSPORT + i) ? " !" : "",
			      dash, ports[i], t->ports[i][0]);
		if (t->ports[i][0] != t->ports[i][1])
			strbuf_printf(out, ":%u", t->ports[i][1]);
	}
	if (has & 1u << OPT_STATUS) {
		strbuf_printf(out, "%s %sctstatus", t->inverts & 1u << OPT_STATUS ? " !" : "",
			      dash);
		print_bits(out, status_names, t->status);
	}
	if (has & 1u << OPT_EXPIRE) {
		strbuf_printf(out, "%s %sctexpire %u", t->inverts & 1u << OPT_EXPIRE ? " !" : "",
			      dash, t->expire[0]);
		if (t->expire[0] != t->expire[1])
			strbuf_printf(out, ":%u", t->expire[1]);
	}
	if (has & 1u << OPT_DIR)
		strbuf_printf(out, " %sctdir %s", dash,
			      t->inverts & 1u << OPT_DIR ? "REPLY" : "ORIGINAL");
}

static void ct_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	ct_text(r, family, "--", out);
}

static void ct_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	ct_text(r, family, "", out);
}

static bool same_network(const uint8_t *addr, const uint8_t *mask, const struct net_addr *a)
{
	unsigned bytes = a->family == NET_V6 ? 16 : 4;
	for (unsigned i = 0; i < bytes; i++)
		if ((a->bytes[i] ^ addr[i]) & mask[i])
			return false;
	return true;
}

/* xt_conntrack.c, conntrack_mt. */
static bool ct_tuple_match(const struct xt_ct *t, const struct flow_key *orig,
			   const struct flow_key *reply)
{
	const struct net_addr *addr[4] = { &orig->src, &orig->dst, &reply->src, &reply->dst };
	const uint16_t port[4] = { orig->src_port, orig->dst_port, reply->src_port,
				   reply->dst_port };
	uint32_t has = t->head.flags;
	for (unsigned i = 0; i < 4; i++) {
		unsigned bit = OPT_ORIGSRC + i;
		if ((has & 1u << bit) && same_network(t->addr[i], t->mask[i], addr[i]) ==
						 !!(t->inverts & 1u << bit))
			return false;
	}
	if ((has & 1u << OPT_PROTO) &&
	    (orig->proto == t->proto) == !!(t->inverts & 1u << OPT_PROTO))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		unsigned bit = OPT_ORIGSPORT + i;
		bool in = port[i] >= t->ports[i][0] && port[i] <= t->ports[i][1];
		if ((has & 1u << bit) && in == !!(t->inverts & 1u << bit))
			return false;
	}
	return true;
}

static enum xt_answer ct_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_ct *t = (const struct xt_ct *)r;
	const struct packet *p = e->packet;
	struct flow_key orig, reply;
	(void)s;
	if (r->flags & 1u << OPT_STATE) {
		bool in = t->states & ct_state(p);
		if (in == !!(t->inverts & 1u << OPT_STATE))
			return XT_NO;
	}
	if ((r->flags & ~(1u << OPT_STATE)) == 0)
		return XT_YES;
	if (!ct_tuples(p, &orig, &reply))
		return r->flags & 1u << OPT_STATE ? XT_YES : XT_NO;
	if ((r->flags & 1u << OPT_DIR) && ct_is_reply(p) != !!(t->inverts & 1u << OPT_DIR))
		return XT_NO;
	if (r->size > XT_CT_SHORT && !ct_tuple_match(t, &orig, &reply))
		return XT_NO;
	/* The bits of ct_status are those of the kernel's IPS_*. */
	if ((r->flags & 1u << OPT_STATUS) &&
	    !!(t->status & ct_status(p)) == !!(t->inverts & 1u << OPT_STATUS))
		return XT_NO;
	if (r->flags & 1u << OPT_EXPIRE) {
		uint32_t left = ct_expires_s(p);
		bool in = left >= t->expire[0] && left <= t->expire[1];
		if (in == !!(t->inverts & 1u << OPT_EXPIRE))
			return XT_NO;
	}
	return XT_YES;
}

static void ct_init(struct xt_record *r)
{
	r->size = XT_CT_SHORT;
}

static const struct xt_option ct_options[] = {
	{ "ctstate", OPT_STATE, XT_VALUE | XT_NEGATES },
	{ "ctproto", OPT_PROTO, XT_VALUE | XT_NEGATES },
	{ "ctorigsrc", OPT_ORIGSRC, XT_VALUE | XT_NEGATES },
	{ "ctorigdst", OPT_ORIGDST, XT_VALUE | XT_NEGATES },
	{ "ctreplsrc", OPT_REPLSRC, XT_VALUE | XT_NEGATES },
	{ "ctrepldst", OPT_REPLDST, XT_VALUE | XT_NEGATES },
	{ "ctorigsrcport", OPT_ORIGSPORT, XT_VALUE | XT_NEGATES },
	{ "ctorigdstport", OPT_ORIGDPORT, XT_VALUE | XT_NEGATES },
	{ "ctreplsrcport", OPT_REPLSPORT, XT_VALUE | XT_NEGATES },
	{ "ctrepldstport", OPT_REPLDPORT, XT_VALUE | XT_NEGATES },
	{ "ctstatus", OPT_STATUS, XT_VALUE | XT_NEGATES },
	{ "ctexpire", OPT_EXPIRE, XT_VALUE | XT_NEGATES },
	{ "ctdir", OPT_DIR, XT_VALUE },
	{ NULL, 0, 0 },
};

static const struct xt_option state_options[] = {
	{ "state", OPT_STATE, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_conntrack = {
	.name = "conntrack", .kind = XT_M_CONNTRACK, .families = 3, .size = sizeof(struct xt_ct),
	.options = ct_options, .init = ct_init, .option = ct_option, .finish = ct_finish,
	.print = ct_print, .list = ct_list, .match = ct_match,
};

const struct xt_extension xt_match_state = {
	.name = "state", .kind = XT_M_STATE, .families = 3, .size = sizeof(struct xt_ct),
	.options = state_options, .init = ct_init, .option = ct_option, .finish = ct_finish,
	.print = ct_print, .list = ct_list, .match = ct_match,
};
