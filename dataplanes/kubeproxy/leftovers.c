/* kubeproxy/leftovers.c: see leftovers.h. */
#include "dataplanes/kubeproxy/leftovers.h"

#include <stdio.h>
#include <string.h>

static void read_back(const struct proxy_view *view, enum dump_view what, const char *argument,
		      struct strbuf *out)
{
	if (!view->read || view->read(view->read_ctx, what, argument, out, NULL) != 0)
		strbuf_clear(out);
}

bool left_tables_read(struct left_tables *t, const struct proxy_view *view, unsigned family)
{
	bool six = family == PROXY_V6;
	enum dump_view save = six ? DUMP_IP6TABLES_SAVE : DUMP_IPTABLES_SAVE;
	*t = (struct left_tables){ .commands = six ? TX_IP6TABLES : TX_IPTABLES,
				   .restore = six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE };
	read_back(view, save, "nat", &t->nat);
	read_back(view, save, "filter", &t->filter);
	return strstr(strbuf_text(&t->nat), "\n:KUBE-") || strstr(strbuf_text(&t->filter), "\n:KUBE-");
}

void left_tables_free(struct left_tables *t)
{
	strbuf_free(&t->nat);
	strbuf_free(&t->filter);
}

bool left_chain(const struct strbuf *save, const char *chain)
{
	char line[80];
	snprintf(line, sizeof line, "\n:%.64s ", chain);
	return strstr(strbuf_text(save), line) != NULL;
}

void left_put(struct transactions *out, enum tx_tool tool, struct strbuf *text)
{
	plan_add(out, tool, text);
	strbuf_clear(text);
}

void left_nft_removed(const struct proxy_view *view, struct transactions *out)
{
	static const char *const tables[] = { "ip kube-proxy", "ip6 kube-proxy" };
	struct strbuf list = { 0 }, text = { 0 };
	char line[40];
	if (view->version >= KUBE_1_30)
		read_back(view, DUMP_NFT, NULL, &list);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(line, sizeof line, "table %s {", tables[i]);
		if (strstr(strbuf_text(&list), line))
			strbuf_printf(&text, "delete table %s\n", tables[i]);
	}
	left_put(out, TX_NFT, &text);
	strbuf_free(&text);
	strbuf_free(&list);
}
