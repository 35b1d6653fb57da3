/* linux/xtables/match_rpfilter.c: does the way back to the sender lead out by the interface
 * that the packet came in by? calico and firewalld ask. Facts: xt_rpfilter's match
 * functions (ipt_rpfilter.c, ip6t_rpfilter.c). */
#include "linux/xtables/internal.h"

enum { OPT_LOOSE, OPT_VALIDMARK, OPT_ACCEPT_LOCAL, OPT_INVERT };

static const struct xt_option rpfilter_options[] = {
	{ "loose", OPT_LOOSE, 0 }, { "validmark", OPT_VALIDMARK, 0 },
	{ "accept-local", OPT_ACCEPT_LOCAL, 0 }, { "invert", OPT_INVERT, 0 }, { NULL, 0, 0 },
};

static int rpfilter_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			   const char *second, bool invert)
{
	(void)p;
	(void)value;
	(void)second;
	(void)invert;
	b->u.head.flags |= 1u << id;
	return 0;
}

static void rpfilter_text(const struct xt_record *r, const char *dash, struct strbuf *out)
{
	for (const struct xt_option *o = rpfilter_options; o->name; o++)
		if (r->flags & 1u << o->id)
			strbuf_printf(out, " %s%s", dash, o->name);
}

static void rpfilter_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	rpfilter_text(r, "--", out);
}

static void rpfilter_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	strbuf_puts(out, " rpfilter");
	rpfilter_text(r, "", out);
}

static bool way_back(struct xt_eval *e, const struct xt_record *r)
{
	const struct packet *p = e->packet;
	struct net_addr src = packet_src(p);
	struct route_result route;
	uint32_t mark = r->flags & 1u << OPT_VALIDMARK ? p->mark : 0;
	if (netns_is_local(e->ns, &src))
		return r->flags & 1u << OPT_ACCEPT_LOCAL;
	if (!netns_route(e->ns, &src, NULL, mark, &route) || route.kind != ROUTE_UNICAST)
		return false;
	return route.out_if == p->in_if || r->flags & 1u << OPT_LOOSE;
}

static enum xt_answer rpfilter_match(struct xt_eval *e, const struct xt_record *r,
				     union xt_state *s)
{
	bool loopback = netns_iface_by_name(e->ns, "lo") == e->packet->in_if;
	(void)s;
	return (loopback || way_back(e, r)) != !!(r->flags & 1u << OPT_INVERT) ? XT_YES : XT_NO;
}

const struct xt_extension xt_match_rpfilter = {
	.name = "rpfilter", .kind = XT_M_RPFILTER, .families = 3, .size = sizeof(struct xt_record),
	.tables = "raw mangle", .options = rpfilter_options, .option = rpfilter_option,
	.print = rpfilter_print, .list = rpfilter_list, .match = rpfilter_match,
};
