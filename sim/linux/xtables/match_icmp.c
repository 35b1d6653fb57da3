/* linux/xtables/match_icmp.c: icmp and icmp6. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/xtables/match.h"

struct xt_icmp {
	struct xt_record head;
	uint8_t type, code_min, code_max, pad[5];
};

struct icmp_name {
	const char *name;
	uint8_t type;
	int16_t code; /* -1: any */
};

/* Names as `iptables -p icmp -h` and `ip6tables -p icmpv6 -h` list them. */
static const struct icmp_name names4[] = {
	{ "echo-reply", 0, -1 }, { "pong", 0, -1 }, { "destination-unreachable", 3, -1 },
	{ "network-unreachable", 3, 0 }, { "host-unreachable", 3, 1 },
	{ "protocol-unreachable", 3, 2 }, { "port-unreachable", 3, 3 },
	{ "fragmentation-needed", 3, 4 }, { "source-route-failed", 3, 5 },
	{ "network-unknown", 3, 6 }, { "host-unknown", 3, 7 }, { "network-prohibited", 3, 9 },
	{ "host-prohibited", 3, 10 }, { "TOS-network-unreachable", 3, 11 },
	{ "TOS-host-unreachable", 3, 12 }, { "communication-prohibited", 3, 13 },
	{ "host-precedence-violation", 3, 14 }, { "precedence-cutoff", 3, 15 },
	{ "source-quench", 4, -1 }, { "redirect", 5, -1 }, { "network-redirect", 5, 0 },
	{ "host-redirect", 5, 1 }, { "TOS-network-redirect", 5, 2 },
	{ "TOS-host-redirect", 5, 3 }, { "echo-request", 8, -1 }, { "ping", 8, -1 },
	{ "router-advertisement", 9, -1 }, { "router-solicitation", 10, -1 },
	{ "time-exceeded", 11, -1 }, { "ttl-exceeded", 11, -1 },
	{ "ttl-zero-during-transit", 11, 0 }, { "ttl-zero-during-reassembly", 11, 1 },
	{ "parameter-problem", 12, -1 }, { "ip-header-bad", 12, 0 },
	{ "required-option-missing", 12, 1 }, { "timestamp-request", 13, -1 },
	{ "timestamp-reply", 14, -1 }, { "address-mask-request", 17, -1 },
	{ "address-mask-reply", 18, -1 },
};

static const struct icmp_name names6[] = {
	{ "destination-unreachable", 1, -1 }, { "no-route", 1, 0 },
	{ "communication-prohibited", 1, 1 }, { "beyond-scope", 1, 2 },
	{ "address-unreachable", 1, 3 }, { "port-unreachable", 1, 4 }, { "failed-policy", 1, 5 },
	{ "reject-route", 1, 6 }, { "packet-too-big", 2, -1 }, { "time-exceeded", 3, -1 },
	{ "ttl-exceeded", 3, -1 }, { "ttl-zero-during-transit", 3, 0 },
	{ "ttl-zero-during-reassembly", 3, 1 }, { "parameter-problem", 4, -1 },
	{ "bad-header", 4, 0 }, { "unknown-header-type", 4, 1 }, { "unknown-option", 4, 2 },
	{ "echo-request", 128, -1 }, { "ping", 128, -1 }, { "echo-reply", 129, -1 },
	{ "pong", 129, -1 }, { "router-solicitation", 133, -1 },
	{ "router-advertisement", 134, -1 }, { "neighbour-solicitation", 135, -1 },
	{ "neighbor-solicitation", 135, -1 }, { "neighbour-advertisement", 136, -1 },
	{ "neighbor-advertisement", 136, -1 }, { "redirect", 137, -1 },
};

/* "name", "type", "type/code"; a unique beginning of a name will do. */
static bool parse_type(const char *text, const struct icmp_name *names, unsigned count,
		       struct xt_icmp *out)
{
	const struct icmp_name *found = NULL;
	for (unsigned i = 0; i < count; i++) {
		if (strncasecmp(names[i].name, text, strlen(text)))
			continue;
		if (strcasecmp(names[i].name, text) == 0) {
			found = &names[i];
			break;
		}
		if (found)
			return false;
		found = &names[i];
	}
	if (found && text[0]) {
		out->type = found->type;
		out->code_min = found->code < 0 ? 0 : (uint8_t)found->code;
		out->code_max = found->code < 0 ? 255 : (uint8_t)found->code;
		return true;
	}
	char type[8];
	size_t n = strcspn(text, "/");
	uint64_t v;
	if (n >= sizeof type)
		return false;
	memcpy(type, text, n);
	type[n] = '\0';
	if (!parse_u32(type, 255, &v))
		return false;
	out->type = (uint8_t)v;
	out->code_min = 0;
	out->code_max = 255;
	if (!text[n])
		return true;
	if (!parse_u32(text + n + 1, 255, &v))
		return false;
	out->code_min = out->code_max = (uint8_t)v;
	return true;
}

static int icmp_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		       const char *second, bool invert)
{
	struct xt_icmp *t = (struct xt_icmp *)(void *)&b->u;
	bool v6 = b->ext->kind == XT_M_ICMP6;
	(void)id;
	(void)second;
	t->head.invert = invert;
	if (!v6 && strcasecmp(value, "any") == 0) {
		t->type = t->code_max = 255;
		return 0;
	}
	bool ok = v6 ? parse_type(value, names6, sizeof names6 / sizeof *names6, t) :
		       parse_type(value, names4, sizeof names4 / sizeof *names4, t);
	return ok ? 0 : xt_complain(p, "Unknown ICMP%s type `%s'", v6 ? "v6" : "", value);
}

static int icmp_finish(struct xt_parse *p, struct xt_build *b)
{
	bool v6 = b->ext->kind == XT_M_ICMP6;
	if (!b->seen)
		return xt_complain(p, "%s: option \"--%s\" must be specified", b->ext->name,
				   v6 ? "icmpv6-type" : "icmp-type");
	if (parse_rule_proto(p) == (v6 ? PROTO_ICMP6 : PROTO_ICMP))
		return 0;
	return xt_complain(p, "%s: the match works with `-p %s' only", b->ext->name,
			   v6 ? "ipv6-icmp" : "icmp");
}

static void icmp_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_icmp *t = (const struct xt_icmp *)r;
	(void)family;
	strbuf_printf(out, "%s --%s ", r->invert ? " !" : "",
		      r->kind == XT_M_ICMP6 ? "icmpv6-type" : "icmp-type");
	if (r->kind == XT_M_ICMP && t->type == 255)
		strbuf_puts(out, "any");
	else
		strbuf_printf(out, "%u", t->type);
	if (t->code_min == t->code_max)
		strbuf_printf(out, "/%u", t->code_min);
}

static void icmp_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_icmp *t = (const struct xt_icmp *)r;
	bool v6 = r->kind == XT_M_ICMP6;
	(void)family;
	strbuf_printf(out, r->invert ? " %s !type %u" : " %stype %u", v6 ? "ipv6-icmp" : "icmp",
		      t->type);
	if (t->code_min == t->code_max)
		strbuf_printf(out, " code %u", t->code_min);
}

static enum xt_answer icmp_match(struct xt_eval *e, const struct xt_record *r, union xt_state *s)
{
	const struct xt_icmp *t = (const struct xt_icmp *)r;
	const struct packet *p = e->packet;
	uint8_t proto = r->kind == XT_M_ICMP6 ? PROTO_ICMP6 : PROTO_ICMP;
	(void)s;
	if (p->proto != proto || !p->l4 || p->fragment)
		return XT_NO;
	uint8_t code = packet_icmp_code(p);
	bool any = r->kind == XT_M_ICMP && t->type == 255;
	bool same = any || (packet_icmp_type(p) == t->type && code >= t->code_min &&
			    code <= t->code_max);
	return same != !!r->invert ? XT_YES : XT_NO;
}

static const struct xt_option icmp_options[] = {
	{ "icmp-type", 0, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

static const struct xt_option icmp6_options[] = {
	{ "icmpv6-type", 0, XT_VALUE | XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_icmp = {
	.name = "icmp", .kind = XT_M_ICMP, .families = 1, .size = sizeof(struct xt_icmp),
	.options = icmp_options, .option = icmp_option, .finish = icmp_finish,
	.print = icmp_print, .list = icmp_list, .match = icmp_match,
};

const struct xt_extension xt_match_icmp6 = {
	.name = "icmp6", .kind = XT_M_ICMP6, .families = 2, .size = sizeof(struct xt_icmp),
	.options = icmp6_options, .option = icmp_option, .finish = icmp_finish,
	.print = icmp_print, .list = icmp_list, .match = icmp_match,
};
