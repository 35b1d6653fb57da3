/* world/administer.c: what an administrator types at a node. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world/internal.h"
#include "world/proxy.h"

/* A tool's name and what its line becomes: the text of a transaction. */
static const struct {
	const char *words;
	enum tx_tool tool;
} tools[] = {
	{ "iptables ", TX_IPTABLES }, { "ip6tables ", TX_IP6TABLES }, { "ipset ", TX_IPSET },
	{ "ipvsadm ", TX_IPVSADM }, { "nft ", TX_NFT }, { "conntrack ", TX_CONNTRACK },
	{ "ip addr ", TX_ADDR }, { "ip route ", TX_ROUTE },
};

/* kube-proxy sees the node's addresses at its next full sync. */
static int note_address(struct place *p, const char *line, struct err *err)
{
	char verb[8], address[NET_ADDR_TEXT], dev[16], item[80];
	struct net_prefix prefix;
	if (sscanf(line, "%7s %47s dev %15s", verb, address, dev) != 3 ||
	    !net_prefix_parse(address, &prefix))
		return err_set(err, EINVAL, "ip addr %s: expected add|del ADDRESS/LEN dev DEV", line);
	if (strcmp(verb, "add") == 0) {
		snprintf(item, sizeof item, "%s=%s", dev, address);
		return place_extra_addresses(p, item, err);
	}
	for (uint32_t i = 0; i < p->extra_count; i++)
		if (net_addr_equal(&p->extra[i].addr.addr, &prefix.addr)) {
			p->extra_count--;
			memmove(&p->extra[i], &p->extra[i + 1],
				(p->extra_count - i) * sizeof *p->extra);
			break;
		}
	return 0;
}

int world_command(struct world *w, struct place *p, const char *line, struct err *err)
{
	struct strbuf text = { 0 };
	int code = world_ready(w, p, err);
	if (code)
		return code;
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
		size_t length = strlen(tools[i].words);
		if (strncmp(line, tools[i].words, length) != 0)
			continue;
		if (tools[i].tool == TX_ADDR && (code = note_address(p, line + length, err)) != 0)
			return code;
		if (tools[i].tool == TX_ADDR && p->proxy)
			proxy_collect_addresses(p->proxy);
		strbuf_printf(&text, "%s\n", line + length);
		code = place_load_line(p, tools[i].tool, strbuf_text(&text), err);
		strbuf_free(&text);
		if (p->proxy)
			proxy_disturbed(p->proxy);
		return code;
	}
	return err_set(err, EINVAL,
		       "command \"%s\": expected iptables, ip6tables, ipset, ipvsadm, nft, conntrack -D, "
		       "ip addr or ip route, and arguments", line);
}
