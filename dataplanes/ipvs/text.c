/* ipvs/text.c: see text.h.
 *
 * Source of behaviour: pkg/proxy/ipvs/proxier.go, writeIptablesRules. v1.20 dropped what a
 * source range does not allow by a mark (KUBE-FIREWALL, KUBE-MARK-DROP); the access filter
 * came after v1.25.
 */
#include "dataplanes/ipvs/text.h"

#include <stdio.h>
#include <string.h>

void ipvs_style_init(struct ipvs_style *s, const struct proxy_config *c, unsigned family)
{
	const struct local_detector *d = &c->families[family].detect;
	*s = (struct ipvs_style){ .config = c, .family = family };
	snprintf(s->mark, sizeof s->mark, "0x%08x", c->masquerade_mark);
	switch (d->kind) {
	case DETECT_CIDR:
		snprintf(s->not_local, sizeof s->not_local, " ! -s %s", d->text);
		break;
	case DETECT_BRIDGE:
		snprintf(s->not_local, sizeof s->not_local, " ! -i %.60s", d->text);
		break;
	case DETECT_PREFIX:
		snprintf(s->not_local, sizeof s->not_local, " ! -i %.60s+", d->text);
		break;
	case DETECT_NONE:
		break;
	}
}

static uint8_t net_family(const struct ipvs_style *s)
{
	return s->config->families[s->family].family;
}

/* ---- commands ------------------------------------------------------------------------- */

struct chain {
	const char *table, *name;
	enum kube_version from, to;
};

static const struct chain chains[] = {
	{ "nat", "KUBE-MARK-DROP", KUBE_1_20, KUBE_1_20 },
	{ "nat", "KUBE-SERVICES", KUBE_1_20, KUBE_1_34 },
	{ "nat", "KUBE-POSTROUTING", KUBE_1_20, KUBE_1_34 },
	{ "nat", "KUBE-FIREWALL", KUBE_1_20, KUBE_1_20 },
	{ "nat", "KUBE-NODE-PORT", KUBE_1_20, KUBE_1_34 },
	{ "nat", "KUBE-LOAD-BALANCER", KUBE_1_20, KUBE_1_34 },
	{ "nat", "KUBE-MARK-MASQ", KUBE_1_20, KUBE_1_34 },
	{ "filter", "KUBE-FORWARD", KUBE_1_20, KUBE_1_34 },
	{ "filter", "KUBE-NODE-PORT", KUBE_1_25, KUBE_1_34 },
	{ "filter", "KUBE-PROXY-FIREWALL", KUBE_1_25, KUBE_1_34 },
	{ "filter", "KUBE-SOURCE-RANGES-FIREWALL", KUBE_1_25, KUBE_1_34 },
	{ "filter", "KUBE-IPVS-FILTER", KUBE_1_30, KUBE_1_34 },
	{ "filter", "KUBE-IPVS-OUT-FILTER", KUBE_1_30, KUBE_1_34 },
};

struct jump {
	const char *table, *from, *to, *comment;
	enum kube_version since;
};

static const struct jump jumps[] = {
	{ "nat", "OUTPUT", "KUBE-SERVICES", "kubernetes service portals", KUBE_1_20 },
	{ "nat", "PREROUTING", "KUBE-SERVICES", "kubernetes service portals", KUBE_1_20 },
	{ "nat", "POSTROUTING", "KUBE-POSTROUTING", "kubernetes postrouting rules", KUBE_1_20 },
	{ "filter", "FORWARD", "KUBE-FORWARD", "kubernetes forwarding rules", KUBE_1_20 },
	{ "filter", "INPUT", "KUBE-NODE-PORT", "kubernetes health check rules", KUBE_1_25 },
	{ "filter", "INPUT", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules", KUBE_1_25 },
	{ "filter", "FORWARD", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules", KUBE_1_25 },
	{ "filter", "INPUT", "KUBE-IPVS-FILTER", "kubernetes ipvs access filter", KUBE_1_30 },
	{ "filter", "OUTPUT", "KUBE-IPVS-OUT-FILTER", "kubernetes ipvs access filter", KUBE_1_30 },
};

static bool has_chain(const struct ipvs_style *s, const struct chain *c)
{
	return s->config->version >= c->from && s->config->version <= c->to;
}

void ipvs_jumps(const struct ipvs_style *s, struct strbuf *out)
{
	for (unsigned i = 0; i < sizeof chains / sizeof *chains; i++)
		if (has_chain(s, &chains[i]))
			strbuf_printf(out, "-t %s -S %s || -t %s -N %s\n", chains[i].table,
				      chains[i].name, chains[i].table, chains[i].name);
	for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		const struct jump *j = &jumps[i];
		if (s->config->version < j->since)
			continue;
		strbuf_printf(out,
			      "-t %s -C %s -m comment --comment \"%s\" -j %s || "
			      "-t %s -I %s -m comment --comment \"%s\" -j %s\n",
			      j->table, j->from, j->comment, j->to, j->table, j->from, j->comment,
			      j->to);
	}
}

void ipvs_jumps_removed(const struct ipvs_style *s, struct strbuf *out)
{
	for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		const struct jump *j = &jumps[i];
		if (s->config->version >= j->since)
			strbuf_printf(out,
				      "-t %s -D %s -m comment --comment \"%s\" -j %s || "
				      "-t %s -S %s\n",
				      j->table, j->from, j->comment, j->to, j->table, j->from);
	}
}

/* KUBE-MARK-MASQ and KUBE-MARK-DROP were kubelet's too, and stayed. */
static bool is_cleaned(const struct ipvs_style *s, const struct chain *c)
{
	bool mark = strncmp(c->name, "KUBE-MARK-", 10) == 0;
	return has_chain(s, c) && (!mark || s->config->version >= KUBE_1_30);
}

void ipvs_chains_removed(const struct ipvs_style *s, const struct left_tables *left,
			 struct strbuf *out)
{
	for (unsigned form = 0; form < 2; form++)
		for (unsigned i = 0; i < sizeof chains / sizeof *chains; i++) {
			const char *table = chains[i].table, *name = chains[i].name;
			if (!is_cleaned(s, &chains[i]) ||
			    !left_chain(strcmp(table, "nat") == 0 ? &left->nat : &left->filter, name))
				continue;
			/* One that went meanwhile, or is still jumped to, is no failure. */
			strbuf_printf(out, "-t %s %s %s || -t %s -S OUTPUT\n", table,
				      form ? "-X" : "-F", name, table);
		}
}

/* ---- rules on sets ----------------------------------------------------------------------- */

struct set_rule {
	enum ipvs_set set;
	const char *from, *to, *dirs, *proto;
};

static const struct set_rule nat_rules[] = {
	{ SET_LOOP_BACK, "KUBE-POSTROUTING", "MASQUERADE", "dst,dst,src", NULL },
	{ SET_LOAD_BALANCER, "KUBE-SERVICES", "KUBE-LOAD-BALANCER", "dst,dst", NULL },
	{ SET_LOAD_BALANCER_FW, "KUBE-LOAD-BALANCER", "KUBE-FIREWALL", "dst,dst", "old" },
	{ SET_SOURCE_CIDR, "KUBE-FIREWALL", "RETURN", "dst,dst,src", "old" },
	{ SET_SOURCE_IP, "KUBE-FIREWALL", "RETURN", "dst,dst,src", "old" },
	{ SET_LOAD_BALANCER_LOCAL, "KUBE-LOAD-BALANCER", "RETURN", "dst,dst", NULL },
	{ SET_NODE_PORT_LOCAL_TCP, "KUBE-NODE-PORT", "RETURN", "dst", "tcp" },
	{ SET_NODE_PORT_TCP, "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst", "tcp" },
	{ SET_NODE_PORT_LOCAL_UDP, "KUBE-NODE-PORT", "RETURN", "dst", "udp" },
	{ SET_NODE_PORT_UDP, "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst", "udp" },
	{ SET_NODE_PORT_LOCAL_SCTP, "KUBE-NODE-PORT", "RETURN", "dst,dst", "sctp" },
	{ SET_NODE_PORT_SCTP, "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst,dst", "sctp" },
};

static const struct set_rule filter_rules[] = {
	{ SET_LOAD_BALANCER_FW, "KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL", "dst,dst",
	  NULL },
	{ SET_SOURCE_CIDR, "KUBE-SOURCE-RANGES-FIREWALL", "RETURN", "dst,dst,src", NULL },
	{ SET_SOURCE_IP, "KUBE-SOURCE-RANGES-FIREWALL", "RETURN", "dst,dst,src", NULL },
};

/* -m comment --comment "..." -m set --match-set NAME DIRS */
static void put_set(const struct ipvs_style *s, enum ipvs_set set, const char *dirs,
		    struct strbuf *out)
{
	char name[IPVS_SET_NAME];
	strbuf_printf(out, "-m comment --comment \"%s\" -m set --match-set %s %s",
		      ipvs_sets[set].comment, ipvs_set_name(set, net_family(s), name), dirs);
}

static void put_set_rules(const struct ipvs_style *s, const struct set_rule *rules,
			  unsigned count, struct strbuf *out)
{
	for (unsigned i = 0; i < count; i++) {
		const struct set_rule *r = &rules[i];
		bool old = r->proto && strcmp(r->proto, "old") == 0;
		if (!s->filled[r->set] || (old && s->config->version >= KUBE_1_25))
			continue;
		strbuf_printf(out, "-A %s ", r->from);
		if (r->proto && !old)
			strbuf_printf(out, "-p %s ", r->proto);
		put_set(s, r->set, r->dirs, out);
		strbuf_printf(out, " -j %s\n", r->to);
	}
}

static void put_cluster_ip(const struct ipvs_style *s, struct strbuf *out)
{
	bool all = s->config->masquerade_all;
	if (!s->filled[SET_CLUSTER_IP])
		return;
	strbuf_puts(out, "-A KUBE-SERVICES ");
	/* Without a detector only what a node sends from a service address is caught. */
	put_set(s, SET_CLUSTER_IP, all || *s->not_local ? "dst,dst" : "src,dst", out);
	strbuf_printf(out, "%s -j KUBE-MARK-MASQ\n", all ? "" : s->not_local);
}

static void put_external_ip(const struct ipvs_style *s, enum ipvs_set set, struct strbuf *out)
{
	static const char *const accepts[] = {
		"-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL",
		"-m addrtype --dst-type LOCAL",
	};
	if (!s->filled[set])
		return;
	if (set == SET_EXTERNAL_IP) {
		strbuf_puts(out, "-A KUBE-SERVICES ");
		put_set(s, set, "dst,dst", out);
		strbuf_puts(out, " -j KUBE-MARK-MASQ\n");
	}
	for (unsigned i = 0; i < 2; i++) {
		strbuf_puts(out, "-A KUBE-SERVICES ");
		put_set(s, set, "dst,dst", out);
		strbuf_printf(out, " %s -j ACCEPT\n", accepts[i]);
	}
}

static void put_accepts(const struct ipvs_style *s, struct strbuf *out)
{
	static const enum ipvs_set accepted[] = { SET_CLUSTER_IP, SET_LOAD_BALANCER };
	char name[IPVS_SET_NAME];
	for (unsigned i = 0; i < 2; i++)
		if (s->filled[accepted[i]])
			strbuf_printf(out, "-A KUBE-SERVICES -m set --match-set %s dst,dst "
					   "-j ACCEPT\n",
				      ipvs_set_name(accepted[i], net_family(s), name));
}

/* v1.20 names KUBE-POSTROUTING in place of each nat chain that it does not find. */
static void put_chains(const struct ipvs_style *s, const char *table, struct strbuf *out)
{
	bool nat = strcmp(table, "nat") == 0, old = s->config->version < KUBE_1_25;
	strbuf_printf(out, "*%s\n", table);
	for (unsigned i = 0; i < sizeof chains / sizeof *chains; i++)
		if (has_chain(s, &chains[i]) && strcmp(chains[i].table, table) == 0 &&
		    strcmp(chains[i].name, "KUBE-MARK-DROP") != 0)
			strbuf_printf(out, ":%s - [0:0]\n", nat && old && s->first ?
				      "KUBE-POSTROUTING" : chains[i].name);
}

void ipvs_nat(const struct ipvs_style *s, struct strbuf *out)
{
	bool old = s->config->version < KUBE_1_25;
	put_chains(s, "nat", out);
	if (!old)
		strbuf_printf(out, "-A KUBE-SERVICES -s %s -j RETURN\n",
			      s->family == PROXY_V6 ? "::1/128" : "127.0.0.0/8");
	put_set_rules(s, nat_rules, sizeof nat_rules / sizeof *nat_rules, out);
	put_cluster_ip(s, out);
	put_external_ip(s, SET_EXTERNAL_IP, out);
	put_external_ip(s, SET_EXTERNAL_IP_LOCAL, out);
	strbuf_puts(out, "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT\n"
			 "-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ\n");
	if (old)
		strbuf_puts(out, "-A KUBE-FIREWALL -j KUBE-MARK-DROP\n");
	put_accepts(s, out);
	strbuf_printf(out,
		      "-A KUBE-POSTROUTING -m mark ! --mark %s/%s -j RETURN\n"
		      "-A KUBE-POSTROUTING -j MARK --xor-mark %s\n"
		      "-A KUBE-POSTROUTING -m comment --comment "
		      "\"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully\n"
		      "-A KUBE-MARK-MASQ -j MARK --or-mark %s\nCOMMIT\n",
		      s->mark, s->mark, s->mark, s->mark);
}

/* ---- filter ---------------------------------------------------------------------------- */

/* The node itself is outside the source ranges: what it sends from the address itself. */
static void put_out_filter(const struct ipvs_style *s, const struct snapshot *services,
			   struct strbuf *out)
{
	const struct net_addr *node = &s->config->families[s->family].node_ip;
	struct snapshot_cursor at = { 0 };
	const struct service *service;
	while ((service = snapshot_walk_marked(services, &at, MARK_RANGES)) != NULL) {
		for (uint32_t k = 0; k < service->port_count; k++) {
			const struct service_port *p = &service->ports[k];
			if (!p->range_count || port_range_contains(p, node))
				continue;
			for (uint32_t v = 0; v < p->vip_count; v++)
				strbuf_printf(out, "-A KUBE-IPVS-OUT-FILTER -s %s -m ipvs --vaddr %s "
						   "--vproto %s --vport %u -j DROP\n",
					      p->vips[v], p->vips[v], p->proto, p->port);
		}
	}
}

static void put_access_filter(const struct ipvs_style *s, struct strbuf *out)
{
	static const enum ipvs_set allowed[] = { SET_LOAD_BALANCER, SET_CLUSTER_IP,
						 SET_EXTERNAL_IP, SET_EXTERNAL_IP_LOCAL,
						 SET_HEALTH_CHECK };
	char name[IPVS_SET_NAME];
	for (unsigned i = 0; i < sizeof allowed / sizeof *allowed; i++)
		strbuf_printf(out, "-A KUBE-IPVS-FILTER -m set --match-set %s %s -j RETURN\n",
			      ipvs_set_name(allowed[i], net_family(s), name),
			      allowed[i] == SET_HEALTH_CHECK ? "dst" : "dst,dst");
	strbuf_printf(out, "-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set %s "
			   "dst -j REJECT\n",
		      ipvs_set_name(SET_IPVS_IPS, net_family(s), name));
}

void ipvs_filter(const struct ipvs_style *s, const struct snapshot *services, struct strbuf *out)
{
	enum kube_version v = s->config->version;
	put_chains(s, "filter", out);
	if (v >= KUBE_1_25) {
		put_set_rules(s, filter_rules, sizeof filter_rules / sizeof *filter_rules, out);
		strbuf_puts(out, "-A KUBE-SOURCE-RANGES-FIREWALL -j DROP\n");
	}
	if (v >= KUBE_1_30)
		put_out_filter(s, services, out);
	strbuf_printf(out, "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" "
			   "-m mark --mark %s/%s -j ACCEPT\n", s->mark, s->mark);
	for (unsigned i = 0; i < (v < KUBE_1_25 ? 2 : 1); i++)
		strbuf_printf(out, "-A KUBE-FORWARD -m comment --comment "
				   "\"kubernetes forwarding conntrack %srule\" "
				   "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
			      v >= KUBE_1_25 ? "" : i ? "pod destination " : "pod source ");
	if (v >= KUBE_1_25) {
		strbuf_puts(out, "-A KUBE-NODE-PORT ");
		put_set(s, SET_HEALTH_CHECK, "dst", out);
		strbuf_puts(out, " -j ACCEPT\n");
	}
	if (v >= KUBE_1_30)
		put_access_filter(s, out);
	strbuf_puts(out, "COMMIT\n");
}
