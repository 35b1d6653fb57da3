/* linux/xtables/target_nat.c: DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP. */
#include "linux/xtables/internal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/xtables/match.h"

enum { OPT_TO, OPT_RANDOM, OPT_FULLY, OPT_PERSISTENT };
enum { HAS_ADDR = 1 << 8, HAS_PORT = 1 << 9, HAS_MAX = 1 << 10,
       HAS_BASE = 1 << 12 };

/* Addresses that are not written are left out at the end: a v4 DNAT has `size` NAT_V4. */
struct xt_nat { /* head.flags: bit per option, HAS_... */
	struct xt_record head;
	uint16_t port_min, port_max, base, pad;
	uint8_t min[16], max[16]; /* v4: the first 8 bytes of `min` hold both */
};

static const uint8_t *nat_max(const struct xt_nat *t, uint8_t family)
{
	return family == NET_V6 ? t->max : t->min + 4;
}

static bool needs_ports(const struct xt_parse *p)
{
	uint8_t proto = parse_rule_proto(p);
	return proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP && proto != 33;
}

static bool port_number(const char *text, size_t length, uint16_t *out)
{
	char copy[16];
	if (!length || length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return parse_port(copy, out);
}

/* "80", "80-90", "80-90/8000". */
static int nat_ports(struct xt_parse *p, struct xt_nat *t, const char *text)
{
	size_t n = strcspn(text, "-/");
	if (needs_ports(p))
		return xt_complain(p, "Need TCP, UDP, SCTP or DCCP with port specification");
	if (!port_number(text, n, &t->port_min))
		return xt_complain(p, "Port `%s' not valid", text);
	t->head.flags |= HAS_PORT;
	t->port_max = t->port_min;
	if (text[n] == '-') {
		const char *high = text + n + 1;
		size_t m = strcspn(high, "/");
		if (!port_number(high, m, &t->port_max))
			return xt_complain(p, "Port `%s' not valid", high);
		if (t->port_max < t->port_min)
			return xt_complain(p, "Port range `%s' funky", text);
		n += 1 + m;
	}
	if (!text[n])
		return 0;
	t->head.flags |= HAS_BASE;
	if (text[n] != '/' || !port_number(text + n + 1, strlen(text + n + 1), &t->base))
		return xt_complain(p, "Port `%s' not valid", text);
	return 0;
}

static bool nat_address(struct xt_parse *p, const char *text, size_t length, uint8_t *out)
{
	char copy[NET_ADDR_TEXT];
	struct net_addr a;
	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (!net_addr_parse(copy, &a) || a.family != p->x->family)
		return false;
	memcpy(out, a.bytes, a.family == NET_V6 ? 16 : 4);
	return true;
}

/* "a", "a-b", ":port", "a-b:ports"; v6 with ports in brackets. */
static int nat_to(struct xt_parse *p, struct xt_nat *t, const char *value)
{
	bool v6 = p->x->family == NET_V6;
	const char *addr = value, *end, *ports = NULL;
	if (v6 && value[0] == '[') {
		addr++;
		end = strchr(value, ']');
		if (!end || (end[1] && end[1] != ':'))
			return xt_complain(p, "Invalid address format");
		ports = end[1] ? end + 2 : NULL;
	} else {
		const char *colon = v6 ? NULL : strchr(value, ':');
		end = colon ? colon : value + strlen(value);
		ports = colon ? colon + 1 : NULL;
	}
	size_t length = (size_t)(end - addr), first = 0;
	while (first < length && addr[first] != '-')
		first++;
	if (length) {
		uint8_t *max = v6 ? t->max : t->min + 4;
		if (!nat_address(p, addr, first, t->min))
			return xt_complain(p, "Bad IP address \"%.*s\"", (int)first, addr);
		memcpy(max, t->min, v6 ? 16 : 4);
		t->head.flags |= HAS_ADDR;
		if (first < length && !nat_address(p, addr + first + 1, length - first - 1, max))
			return xt_complain(p, "Bad IP address \"%.*s\"",
					   (int)(length - first - 1), addr + first + 1);
		if (first < length && memcmp(max, t->min, v6 ? 16 : 4) != 0)
			t->head.flags |= HAS_MAX;
	} else if (!ports) {
		return xt_complain(p, "Bad IP address \"\"");
	}
	t->head.size = (uint16_t)(v6 ? sizeof *t : offsetof(struct xt_nat, min) + 8);
	return ports ? nat_ports(p, t, ports) : 0;
}

static int nat_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert)
{
	struct xt_nat *t = (struct xt_nat *)(void *)&b->u;
	(void)second;
	(void)invert;
	t->head.flags |= 1u << id;
	return id == OPT_TO ? nat_to(p, t, value) : 0;
}

static int nat_finish(struct xt_parse *p, struct xt_build *b)
{
	if (b->seen & 1u << OPT_TO)
		return 0;
	return xt_complain(p, "%s: option \"--to-%s\" must be specified", b->ext->name,
			   b->ext->kind == XT_T_DNAT ? "destination" : "source");
}

static void nat_words(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	if (r->flags & 1u << OPT_RANDOM)
		strbuf_printf(out, " %srandom", dash);
	if (r->flags & 1u << OPT_FULLY)
		strbuf_printf(out, " %srandom-fully", dash);
	if (r->flags & 1u << OPT_PERSISTENT)
		strbuf_printf(out, " %spersistent", dash);
}

static void nat_range_text(const struct xt_nat *t, uint8_t family, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	struct net_addr min = addr_from(t->min, family), max = { 0 };
	uint32_t has = t->head.flags;
	bool bracket = family == NET_V6 && (has & HAS_PORT);
	if (has & HAS_ADDR) {
		strbuf_printf(out, "%s%s", bracket ? "[" : "", net_addr_text(&min, text));
		if (has & HAS_MAX) {
			max = addr_from(nat_max(t, family), family);
			strbuf_printf(out, "-%s", net_addr_text(&max, text));
		}
		strbuf_puts(out, bracket ? "]" : "");
	}
	if (!(has & HAS_PORT))
		return;
	strbuf_printf(out, ":%u", t->port_min);
	if (t->port_max != t->port_min)
		strbuf_printf(out, "-%u", t->port_max);
	if (has & HAS_BASE)
		strbuf_printf(out, "/%u", t->base);
}

static void nat_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	strbuf_puts(out, r->kind == XT_T_DNAT ? " --to-destination " : " --to-source ");
	nat_range_text((const struct xt_nat *)r, family, out);
	nat_words(r, "--", out);
}

static void nat_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	strbuf_puts(out, " to:");
	nat_range_text((const struct xt_nat *)r, family, out);
	nat_words(r, "", out);
}

/* --- running */

static enum xt_outcome outcome(enum nf_verdict v)
{
	return v == VERDICT_ACCEPT ? XT_ACCEPT : v == VERDICT_STOLEN ? XT_STOLEN : XT_DROP;
}

static void range_options(const struct xt_record *r, struct nat_range *range)
{
	range->random = r->flags & 1u << OPT_RANDOM;
	range->random_fully = r->flags & 1u << OPT_FULLY;
	range->persistent = r->flags & 1u << OPT_PERSISTENT;
}

struct before {
	struct net_addr addr;
	uint16_t port;
};

static struct before remember(const struct packet *p, enum nat_kind kind)
{
	return kind == NAT_DST ? (struct before){ packet_dst(p), packet_dst_port(p) } :
				 (struct before){ packet_src(p), packet_src_port(p) };
}

/* "old -> new" as the step's note, and what the trace keeps of it. */
static void changed(struct xt_eval *e, enum nat_kind kind, const struct before *was)
{
	struct packet *p = e->packet;
	struct before now = remember(p, kind);
	char a[NET_ADDR_TEXT + 8], b[NET_ADDR_TEXT + 8];
	if (!p->trace)
		return;
	if (was->port || now.port) {
		net_endpoint_text(&was->addr, was->port, a);
		net_endpoint_text(&now.addr, now.port, b);
	} else {
		net_addr_text(&was->addr, a);
		net_addr_text(&now.addr, b);
	}
	snprintf(e->note, sizeof e->note, "%s -> %s", a, b);
	if (kind == NAT_DST) {
		p->trace->dnat_addr = now.addr;
		p->trace->dnat_port = now.port;
	} else if (!net_addr_equal(&was->addr, &now.addr)) {
		p->trace->masqueraded = true;
	}
}

static enum xt_outcome translate(struct xt_eval *e, enum nat_kind kind,
				 const struct nat_range *range)
{
	struct before was = remember(e->packet, kind);
	enum nf_verdict v = nat_setup(e->state, kind, range);
	if (v == VERDICT_ACCEPT)
		changed(e, kind, &was);
	return outcome(v);
}

static enum xt_outcome nat_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	struct nat_range range = { 0 };
	if (r->flags & HAS_BASE) {
		e->undecided = "shifted port ranges are not modelled";
		return XT_CONTINUE;
	}
	if (r->flags & HAS_ADDR) {
		range.min = addr_from(t->min, e->x->family);
		range.max = addr_from(nat_max(t, e->x->family), e->x->family);
	}
	range.port_min = t->port_min;
	range.port_max = t->port_max;
	range_options(r, &range);
	return translate(e, r->kind == XT_T_DNAT ? NAT_DST : NAT_SRC, &range);
}

static const struct xt_option dnat_options[] = {
	{ "to-destination", OPT_TO, XT_VALUE }, { "random", OPT_RANDOM, 0 },
	{ "persistent", OPT_PERSISTENT, 0 }, { NULL, 0, 0 },
};

static const struct xt_option snat_options[] = {
	{ "to-source", OPT_TO, XT_VALUE }, { "random", OPT_RANDOM, 0 },
	{ "random-fully", OPT_FULLY, 0 }, { "persistent", OPT_PERSISTENT, 0 }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_dnat = {
	.name = "DNAT", .kind = XT_T_DNAT, .families = 3, .size = sizeof(struct xt_nat),
	.tables = "nat", .options = dnat_options, .option = nat_option, .finish = nat_finish,
	.print = nat_print, .list = nat_list, .run = nat_run,
};

const struct xt_extension xt_target_snat = {
	.name = "SNAT", .kind = XT_T_SNAT, .families = 3, .size = sizeof(struct xt_nat),
	.tables = "nat", .options = snat_options, .option = nat_option, .finish = nat_finish,
	.print = nat_print, .list = nat_list, .run = nat_run,
};

/* --- MASQUERADE, REDIRECT: ports only */

static void short_init(struct xt_record *r)
{
	r->size = offsetof(struct xt_nat, min);
}

static int short_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			const char *second, bool invert)
{
	struct xt_nat *t = (struct xt_nat *)(void *)&b->u;
	(void)second;
	(void)invert;
	t->head.flags |= 1u << id;
	if (id != OPT_TO)
		return 0;
	if (strchr(value, '/'))
		return xt_complain(p, "Port `%s' not valid", value);
	return nat_ports(p, t, value);
}

static void short_text(const struct xt_record *r, const char *ports, const char *dash,
		       struct strbuf *out)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	if (r->flags & HAS_PORT) {
		strbuf_printf(out, " %s %u", ports, t->port_min);
		if (t->port_max != t->port_min)
			strbuf_printf(out, "-%u", t->port_max);
	}
	nat_words(r, dash, out);
}

static void short_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	short_text(r, "--to-ports", "--", out);
}

static void short_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	short_text(r, r->kind == XT_T_REDIRECT ? "redir ports" : "masq ports:", "", out);
}

static enum xt_outcome masquerade_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	struct nat_range range = { .port_min = t->port_min, .port_max = t->port_max };
	struct before was = remember(e->packet, NAT_SRC);
	range_options(r, &range);
	enum nf_verdict v = nat_masquerade(e->state, &range);
	if (v == VERDICT_ACCEPT)
		changed(e, NAT_SRC, &was);
	return outcome(v);
}

/* nf_nat_redirect.c: the loopback address for local packets, else the first address of
 * the interface that the packet came in by. */
static enum xt_outcome redirect_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	struct nat_range range = { .port_min = t->port_min, .port_max = t->port_max };
	range_options(r, &range);
	if (e->state->hook == HOOK_OUTPUT)
		net_addr_parse(e->x->family == NET_V6 ? "::1" : "127.0.0.1", &range.min);
	else
		range.min = netns_iface_addr(e->ns, e->packet->in_if, e->x->family);
	if (range.min.family == NET_NONE)
		return XT_DROP;
	range.max = range.min;
	return translate(e, NAT_DST, &range);
}

static const struct xt_option masquerade_options[] = {
	{ "to-ports", OPT_TO, XT_VALUE }, { "random", OPT_RANDOM, 0 },
	{ "random-fully", OPT_FULLY, 0 }, { NULL, 0, 0 },
};

static const struct xt_option redirect_options[] = {
	{ "to-ports", OPT_TO, XT_VALUE }, { "random", OPT_RANDOM, 0 }, { NULL, 0, 0 },
};

const struct xt_extension xt_target_masquerade = {
	.name = "MASQUERADE", .kind = XT_T_MASQUERADE, .families = 3,
	.size = sizeof(struct xt_nat), .tables = "nat", .options = masquerade_options,
	.init = short_init, .option = short_option, .print = short_print, .list = short_list,
	.run = masquerade_run,
};

const struct xt_extension xt_target_redirect = {
	.name = "REDIRECT", .kind = XT_T_REDIRECT, .families = 3, .size = sizeof(struct xt_nat),
	.tables = "nat", .options = redirect_options, .init = short_init,
	.option = short_option, .print = short_print, .list = short_list, .run = redirect_run,
};

/* --- NETMAP: min holds the network, max its mask (v4: min and min + 4) */

static int netmap_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			 const char *second, bool invert)
{
	struct xt_nat *t = (struct xt_nat *)(void *)&b->u;
	bool v6 = p->x->family == NET_V6;
	uint8_t *mask = v6 ? t->max : t->min + 4;
	(void)id;
	(void)second;
	(void)invert;
	if (!parse_network(value, p->x->family, t->min, mask))
		return xt_complain(p, "NETMAP: bad value for option \"--to\": `%s'", value);
	t->head.size = (uint16_t)(v6 ? sizeof *t : offsetof(struct xt_nat, min) + 8);
	return 0;
}

static int netmap_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "NETMAP: option \"--to\" must be specified");
}

static void netmap_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	strbuf_puts(out, " --to ");
	print_network(out, t->min, nat_max(t, family), family, true);
}

static void netmap_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	strbuf_puts(out, " to:");
	print_network(out, t->min, nat_max(t, family), family, true);
}

static enum xt_outcome netmap_run(struct xt_eval *e, const struct xt_record *r)
{
	const struct xt_nat *t = (const struct xt_nat *)r;
	enum nf_hook hook = e->state->hook;
	enum nat_kind kind = hook == HOOK_PREROUTING || hook == HOOK_OUTPUT ? NAT_DST : NAT_SRC;
	const uint8_t *mask = nat_max(t, e->x->family);
	struct net_addr a = kind == NAT_DST ? packet_dst(e->packet) : packet_src(e->packet);
	for (unsigned i = 0; i < (e->x->family == NET_V6 ? 16u : 4u); i++)
		a.bytes[i] = (uint8_t)((a.bytes[i] & ~mask[i]) | (t->min[i] & mask[i]));
	struct nat_range range = { .min = a, .max = a };
	return translate(e, kind, &range);
}

static const struct xt_option netmap_options[] = { { "to", 0, XT_VALUE }, { NULL, 0, 0 } };

const struct xt_extension xt_target_netmap = {
	.name = "NETMAP", .kind = XT_T_NETMAP, .families = 3, .size = sizeof(struct xt_nat),
	.tables = "nat", .options = netmap_options, .option = netmap_option,
	.finish = netmap_finish, .print = netmap_print, .list = netmap_list, .run = netmap_run,
};
