/* iptables/old.c: the rules of one service port as v1.20 wrote them.
 *
 * No KUBE-EXT chains: node ports, external IPs and load balancer IPs jump to KUBE-SVC
 * after a mark, or, with a Local policy, to KUBE-XLB. Addresses carry their length.
 * Refusals are written only where no endpoint is left at all.
 *
 * Source of behaviour: pkg/proxy/iptables/proxier.go of v1.20.
 */
#include <stdio.h>

#include "dataplanes/iptables/text.h"
#include "dataplanes/kubeproxy/text.h"

struct writer {
	const struct ipt_style *s;
	struct service_port *p;
	const struct endpoint_choice *choice;
	struct strbuf *out;
	const char *bits; /* "/32" */
	bool local;       /* externalTrafficPolicy Local, for NodePort and LoadBalancer only */
};

static void start(struct writer *w, const char *chain, const char *comment)
{
	strbuf_printf(w->out, "-A %s -m comment --comment \"%s %s\"", chain, w->p->name, comment);
}

static void match(struct writer *w, const char *ip, uint16_t port)
{
	strbuf_printf(w->out, " -m %s -p %s", w->p->proto, w->p->proto);
	if (ip)
		strbuf_printf(w->out, " -d %s%s", ip, w->bits);
	strbuf_printf(w->out, " --dport %u ", port);
}

static void jump(struct writer *w, const char *prefix)
{
	strbuf_printf(w->out, "-j %s%s\n", prefix, port_hash(w->p));
}

static void refuse(struct writer *w, const char *chain, const char *ip, uint16_t port)
{
	start(w, chain, "has no endpoints");
	if (!ip)
		strbuf_puts(w->out, " -m addrtype --dst-type LOCAL");
	match(w, ip, port);
	strbuf_puts(w->out, "-j REJECT\n");
}

static void write_filter(struct writer *w)
{
	const struct service_port *p = w->p;
	if (w->choice->has_endpoints)
		return;
	refuse(w, "KUBE-SERVICES", p->cluster_ip_text, p->port);
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		refuse(w, "KUBE-EXTERNAL-SERVICES", p->external_ips[i], p->port);
	for (uint32_t i = 0; i < p->vip_count; i++)
		refuse(w, "KUBE-EXTERNAL-SERVICES", p->vips[i], p->port);
	if (p->node_port)
		refuse(w, "KUBE-EXTERNAL-SERVICES", NULL, p->node_port);
}

static void write_chains(struct writer *w)
{
	const char *hash = port_hash(w->p);
	if (w->choice->has_endpoints)
		strbuf_printf(w->out, ":KUBE-SVC-%s - [0:0]\n", hash);
	if (w->local)
		strbuf_printf(w->out, ":KUBE-XLB-%s - [0:0]\n", hash);
	for (uint32_t i = 0; i < w->p->vip_count && w->choice->has_endpoints; i++)
		strbuf_printf(w->out, ":KUBE-FW-%s - [0:0]\n", hash);
	for (uint32_t i = 0; i < w->choice->cluster_count; i++)
		strbuf_printf(w->out, ":KUBE-SEP-%s - [0:0]\n",
			      endpoint_hash(w->p, w->choice->cluster[i]));
}

/* ---- dispatch ---------------------------------------------------------------------- */

static void write_cluster_ip(struct writer *w)
{
	const char *condition = w->s->config->masquerade_all ? "" : w->s->not_local;
	if (w->s->config->masquerade_all || *condition) {
		start(w, "KUBE-SERVICES", "cluster IP");
		match(w, w->p->cluster_ip_text, w->p->port);
		strbuf_printf(w->out, "%s-j KUBE-MARK-MASQ\n", condition);
	}
	start(w, "KUBE-SERVICES", "cluster IP");
	match(w, w->p->cluster_ip_text, w->p->port);
	jump(w, "KUBE-SVC-");
}

static void write_external_ip(struct writer *w, const char *ip)
{
	if (!w->local) {
		start(w, "KUBE-SERVICES", "external IP");
		match(w, ip, w->p->port);
		strbuf_puts(w->out, "-j KUBE-MARK-MASQ\n");
	}
	start(w, "KUBE-SERVICES", "external IP");
	match(w, ip, w->p->port);
	jump(w, w->local ? "KUBE-XLB-" : "KUBE-SVC-");
}

static void firewall(struct writer *w, const char *source, const char *bits)
{
	strbuf_printf(w->out, "-A KUBE-FW-%s -m comment --comment \"%s loadbalancer IP\" ",
		      port_hash(w->p), w->p->name);
	if (source)
		strbuf_printf(w->out, "-s %s%s ", source, bits);
}

static void write_vip(struct writer *w, const char *vip)
{
	const struct service_port *p = w->p;
	const char *chosen = w->local ? "KUBE-XLB-" : "KUBE-SVC-";
	start(w, "KUBE-SERVICES", "loadbalancer IP");
	match(w, vip, p->port);
	jump(w, "KUBE-FW-");
	if (!w->local) {
		firewall(w, NULL, "");
		strbuf_puts(w->out, "-j KUBE-MARK-MASQ\n");
	}
	for (uint32_t i = 0; i < p->range_count; i++) {
		firewall(w, p->ranges[i], "");
		jump(w, chosen);
	}
	if (!p->range_count || port_range_contains(p, &w->s->family->node_ip)) {
		firewall(w, p->range_count ? vip : NULL, w->bits);
		jump(w, chosen);
	}
	firewall(w, NULL, "");
	strbuf_puts(w->out, "-j KUBE-MARK-DROP\n");
}

static void node_port(struct writer *w)
{
	strbuf_printf(w->out, "-A KUBE-NODEPORTS -m comment --comment %s", w->p->name);
	match(w, NULL, w->p->node_port);
}

static void write_dispatch(struct writer *w)
{
	const struct service_port *p = w->p;
	if (!w->choice->has_endpoints)
		return;
	write_cluster_ip(w);
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		write_external_ip(w, p->external_ips[i]);
	for (uint32_t i = 0; i < p->vip_count; i++)
		write_vip(w, p->vips[i]);
	if (!p->node_port)
		return;
	node_port(w);
	if (w->local)
		strbuf_printf(w->out, "-s %s ",
			      w->s->family->family == NET_V6 ? "::1/128" : "127.0.0.0/8");
	strbuf_puts(w->out, "-j KUBE-MARK-MASQ\n");
	node_port(w);
	jump(w, w->local ? "KUBE-XLB-" : "KUBE-SVC-");
}

/* ---- own chains ---------------------------------------------------------------------- */

static void start_plain(struct writer *w, const char *prefix, const char *hash)
{
	strbuf_printf(w->out, "-A %s%s", prefix, hash);
	if (!w->s->large)
		strbuf_printf(w->out, " -m comment --comment %s", w->p->name);
}

static void affinity(struct writer *w, const char *prefix, const struct endpoint *e)
{
	const char *hash = endpoint_hash(w->p, e);
	start_plain(w, prefix, port_hash(w->p));
	strbuf_printf(w->out, " -m recent --name KUBE-SEP-%s --rcheck --seconds %d --reap "
			      "-j KUBE-SEP-%s\n", hash, (int)w->p->affinity_seconds, hash);
}

static void pick(struct writer *w, uint32_t left, const struct endpoint *e)
{
	if (left > 1)
		strbuf_printf(w->out, " -m statistic --mode random --probability %0.10f",
			      1.0 / (double)left);
	strbuf_printf(w->out, " -j KUBE-SEP-%s\n", endpoint_hash(w->p, e));
}

static void write_endpoint(struct writer *w, const struct endpoint *e)
{
	const char *hash = endpoint_hash(w->p, e);
	start_plain(w, "KUBE-SEP-", hash);
	strbuf_printf(w->out, " -s %s%s -j KUBE-MARK-MASQ\n", e->ip, w->bits);
	start_plain(w, "KUBE-SEP-", hash);
	if (w->p->affinity)
		strbuf_printf(w->out, " -m recent --name KUBE-SEP-%s --set", hash);
	strbuf_printf(w->out, " -m %s -p %s -j DNAT --to-destination %s\n", w->p->proto,
		      w->p->proto, e->text);
}

static void start_xlb(struct writer *w)
{
	strbuf_printf(w->out, "-A KUBE-XLB-%s", port_hash(w->p));
}

static void write_local(struct writer *w)
{
	const struct endpoint_choice *c = w->choice;
	if (*w->s->is_local) {
		start_xlb(w);
		strbuf_printf(w->out, " -m comment --comment \"Redirect pods trying to reach "
				      "external loadbalancer VIP to clusterIP\" %s",
			      w->s->is_local);
		jump(w, "KUBE-SVC-");
	}
	start_xlb(w);
	strbuf_printf(w->out, " -m comment --comment \"masquerade LOCAL traffic for %s LB IP\" "
			      "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ\n", w->p->name);
	start_xlb(w);
	strbuf_printf(w->out, " -m comment --comment \"route LOCAL traffic for %s LB IP to service "
			      "chain\" -m addrtype --src-type LOCAL ", w->p->name);
	jump(w, "KUBE-SVC-");
	for (uint32_t i = 0; i < c->local_count && w->p->affinity; i++)
		affinity(w, "KUBE-XLB-", c->local[i]);
	for (uint32_t i = 0; i < c->local_count; i++) {
		start_xlb(w);
		if (!w->s->large)
			strbuf_printf(w->out, " -m comment --comment \"Balancing rule %u for %s\"",
				      (unsigned)i, w->p->name);
		pick(w, c->local_count - i, c->local[i]);
	}
	if (c->local_count)
		return;
	start_xlb(w);
	strbuf_printf(w->out, " -m comment --comment \"%s has no local endpoints\" "
			      "-j KUBE-MARK-DROP\n", w->p->name);
}

static void write_rules(struct writer *w)
{
	const struct endpoint_choice *c = w->choice;
	for (uint32_t i = 0; i < c->cluster_count && w->p->affinity; i++)
		affinity(w, "KUBE-SVC-", c->cluster[i]);
	for (uint32_t i = 0; i < c->cluster_count; i++) {
		start_plain(w, "KUBE-SVC-", port_hash(w->p));
		pick(w, c->cluster_count - i, c->cluster[i]);
		write_endpoint(w, c->cluster[i]);
	}
	if (w->local && c->has_endpoints)
		write_local(w);
}

static bool local_policy(const struct service_port *p)
{
	const struct kube_service *s = (const void *)p->service->object;
	return p->etp_local && !kube_is(s->spec.type, "ClusterIP");
}

void ipt_old_part(const struct ipt_style *s, enum ipt_part part, struct service_port *p,
		  const struct endpoint_choice *choice, struct strbuf *out)
{
	static void (*const parts[IPT_PARTS])(struct writer *) = {
		[IPT_FILTER] = write_filter, [IPT_CHAINS] = write_chains,
		[IPT_DISPATCH] = write_dispatch, [IPT_RULES] = write_rules,
	};
	struct writer w = { s, p, choice, out, s->family->family == NET_V6 ? "/128" : "/32",
			    local_policy(p) };
	parts[part](&w);
}

void ipt_old_own_chains(const struct ipt_style *s, struct service_port *p,
			const struct endpoint_choice *choice, ipt_chain_fn *fn, void *ctx)
{
	char name[32];
	(void)s;
	if (choice->has_endpoints) {
		snprintf(name, sizeof name, "KUBE-SVC-%s", port_hash(p));
		fn(ctx, name);
	}
	if (local_policy(p)) {
		snprintf(name, sizeof name, "KUBE-XLB-%s", port_hash(p));
		fn(ctx, name);
	}
	if (p->vip_count && choice->has_endpoints) {
		snprintf(name, sizeof name, "KUBE-FW-%s", port_hash(p));
		fn(ctx, name);
	}
	for (uint32_t i = 0; i < choice->cluster_count; i++) {
		snprintf(name, sizeof name, "KUBE-SEP-%s", endpoint_hash(p, choice->cluster[i]));
		fn(ctx, name);
	}
}
