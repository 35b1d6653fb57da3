/* linux/xtables/match_mark.c: mark and connmark. */
#include "linux/xtables/internal.h"

#include "linux/conntrack.h"
#include "linux/xtables/match.h"

static int mark_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	struct xt_mark *m = (struct xt_mark *)(void *)&b->u;
	(void)id;
	(void)second;
	m->head.invert = invert;
	if (parse_mark(value, &m->value, &m->mask))
		return 0;
	return xt_complain(p, "%s: bad integer value for option \"--mark\", or out of range.",
			   b->ext->name);
}

static int mark_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen)
		return 0;
	return xt_complain(p, "%s: option \"--mark\" must be specified", b->ext->name);
}

static void mark_value(const struct xt_record *r, struct strbuf *out)
{
	const struct xt_mark *m = (const struct xt_mark *)r;
	strbuf_printf(out, " 0x%x", m->value);
	if (m->mask != UINT32_MAX)
		strbuf_printf(out, "/0x%x", m->mask);
}

static void mark_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, r->invert ? " ! --mark" : " --mark");
	mark_value(r, out);
}

/* The blank before a connmark that is not negated is iptables' own. */
static void mark_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	bool conn = r->kind == XT_M_CONNMARK;
	(void)family;
	strbuf_puts(out, conn ? " connmark match" : " mark match");
	strbuf_puts(out, r->invert ? " !" : conn ? " " : "");
	mark_value(r, out);
}

static enum xt_answer mark_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_mark *m = (const struct xt_mark *)r;
	uint32_t mark = e->packet->mark;
	(void)s;
	if (r->kind == XT_M_CONNMARK) {
		if (!e->packet->ct)
			return XT_NO;
		mark = ct_mark(e->packet);
	}
	return ((mark & m->mask) == m->value) != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option mark_options[] = {
	{ "mark", 0, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_mark = {
	.name = "mark", .kind = XT_M_MARK, .families = 3, .size = sizeof(struct xt_mark),
	.options = mark_options, .option = mark_option, .finish = mark_finish,
	.print = mark_print, .list = mark_list, .match = mark_match,
};

const struct xt_extension xt_match_connmark = {
	.name = "connmark", .kind = XT_M_CONNMARK, .families = 3, .size = sizeof(struct xt_mark),
	.options = mark_options, .option = mark_option, .finish = mark_finish,
	.print = mark_print, .list = mark_list, .match = mark_match,
};
