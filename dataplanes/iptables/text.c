/* iptables/text.c: the nat and filter rules of one service port.
 *
 * Source of behaviour: pkg/proxy/iptables/proxier.go, syncProxyRules. The order of the
 * functions is the order of the rules.
 */
#include "dataplanes/iptables/text.h"

#include <stdio.h>
#include <string.h>

#include "dataplanes/kubeproxy/text.h"

void ipt_style_init(struct ipt_style *s, const struct proxy_config *c, unsigned family,
		    bool large)
{
	const struct family_config *f = &c->families[family];
	const char *text = f->detect.text;
	*s = (struct ipt_style){ .config = c, .family = f, .large = large };
	s->localhost = f->family == NET_V4 && c->localhost_node_ports && f->node_port_loopback;
	if (c->version < KUBE_1_25)
		s->localhost = f->family == NET_V4;
	snprintf(s->mark, sizeof s->mark, "0x%08x", c->masquerade_mark);
	for (unsigned n = 1; n < IPT_PROBABILITIES; n++)
		snprintf(s->probability[n], sizeof s->probability[n], "%0.10f", 1.0 / n);
	switch (f->detect.kind) {
	case DETECT_CIDR:
		snprintf(s->is_local, sizeof s->is_local, "-s %s ", text);
		break;
	case DETECT_BRIDGE:
		snprintf(s->is_local, sizeof s->is_local, "-i %.64s ", text);
		break;
	case DETECT_PREFIX:
		snprintf(s->is_local, sizeof s->is_local, "-i %.64s+ ", text);
		break;
	case DETECT_NONE:
		return;
	}
	snprintf(s->not_local, sizeof s->not_local, "! %.77s", s->is_local);
}

void ipt_style_key(const struct ipt_style *s, struct strbuf *out)
{
	strbuf_printf(out, "iptables %d %d %d%d%d%d %s %s", s->config->version,
		      s->family->family, s->large, s->localhost, s->config->masquerade_all,
		      s->config->has_nfacct, s->mark, s->is_local);
}

/* ---- pieces ---------------------------------------------------------------------- */

struct writer {
	const struct ipt_style *s;
	struct service_port *p;
	const struct endpoint_choice *choice;
	struct strbuf *out;
};

static void put(struct writer *w, const char *text)
{
	text_put(w->out, text);
}

static void put_chain(struct writer *w, const char *prefix)
{
	put(w, prefix);
	text_bytes(w->out, port_hash(w->p), 16);
}

/* -A CHAIN -m comment --comment "NAME<comment>" */
static void start(struct writer *w, const char *chain, const char *comment)
{
	put(w, "-A ");
	put(w, chain);
	put(w, " -m comment --comment \"");
	put(w, w->p->name);
	put(w, comment);
	put(w, "\"");
}

/* -m tcp -p tcp -d IP --dport N */
static void put_match(struct writer *w, const char *ip, uint16_t port)
{
	put(w, " -m ");
	put(w, w->p->proto);
	put(w, " -p ");
	put(w, w->p->proto);
	if (ip) {
		put(w, " -d ");
		put(w, ip);
	}
	put(w, " --dport ");
	text_number(w->out, port);
}

static bool has_firewall(const struct writer *w)
{
	return w->choice->has_endpoints && w->p->vip_count && w->p->range_count;
}

static bool has_external(const struct writer *w)
{
	return w->choice->has_endpoints && port_externally_accessible(w->p);
}

static bool has_service_chain(const struct writer *w)
{
	return w->choice->cluster_count && port_uses_cluster(w->p);
}

static bool has_local_chain(const struct writer *w)
{
	return w->choice->local_count && port_uses_local(w->p);
}

static const char *internal_chain(const struct writer *w)
{
	return w->p->itp_local ? "KUBE-SVL-" : "KUBE-SVC-";
}

static const char *external_chain(const struct writer *w)
{
	return w->p->etp_local ? "KUBE-SVL-" : "KUBE-SVC-";
}

/* ---- filter ------------------------------------------------------------------------ */

static void refuse(struct writer *w, const char *chain, const char *ip, uint16_t port)
{
	bool any = w->choice->has_endpoints;
	start(w, chain, any ? " has no local endpoints" : " has no endpoints");
	if (!ip)
		put(w, " -m addrtype --dst-type LOCAL");
	put_match(w, ip, port);
	put(w, any ? " -j DROP\n" : " -j REJECT\n");
}

static void write_firewall_drops(struct writer *w)
{
	for (uint32_t i = 0; i < w->p->vip_count && has_firewall(w); i++) {
		start(w, "KUBE-PROXY-FIREWALL", " traffic not accepted by KUBE-FW-");
		w->out->length--; /* the hash belongs inside the quotes */
		text_bytes(w->out, port_hash(w->p), 16);
		put(w, "\"");
		put_match(w, w->p->vips[i], w->p->port);
		put(w, " -j DROP\n");
	}
}

static void write_filter(struct writer *w)
{
	const struct service_port *p = w->p;
	const struct endpoint_choice *c = w->choice;
	if (!c->internal)
		refuse(w, "KUBE-SERVICES", p->cluster_ip_text, p->port);
	for (uint32_t i = 0; i < p->external_ip_count && !c->external; i++)
		refuse(w, "KUBE-EXTERNAL-SERVICES", p->external_ips[i], p->port);
	write_firewall_drops(w);
	for (uint32_t i = 0; i < p->vip_count && !c->external; i++)
		refuse(w, "KUBE-EXTERNAL-SERVICES", p->vips[i], p->port);
	if (p->node_port && !c->external)
		refuse(w, "KUBE-EXTERNAL-SERVICES", NULL, p->node_port);
	if (!p->health_check_node_port)
		return;
	start(w, "KUBE-NODEPORTS", " health check node port");
	put(w, " -m tcp -p tcp --dport ");
	text_number(w->out, p->health_check_node_port);
	put(w, " -j ACCEPT\n");
}

/* ---- nat: chain lines and dispatch ---------------------------------------------------- */

static void own_chain(struct writer *w, const char *prefix, ipt_chain_fn *fn, void *ctx)
{
	char name[32];
	snprintf(name, sizeof name, "%s%s", prefix, port_hash(w->p));
	fn(ctx, name);
}

void ipt_own_chains(const struct ipt_style *s, struct service_port *p,
		    const struct endpoint_choice *choice, ipt_chain_fn *fn, void *ctx)
{
	struct writer w = { s, p, choice, NULL };
	char name[32];
	if (s->config->version < KUBE_1_25) {
		ipt_old_own_chains(s, p, choice, fn, ctx);
		return;
	}
	if (has_external(&w))
		own_chain(&w, "KUBE-EXT-", fn, ctx);
	if (has_firewall(&w))
		own_chain(&w, "KUBE-FW-", fn, ctx);
	if (has_service_chain(&w))
		own_chain(&w, "KUBE-SVC-", fn, ctx);
	if (has_local_chain(&w))
		own_chain(&w, "KUBE-SVL-", fn, ctx);
	for (uint32_t i = 0; i < choice->all_count; i++) {
		snprintf(name, sizeof name, "KUBE-SEP-%s", endpoint_hash(p, choice->all[i]));
		fn(ctx, name);
	}
}

static void chain_line(struct writer *w, const char *prefix, const char *hash)
{
	put(w, ":");
	put(w, prefix);
	text_bytes(w->out, hash, 16);
	put(w, " - [0:0]\n");
}

static void write_chains(struct writer *w)
{
	const char *hash = port_hash(w->p);
	if (has_external(w))
		chain_line(w, "KUBE-EXT-", hash);
	if (has_firewall(w))
		chain_line(w, "KUBE-FW-", hash);
	if (has_service_chain(w))
		chain_line(w, "KUBE-SVC-", hash);
	if (has_local_chain(w))
		chain_line(w, "KUBE-SVL-", hash);
	for (uint32_t i = 0; i < w->choice->all_count; i++)
		chain_line(w, "KUBE-SEP-", endpoint_hash(w->p, w->choice->all[i]));
}

static void dispatch(struct writer *w, const char *comment, const char *ip, const char *target)
{
	start(w, "KUBE-SERVICES", comment);
	put_match(w, ip, w->p->port);
	put(w, " -j ");
	put_chain(w, target);
	put(w, "\n");
}

static void node_port_rule(struct writer *w, bool localhost)
{
	put(w, "-A KUBE-NODEPORTS -m comment --comment ");
	put(w, w->p->name);
	if (localhost) {
		put_match(w, "127.0.0.0/8", w->p->node_port);
		put(w, " -m nfacct --nfacct-name localhost_nps_accepted_pkts");
	} else {
		put_match(w, NULL, w->p->node_port);
	}
	put(w, " -j ");
	put_chain(w, "KUBE-EXT-");
	put(w, "\n");
}

static void write_dispatch(struct writer *w)
{
	const struct service_port *p = w->p;
	if (w->choice->internal)
		dispatch(w, " cluster IP", p->cluster_ip_text, internal_chain(w));
	if (!w->choice->has_endpoints)
		return;
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		dispatch(w, " external IP", p->external_ips[i], "KUBE-EXT-");
	for (uint32_t i = 0; i < p->vip_count; i++)
		dispatch(w, " loadbalancer IP", p->vips[i],
			 p->range_count ? "KUBE-FW-" : "KUBE-EXT-");
	if (!p->node_port)
		return;
	if (w->s->localhost && w->s->config->has_nfacct && w->s->config->version >= KUBE_1_34)
		node_port_rule(w, true);
	node_port_rule(w, false);
}

/* ---- nat: the service port's own chains ------------------------------------------------- */

static void write_internal(struct writer *w)
{
	const char *match = w->s->config->masquerade_all ? "" : w->s->not_local;
	if (!w->choice->internal || (!w->s->config->masquerade_all && !*match))
		return;
	put(w, "-A ");
	put_chain(w, internal_chain(w));
	put(w, " -m comment --comment \"");
	put(w, w->p->name);
	put(w, " cluster IP\"");
	put_match(w, w->p->cluster_ip_text, w->p->port);
	put(w, " ");
	put(w, match);
	put(w, "-j KUBE-MARK-MASQ\n");
}

static void external_rule(struct writer *w, const char *what, const char *match,
			  const char *target)
{
	put(w, "-A ");
	put_chain(w, "KUBE-EXT-");
	put(w, " -m comment --comment \"");
	put(w, what);
	put(w, w->p->name);
	put(w, " external destinations\" ");
	put(w, match);
	put(w, "-j ");
	if (target)
		put_chain(w, target);
	else
		put(w, "KUBE-MARK-MASQ");
	put(w, "\n");
}

static void write_external(struct writer *w)
{
	if (!has_external(w))
		return;
	if (!w->p->etp_local) {
		external_rule(w, "masquerade traffic for ", "", NULL);
	} else {
		if (*w->s->is_local)
			external_rule(w, "pod traffic for ", w->s->is_local, "KUBE-SVC-");
		external_rule(w, "masquerade LOCAL traffic for ", "-m addrtype --src-type LOCAL ",
			      NULL);
		external_rule(w, "route LOCAL traffic for ", "-m addrtype --src-type LOCAL ",
			      "KUBE-SVC-");
	}
	if (!w->choice->external)
		return;
	put(w, "-A ");
	put_chain(w, "KUBE-EXT-");
	put(w, " -j ");
	put_chain(w, external_chain(w));
	put(w, "\n");
}

static void firewall_rule(struct writer *w, const char *source)
{
	put(w, "-A ");
	put_chain(w, "KUBE-FW-");
	put(w, " -m comment --comment \"");
	put(w, w->p->name);
	put(w, " loadbalancer IP\" -s ");
	put(w, source);
	put(w, " -j ");
	put_chain(w, "KUBE-EXT-");
	put(w, "\n");
}

static void write_firewall(struct writer *w)
{
	const struct service_port *p = w->p;
	if (!has_firewall(w))
		return;
	for (uint32_t i = 0; i < p->range_count; i++)
		firewall_rule(w, p->ranges[i]);
	/* The node's own traffic to the VIP may loop with the VIP as its source. */
	for (uint32_t i = 0;
	     i < p->vip_count && port_range_contains(p, &w->s->family->node_ip); i++)
		firewall_rule(w, p->vips[i]);
	put(w, "-A ");
	put_chain(w, "KUBE-FW-");
	put(w, " -m comment --comment \"other traffic to ");
	put(w, p->name);
	put(w, " will be dropped by KUBE-PROXY-FIREWALL\"\n");
}

/* -A CHAIN [-m comment --comment "NAME -> EP"] */
static void start_pick(struct writer *w, const char *chain, const struct endpoint *e)
{
	put(w, "-A ");
	put_chain(w, chain);
	if (w->s->large)
		return;
	put(w, " -m comment --comment \"");
	put(w, w->p->name);
	put(w, " -> ");
	put(w, e->text);
	put(w, "\"");
}

static void put_probability(struct writer *w, uint32_t n)
{
	char text[16];
	if (n < IPT_PROBABILITIES) {
		put(w, w->s->probability[n]);
		return;
	}
	snprintf(text, sizeof text, "%0.10f", 1.0 / (double)n);
	put(w, text);
}

static void write_picks(struct writer *w, const char *chain, const struct endpoint **list,
			uint32_t count)
{
	for (uint32_t i = 0; i < count && w->p->affinity; i++) {
		const char *hash = endpoint_hash(w->p, list[i]);
		start_pick(w, chain, list[i]);
		put(w, " -m recent --name KUBE-SEP-");
		text_bytes(w->out, hash, 16);
		put(w, " --rcheck --seconds ");
		text_number(w->out, (unsigned long)w->p->affinity_seconds);
		put(w, " --reap -j KUBE-SEP-");
		text_bytes(w->out, hash, 16);
		put(w, "\n");
	}
	for (uint32_t i = 0; i < count; i++) {
		start_pick(w, chain, list[i]);
		if (i + 1 < count) {
			put(w, " -m statistic --mode random --probability ");
			put_probability(w, count - i);
		}
		put(w, " -j KUBE-SEP-");
		text_bytes(w->out, endpoint_hash(w->p, list[i]), 16);
		put(w, "\n");
	}
}

static void start_endpoint(struct writer *w, const char *hash)
{
	put(w, "-A KUBE-SEP-");
	text_bytes(w->out, hash, 16);
	if (w->s->large)
		return;
	put(w, " -m comment --comment ");
	put(w, w->p->name);
}

static void write_endpoint(struct writer *w, const struct endpoint *e)
{
	const char *hash = endpoint_hash(w->p, e);
	start_endpoint(w, hash);
	put(w, " -s ");
	put(w, e->ip);
	put(w, " -j KUBE-MARK-MASQ\n");
	start_endpoint(w, hash);
	if (w->p->affinity) {
		put(w, " -m recent --name KUBE-SEP-");
		text_bytes(w->out, hash, 16);
		put(w, " --set");
	}
	put(w, " -m ");
	put(w, w->p->proto);
	put(w, " -p ");
	put(w, w->p->proto);
	put(w, " -j DNAT --to-destination ");
	put(w, e->text);
	put(w, "\n");
}

static void write_rules(struct writer *w)
{
	const struct endpoint_choice *c = w->choice;
	write_internal(w);
	write_external(w);
	write_firewall(w);
	if (has_service_chain(w))
		write_picks(w, "KUBE-SVC-", c->cluster, c->cluster_count);
	if (has_local_chain(w))
		write_picks(w, "KUBE-SVL-", c->local, c->local_count);
	for (uint32_t i = 0; i < c->all_count; i++)
		write_endpoint(w, c->all[i]);
}

void ipt_part(const struct ipt_style *s, enum ipt_part part, struct service_port *p,
	      const struct endpoint_choice *choice, struct strbuf *out)
{
	static void (*const parts[IPT_PARTS])(struct writer *) = {
		[IPT_FILTER] = write_filter, [IPT_CHAINS] = write_chains,
		[IPT_DISPATCH] = write_dispatch, [IPT_RULES] = write_rules,
	};
	struct writer w = { s, p, choice, out };
	if (s->config->version < KUBE_1_25)
		ipt_old_part(s, part, p, choice, out);
	else
		parts[part](&w);
}
