/* linux/xtables/target_verdict.c: ACCEPT, DROP, QUEUE, RETURN, REJECT. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/xtables/match.h"

const struct xt_extension xt_target_accept = {
	.name = "ACCEPT", .kind = XT_T_ACCEPT, .families = 3, .size = sizeof(struct xt_record),
};

const struct xt_extension xt_target_drop = {
	.name = "DROP", .kind = XT_T_DROP, .families = 3, .size = sizeof(struct xt_record),
};

const struct xt_extension xt_target_queue = {
	.name = "QUEUE", .kind = XT_T_QUEUE, .families = 3, .size = sizeof(struct xt_record),
};

const struct xt_extension xt_target_return = {
	.name = "RETURN", .kind = XT_T_RETURN, .families = 3, .size = sizeof(struct xt_record),
};

/* --- REJECT: flags hold the index into the family's table */

struct reject_kind {
	const char *name, *alias;
	uint8_t type, code;
};

#define TCP_RESET 255u

static const struct reject_kind kinds4[] = {
	{ "icmp-net-unreachable", "net-unreach", 3, 0 },
	{ "icmp-host-unreachable", "host-unreach", 3, 1 },
	{ "icmp-proto-unreachable", "proto-unreach", 3, 2 },
	{ "icmp-port-unreachable", "port-unreach", 3, 3 },
	{ "icmp-net-prohibited", "net-prohib", 3, 9 },
	{ "icmp-host-prohibited", "host-prohib", 3, 10 },
	{ "tcp-reset", "tcp-rst", TCP_RESET, 0 },
	{ "icmp-admin-prohibited", "admin-prohib", 3, 13 },
};

static const struct reject_kind kinds6[] = {
	{ "icmp6-no-route", "no-route", 1, 0 },
	{ "icmp6-adm-prohibited", "adm-prohibited", 1, 1 },
	{ "icmp6-addr-unreachable", "addr-unreach", 1, 3 },
	{ "icmp6-port-unreachable", "port-unreach", 1, 4 },
	{ "tcp-reset", "tcp-reset", TCP_RESET, 0 },
	{ "icmp6-policy-fail", "policy-fail", 1, 5 },
	{ "icmp6-reject-route", "reject-route", 1, 6 },
};

static const struct reject_kind *reject_table(uint8_t family, unsigned *count)
{
	*count = family == NET_V6 ? sizeof kinds6 / sizeof *kinds6 : sizeof kinds4 / sizeof *kinds4;
	return family == NET_V6 ? kinds6 : kinds4;
}

static void reject_init(struct xt_record *r)
{
	r->flags = 3; /* port unreachable in both tables */
}

static int reject_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			 const char *second, bool invert)
{
	unsigned count;
	const struct reject_kind *k = reject_table(p->x->family, &count);
	size_t length = strlen(value);
	(void)id;
	(void)second;
	(void)invert;
	for (unsigned i = 0; i < count && length; i++) {
		if (strncasecmp(k[i].name, value, length) == 0 ||
		    strncasecmp(k[i].alias, value, length) == 0) {
			b->u.head.flags = i;
			return 0;
		}
	}
	return xt_complain(p, "unknown reject type \"%s\"", value);
}

static int reject_finish(struct xt_parse *p, struct xt_build *b)
{
	unsigned count;
	const struct reject_kind *k = reject_table(p->x->family, &count) + b->u.head.flags;
	if (k->type == TCP_RESET && parse_rule_proto(p) != PROTO_TCP)
		return xt_complain(p, "REJECT: tcp-reset works with `-p tcp' only");
	return 0;
}

static void reject_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	unsigned count;
	strbuf_printf(out, " --reject-with %s", reject_table(family, &count)[r->flags].name);
}

static void reject_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	unsigned count;
	strbuf_printf(out, " reject-with %s", reject_table(family, &count)[r->flags].name);
}

static enum xt_outcome reject_run(struct xt_eval *e, const struct xt_record *r)
{
	unsigned count;
	const struct reject_kind *k = reject_table(e->x->family, &count) + r->flags;
	bool reset = k->type == TCP_RESET;
	netns_send_reject(e->ns, e->state, reset, reset ? 0 : k->type, k->code);
	e->rejected = true;
	return XT_DROP;
}

static const struct xt_option reject_options[] = {
	{ "reject-with", 0, XT_VALUE }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_reject = {
	.name = "REJECT", .kind = XT_T_REJECT, .families = 3, .size = sizeof(struct xt_record),
	.tables = "filter", .options = reject_options, .init = reject_init,
	.option = reject_option, .finish = reject_finish, .print = reject_print,
	.list = reject_list, .run = reject_run,
};
