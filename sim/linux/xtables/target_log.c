/* linux/xtables/target_log.c: LOG, NFLOG, TRACE: what only tells somebody. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/xtables/match.h"

static enum xt_outcome go_on(struct xt_eval *e, const struct xt_record *r)
{
	(void)e;
	(void)r;
	return XT_CONTINUE;
}

/* --- LOG */

enum { OPT_TCPSEQ, OPT_TCPOPT, OPT_IPOPT, OPT_UID, OPT_MACDECODE = 5, OPT_LEVEL, OPT_PREFIX };
#define LOG_PREFIX_MAX 29u

struct xt_log { /* head.flags: the kernel's XT_LOG_... bits; head.invert: level */
	struct xt_record head;
	char prefix[];
};

static const char *const levels[] = { "emerg", "alert", "crit", "error", "warning", "notice",
				      "info", "debug" };
static const char *const log_flags[] = { "tcp-sequence", "tcp-options", "ip-options", "uid", NULL,
					 "macdecode" };

static int log_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	uint64_t v;
	(void)second;
	(void)invert;
	if (id == OPT_PREFIX) {
		if (strchr(value, '\n'))
			return xt_complain(p, "LOG: Newlines not allowed in --log-prefix");
		if (build_text(b, sizeof(struct xt_log), value, LOG_PREFIX_MAX))
			return 0;
		return xt_complain(p, "LOG: Maximum prefix length %u for --log-prefix",
				   LOG_PREFIX_MAX);
	}
	if (id != OPT_LEVEL) {
		b->u.head.flags |= 1u << id;
		return 0;
	}
	if (parse_u32(value, 7, &v)) {
		b->u.head.invert = (uint8_t)v;
		return 0;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (strcasecmp(value, levels[i]) == 0 ||
		    (i == 0 && strcasecmp(value, "panic") == 0)) {
			b->u.head.invert = (uint8_t)i;
			return 0;
		}
	}
	return xt_complain(p, "log level \"%s\" unknown", value);
}

static void log_init(struct xt_record *r)
{
	r->invert = 4;
}

static void log_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_log *t = (const struct xt_log *)r;
	(void)family;
	if (t->prefix[0]) {
		strbuf_puts(out, " --log-prefix");
		print_quoted(out, t->prefix);
	}
	if (r->invert != 4)
		strbuf_printf(out, " --log-level %u", r->invert);
	for (unsigned i = 0; i < 6; i++)
		if (log_flags[i] && (r->flags & 1u << i))
			strbuf_printf(out, " --log-%s", log_flags[i]);
}

static void log_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_log *t = (const struct xt_log *)r;
	(void)family;
	strbuf_printf(out, " LOG flags %u level %u", r->flags, r->invert);
	if (t->prefix[0])
		strbuf_printf(out, " prefix \"%s\"", t->prefix);
}

static const struct xt_option log_options[] = {
	{ "log-tcp-sequence", OPT_TCPSEQ, 0 }, { "log-tcp-options", OPT_TCPOPT, 0 },
	{ "log-ip-options", OPT_IPOPT, 0 }, { "log-uid", OPT_UID, 0 },
	{ "log-macdecode", OPT_MACDECODE, 0 }, { "log-level", OPT_LEVEL, XT_VALUE },
	{ "log-prefix", OPT_PREFIX, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_log = {
	.name = "LOG", .kind = XT_T_LOG, .families = 3, .size = sizeof(struct xt_log) + 1,
	.options = log_options, .init = log_init, .option = log_option, .print = log_print,
	.list = log_list, .run = go_on,
};

/* --- NFLOG */

enum { OPT_GROUP, OPT_NFPREFIX, OPT_RANGE, OPT_SIZE, OPT_THRESHOLD };
#define NFLOG_PREFIX_MAX 63u

struct xt_nflog { /* head.flags: 1 when the length was given as --nflog-size */
	struct xt_record head;
	uint32_t length;
	uint16_t group, threshold;
	char prefix[];
};

static int nflog_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			const char *second, bool invert)
{
	struct xt_nflog *t = (struct xt_nflog *)(void *)&b->u;
	uint64_t v;
	(void)second;
	(void)invert;
	if (id == OPT_NFPREFIX) {
		if (value[0] && !strchr(value, '\n') &&
		    build_text(b, sizeof *t, value, NFLOG_PREFIX_MAX))
			return 0;
		return xt_complain(p, "NFLOG: bad value for option \"--nflog-prefix\"");
	}
	if (!parse_u32(value, id == OPT_GROUP || id == OPT_THRESHOLD ? UINT16_MAX : UINT32_MAX,
		       &v))
		return xt_complain(p, "NFLOG: bad integer value `%s', or out of range.", value);
	if (id == OPT_GROUP) {
		t->group = (uint16_t)v;
	} else if (id == OPT_THRESHOLD) {
		t->threshold = (uint16_t)v;
	} else {
		t->length = (uint32_t)v;
		t->head.flags = id == OPT_SIZE;
	}
	return 0;
}

static void nflog_text(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	const struct xt_nflog *t = (const struct xt_nflog *)r;
	if (t->prefix[0]) {
		strbuf_printf(out, " %snflog-prefix", dash);
		print_quoted(out, t->prefix);
	}
	if (t->group)
		strbuf_printf(out, " %snflog-group %u", dash, t->group);
	if (t->head.flags)
		strbuf_printf(out, " %snflog-size %u", dash, t->length);
	else if (t->length)
		strbuf_printf(out, " %snflog-range %u", dash, t->length);
	if (t->threshold)
		strbuf_printf(out, " %snflog-threshold %u", dash, t->threshold);
}

static void nflog_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	nflog_text(r, "--", out);
}

static void nflog_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	nflog_text(r, "", out);
}

static const struct xt_option nflog_options[] = {
	{ "nflog-group", OPT_GROUP, XT_VALUE }, { "nflog-prefix", OPT_NFPREFIX, XT_VALUE },
	{ "nflog-range", OPT_RANGE, XT_VALUE }, { "nflog-size", OPT_SIZE, XT_VALUE },
	{ "nflog-threshold", OPT_THRESHOLD, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_nflog = {
	.name = "NFLOG", .kind = XT_T_NFLOG, .families = 3, .size = sizeof(struct xt_nflog) + 1,
	.options = nflog_options, .option = nflog_option,
	.print = nflog_print, .list = nflog_list, .run = go_on,
};

/* --- TRACE */

const struct xt_extension xt_target_trace = {
	.name = "TRACE", .kind = XT_T_TRACE, .families = 3, .size = sizeof(struct xt_record),
	.tables = "raw", .run = go_on,
};
