/* linux/output.c: what leaves a namespace. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "linux/internal.h"
#include "net/trace.h"

void path_drop(struct netns *ns, struct packet *p, const char *where, const char *fmt, ...)
{
	char why[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	step_add(ns, p, where, "", NULL, "dropped: %s", why);
	if (p->trace)
		trace_verdict(p->trace, TRACE_DROPPED, "%s: %s", ns->label, why);
	ct_forget(p);
	packet_free(p);
}

static void step_route(const struct netns *ns, const struct packet *p,
		       const struct route_result *r)
{
	char dst[NET_ADDR_TEXT], via[NET_ADDR_TEXT];
	struct net_addr to = packet_dst(p);
	if (!p->trace)
		return;
	net_addr_text(&to, dst);
	if (r->kind == ROUTE_LOCAL)
		step_add(ns, p, "route", "", NULL, "local %s", dst);
	else if (net_addr_equal(&to, &r->next_hop))
		step_add(ns, p, "route", "", NULL, "%s dev %s", dst,
			 netns_iface_name(ns, r->out_if));
	else
		step_add(ns, p, "route", "", NULL, "%s via %s dev %s", dst,
			 net_addr_text(&r->next_hop, via), netns_iface_name(ns, r->out_if));
}

void path_post(struct netns *ns, const struct route_result *route, struct packet *p)
{
	p->out_if = route->out_if;
	step_route(ns, p, route);
	if (hook_at(ns, HOOK_POSTROUTING, p, NULL) != VERDICT_ACCEPT)
		return;
	link_transmit(ns, route->out_if, &route->next_hop, p);
}

static int no_route(struct netns *ns, struct packet *p, int error)
{
	char text[NET_ADDR_TEXT];
	struct net_addr dst = packet_dst(p);
	net_addr_text(&dst, text);
	step_add(ns, p, "route", "", NULL, "no way to %s", text);
	if (p->trace)
		trace_verdict(p->trace, error == EINVAL ? TRACE_DROPPED : TRACE_NO_ROUTE,
			      "%s: no way to %s", ns->label, text);
	ct_forget(p);
	packet_free(p);
	return error;
}

int netns_output(struct netns *ns, struct packet *p)
{
	struct route_result route;
	struct net_addr dst = packet_dst(p), src = packet_src(p), after;
	int code = route_output(ns, &dst, &src, &route);
	if (p->trace && ns->entry && !*p->trace->entry_node)
		snprintf(p->trace->entry_node, sizeof p->trace->entry_node, "%s", ns->label);
	if (code)
		return no_route(ns, p, code);
	p->out_if = route.out_if;
	enum nf_verdict verdict = hook_at(ns, HOOK_OUTPUT, p, &code);
	if (verdict != VERDICT_ACCEPT)
		return verdict == VERDICT_DROP ? code : 0;
	after = packet_dst(p);
	if (!net_addr_equal(&after, &dst)) { /* ip_route_me_harder */
		src = packet_src(p);
		code = route_output(ns, &after, &src, &route);
		if (code)
			return no_route(ns, p, code);
	}
	path_post(ns, &route, p);
	return 0;
}
