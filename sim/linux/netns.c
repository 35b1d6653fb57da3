/* linux/netns.c: a namespace and its subsystems; see netns.h. */
#include <assert.h>
#include <stdlib.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/internal.h"
#include "linux/ipset.h"
#include "linux/ipvs/ipvs.h"
#include "linux/nft/nft.h"
#include "linux/xtables/xtables.h"

struct netns *netns_new(struct linux_env *env, const char *name)
{
	struct netns *ns = mem_alloc(sizeof *ns);
	struct net_prefix loopback4 = { net_addr_v4(UINT32_C(0x7f000001)), 8 };
	struct net_prefix loopback6 = { { .family = NET_V6 }, 128 };
	loopback6.addr.bytes[15] = 1;
	ns->env = env;
	ns->name = mem_strdup(name);
	ns->label = mem_strdup(name);
	uint16_t lo = netns_add_dummy(ns, "lo");
	assert(lo == LOOPBACK_IF);
	netns_add_addr(ns, lo, &loopback4);
	netns_add_addr(ns, lo, &loopback6);
	return ns;
}

void netns_free(struct netns *ns)
{
	if (!ns)
		return;
	neigh_free(ns);
	race_free(ns);
	stack_free(ns);
	while (ns->iface_count)
		iface_free(ns->ifaces[ns->iface_count - 1]);
	if (ns->ipvs)
		ipvs_free(ns->ipvs);
	if (ns->nft)
		nft_free(ns->nft);
	for (int i = 0; i < 2; i++)
		if (ns->xt[i])
			xt_free(ns->xt[i]);
	if (ns->ipset) /* rules refer to sets: after them */
		ipset_free(ns->ipset);
	nat_free(ns);
	conntrack_free(ns->conntrack);
	icmp_limits_free(ns);
	hooks_free(ns);
	fib_free(&ns->local);
	fib_free(&ns->main);
	free(ns->ifaces);
	free(ns->sysctls);
	free(ns->name);
	free(ns->label);
	free(ns);
}

const char *netns_name(const struct netns *ns)
{
	return ns->name;
}

struct linux_env *netns_env(const struct netns *ns)
{
	return ns->env;
}

void netns_set_user(struct netns *ns, void *user)
{
	ns->user = user;
}

void *netns_user(const struct netns *ns)
{
	return ns->user;
}

void netns_set_label(struct netns *ns, const char *label)
{
	free(ns->label);
	ns->label = mem_strdup(label);
}

const char *netns_label(const struct netns *ns)
{
	return ns->label;
}

void netns_set_entry(struct netns *ns, bool entry)
{
	ns->entry = entry;
}

void netns_work(const struct netns *ns, struct netns_work *out)
{
	uint64_t policies = 0, lookups = 0;
	*out = (struct netns_work){ 0 };
	for (int i = 0; i < 2; i++) {
		if (!ns->xt[i])
			continue;
		out->rules_evaluated += xt_rules_evaluated(ns->xt[i], &policies);
		out->policies += policies;
		out->set_lookups += xt_set_lookups(ns->xt[i]);
	}
	if (ns->nft) {
		out->rules_evaluated += nft_rules_evaluated(ns->nft, &policies, &lookups);
		out->policies += policies;
		out->set_lookups += lookups;
	}
	out->ipvs_probes = ns->ipvs ? ipvs_probes(ns->ipvs) : 0;
	for (uint32_t i = 0; i < ns->iface_count; i++) {
		out->packets += ns->ifaces[i]->packets;
		out->bytes += ns->ifaces[i]->bytes;
	}
}

struct conntrack *netns_conntrack(struct netns *ns)
{
	if (!ns->conntrack)
		ns->conntrack = conntrack_new(ns);
	return ns->conntrack;
}

struct conntrack *netns_conntrack_if_any(const struct netns *ns)
{
	return ns->conntrack;
}

struct xt_ruleset *netns_xt(struct netns *ns, uint8_t family)
{
	struct xt_ruleset **x = &ns->xt[family == NET_V6];
	if (!*x)
		*x = xt_new(ns, family);
	return *x;
}

struct nft_ruleset *netns_nft(struct netns *ns)
{
	if (!ns->nft)
		ns->nft = nft_new(ns);
	return ns->nft;
}

struct ipset_table *netns_ipset(struct netns *ns)
{
	if (!ns->ipset)
		ns->ipset = ipset_new(ns);
	return ns->ipset;
}

struct ipvs *netns_ipvs(struct netns *ns)
{
	if (!ns->ipvs)
		ns->ipvs = ipvs_new(ns);
	return ns->ipvs;
}

void netns_reset_flows(struct netns *ns)
{
	neigh_free(ns);
	for (uint32_t i = 0; i < ns->iface_count; i++)
		link_cancel(ns->ifaces[i]);
	icmp_limits_free(ns);
	stack_reset(ns);
	if (ns->conntrack)
		conntrack_flush(ns->conntrack);
	for (int i = 0; i < 2; i++)
		if (ns->xt[i])
			xt_reset_state(ns->xt[i]);
	if (ns->nft)
		nft_reset_state(ns->nft);
	if (ns->ipvs)
		ipvs_reset_flows(ns->ipvs);
}

void netns_print_sockets(const struct netns *ns, struct strbuf *out)
{
	stack_print(ns, out);
}
