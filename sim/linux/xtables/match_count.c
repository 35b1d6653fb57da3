/* linux/xtables/match_count.c: statistic, limit, nfacct: what draws or counts. */
#include "linux/xtables/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linux/xtables/match.h"

/* --- statistic */

enum { OPT_MODE, OPT_PROBABILITY, OPT_EVERY, OPT_PACKET };
enum { MODE_RANDOM, MODE_NTH };

#define PROBABILITY_ONE 0x80000000u

struct xt_statistic { /* head.flags: mode */
	struct xt_record head;
	uint32_t value;  /* random: probability in units of 2^-31; nth: every - 1 */
	uint32_t packet;
};

static int statistic_option(struct xt_parse *p, struct xt_build *b, uint8_t id,
			    const char *value, const char *second, bool invert)
{
	struct xt_statistic *t = (struct xt_statistic *)(void *)&b->u;
	uint64_t v;
	char *end;
	(void)second;
	if (invert)
		t->head.invert = 1;
	switch (id) {
	case OPT_MODE:
		if (strcmp(value, "random") != 0 && strcmp(value, "nth") != 0)
			return xt_complain(p, "Bad mode \"%s\"", value);
		t->head.flags = value[0] == 'r' ? MODE_RANDOM : MODE_NTH;
		return 0;
	case OPT_PROBABILITY: {
		double d = strtod(value, &end);
		if (*end || end == value || !(d >= 0 && d <= 1))
			return xt_complain(p, "statistic: bad value for option \"--probability\", "
					      "or out of range (0-1).");
		t->value = (uint32_t)llround(PROBABILITY_ONE * d);
		return 0;
	}
	case OPT_EVERY:
		if (!parse_u32(value, UINT32_MAX, &v) || v == 0)
			return xt_complain(p, "cannot parse --every, expected a number above 0");
		t->value = (uint32_t)v - 1;
		return 0;
	default:
		if (!parse_u32(value, UINT32_MAX, &v))
			return xt_complain(p, "statistic: bad integer value for option "
					      "\"--packet\", or out of range.");
		t->packet = (uint32_t)v;
		return 0;
	}
}

static int statistic_finish(struct xt_parse *p, struct xt_build *b)
{
	const struct xt_statistic *t = (const struct xt_statistic *)(const void *)&b->u;
	if (!(b->seen & 1u << OPT_MODE))
		return xt_complain(p, "statistic: option \"--mode\" must be specified");
	if (t->head.flags == MODE_RANDOM) {
		if (!(b->seen & 1u << OPT_PROBABILITY))
			return xt_complain(p, "statistic: --probability must be specified when "
					      "using random mode");
		return 0;
	}
	if (!(b->seen & 1u << OPT_EVERY))
		return xt_complain(p, "statistic: --every must be specified when using nth mode");
	if (!(b->seen & 1u << OPT_PACKET))
		return xt_complain(p, "statistic: option \"--every\" also requires \"--packet\".");
	if (t->packet > t->value)
		return xt_complain(p, "the --packet p must be 0 <= p <= n-1");
	return 0;
}

static void statistic_text(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	const struct xt_statistic *t = (const struct xt_statistic *)r;
	const char *bang = r->invert ? " !" : "";
	if (r->flags == MODE_RANDOM)
		strbuf_printf(out, " %smode random%s %sprobability %.11f", dash, bang, dash,
			      t->value / (double)PROBABILITY_ONE);
	else
		strbuf_printf(out, " %smode nth%s %severy %u", dash, bang, dash, t->value + 1);
	if (r->flags == MODE_NTH && (t->packet || *dash))
		strbuf_printf(out, " %spacket %u", dash, t->packet);
}

static void statistic_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	statistic_text(r, "--", out);
}

static void statistic_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, " statistic");
	statistic_text(r, "", out);
}

/* xt_statistic.c: the counter starts so that the first match is packet number
 * --packet, counted from 0. */
void match_statistic_init(const struct xt_record *r, union xt_state *s)
{
	const struct xt_statistic *t = (const struct xt_statistic *)r;
	s->nth = t->value - t->packet;
}

static enum xt_answer statistic_match(struct xt_eval *e, const struct xt_record *r,
				      union xt_state *s)
{
	const struct xt_statistic *t = (const struct xt_statistic *)r;
	bool hit;
	if (r->flags == MODE_NTH) {
		s->nth = s->nth == t->value ? 0 : s->nth + 1;
		hit = s->nth == 0;
	} else {
		/* 31 random bits below the value: exactly value / 2^31. */
		uint64_t weights[2] = { t->value, PROBABILITY_ONE - t->value };
		hit = choice_draw(netns_env(e->ns)->choice, "backend", weights, 2) == 0;
	}
	return hit != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option statistic_options[] = {
	{ "mode", OPT_MODE, XT_VALUE },
	{ "probability", OPT_PROBABILITY, XT_VALUE | XT_NEGATES },
	{ "every", OPT_EVERY, XT_VALUE | XT_NEGATES },
	{ "packet", OPT_PACKET, XT_VALUE },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_statistic = {
	.name = "statistic", .kind = XT_M_STATISTIC, .families = 3, .impure = true, .states = 1,
	.size = sizeof(struct xt_statistic), .options = statistic_options,
	.option = statistic_option, .finish = statistic_finish, .print = statistic_print,
	.list = statistic_list, .match = statistic_match,
};

/* --- limit */

enum { OPT_LIMIT, OPT_BURST };

#define LIMIT_SCALE 10000u /* of the kernel's interface: avg is in 1/10000 s */
#define LIMIT_UNIT_NS (NS_PER_S / LIMIT_SCALE)

struct xt_limit {
	struct xt_record head;
	uint32_t avg; /* 1/10000 s per packet */
	uint32_t burst;
};

static const struct {
	const char *name;
	uint32_t units;
} periods[] = {
	{ "day", LIMIT_SCALE * 24 * 60 * 60 }, { "hour", LIMIT_SCALE * 60 * 60 },
	{ "min", LIMIT_SCALE * 60 }, { "sec", LIMIT_SCALE },
};

static bool parse_rate(const char *text, uint32_t *avg)
{
	char *end;
	if (text[0] < '0' || text[0] > '9')
		return false;
	unsigned long n = strtoul(text, &end, 10);
	uint32_t unit = LIMIT_SCALE;
	if (*end == '/') {
		static const char *const names[] = { "second", "minute", "hour", "day" };
		static const uint32_t units[] = { LIMIT_SCALE, LIMIT_SCALE * 60,
						  LIMIT_SCALE * 60 * 60,
						  LIMIT_SCALE * 24 * 60 * 60 };
		size_t length = strlen(++end);
		unsigned i = 0;
		while (i < 4 && strncasecmp(names[i], end, length) != 0)
			i++;
		if (i == 4 || !length)
			return false;
		unit = units[i];
	} else if (*end) {
		return false;
	}
	/* A rate that makes less than one unit a packet is infinity, no filter. */
	if (n == 0 || n > unit)
		return false;
	*avg = (uint32_t)(unit / n);
	return true;
}

static void limit_init(struct xt_record *r)
{
	struct xt_limit *t = (struct xt_limit *)r;
	t->avg = LIMIT_SCALE * 60 * 60 / 3;
	t->burst = 5;
}

static int limit_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			const char *second, bool invert)
{
	struct xt_limit *t = (struct xt_limit *)(void *)&b->u;
	uint64_t v;
	(void)second;
	(void)invert;
	if (id == OPT_LIMIT) {
		if (parse_rate(value, &t->avg))
			return 0;
		return xt_complain(p, "bad rate \"%s\"'", value);
	}
	if (!parse_u32(value, 10000, &v))
		return xt_complain(p, "limit: bad value for option \"--limit-burst\", or out of "
				      "range (0-10000).");
	t->burst = (uint32_t)v;
	return 0;
}

static void limit_rate(uint32_t avg, struct strbuf *out)
{
	unsigned i = 1;
	while (i < 4 && avg <= periods[i].units &&
	       periods[i].units / avg >= periods[i].units % avg)
		i++;
	strbuf_printf(out, " %u/%s", periods[i - 1].units / avg, periods[i - 1].name);
}

static void limit_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_limit *t = (const struct xt_limit *)r;
	(void)family;
	strbuf_puts(out, " --limit");
	limit_rate(t->avg, out);
	if (t->burst != 5)
		strbuf_printf(out, " --limit-burst %u", t->burst);
}

static void limit_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_limit *t = (const struct xt_limit *)r;
	(void)family;
	strbuf_puts(out, " limit: avg");
	limit_rate(t->avg, out);
	strbuf_printf(out, " burst %u", t->burst);
}

void match_limit_init(const struct xt_record *r, union xt_state *s, int64_t now_ns)
{
	const struct xt_limit *t = (const struct xt_limit *)r;
	s->limit.since_ns = now_ns;
	s->limit.credit_ns = (int64_t)t->avg * LIMIT_UNIT_NS * t->burst;
}

/* xt_limit.c: a token bucket whose credit grows with time; a packet costs `avg`. */
static enum xt_answer limit_match(struct xt_eval *e, const struct xt_record *r,
				  union xt_state *s)
{
	const struct xt_limit *t = (const struct xt_limit *)r;
	int64_t cost = (int64_t)t->avg * LIMIT_UNIT_NS, cap = cost * t->burst;
	int64_t passed = e->now_ns - s->limit.since_ns;
	s->limit.since_ns = e->now_ns;
	s->limit.credit_ns = passed > cap - s->limit.credit_ns ? cap :
			     s->limit.credit_ns + passed;
	if (s->limit.credit_ns < cost)
		return XT_NO;
	s->limit.credit_ns -= cost;
	return XT_YES;
}

static const struct xt_option limit_options[] = {
	{ "limit", OPT_LIMIT, XT_VALUE }, { "limit-burst", OPT_BURST, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_limit = {
	.name = "limit", .kind = XT_M_LIMIT, .families = 3, .impure = true, .states = 1,
	.size = sizeof(struct xt_limit), .options = limit_options, .init = limit_init,
	.option = limit_option, .print = limit_print, .list = limit_list, .match = limit_match,
};

/* --- nfacct: the counter is not kept; the match always says yes */

static int nfacct_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			 const char *second, bool invert)
{
	(void)id;
	(void)second;
	(void)invert;
	if (plain_word(value) && build_text(b, sizeof(struct xt_text), value, 31))
		return 0;
	return xt_complain(p, "nfacct: Argument must have a maximum length of 31 characters.");
}

static int nfacct_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "nfacct: option \"--nfacct-name\" must be specified");
}

/* Two blanks, as iptables prints them. */
static void nfacct_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " --nfacct-name  %s", ((const struct xt_text *)r)->text);
}

static void nfacct_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_printf(out, " nfacct-name  %s", ((const struct xt_text *)r)->text);
}

static enum xt_answer nfacct_match(struct xt_eval *e, const struct xt_record *r,
				   union xt_state *s)
{
	(void)e;
	(void)r;
	(void)s;
	return XT_YES;
}

static const struct xt_option nfacct_options[] = {
	{ "nfacct-name", 0, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_nfacct = {
	.name = "nfacct", .kind = XT_M_NFACCT, .families = 3, .impure = true,
	.size = sizeof(struct xt_text) + 1, .options = nfacct_options, .option = nfacct_option,
	.finish = nfacct_finish, .print = nfacct_print, .list = nfacct_list,
	.match = nfacct_match,
};
