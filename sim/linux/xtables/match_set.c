/* linux/xtables/match_set.c: set (ipset) and ipvs. */
#include "linux/xtables/internal.h"

#include <stdlib.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/ipset.h"
#include "linux/ipvs/ipvs.h"
#include "linux/xtables/match.h"

/* --- set */

enum { OPT_MATCH_SET, OPT_NOMATCH, OPT_UPDATE, OPT_SUBUPDATE, OPT_PACKETS_EQ, OPT_PACKETS_LT,
       OPT_PACKETS_GT, OPT_BYTES_EQ, OPT_BYTES_LT, OPT_BYTES_GT };
#define SET_NAME_MAX 31u
#define SET_DIMENSIONS 6u

struct xt_set { /* head.flags: bit per option given */
	struct xt_record head;
	uint64_t packets, bytes;
	uint16_t inverts; /* bit per option */
	uint8_t dimensions, source; /* source: bit per dimension */
	uint8_t pad[4];
	char name[];
};

const char *match_set_name(const struct xt_record *r)
{
	return ((const struct xt_set *)r)->name;
}

static int set_flags(struct xt_parse *p, struct xt_set *t, const char *text)
{
	for (const char *s = text;; s++) {
		size_t n = strcspn(s, ",");
		bool src = n == 3 && strncmp(s, "src", 3) == 0;
		if (!src && !(n == 3 && strncmp(s, "dst", 3) == 0))
			return xt_complain(p, "You must spefify (the comma separated list of) "
					      "'src' or 'dst', not `%s'", text);
		if (t->dimensions == SET_DIMENSIONS)
			return xt_complain(p, "Can't be more src/dst options than %u",
					   SET_DIMENSIONS);
		if (src)
			t->source |= (uint8_t)(1u << t->dimensions);
		t->dimensions++;
		s += n;
		if (!*s)
			return 0;
	}
}

static int set_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_set *t = (struct xt_set *)(void *)&b->u;
	t->head.flags |= 1u << id;
	if (invert)
		t->inverts |= (uint16_t)(1u << id);
	if (id == OPT_MATCH_SET) {
		if (!plain_word(value) || !build_text(b, sizeof *t, value, SET_NAME_MAX))
			return xt_complain(p, "setname `%s' too long, max %u characters.", value,
					   SET_NAME_MAX);
		if (p->x->ns && !ipset_find(netns_ipset(p->x->ns), value))
			return xt_complain(p, "Set %s doesn't exist.", value);
		return set_flags(p, t, second);
	}
	if (id < OPT_PACKETS_EQ)
		return 0;
	uint64_t *to = id < OPT_BYTES_EQ ? &t->packets : &t->bytes;
	uint32_t same = id < OPT_BYTES_EQ ? 7u << OPT_PACKETS_EQ : 7u << OPT_BYTES_EQ;
	if (b->seen & same & ~(1u << id))
		return xt_complain(p, "set: only one of -eq, -lt, -gt may be given");
	if (!parse_u32(value, UINT64_MAX, to))
		return xt_complain(p, "set: bad number `%s'", value);
	return 0;
}

static int set_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen & 1u << OPT_MATCH_SET)
		return 0;
	return xt_complain(p, "You must specify `--match-set' with proper arguments");
}

static void set_counter(const struct xt_set *t, const char *name, unsigned first, uint64_t value,
			const char *dash, struct strbuf *out)
{
	static const char *const how[] = { "eq", "lt", "gt" };
	for (unsigned i = 0; i < 3; i++)
		if (t->head.flags & 1u << (first + i))
			strbuf_printf(out, "%s %s%s-%s %llu",
				      t->inverts & 1u << (first + i) ? " !" : "", dash, name,
				      how[i], (unsigned long long)value);
}

static void set_text(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	const struct xt_set *t = (const struct xt_set *)r;
	strbuf_printf(out, "%s %smatch-set %s", t->inverts & 1u << OPT_MATCH_SET ? " !" : "", dash,
		      t->name);
	for (unsigned i = 0; i < t->dimensions; i++)
		strbuf_printf(out, "%s%s", i ? "," : " ", t->source & 1u << i ? "src" : "dst");
	if (r->flags & 1u << OPT_NOMATCH)
		strbuf_printf(out, " %sreturn-nomatch", dash);
	if (t->inverts & 1u << OPT_UPDATE)
		strbuf_printf(out, " ! %supdate-counters", dash);
	if (t->inverts & 1u << OPT_SUBUPDATE)
		strbuf_printf(out, " ! %supdate-subcounters", dash);
	set_counter(t, "packets", OPT_PACKETS_EQ, t->packets, dash, out);
	set_counter(t, "bytes", OPT_BYTES_EQ, t->bytes, dash, out);
}

static void set_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	set_text(r, "--", out);
}

static void set_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	set_text(r, "", out);
}

static enum xt_answer set_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_set *t = (const struct xt_set *)r;
	const struct ipset *set = ipset_find(netns_ipset(e->ns), t->name);
	(void)s;
	if (r->flags & ~(1u << OPT_MATCH_SET | 1u << OPT_UPDATE | 1u << OPT_SUBUPDATE)) {
		e->undecided = "counters of set members and nomatch answers are not modelled";
		return XT_UNDECIDED;
	}
	e->x->set_lookups++;
	if (e->packet->trace)
		e->packet->trace->set_lookups++;
	/* A set with more dimensions than the rule names never matches (ip_set_test). */
	bool in = set && ipset_dimensions(set) <= t->dimensions &&
		  ipset_match(set, e->packet, t->source, e->now_ns);
	return in != !!(t->inverts & 1u << OPT_MATCH_SET) ? XT_YES : XT_NO;
}

static const struct xt_option set_options[] = {
	{ "match-set", OPT_MATCH_SET, XT_VALUE | XT_SECOND | XT_NEGATES },
	{ "return-nomatch", OPT_NOMATCH, 0 },
	{ "update-counters", OPT_UPDATE, XT_NEGATES },
	{ "update-subcounters", OPT_SUBUPDATE, XT_NEGATES },
	{ "packets-eq", OPT_PACKETS_EQ, XT_VALUE | XT_NEGATES },
	{ "packets-lt", OPT_PACKETS_LT, XT_VALUE }, { "packets-gt", OPT_PACKETS_GT, XT_VALUE },
	{ "bytes-eq", OPT_BYTES_EQ, XT_VALUE | XT_NEGATES },
	{ "bytes-lt", OPT_BYTES_LT, XT_VALUE }, { "bytes-gt", OPT_BYTES_GT, XT_VALUE },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_set = {
	.name = "set", .kind = XT_M_SET, .families = 3, .size = sizeof(struct xt_set) + 1,
	.options = set_options, .option = set_option, .finish = set_finish, .print = set_print,
	.list = set_list, .match = set_match,
};

/* --- ipvs */

enum { OPT_IPVS, OPT_VPROTO, OPT_VADDR, OPT_VPORT, OPT_VDIR, OPT_VMETHOD, OPT_VPORTCTL };

struct xt_ipvs { /* head.flags: bit per option given; head.invert: same bits */
	struct xt_record head;
	uint8_t addr[16], mask[16];
	uint16_t port, port_ctl;
	uint8_t proto, reply, method, pad;
};

static const char *const methods[] = { "GATE", "IPIP", "MASQ" };

static int ipvs_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	struct xt_ipvs *t = (struct xt_ipvs *)(void *)&b->u;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->head.invert |= (uint8_t)(1u << id);
	switch (id) {
	case OPT_VPROTO:
		if (parse_proto(value, &t->proto))
			return 0;
		return xt_complain(p, "unknown protocol \"%s\" specified", value);
	case OPT_VADDR:
		if (parse_host_network(value, p->x->family, t->addr, t->mask))
			return 0;
		return xt_complain(p, "host/network `%s' not found", value);
	case OPT_VPORT:
	case OPT_VPORTCTL:
		if (parse_port(value, id == OPT_VPORT ? &t->port : &t->port_ctl))
			return 0;
		return xt_complain(p, "invalid port/service `%s' specified", value);
	case OPT_VDIR:
		if (strcasecmp(value, "ORIGINAL") != 0 && strcasecmp(value, "REPLY") != 0)
			return xt_complain(p, "ipvs: bad value for option \"--vdir\": `%s'", value);
		t->reply = strcasecmp(value, "REPLY") == 0;
		return 0;
	case OPT_VMETHOD:
		for (unsigned i = 0; i < 3; i++) {
			if (strcasecmp(value, methods[i]) == 0) {
				t->method = (uint8_t)i;
				return 0;
			}
		}
		return xt_complain(p, "ipvs: bad value for option \"--vmethod\": `%s'", value);
	default:
		return 0;
	}
}

static int ipvs_finish(struct xt_parse *p, struct xt_build *b)
{
	if (!b->seen)
		return xt_complain(p, "IPVS: At least one option is required");
	if (b->seen == 1u << OPT_IPVS)
		return 0;
	if (b->u.head.invert & 1u << OPT_IPVS)
		return xt_complain(p, "! --ipvs cannot be together with other options");
	b->u.head.flags &= ~(1u << OPT_IPVS); /* the others imply it */
	return 0;
}

static void ipvs_text(const struct xt_record *r, uint8_t family, const char *dash,
		      struct strbuf *out)
{
	const struct xt_ipvs *t = (const struct xt_ipvs *)r;
	for (unsigned i = OPT_IPVS; i <= OPT_VPORTCTL; i++) {
		if (!(r->flags & 1u << i))
			continue;
		if (r->invert & 1u << i && i != OPT_VDIR)
			strbuf_puts(out, " !");
		strbuf_printf(out, " %s", dash);
		if (i == OPT_IPVS)
			strbuf_puts(out, "ipvs");
		else if (i == OPT_VPROTO)
			strbuf_printf(out, "vproto %u", t->proto);
		else if (i == OPT_VADDR)
			strbuf_puts(out, "vaddr ");
		else if (i == OPT_VPORT)
			strbuf_printf(out, "vport %u", t->port);
		else if (i == OPT_VDIR)
			strbuf_printf(out, "vdir %s", t->reply ? "REPLY" : "ORIGINAL");
		else if (i == OPT_VMETHOD)
			strbuf_printf(out, "vmethod %s", methods[t->method]);
		else
			strbuf_printf(out, "vportctl %u", t->port_ctl);
		if (i == OPT_VADDR)
			print_network(out, t->addr, t->mask, family, false);
	}
}

static void ipvs_rule_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	ipvs_text(r, family, "--", out);
}

static void ipvs_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	ipvs_text(r, family, "", out);
}

static bool same_network(const struct xt_ipvs *t, const struct net_addr *a)
{
	for (unsigned i = 0; i < (a->family == NET_V6 ? 16u : 4u); i++)
		if ((a->bytes[i] ^ t->addr[i]) & t->mask[i])
			return false;
	return true;
}

/* Whether an option that was given holds, its negation counted in. */
static bool holds(const struct xt_record *r, unsigned option, bool so)
{
	return !(r->flags & 1u << option) || so != ((r->invert & 1u << option) != 0);
}

/* As ipvs_mt of xt_ipvs.c: a packet that IPVS did not handle matches only "! --ipvs"; the
 * other options ask for the connection to whose server the packet goes. */
static enum xt_answer ipvs_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	/* Forwarding methods in the order of `methods`. */
	static const uint8_t method_of[] = { 2, 0, 1 };
	const struct xt_ipvs *t = (const struct xt_ipvs *)r;
	struct ipvs_virtual v;
	(void)s;
	if (r->flags == 1u << OPT_IPVS)
		return (e->packet->ipvs != NULL) != ((r->invert & 1u << OPT_IPVS) != 0) ? XT_YES : XT_NO;
	if (!e->packet->ipvs || !ipvs_packet_virtual(e->packet, &v))
		return XT_NO;
	bool ok = holds(r, OPT_VPROTO, v.proto == t->proto) &&
		  holds(r, OPT_VADDR, same_network(t, &v.addr)) && holds(r, OPT_VPORT, v.port == t->port) &&
		  holds(r, OPT_VDIR, ct_is_reply(e->packet) == t->reply) &&
		  holds(r, OPT_VMETHOD, method_of[v.method] == t->method) &&
		  holds(r, OPT_VPORTCTL, false); /* no connection here is controlled by another port */
	return ok ? XT_YES : XT_NO;
}

static const struct xt_option ipvs_options[] = {
	{ "ipvs", OPT_IPVS, XT_NEGATES }, { "vproto", OPT_VPROTO, XT_VALUE | XT_NEGATES },
	{ "vaddr", OPT_VADDR, XT_VALUE | XT_NEGATES },
	{ "vport", OPT_VPORT, XT_VALUE | XT_NEGATES }, { "vdir", OPT_VDIR, XT_VALUE },
	{ "vmethod", OPT_VMETHOD, XT_VALUE | XT_NEGATES },
	{ "vportctl", OPT_VPORTCTL, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_ipvs = {
	.name = "ipvs", .kind = XT_M_IPVS, .families = 3, .size = sizeof(struct xt_ipvs),
	.options = ipvs_options, .option = ipvs_option, .finish = ipvs_finish,
	.print = ipvs_rule_print, .list = ipvs_list, .match = ipvs_match,
};
