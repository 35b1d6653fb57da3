/* linux/xtables/match_recent.c: -m recent, over linux/recent.h. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/recent.h"
#include "linux/xtables/match.h"

enum { OPT_SET, OPT_RCHECK, OPT_UPDATE, OPT_REMOVE, OPT_SECONDS, OPT_REAP, OPT_HITCOUNT,
       OPT_RTTL, OPT_NAME, OPT_MASK, OPT_RSOURCE, OPT_RDEST };

#define RECENT_NAME_MAX 199u
#define RECENT_HITCOUNT_MAX 65535u

struct xt_recent_rule { /* head.flags: bit per option given */
	struct xt_record head;
	uint8_t mask[16];
	uint32_t seconds;
	uint16_t hitcount;
	uint8_t action; /* enum recent_action */
	uint8_t pad;
	char name[];
};

const char *match_recent_name(const struct xt_record *r)
{
	return ((const struct xt_recent_rule *)r)->name;
}

uint32_t match_recent_hitcount(const struct xt_record *r)
{
	return ((const struct xt_recent_rule *)r)->hitcount;
}

static void recent_init(struct xt_record *r)
{
	struct xt_recent_rule *t = (struct xt_recent_rule *)r;
	memset(t->mask, 0xff, sizeof t->mask);
	memcpy(t->name, "DEFAULT", sizeof "DEFAULT");
	r->size = (uint16_t)(sizeof *t + sizeof "DEFAULT");
}

static int recent_mask(struct xt_parse *p, struct xt_recent_rule *t, const char *value)
{
	uint8_t full[16];
	memset(t->mask, 0, sizeof t->mask);
	if (strchr(value, '/') || !parse_network(value, p->x->family, t->mask, full))
		return xt_complain(p, "recent: bad value for option \"--mask\": `%s'", value);
	return 0;
}

static int recent_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			 const char *second, bool invert)
{
	struct xt_recent_rule *t = (struct xt_recent_rule *)(void *)&b->u;
	uint64_t v;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->head.invert = 1;
	switch (id) {
	case OPT_SET:
	case OPT_RCHECK:
	case OPT_UPDATE:
	case OPT_REMOVE:
		if (b->seen & 15u & ~(1u << id))
			return xt_complain(p, "recent: only one of `--set', `--rcheck' "
					      "`--update' or `--remove' may be set");
		t->action = id;
		return 0;
	case OPT_SECONDS:
		if (!parse_u32(value, UINT32_MAX, &v) || !v)
			return xt_complain(p, "recent: bad value for option \"--seconds\", or out "
					      "of range (1-4294967295).");
		t->seconds = (uint32_t)v;
		return 0;
	case OPT_HITCOUNT:
		if (!parse_u32(value, RECENT_HITCOUNT_MAX - 1, &v))
			return xt_complain(p, "recent: bad value for option \"--hitcount\", or "
					      "out of range.");
		t->hitcount = (uint16_t)v;
		return 0;
	case OPT_NAME:
		if (plain_word(value) && !strchr(value, '/') &&
		    build_text(b, sizeof *t, value, RECENT_NAME_MAX))
			return 0;
		return xt_complain(p, "recent: bad value for option \"--name\": `%s'", value);
	case OPT_MASK:
		return recent_mask(p, t, value);
	default:
		return 0;
	}
}

static int recent_finish(struct xt_parse *p, struct xt_build *b)
{
	uint32_t has = b->seen;
	if (p->x->family == NET_V4)
		memset(((struct xt_recent_rule *)(void *)&b->u)->mask + 4, 0, 12);
	if (!(has & 15u))
		return xt_complain(p, "recent: you must specify one of `--set', `--rcheck' "
				      "`--update' or `--remove'");
	if ((has & 1u << OPT_REAP) && !(has & 1u << OPT_SECONDS))
		return xt_complain(p, "recent: option \"--reap\" also requires \"--seconds\".");
	if ((has & (1u << OPT_SET | 1u << OPT_REMOVE)) &&
	    (has & (1u << OPT_SECONDS | 1u << OPT_HITCOUNT)))
		return xt_complain(p, "recent: --seconds and --hitcount work with --rcheck and "
				      "--update only");
	return 0;
}

static void recent_rule_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	static const char *const actions[] = { "set", "rcheck", "update", "remove" };
	const struct xt_recent_rule *t = (const struct xt_recent_rule *)r;
	struct net_addr mask = addr_from(t->mask, family);
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "%s --%s", r->invert ? " !" : "", actions[t->action]);
	if (t->seconds)
		strbuf_printf(out, " --seconds %u", t->seconds);
	if (r->flags & 1u << OPT_REAP)
		strbuf_puts(out, " --reap");
	if (t->hitcount)
		strbuf_printf(out, " --hitcount %u", t->hitcount);
	if (r->flags & 1u << OPT_RTTL)
		strbuf_puts(out, " --rttl");
	strbuf_printf(out, " --name %s --mask %s", t->name, net_addr_text(&mask, text));
	strbuf_puts(out, r->flags & 1u << OPT_RDEST ? " --rdest" : " --rsource");
}

static void recent_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	static const char *const actions[] = { "SET", "CHECK", "UPDATE", "REMOVE" };
	const struct xt_recent_rule *t = (const struct xt_recent_rule *)r;
	struct net_addr mask = addr_from(t->mask, family);
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "%s recent: %s", r->invert ? " !" : "", actions[t->action]);
	if (t->seconds)
		strbuf_printf(out, " seconds: %u", t->seconds);
	if (r->flags & 1u << OPT_REAP)
		strbuf_puts(out, " reap");
	if (t->hitcount)
		strbuf_printf(out, " hit_count: %u", t->hitcount);
	if (r->flags & 1u << OPT_RTTL)
		strbuf_puts(out, " TTL-Match");
	strbuf_printf(out, " name: %s side: %s mask: %s", t->name,
		      r->flags & 1u << OPT_RDEST ? "dest" : "source", net_addr_text(&mask, text));
}

/* A forwarded packet counts with the TTL that it came in with (xt_recent.c). */
static enum xt_answer recent_rule_match(struct xt_eval *e, const struct xt_record *r,
					union xt_state *s)
{
	const struct xt_recent_rule *t = (const struct xt_recent_rule *)r;
	const struct packet *p = e->packet;
	struct net_addr addr = r->flags & 1u << OPT_RDEST ? packet_dst(p) : packet_src(p);
	struct recent_query q = { (enum recent_action)t->action, t->seconds, t->hitcount,
				  r->flags & 1u << OPT_REAP, r->flags & 1u << OPT_RTTL,
				  r->invert };
	uint8_t ttl = packet_ttl(p);
	(void)s;
	for (unsigned i = 0; i < 16; i++)
		addr.bytes[i] &= t->mask[i];
	if (p->out_if && !p->owner_sock && ttl < 255)
		ttl++;
	return recent_match(e->x->recent, t->name, &q, &addr, ttl, e->now_ns) ? XT_YES : XT_NO;
}

static const struct xt_option recent_options[] = {
	{ "set", OPT_SET, XT_NEGATES }, { "rcheck", OPT_RCHECK, XT_NEGATES },
	{ "update", OPT_UPDATE, XT_NEGATES }, { "remove", OPT_REMOVE, XT_NEGATES },
	{ "seconds", OPT_SECONDS, XT_VALUE }, { "reap", OPT_REAP, 0 },
	{ "hitcount", OPT_HITCOUNT, XT_VALUE }, { "rttl", OPT_RTTL, 0 },
	{ "name", OPT_NAME, XT_VALUE }, { "mask", OPT_MASK, XT_VALUE },
	{ "rsource", OPT_RSOURCE, 0 }, { "rdest", OPT_RDEST, 0 }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_recent = {
	.name = "recent", .kind = XT_M_RECENT, .families = 3, .impure = true,
	.size = sizeof(struct xt_recent_rule) + 200, .options = recent_options,
	.init = recent_init, .option = recent_option, .finish = recent_finish,
	.print = recent_rule_print, .list = recent_list, .match = recent_rule_match,
};
