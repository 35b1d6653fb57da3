/* linux/xtables/target_mark.c: MARK, CONNMARK, CT and its alias NOTRACK. */
#include "linux/xtables/internal.h"

#include <stdio.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/xtables/match.h"

/* --- MARK: mark = (mark & ~mask) ^ value, as revision 2 of xt_MARK */

enum { OPT_XMARK, OPT_SET, OPT_AND, OPT_OR, OPT_XOR, OPT_SAVE, OPT_RESTORE, OPT_MASK, OPT_NFMASK,
       OPT_CTMASK };

static int set_option(struct xt_parse *p, struct xt_mark *m, uint8_t id, const char *value)
{
	uint32_t v, mask;
	bool slash = id == OPT_XMARK || id == OPT_SET;
	if (!parse_mark(value, &v, &mask) || (!slash && strchr(value, '/')))
		return xt_complain(p, "bad mark value `%s'", value);
	switch (id) {
	case OPT_XMARK:
		*m = (struct xt_mark){ m->head, v, mask };
		break;
	case OPT_SET:
		*m = (struct xt_mark){ m->head, v, v | mask };
		break;
	case OPT_AND:
		*m = (struct xt_mark){ m->head, 0, ~v };
		break;
	case OPT_OR:
		*m = (struct xt_mark){ m->head, v, v };
		break;
	default:
		*m = (struct xt_mark){ m->head, v, 0 };
		break;
	}
	return 0;
}

static int mark_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	(void)second;
	(void)invert;
	if (b->seen & ~(1u << id))
		return xt_complain(p, "MARK: only one of the --set-xmark, "
				      "--{and,or,xor,set}-mark options may be given");
	return set_option(p, (struct xt_mark *)(void *)&b->u, id, value);
}

static int mark_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen)
		return 0;
	return xt_complain(p, "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is "
			      "required");
}

static void mark_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_mark *m = (const struct xt_mark *)r;
	(void)family;
	strbuf_printf(out, " --set-xmark 0x%x/0x%x", m->value, m->mask);
}

static void set_list(const struct xt_mark *m, struct strbuf *out)
{
	if (m->value == 0)
		strbuf_printf(out, " and 0x%x", ~m->mask);
	else if (m->value == m->mask)
		strbuf_printf(out, " or 0x%x", m->value);
	else if (m->mask == 0)
		strbuf_printf(out, " xor 0x%x", m->value);
	else if (m->mask == UINT32_MAX)
		strbuf_printf(out, " set 0x%x", m->value);
	else
		strbuf_printf(out, " xset 0x%x/0x%x", m->value, m->mask);
}

static void mark_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, " MARK");
	set_list((const struct xt_mark *)r, out);
}

static void note_mark(struct xt_eval *e, const char *what, uint32_t was, uint32_t now)
{
	if (e->packet->trace)
		snprintf(e->note, sizeof e->note, "%s 0x%x -> 0x%x", what, was, now);
}

static enum xt_outcome mark_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_mark *m = (const struct xt_mark *)r;
	uint32_t was = e->packet->mark;
	e->packet->mark = (was & ~m->mask) ^ m->value;
	note_mark(e, "mark", was, e->packet->mark);
	return XT_CONTINUE;
}

#define SET_OPTIONS                                                                            \
	{ "set-xmark", OPT_XMARK, XT_VALUE }, { "set-mark", OPT_SET, XT_VALUE },               \
	{ "and-mark", OPT_AND, XT_VALUE }, { "or-mark", OPT_OR, XT_VALUE },                    \
	{ "xor-mark", OPT_XOR, XT_VALUE }

static const struct xt_option mark_options[] = { SET_OPTIONS, { NULL, 0, 0 } };

const struct xt_extension xt_target_mark = {
	.name = "MARK", .kind = XT_T_MARK, .families = 3, .size = sizeof(struct xt_mark),
	.options = mark_options, .option = mark_option, .finish = mark_finish,
	.print = mark_print, .list = mark_list, .run = mark_run,
};

/* --- CONNMARK */

struct xt_connmark_target { /* set.head.flags: OPT_XMARK, OPT_SAVE or OPT_RESTORE */
	struct xt_mark set;
	uint32_t nfmask, ctmask;
};

static int connmark_option(struct xt_parse *p, struct xt_build *b, uint8_t id,
			   const char *value, const char *second, bool invert)
{
	struct xt_connmark_target *t = (struct xt_connmark_target *)(void *)&b->u;
	uint32_t actions = b->seen & ((1u << OPT_MASK) - 1);
	uint64_t v;
	(void)second;
	(void)invert;
	if (actions & (actions - 1))
		return xt_complain(p, "CONNMARK: only one of its operations may be given");
	if (id <= OPT_XOR)
		return set_option(p, &t->set, id, value);
	if (id == OPT_SAVE || id == OPT_RESTORE) {
		t->set.head.flags = id;
		return 0;
	}
	if (!parse_u32(value, UINT32_MAX, &v))
		return xt_complain(p, "CONNMARK: bad integer value for option \"--%s\", or out of "
				      "range.", id == OPT_MASK ? "mask" : id == OPT_NFMASK ?
				      "nfmask" : "ctmask");
	if (id != OPT_CTMASK)
		t->nfmask = (uint32_t)v;
	if (id != OPT_NFMASK)
		t->ctmask = (uint32_t)v;
	return 0;
}

static void connmark_init(struct xt_record *r)
{
	struct xt_connmark_target *t = (struct xt_connmark_target *)r;
	t->nfmask = t->ctmask = UINT32_MAX;
}

static int connmark_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen & ((1u << OPT_MASK) - 1))
		return 0;
	return xt_complain(p, "CONNMARK target: No operation specified");
}

static void connmark_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_connmark_target *t = (const struct xt_connmark_target *)r;
	if (r->flags == OPT_XMARK) {
		mark_print(r, family, out);
		return;
	}
	strbuf_printf(out, " --%s-mark --nfmask 0x%x --ctmask 0x%x",
		      r->flags == OPT_SAVE ? "save" : "restore", t->nfmask, t->ctmask);
}

static void connmark_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_connmark_target *t = (const struct xt_connmark_target *)r;
	(void)family;
	strbuf_puts(out, " CONNMARK");
	if (r->flags == OPT_XMARK) {
		set_list(&t->set, out);
		return;
	}
	strbuf_puts(out, r->flags == OPT_SAVE ? " save" : " restore");
	if (t->nfmask == UINT32_MAX && t->ctmask == UINT32_MAX)
		return;
	if (t->nfmask == t->ctmask)
		strbuf_printf(out, " mask 0x%x", t->ctmask);
	else if (r->flags == OPT_SAVE)
		strbuf_printf(out, " nfmask 0x%x ctmask ~0x%x", t->nfmask, t->ctmask);
	else
		strbuf_printf(out, " ctmask 0x%x nfmask ~0x%x", t->ctmask, t->nfmask);
}

/* xt_connmark.c, connmark_tg. */
static enum xt_outcome connmark_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_connmark_target *t = (const struct xt_connmark_target *)r;
	struct packet *p = e->packet;
	if (!p->ct)
		return XT_CONTINUE;
	uint32_t was = ct_mark(p), mark = p->mark;
	switch (r->flags) {
	case OPT_XMARK:
		ct_set_mark(p, (was & ~t->set.mask) ^ t->set.value);
		break;
	case OPT_SAVE:
		ct_set_mark(p, (was & ~t->ctmask) ^ (mark & t->nfmask));
		break;
	default:
		p->mark = (mark & ~t->nfmask) ^ (was & t->ctmask);
		note_mark(e, "mark", mark, p->mark);
		return XT_CONTINUE;
	}
	note_mark(e, "connection mark", was, ct_mark(p));
	return XT_CONTINUE;
}

static const struct xt_option connmark_options[] = {
	SET_OPTIONS, { "save-mark", OPT_SAVE, 0 }, { "restore-mark", OPT_RESTORE, 0 },
	{ "mask", OPT_MASK, XT_VALUE }, { "nfmask", OPT_NFMASK, XT_VALUE },
	{ "ctmask", OPT_CTMASK, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_connmark = {
	.name = "CONNMARK", .kind = XT_T_CONNMARK, .families = 3,
	.size = sizeof(struct xt_connmark_target), .options = connmark_options,
	.init = connmark_init, .option = connmark_option, .finish = connmark_finish,
	.print = connmark_print, .list = connmark_list, .run = connmark_run,
};

/* --- CT, NOTRACK: what follows --notrack is kept as canonical text */

enum { CT_OPT_NOTRACK, CT_OPT_HELPER, CT_OPT_TIMEOUT, CT_OPT_EVENTS, CT_OPT_EXPEVENTS,
       CT_OPT_ZONE_ORIG, CT_OPT_ZONE_REPLY, CT_OPT_ZONE, CT_OPTS };

#define CT_VALUE 48u
struct xt_ct_target { /* head.flags: bit per option given */
	struct xt_record head;
	char value[CT_OPTS][CT_VALUE];
};

static const struct xt_option ct_options[] = {
	{ "notrack", CT_OPT_NOTRACK, 0 }, { "helper", CT_OPT_HELPER, XT_VALUE },
	{ "timeout", CT_OPT_TIMEOUT, XT_VALUE }, { "ctevents", CT_OPT_EVENTS, XT_VALUE },
	{ "expevents", CT_OPT_EXPEVENTS, XT_VALUE }, { "zone-orig", CT_OPT_ZONE_ORIG, XT_VALUE },
	{ "zone-reply", CT_OPT_ZONE_REPLY, XT_VALUE }, { "zone", CT_OPT_ZONE, XT_VALUE },
	{ NULL, 0, 0 },
};

static int ct_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		     const char *second, bool invert)
{
	struct xt_ct_target *t = (struct xt_ct_target *)(void *)&b->u;
	uint64_t zone;
	(void)second;
	(void)invert;
	t->head.flags |= 1u << id;
	if (id == CT_OPT_NOTRACK)
		return 0;
	if (id >= CT_OPT_ZONE_ORIG && strcmp(value, "mark") != 0 &&
	    !parse_u32(value, UINT16_MAX, &zone))
		return xt_complain(p, "Cannot parse %s as a zone ID", value);
	if (!plain_word(value) || strlen(value) >= CT_VALUE)
		return xt_complain(p, "CT: bad value for option \"--%s\": `%s'",
				   ct_options[id].name, value);
	strcpy(t->value[id], value);
	t->head.size = sizeof *t;
	return 0;
}

static void ct_init(struct xt_record *r)
{
	r->size = sizeof *r;
}

static void ct_text(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	const struct xt_ct_target *t = (const struct xt_ct_target *)r;
	for (unsigned i = 0; i < CT_OPTS; i++) {
		if (!(r->flags & 1u << i))
			continue;
		strbuf_printf(out, " %s%s", dash, ct_options[i].name);
		if (i != CT_OPT_NOTRACK)
			strbuf_printf(out, " %s", t->value[i]);
	}
}

static void ct_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	ct_text(r, "--", out);
}

static void ct_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, " CT");
	ct_text(r, "", out);
}

/* A packet that has an entry already (loopback) is left alone (xt_CT.c). */
static enum xt_outcome ct_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_ct_target *t = (const struct xt_ct_target *)r;
	uint64_t zone;
	if (e->packet->ct || e->packet->ct_info != CT_INFO_NONE)
		return XT_CONTINUE;
	if (r->kind == XT_T_NOTRACK || (r->flags & 1u << CT_OPT_NOTRACK))
		ct_untrack(e->packet);
	else if (r->flags == 1u << CT_OPT_ZONE &&
		 parse_u32(t->value[CT_OPT_ZONE], UINT16_MAX, &zone))
		ct_set_zone(e->ns, e->packet, (uint16_t)zone);
	else if (r->flags)
		e->undecided = "zones of one direction, helpers and timeout policies of conntrack "
			       "are not modelled";
	return XT_CONTINUE;
}

const struct xt_extension xt_target_ct = {
	.name = "CT", .kind = XT_T_CT, .families = 3, .size = sizeof(struct xt_ct_target),
	.tables = "raw", .options = ct_options, .init = ct_init, .option = ct_option,
	.print = ct_print, .list = ct_list, .run = ct_run,
};

static void notrack_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)r;
	(void)family;
	strbuf_puts(out, " NOTRACK");
}

const struct xt_extension xt_target_notrack = {
	.name = "NOTRACK", .kind = XT_T_NOTRACK, .families = 3, .size = sizeof(struct xt_record),
	.tables = "raw", .list = notrack_list, .run = ct_run,
};
