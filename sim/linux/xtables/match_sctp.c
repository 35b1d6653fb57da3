/* linux/xtables/match_sctp.c: sctp, with chunk types. */
#include "linux/xtables/internal.h"

#include <ctype.h>
#include <string.h>

#include "linux/xtables/match.h"

enum { OPT_SPORT, OPT_DPORT, OPT_CHUNKS };
enum { CHUNKS_NONE, CHUNKS_ANY, CHUNKS_ALL, CHUNKS_ONLY };

struct xt_sctp {
	struct xt_ports ports; /* head.flags: CHUNKS_... */
	uint32_t wanted[8];    /* bit per chunk type */
	uint8_t flag[4];       /* chunk type + 1 of a flag condition, 0 none */
	uint8_t flag_mask[4], flag_value[4], pad[4];
};

struct chunk_name {
	const char *name, *flags; /* letters of the flag bits, highest bit first */
	uint8_t type;
};

/* RFC 9260, RFC 5061, RFC 6525; names as libxt_sctp has them. */
static const struct chunk_name chunks[] = {
	{ "DATA", "----IUBE", 0 }, { "INIT", "--------", 1 }, { "INIT_ACK", "--------", 2 },
	{ "SACK", "--------", 3 }, { "HEARTBEAT", "--------", 4 },
	{ "HEARTBEAT_ACK", "--------", 5 }, { "ABORT", "-------T", 6 },
	{ "SHUTDOWN", "--------", 7 }, { "SHUTDOWN_ACK", "--------", 8 },
	{ "ERROR", "--------", 9 }, { "COOKIE_ECHO", "--------", 10 },
	{ "COOKIE_ACK", "--------", 11 }, { "ECN_ECNE", "--------", 12 },
	{ "ECN_CWR", "--------", 13 }, { "SHUTDOWN_COMPLETE", "-------T", 14 },
	{ "I_DATA", "----IUBE", 64 }, { "RE_CONFIG", "--------", 130 },
	{ "PAD", "--------", 132 }, { "ASCONF", "--------", 193 },
	{ "ASCONF_ACK", "--------", 128 }, { "FORWARD_TSN", "--------", 192 },
	{ "I_FORWARD_TSN", "--------", 194 },
};
#define CHUNK_NAMES (sizeof chunks / sizeof *chunks)

static const struct chunk_name *chunk_by_type(uint8_t type)
{
	for (unsigned i = 0; i < CHUNK_NAMES; i++)
		if (chunks[i].type == type)
			return &chunks[i];
	return NULL;
}

static int chunk_flags(struct xt_parse *p, struct xt_sctp *t, const struct chunk_name *c,
		       const char *letters, size_t count)
{
	unsigned slot = 0;
	while (slot < 4 && t->flag[slot])
		slot++;
	if (slot == 4)
		return xt_complain(p, "Number of chunk types with flags exceeds maximum allowed");
	t->flag[slot] = (uint8_t)(c->type + 1);
	for (size_t i = 0; i < count; i++) {
		int want = toupper((unsigned char)letters[i]);
		unsigned bit = 0;
		while (bit < 8 && c->flags[7 - bit] != want)
			bit++;
		if (bit == 8)
			return xt_complain(p, "Invalid flags for chunk type %s", c->name);
		t->flag_mask[slot] |= (uint8_t)(1u << bit);
		if (isupper((unsigned char)letters[i]))
			t->flag_value[slot] |= (uint8_t)(1u << bit);
	}
	return 0;
}

static int chunk_list(struct xt_parse *p, struct xt_sctp *t, const char *text)
{
	if (strcasecmp(text, "ALL") == 0 || strcasecmp(text, "NONE") == 0) {
		memset(t->wanted, strcasecmp(text, "ALL") ? 0 : 0xff, sizeof t->wanted);
		return 0;
	}
	for (const char *s = text;; s++) {
		size_t n = strcspn(s, ","), name = strcspn(s, ":,");
		const struct chunk_name *c = NULL;
		for (unsigned i = 0; i < CHUNK_NAMES && !c; i++)
			if (strlen(chunks[i].name) == name &&
			    strncasecmp(chunks[i].name, s, name) == 0)
				c = &chunks[i];
		if (!c)
			return xt_complain(p, "Unknown sctp chunk type `%s'", s);
		t->wanted[c->type / 32] |= 1u << c->type % 32;
		if (name < n && chunk_flags(p, t, c, s + name + 1, n - name - 1))
			return EINVAL;
		s += n;
		if (!*s)
			return 0;
	}
}

static void sctp_init(struct xt_record *r)
{
	struct xt_ports *t = (struct xt_ports *)r;
	t->src[1] = t->dst[1] = UINT16_MAX;
}

static int sctp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	struct xt_sctp *t = (struct xt_sctp *)(void *)&b->u;
	if (invert)
		t->ports.head.invert |= (uint8_t)(1u << id);
	if (id == OPT_SPORT)
		return parse_ports(p, value, &t->ports.src[0], &t->ports.src[1]);
	if (id == OPT_DPORT)
		return parse_ports(p, value, &t->ports.dst[0], &t->ports.dst[1]);
	if (strcasecmp(value, "any") == 0)
		t->ports.head.flags = CHUNKS_ANY;
	else if (strcasecmp(value, "all") == 0)
		t->ports.head.flags = CHUNKS_ALL;
	else if (strcasecmp(value, "only") == 0)
		t->ports.head.flags = CHUNKS_ONLY;
	else
		return xt_complain(p, "Match type has to be one of \"ALL\", \"ANY\" or \"ONLY\"");
	return chunk_list(p, t, second);
}

static int sctp_finish(struct xt_parse *p, struct xt_build *b)
{
	(void)b;
	if (parse_rule_proto(p) == PROTO_SCTP)
		return 0;
	return xt_complain(p, "sctp: the match works with `-p sctp' only");
}

static void chunk_flags_text(const struct xt_sctp *t, uint8_t type, struct strbuf *out)
{
	const struct chunk_name *c = chunk_by_type(type);
	for (unsigned i = 0; i < 4; i++) {
		if (t->flag[i] != type + 1 || !c)
			continue;
		strbuf_putc(out, ':');
		for (int bit = 7; bit >= 0; bit--) {
			char letter = c->flags[7 - bit];
			if (t->flag_mask[i] & 1u << bit)
				strbuf_putc(out, t->flag_value[i] & 1u << bit ?
						 letter : (char)tolower(letter));
		}
	}
}

static void chunks_text(const struct xt_sctp *t, bool numeric, struct strbuf *out)
{
	static const char *const how[] = { "", "any", "all", "only" };
	bool all = true, none = true;
	for (unsigned i = 0; i < 8; i++) {
		all &= t->wanted[i] == UINT32_MAX;
		none &= t->wanted[i] == 0;
	}
	strbuf_printf(out, " %s ", how[t->ports.head.flags]);
	if (all || none) {
		strbuf_puts(out, all ? "ALL" : "NONE");
		return;
	}
	bool first = true;
	for (unsigned type = 0; type < 256; type++) {
		const struct chunk_name *c = chunk_by_type((uint8_t)type);
		if (!(t->wanted[type / 32] & 1u << type % 32) || !c)
			continue;
		strbuf_puts(out, first ? "" : ",");
		if (numeric)
			strbuf_printf(out, "0x%04X", type);
		else
			strbuf_puts(out, c->name);
		chunk_flags_text(t, (uint8_t)type, out);
		first = false;
	}
}

static void sctp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	xt_match_udp.print(r, family, out);
	if (!r->flags)
		return;
	strbuf_printf(out, "%s --chunk-types", r->invert & 1u << OPT_CHUNKS ? " !" : "");
	chunks_text((const struct xt_sctp *)r, false, out);
}

static void sctp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	struct strbuf ports = { 0 };
	xt_match_udp.list(r, family, &ports);
	strbuf_printf(out, " sctp%s", strbuf_text(&ports) + strlen(" udp"));
	strbuf_free(&ports);
	if (!r->flags)
		return;
	strbuf_puts(out, r->invert & 1u << OPT_CHUNKS ? " !" : "");
	chunks_text((const struct xt_sctp *)r, true, out);
}

static bool chunk_wanted(const struct xt_sctp *t, uint8_t type, uint8_t flags)
{
	if (!(t->wanted[type / 32] & 1u << type % 32))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (t->flag[i] == type + 1)
			return (flags & t->flag_mask[i]) == t->flag_value[i];
	return true;
}

/* xt_sctp.c, match_packet: "any" one chunk of those, "all" all of those are there,
 * "only" nothing but those. */
static bool chunks_match(const struct xt_sctp *t, const struct packet *p)
{
	uint32_t missing[8];
	memcpy(missing, t->wanted, sizeof missing);
	for (uint32_t at = p->l4 + 12u; at + 4 <= p->length;) {
		const uint8_t *c = p->bytes + at;
		uint32_t size = (uint32_t)c[2] << 8 | c[3];
		if (chunk_wanted(t, c[0], c[1])) {
			if (t->ports.head.flags == CHUNKS_ANY)
				return true;
			missing[c[0] / 32] &= ~(1u << c[0] % 32);
		} else if (t->ports.head.flags == CHUNKS_ONLY) {
			return false;
		}
		if (size < 4)
			break;
		at += (size + 3) & ~3u;
	}
	if (t->ports.head.flags != CHUNKS_ALL)
		return t->ports.head.flags == CHUNKS_ONLY;
	for (unsigned i = 0; i < 8; i++)
		if (missing[i])
			return false;
	return true;
}

static enum xt_answer sctp_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_ports *t = (const struct xt_ports *)r;
	const struct packet *p = e->packet;
	(void)s;
	if (p->proto != PROTO_SCTP || !p->l4 || p->fragment)
		return XT_NO;
	uint16_t sport = packet_src_port(p), dport = packet_dst_port(p);
	if ((sport >= t->src[0] && sport <= t->src[1]) == !!(r->invert & 1u << OPT_SPORT) ||
	    (dport >= t->dst[0] && dport <= t->dst[1]) == !!(r->invert & 1u << OPT_DPORT))
		return XT_NO;
	if (r->flags && chunks_match((const struct xt_sctp *)r, p) ==
				!!(r->invert & 1u << OPT_CHUNKS))
		return XT_NO;
	return XT_YES;
}

static const struct xt_option sctp_options[] = {
	{ "source-port", OPT_SPORT, XT_VALUE | XT_NEGATES },
	{ "sport", OPT_SPORT, XT_VALUE | XT_NEGATES },
	{ "destination-port", OPT_DPORT, XT_VALUE | XT_NEGATES },
	{ "dport", OPT_DPORT, XT_VALUE | XT_NEGATES },
	{ "chunk-types", OPT_CHUNKS, XT_VALUE | XT_NEGATES | XT_SECOND },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_sctp = {
	.name = "sctp", .kind = XT_M_SCTP, .families = 3, .size = sizeof(struct xt_sctp),
	.options = sctp_options, .init = sctp_init, .option = sctp_option,
	.finish = sctp_finish, .print = sctp_print, .list = sctp_list, .match = sctp_match,
};
