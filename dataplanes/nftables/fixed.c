/* nftables/fixed.c: the table without services: hooks, fixed rules, sets and maps. */
#include <string.h>

#include "dataplanes/nftables/text.h"

struct base_chain {
	const char *name, *type, *hook, *priority;
};

static const struct base_chain chains_now[] = {
	{ "filter-prerouting-pre-dnat", "filter", "prerouting", "-110" },
	{ "filter-output-pre-dnat", "filter", "output", "-110" },
	{ "filter-input", "filter", "input", "0" },
	{ "filter-forward", "filter", "forward", "0" },
	{ "filter-output", "filter", "output", "0" },
	{ "nat-prerouting", "nat", "prerouting", "-100" },
	{ "nat-output", "nat", "output", "-100" },
	{ "nat-postrouting", "nat", "postrouting", "100" },
	{ 0 },
};

static const struct base_chain chains_old[] = {
	{ "filter-prerouting", "filter", "prerouting", "-110" },
	{ "filter-input", "filter", "input", "-110" },
	{ "filter-forward", "filter", "forward", "-110" },
	{ "filter-output", "filter", "output", "-110" },
	{ "filter-output-post-dnat", "filter", "output", "-90" },
	{ "nat-prerouting", "nat", "prerouting", "-100" },
	{ "nat-output", "nat", "output", "-100" },
	{ "nat-postrouting", "nat", "postrouting", "100" },
	{ 0 },
};

struct jump {
	const char *target, *from, *from_old, *match;
};

static const struct jump jumps[] = {
	{ "nodeport-endpoints-check", "filter-input", "filter-input", "ct state new " },
	{ "service-endpoints-check", "filter-input", "filter-input", "ct state new " },
	{ "service-endpoints-check", "filter-forward", "filter-forward", "ct state new " },
	{ "service-endpoints-check", "filter-output", "filter-output", "ct state new " },
	{ "firewall-check", "filter-prerouting-pre-dnat", "filter-prerouting", "ct state new " },
	{ "firewall-check", "filter-output-pre-dnat", "filter-output", "ct state new " },
	{ "services", "nat-output", "nat-output", "" },
	{ "services", "nat-prerouting", "nat-prerouting", "" },
	{ "masquerading", "nat-postrouting", "nat-postrouting", "" },
	{ "cluster-ips-check", "filter-forward", "filter-forward", "ct state new " },
	{ "cluster-ips-check", "filter-output", "filter-output-post-dnat", "ct state new " },
	{ 0 },
};

static void chain(const struct nft_style *s, const char *name, struct strbuf *out)
{
	strbuf_printf(out, "add chain %s %s\nflush chain %s %s\n", s->table, name, s->table, name);
}

static void rule(const struct nft_style *s, const char *name, struct strbuf *out)
{
	strbuf_printf(out, "add rule %s %s ", s->table, name);
}

static void base_chains(const struct nft_style *s, bool first, struct strbuf *out)
{
	const struct base_chain *list = s->old ? chains_old : chains_now;
	strbuf_printf(out, "add table %s { comment \"rules for kube-proxy\" ; }\n", s->table);
	for (const struct base_chain *c = list; c->name && first; c++)
		strbuf_printf(out, "add chain %s %s\ndelete chain %s %s\n", s->table, c->name,
			      s->table, c->name);
	for (const struct base_chain *c = list; c->name; c++)
		strbuf_printf(out, "add chain %s %s { type %s hook %s priority %s ; }\n"
				   "flush chain %s %s\n",
			      s->table, c->name, c->type, c->hook, c->priority, s->table, c->name);
	for (const struct jump *j = jumps; j->target; j++) {
		if (j == jumps || strcmp(j[-1].target, j->target) != 0)
			chain(s, j->target, out);
		rule(s, s->old ? j->from_old : j->from, out);
		strbuf_printf(out, "%sjump %s\n", j->match, j->target);
	}
}

static void masquerading(const struct nft_style *s, struct strbuf *out)
{
	chain(s, "mark-for-masquerade", out);
	rule(s, "mark-for-masquerade", out);
	strbuf_printf(out, "mark set mark or %s\n", s->mark);
	rule(s, "masquerading", out);
	strbuf_printf(out, "mark and %s == 0 return\n", s->mark);
	rule(s, "masquerading", out);
	strbuf_printf(out, "mark set mark xor %s\n", s->mark);
	rule(s, "masquerading", out);
	strbuf_puts(out, "masquerade fully-random\n");
}

static void cluster_ips(const struct nft_style *s, struct strbuf *out)
{
	const struct prefix_list *cidrs = &s->family->service_cidrs;
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "add set %s cluster-ips { type %s ; comment \"Active ClusterIPs\" ; }\n",
		      s->table, s->type);
	rule(s, "cluster-ips-check", out);
	strbuf_printf(out, "%s daddr @cluster-ips reject comment "
			   "\"Reject traffic to invalid ports of ClusterIPs\"\n", s->ip);
	if (s->old || !cidrs->count)
		return;
	rule(s, "cluster-ips-check", out);
	strbuf_printf(out, "%s daddr { ", s->ip);
	for (uint32_t i = 0; i < cidrs->count; i++)
		strbuf_printf(out, "%s%s", i ? "," : "", net_prefix_text(&cidrs->items[i], text));
	strbuf_puts(out, " } drop comment \"Drop traffic to unallocated ClusterIPs\"\n");
}

static void node_port_ips(const struct nft_style *s, struct strbuf *out)
{
	const struct family_config *f = s->family;
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "add set %s nodeport-ips { type %s ; comment "
			   "\"IPs that accept NodePort traffic\" ; }\n%s set %s nodeport-ips\n",
		      s->table, s->type, f->node_port_all ? "delete" : "flush", s->table);
	for (uint32_t i = 0; i < f->node_port_ips.count && !f->node_port_all; i++)
		if (!net_addr_is_loopback(&f->node_port_ips.items[i]))
			strbuf_printf(out, "add element %s nodeport-ips { %s }\n", s->table,
				      net_addr_text(&f->node_port_ips.items[i], text));
}

static void map(const struct nft_style *s, const char *name, bool address, const char *comment,
		struct strbuf *out)
{
	strbuf_printf(out, "add map %s %s { type %s%sinet_proto . inet_service : verdict ; comment "
			   "\"%s\" ; }\n",
		      s->table, name, address ? s->type : "", address ? " . " : "", comment);
}

static void vmap(const struct nft_style *s, const char *name, const char *map_name,
		 struct strbuf *out)
{
	rule(s, name, out);
	strbuf_printf(out, "%s daddr . meta l4proto . th dport vmap @%s\n", s->ip, map_name);
}

static void node_port_vmap(const struct nft_style *s, const char *name, const char *map_name,
			   const char *local, struct strbuf *out)
{
	bool six = s->family->family == NET_V6;
	rule(s, name, out);
	if (s->family->node_port_all)
		strbuf_printf(out, "%s%s daddr != %s ", local, s->ip, six ? "::1" : "127.0.0.0/8");
	else
		strbuf_printf(out, "%s daddr @nodeport-ips ", s->ip);
	strbuf_printf(out, "meta l4proto . th dport vmap @%s\n", map_name);
}

void nft_setup(const struct nft_style *s, bool first, struct strbuf *out)
{
	base_chains(s, first, out);
	masquerading(s, out);
	cluster_ips(s, out);
	node_port_ips(s, out);
	map(s, "no-endpoint-services", true,
	    "vmap to drop or reject packets to services with no endpoints", out);
	map(s, "no-endpoint-nodeports", false,
	    "vmap to drop or reject packets to service nodeports with no endpoints", out);
	strbuf_printf(out, "add chain %s reject-chain { comment "
			   "\"helper for @no-endpoint-services / @no-endpoint-nodeports\" ; }\n"
			   "flush chain %s reject-chain\n", s->table, s->table);
	rule(s, "reject-chain", out);
	strbuf_puts(out, "reject\n");
	vmap(s, "service-endpoints-check", "no-endpoint-services", out);
	node_port_vmap(s, "nodeport-endpoints-check", "no-endpoint-nodeports", "", out);
	map(s, "firewall-ips", true, "destinations that are subject to LoadBalancerSourceRanges",
	    out);
	vmap(s, "firewall-check", "firewall-ips", out);
	map(s, "service-ips", true, "ClusterIP, ExternalIP and LoadBalancer IP traffic", out);
	map(s, "service-nodeports", false, "NodePort traffic", out);
	vmap(s, "services", "service-ips", out);
	node_port_vmap(s, "services", "service-nodeports", "fib daddr type local ", out);
}

void nft_flush_elements(const struct nft_style *s, struct strbuf *out)
{
	strbuf_printf(out, "flush set %s cluster-ips\n", s->table);
	strbuf_printf(out, "flush map %s firewall-ips\n", s->table);
	strbuf_printf(out, "flush map %s no-endpoint-services\n", s->table);
	strbuf_printf(out, "flush map %s no-endpoint-nodeports\n", s->table);
	strbuf_printf(out, "flush map %s service-ips\n", s->table);
	strbuf_printf(out, "flush map %s service-nodeports\n", s->table);
}
