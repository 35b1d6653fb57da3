/* nftables/leftovers.c: what a kube-proxy of another mode left on this node.
 *
 * Source of behaviour: cmd/kube-proxy/app/server_linux.go and the CleanupLeftovers of the
 * iptables and ipvs modes: nftables mode removes their rules at its start.
 */
#include <string.h>

#include "dataplanes/ipvs/text.h"
#include "dataplanes/iptables/text.h"
#include "dataplanes/nftables/text.h"

static void put(struct transactions *out, enum tx_tool tool, struct strbuf *text)
{
	plan_add(out, tool, text);
	strbuf_clear(text);
}

static void remove_iptables(const struct kubeproxy *k, unsigned family, struct arena *scratch,
			    struct transactions *out)
{
	bool six = family == PROXY_V6;
	struct strbuf text = { 0 };
	struct ipt_style style;
	ipt_style_init(&style, &k->left_held->config, family, false);
	ipt_jumps_removed(&style, &text);
	put(out, six ? TX_IP6TABLES : TX_IPTABLES, &text);
	ipt_chains_removed(&style, k->left[family], scratch, &text);
	put(out, six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE, &text);
	strbuf_free(&text);
}

static void remove_ipvs(const struct kubeproxy *k, unsigned family, struct arena *scratch,
			struct transactions *out)
{
	bool six = family == PROXY_V6;
	const struct proxy_config *c = &k->left_held->config;
	uint8_t net = c->families[family].family;
	struct strbuf text = { 0 };
	struct ipvs_style style;
	struct ipvs_state state;
	struct snapshot_cursor at = { 0 };
	const struct service *service;
	const void *key;
	void *value;
	char name[IPVS_SET_NAME];
	ipvs_style_init(&style, c, family);
	ipvs_jumps_removed(&style, &text);
	put(out, six ? TX_IP6TABLES : TX_IPTABLES, &text);
	ipvs_chains_removed(&style, &text);
	put(out, six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE, &text);
	ipvs_state_init(&state);
	while ((service = snapshot_walk(k->left[family], &at)) != NULL)
		ipvs_collect(&state, c, family, service, scratch);
	for (uint32_t i = 0; table_next(&state.servers, &i, &key, &value);)
		strbuf_printf(&text, "-D %s\n", (const char *)key);
	put(out, TX_IPVSADM, &text);
	for (uint32_t i = 0; table_next(&state.addresses, &i, &key, &value);)
		strbuf_printf(&text, "del %s/%u dev kube-ipvs0\n", (const char *)key,
			      net_family_bits(net));
	put(out, TX_ADDR, &text);
	for (unsigned s = 0; s < SET_COUNT; s++)
		if (c->version >= ipvs_sets[s].from)
			strbuf_printf(&text, "destroy %s\n", ipvs_set_name(s, net, name));
	put(out, TX_IPSET, &text);
	ipvs_state_free(&state);
	strbuf_free(&text);
}

void nft_remove_leftovers(const struct kubeproxy *k, struct arena *scratch,
			  struct transactions *out)
{
	bool iptables = k->left_mode && strcmp(k->left_mode, "iptables") == 0;
	bool ipvs = k->left_mode && strcmp(k->left_mode, "ipvs") == 0;
	for (unsigned f = 0; f < PROXY_FAMILIES && (iptables || ipvs); f++) {
		if (!k->left_held->config.families[f].used &&
		    !(k->left[f] && k->left[f]->count))
			continue;
		if (iptables)
			remove_iptables(k, f, scratch, out);
		else
			remove_ipvs(k, f, scratch, out);
	}
}
