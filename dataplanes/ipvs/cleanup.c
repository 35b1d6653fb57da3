/* ipvs/cleanup.c: takes away what ipvs mode left on a node.
 *
 * Source of behaviour: CleanupLeftovers of pkg/proxy/ipvs (cleanup.go; proxier.go before
 * v1.33). All virtual servers go, whoever made them, then kube-ipvs0, jumps, chains and
 * sets. Only sets with IPv4 names are destroyed: those of IPv6 stay.
 */
#include <stdio.h>
#include <string.h>

#include "dataplanes/ipvs/kernel.h"
#include "dataplanes/ipvs/text.h"
#include "dataplanes/kubeproxy/leftovers.h"

static bool holds(const struct proxy_view *view, enum dump_view what, const char *word)
{
	struct strbuf text = { 0 };
	bool found = view->read &&
		     view->read(view->read_ctx, what, NULL, &text, NULL) == 0 &&
		     strstr(strbuf_text(&text), word);
	strbuf_free(&text);
	return found;
}

/* v1.34 asks modprobe first and leaves all as it is where there is no IPVS. */
static bool has_ipvs(const struct proxy_view *view)
{
	struct strbuf text = { 0 };
	bool can = view->read && view->read(view->read_ctx, DUMP_IPVSADM, NULL, &text, NULL) == 0 &&
		   !ipvs_module_missing(view, "ip_vs");
	strbuf_free(&text);
	return can;
}

static void remove_chains(const struct left_tables *left, const struct proxy_config *config,
			  struct transactions *out)
{
	struct ipvs_style style;
	struct strbuf text = { 0 };
	ipvs_style_init(&style, config, PROXY_V4);
	ipvs_jumps_removed(&style, &text);
	ipvs_chains_removed(&style, left, &text);
	left_put(out, left->commands, &text);
	strbuf_free(&text);
}

static void destroy_sets(const struct proxy_view *view, struct transactions *out)
{
	struct strbuf text = { 0 }, list = { 0 };
	char name[IPVS_SET_NAME], line[IPVS_SET_NAME + 10];
	if (!view->read || view->read(view->read_ctx, DUMP_IPSET, NULL, &list, NULL) != 0)
		strbuf_clear(&list);
	for (unsigned s = 0; s < SET_COUNT; s++) {
		snprintf(line, sizeof line, "create %s ", ipvs_set_name(s, NET_V4, name));
		if (view->version >= ipvs_sets[s].from && strstr(strbuf_text(&list), line))
			strbuf_printf(&text, "destroy %s\n", name);
	}
	left_put(out, TX_IPSET, &text);
	strbuf_free(&text);
	strbuf_free(&list);
}

void ipvs_cleanup(const struct proxy_view *view, struct transactions *out)
{
	const struct proxy_config config = { .version = view->version };
	struct strbuf text = { 0 };
	if (view->version >= KUBE_1_34 && !has_ipvs(view))
		return;
	if (holds(view, DUMP_IPVSADM_SAVE, "-A ")) {
		strbuf_puts(&text, "-C\n");
		left_put(out, TX_IPVSADM, &text);
	}
	if (holds(view, DUMP_LINK, " kube-ipvs0:")) {
		strbuf_puts(&text, "del dev kube-ipvs0\n");
		left_put(out, TX_ADDR, &text);
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct left_tables left;
		if (left_tables_read(&left, view, f))
			remove_chains(&left, &config, out);
		left_tables_free(&left);
	}
	destroy_sets(view, out);
	strbuf_free(&text);
}
