/* linux/xtables/target_rewrite.c: TCPMSS, TOS, DSCP, CHECKSUM. */
#include "linux/xtables/internal.h"

#include <stdio.h>
#include <string.h>

#include "linux/xtables/match.h"

/* --- TCPMSS: flags hold the MSS, 0xffff clamp to the path's MTU */

#define CLAMP 0xffffu

static int tcpmss_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			 const char *second, bool invert)
{
	uint64_t v;
	(void)second;
	(void)invert;
	if (b->seen & ~(1u << id))
		return xt_complain(p, "TCPMSS: only one of its options may be given");
	if (id == 1) {
		b->u.head.flags = CLAMP;
		return 0;
	}
	if (!parse_u32(value, UINT16_MAX - 1, &v))
		return xt_complain(p, "TCPMSS: bad value for option \"--set-mss\", or out of range "
				      "(0-65534).");
	b->u.head.flags = (uint32_t)v;
	return 0;
}

/* The kernel takes the rule only with "-p tcp --syn" or flags that include SYN. */
static int tcpmss_finish(struct xt_parse *p, struct xt_build *b)
{
	if (!b->seen)
		return xt_complain(p, "TCPMSS target: At least one parameter is required");
	for (uint32_t i = 0; i < p->build_count; i++) {
		const struct xt_build *m = &p->builds[i];
		const struct xt_tcp *t = (const struct xt_tcp *)(const void *)&m->u;
		if (m->ext == &xt_match_tcp && (t->wanted & TCP_SYN) &&
		    !(t->ports.head.invert & 1u << 2))
			return 0;
	}
	return xt_complain(p, "TCPMSS: Only works on TCP SYN packets");
}

static void tcpmss_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	if (r->flags == CLAMP)
		strbuf_puts(out, " --clamp-mss-to-pmtu");
	else
		strbuf_printf(out, " --set-mss %u", r->flags);
}

static void tcpmss_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	if (r->flags == CLAMP)
		strbuf_puts(out, " TCPMSS clamp to PMTU");
	else
		strbuf_printf(out, " TCPMSS set %u", r->flags);
}

/* Offset of the MSS option's value, 0 when there is none. */
static uint32_t mss_offset(const struct packet *p)
{
	uint32_t end = p->l4 + (uint32_t)(p->bytes[p->l4 + 12] >> 4) * 4;
	for (uint32_t i = p->l4 + 20u; i + 4 <= end && end <= p->length;) {
		if (p->bytes[i] == 2 && p->bytes[i + 1] == 4)
			return i + 2;
		if (p->bytes[i] < 2)
			i++;
		else
			i += p->bytes[i + 1] ? p->bytes[i + 1] : 1;
	}
	return 0;
}

/* xt_TCPMSS.c: an MSS is lowered, never raised. Every link of the model carries 1500
 * bytes, so clamping to the path's MTU changes nothing. */
static enum xt_outcome tcpmss_run(struct xt_eval *e, const struct xt_record *r)
{
	struct packet *p = e->packet;
	uint32_t at = p->proto == PROTO_TCP && p->l4 ? mss_offset(p) : 0;
	if (!at || r->flags == CLAMP)
		return XT_CONTINUE;
	uint32_t was = (uint32_t)p->bytes[at] << 8 | p->bytes[at + 1];
	if (was <= r->flags)
		return XT_CONTINUE;
	p->bytes[at] = (uint8_t)(r->flags >> 8);
	p->bytes[at + 1] = (uint8_t)r->flags;
	packet_checksums_fill(p);
	if (p->trace)
		snprintf(e->note, sizeof e->note, "MSS %u -> %u", was, r->flags);
	return XT_CONTINUE;
}

static const struct xt_option tcpmss_options[] = {
	{ "set-mss", 0, XT_VALUE }, { "clamp-mss-to-pmtu", 1, 0 }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_tcpmss = {
	.name = "TCPMSS", .kind = XT_T_TCPMSS, .families = 3, .size = sizeof(struct xt_record),
	.options = tcpmss_options, .option = tcpmss_option, .finish = tcpmss_finish,
	.print = tcpmss_print, .list = tcpmss_list, .run = tcpmss_run,
};

/* --- TOS: flags hold value << 8 | mask */

enum { OPT_SET, OPT_AND, OPT_OR, OPT_XOR };

static int tos_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_tos_value v;
	(void)second;
	(void)invert;
	if (b->seen & ~(1u << id))
		return xt_complain(p, "TOS: only one of its options may be given");
	if (!parse_tos(value, &v) || (id != OPT_SET && strchr(value, '/')))
		return xt_complain(p, "TOS: bad value `%s'", value);
	if (id == OPT_AND)
		v = (struct xt_tos_value){ 0, (uint8_t)~v.value };
	else if (id == OPT_OR)
		v.mask = v.value;
	else if (id == OPT_XOR)
		v.mask = 0;
	b->u.head.flags = (uint32_t)v.value << 8 | v.mask;
	return 0;
}

static int tos_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "TOS: An action is required");
}

static void tos_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " --set-tos 0x%02x/0x%02x", r->flags >> 8, r->flags & 255);
}

static void tos_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	uint32_t value = r->flags >> 8, mask = r->flags & 255;
	(void)family;
	if (value == 0)
		strbuf_printf(out, " TOS and 0x%02x", (uint8_t)~mask);
	else if (value == mask)
		strbuf_printf(out, " TOS or 0x%02x", value);
	else if (mask == 0)
		strbuf_printf(out, " TOS xor 0x%02x", value);
	else
		strbuf_printf(out, " TOS set 0x%02x/0x%02x", value, mask);
}

static void change_tos(struct xt_eval *e, uint8_t now)
{
	uint8_t was = packet_tos(e->packet);
	if (was == now)
		return;
	packet_set_tos(e->packet, now);
	if (e->packet->trace)
		snprintf(e->note, sizeof e->note, "TOS 0x%02x -> 0x%02x", was, now);
}

static enum xt_outcome tos_run(struct xt_eval *e, const struct xt_record *r)
{
	uint8_t was = packet_tos(e->packet);
	change_tos(e, (uint8_t)((was & ~(r->flags & 255)) ^ r->flags >> 8));
	return XT_CONTINUE;
}

static const struct xt_option tos_options[] = {
	{ "set-tos", OPT_SET, XT_VALUE }, { "and-tos", OPT_AND, XT_VALUE },
	{ "or-tos", OPT_OR, XT_VALUE }, { "xor-tos", OPT_XOR, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_tos = {
	.name = "TOS", .kind = XT_T_TOS, .families = 3, .size = sizeof(struct xt_record),
	.tables = "mangle", .options = tos_options, .option = tos_option, .finish = tos_finish,
	.print = tos_print, .list = tos_list, .run = tos_run,
};

/* --- DSCP: flags hold the code point */

static int dscp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	uint8_t code;
	(void)second;
	(void)invert;
	if (!(id ? parse_dscp_class(value, &code) : parse_dscp(value, &code)))
		return xt_complain(p, "DSCP: bad value `%s'", value);
	b->u.head.flags = code;
	return 0;
}

static int dscp_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "DSCP target: Parameter --set-dscp is required");
}

static void dscp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " --set-dscp 0x%02x", r->flags);
}

static void dscp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " DSCP set 0x%02x", r->flags);
}

static enum xt_outcome dscp_run(struct xt_eval *e, const struct xt_record *r)
{
	change_tos(e, (uint8_t)((packet_tos(e->packet) & 3) | r->flags << 2));
	return XT_CONTINUE;
}

static const struct xt_option dscp_options[] = {
	{ "set-dscp", 0, XT_VALUE }, { "set-dscp-class", 1, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_dscp = {
	.name = "DSCP", .kind = XT_T_DSCP, .families = 3, .size = sizeof(struct xt_record),
	.tables = "mangle", .options = dscp_options, .option = dscp_option,
	.finish = dscp_finish, .print = dscp_print, .list = dscp_list, .run = dscp_run,
};

/* --- CHECKSUM: checksums are right at all times here */

static int checksum_option(struct xt_parse *p, struct xt_build *b, uint8_t id,
			   const char *value, const char *second, bool invert)
{
	(void)p;
	(void)b;
	(void)id;
	(void)value;
	(void)second;
	(void)invert;
	return 0;
}

static int checksum_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen)
		return 0;
	return xt_complain(p, "CHECKSUM: option \"--checksum-fill\" must be specified");
}

static void checksum_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)r;
	(void)family;
	strbuf_puts(out, " --checksum-fill");
}

static void checksum_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)r;
	(void)family;
	strbuf_puts(out, " CHECKSUM fill");
}

static enum xt_outcome checksum_run(struct xt_eval *e, const struct xt_record *r)
{
	(void)e;
	(void)r;
	return XT_CONTINUE;
}

static const struct xt_option checksum_options[] = { { "checksum-fill", 0, 0 }, { NULL, 0, 0 } };

const struct xt_extension xt_target_checksum = {
	.name = "CHECKSUM", .kind = XT_T_CHECKSUM, .families = 3,
	.size = sizeof(struct xt_record), .tables = "mangle", .options = checksum_options,
	.option = checksum_option, .finish = checksum_finish, .print = checksum_print,
	.list = checksum_list, .run = checksum_run,
};
