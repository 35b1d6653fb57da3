/* iptables/fixed.c: what does not depend on services: chains, jumps, fixed rules. */

#include "dataplanes/iptables/text.h"
#include "dataplanes/kubeproxy/text.h"

static const char *tool_loopback(const struct ipt_style *s)
{
	return s->family->family == NET_V6 ? "::1/128" : "127.0.0.0/8";
}

/* ---- filter ------------------------------------------------------------------------ */

void ipt_filter_head(const struct ipt_style *s, struct strbuf *out)
{
	enum kube_version v = s->config->version;
	strbuf_puts(out, "*filter\n"
			 ":KUBE-SERVICES - [0:0]\n"
			 ":KUBE-EXTERNAL-SERVICES - [0:0]\n"
			 ":KUBE-FORWARD - [0:0]\n");
	if (v < KUBE_1_25)
		return;
	strbuf_puts(out, ":KUBE-NODEPORTS - [0:0]\n"
			 ":KUBE-PROXY-FIREWALL - [0:0]\n");
	if (!s->localhost)
		return;
	strbuf_puts(out, ":KUBE-FIREWALL - [0:0]\n"
			 "-A KUBE-FIREWALL -m comment --comment \"block incoming localnet connections\" "
			 "-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack "
			 "! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n");
}

void ipt_filter_tail(const struct ipt_style *s, struct strbuf *out)
{
	const struct proxy_config *c = s->config;
	if (!c->be_liberal || c->version < KUBE_1_30)
		strbuf_printf(out, "-A KUBE-FORWARD -m conntrack --ctstate INVALID%s -j DROP\n",
			      c->has_nfacct && c->version >= KUBE_1_34 ?
				      " -m nfacct --nfacct-name ct_state_invalid_dropped_pkts" : "");
	strbuf_printf(out, "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" "
			   "-m mark --mark %s/%s -j ACCEPT\n", s->mark, s->mark);
	if (c->version >= KUBE_1_25)
		strbuf_puts(out, "-A KUBE-FORWARD -m comment --comment "
				 "\"kubernetes forwarding conntrack rule\" "
				 "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
	for (unsigned i = 0; i < 2 && c->version < KUBE_1_25; i++)
		strbuf_printf(out, "-A KUBE-FORWARD -m comment --comment "
				   "\"kubernetes forwarding conntrack pod %s rule\" "
				   "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
			      i ? "destination" : "source");
	strbuf_puts(out, "COMMIT\n");
}

/* ---- nat ---------------------------------------------------------------------------- */

void ipt_nat_chains(const struct ipt_style *s, struct strbuf *out)
{
	(void)s;
	strbuf_puts(out, "*nat\n"
			 ":KUBE-SERVICES - [0:0]\n"
			 ":KUBE-NODEPORTS - [0:0]\n"
			 ":KUBE-POSTROUTING - [0:0]\n"
			 ":KUBE-MARK-MASQ - [0:0]\n");
}

void ipt_nat_fixed(const struct ipt_style *s, struct strbuf *out)
{
	strbuf_printf(out,
		      "-A KUBE-POSTROUTING -m mark ! --mark %s/%s -j RETURN\n"
		      "-A KUBE-POSTROUTING -j MARK --xor-mark %s\n"
		      "-A KUBE-POSTROUTING -m comment --comment "
		      "\"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully\n"
		      "-A KUBE-MARK-MASQ -j MARK --or-mark %s\n",
		      s->mark, s->mark, s->mark, s->mark);
}

void ipt_nat_tail(const struct ipt_style *s, struct strbuf *out)
{
	static const char start[] =
		"-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this "
		"must be the last rule in this chain\" ";
	const struct family_config *f = s->family;
	char text[NET_ADDR_TEXT];
	if (f->node_port_all) {
		strbuf_puts(out, start);
		strbuf_puts(out, "-m addrtype --dst-type LOCAL ");
		if (!s->localhost && s->config->version >= KUBE_1_25)
			strbuf_printf(out, "! -d %s ", tool_loopback(s));
		strbuf_puts(out, "-j KUBE-NODEPORTS\n");
	}
	for (uint32_t i = 0; i < f->node_port_ips.count && !f->node_port_all; i++) {
		const struct net_addr *a = &f->node_port_ips.items[i];
		if (net_addr_is_loopback(a) && !s->localhost)
			continue;
		strbuf_printf(out, "%s-d %s -j KUBE-NODEPORTS\n", start, net_addr_text(a, text));
	}
	strbuf_puts(out, "COMMIT\n");
}

/* ---- single commands ------------------------------------------------------------------ */

struct jump {
	enum kube_version from; /* first version that has it */
	const char *table, *chain, *target, *match; /* match: all that stands before -j */
};

#define NEW "-m conntrack --ctstate NEW "
#define COMMENT(text) "-m comment --comment \"" text "\" "

static const struct jump jumps[] = {
	{ KUBE_1_20, "filter", "INPUT", "KUBE-EXTERNAL-SERVICES",
	  NEW COMMENT("kubernetes externally-visible service portals") },
	{ KUBE_1_20, "filter", "FORWARD", "KUBE-EXTERNAL-SERVICES",
	  NEW COMMENT("kubernetes externally-visible service portals") },
	{ KUBE_1_25, "filter", "INPUT", "KUBE-NODEPORTS",
	  COMMENT("kubernetes health check service ports") },
	{ KUBE_1_20, "filter", "FORWARD", "KUBE-SERVICES",
	  NEW COMMENT("kubernetes service portals") },
	{ KUBE_1_20, "filter", "OUTPUT", "KUBE-SERVICES",
	  NEW COMMENT("kubernetes service portals") },
	{ KUBE_1_20, "filter", "FORWARD", "KUBE-FORWARD", COMMENT("kubernetes forwarding rules") },
	{ KUBE_1_25, "filter", "INPUT", "KUBE-PROXY-FIREWALL",
	  NEW COMMENT("kubernetes load balancer firewall") },
	{ KUBE_1_25, "filter", "OUTPUT", "KUBE-PROXY-FIREWALL",
	  NEW COMMENT("kubernetes load balancer firewall") },
	{ KUBE_1_25, "filter", "FORWARD", "KUBE-PROXY-FIREWALL",
	  NEW COMMENT("kubernetes load balancer firewall") },
	{ KUBE_1_20, "nat", "OUTPUT", "KUBE-SERVICES", COMMENT("kubernetes service portals") },
	{ KUBE_1_20, "nat", "PREROUTING", "KUBE-SERVICES", COMMENT("kubernetes service portals") },
	{ KUBE_1_20, "nat", "POSTROUTING", "KUBE-POSTROUTING",
	  COMMENT("kubernetes postrouting rules") },
	{ KUBE_1_25, "filter", "INPUT", "KUBE-FIREWALL", "" },
	{ KUBE_1_25, "filter", "OUTPUT", "KUBE-FIREWALL", "" },
};

static void ensure_chain(struct strbuf *out, const char *table, const char *chain)
{
	strbuf_printf(out, "-t %s -S %s || -t %s -N %s\n", table, chain, table, chain);
}

void ipt_jumps(const struct ipt_style *s, struct strbuf *out)
{
	static const char *const tables[] = { "mangle", "nat", "filter" };
	const char *before = "", *before_table = "";
	for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
		ensure_chain(out, tables[i], "KUBE-PROXY-CANARY");
	for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		const struct jump *j = &jumps[i];
		if (s->config->version < j->from)
			continue;
		if (strcmp(before, j->target) != 0 || strcmp(before_table, j->table) != 0)
			ensure_chain(out, j->table, j->target);
		before = j->target;
		before_table = j->table;
		strbuf_printf(out, "-t %s -C %s %s-j %s || -t %s -I %s %s-j %s\n", j->table,
			      j->chain, j->match, j->target, j->table, j->chain, j->match,
			      j->target);
	}
	if (s->config->version < KUBE_1_25)
		ensure_chain(out, "nat", "KUBE-MARK-DROP");
}

/* ---- left behind by this mode ------------------------------------------------------------ */

/* The jumps to KUBE-FIREWALL stay: they may be kubelet's. */
void ipt_jumps_removed(const struct ipt_style *s, struct strbuf *out)
{
	for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		const struct jump *j = &jumps[i];
		if (s->config->version >= j->from && *j->match)
			strbuf_printf(out, "-t %s -D %s %s-j %s || -t %s -S %s\n", j->table,
				      j->chain, j->match, j->target, j->table, j->chain);
	}
}
