/* iptables/cleanup.c: takes away what iptables mode left on a node.
 *
 * Source of behaviour: CleanupLeftovers of pkg/proxy/iptables/proxier.go. The jumps go, then
 * the chains that are there, in one restore a table. KUBE-MARK-MASQ, KUBE-PROXY-FIREWALL,
 * KUBE-FIREWALL and the canaries stay.
 */
#include <string.h>

#include "dataplanes/iptables/text.h"
#include "dataplanes/kubeproxy/leftovers.h"

static bool starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool in_nat(const char *name)
{
	static const char *const prefixes[] = { "KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-FW-",
						"KUBE-EXT-", "KUBE-XLB-" };
	for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (starts(name, prefixes[i]))
			return true;
	return starts(name, "KUBE-SERVICES ") || starts(name, "KUBE-NODEPORTS ") ||
	       starts(name, "KUBE-POSTROUTING ");
}

static bool in_filter(const char *name)
{
	return starts(name, "KUBE-SERVICES ") || starts(name, "KUBE-EXTERNAL-SERVICES ") ||
	       starts(name, "KUBE-FORWARD ") || starts(name, "KUBE-NODEPORTS ");
}

/* `ours` is asked with a line's text from the chain's name on. */
static void remove_chains(const struct strbuf *save, const char *table,
			  bool (*ours)(const char *name), struct strbuf *out)
{
	struct strbuf chains = { 0 }, deletions = { 0 };
	const char *line = strbuf_text(save);
	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		int n = (int)strcspn(line, " ") - 1;
		if (*line != ':' || !ours(line + 1))
			continue;
		strbuf_printf(&chains, ":%.*s - [0:0]\n", n, line + 1);
		strbuf_printf(&deletions, "-X %.*s\n", n, line + 1);
	}
	if (chains.length)
		strbuf_printf(out, "*%s\n%s%sCOMMIT\n", table, strbuf_text(&chains),
			      strbuf_text(&deletions));
	strbuf_free(&chains);
	strbuf_free(&deletions);
}

void iptables_cleanup(const struct proxy_view *view, struct transactions *out)
{
	const struct proxy_config config = { .version = view->version };
	struct ipt_style style;
	struct strbuf text = { 0 };
	ipt_style_init(&style, &config, PROXY_V4, false);
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct left_tables left;
		if (left_tables_read(&left, view, f)) {
			ipt_jumps_removed(&style, &text);
			left_put(out, left.commands, &text);
			remove_chains(&left.nat, "nat", in_nat, &text);
			left_put(out, left.restore, &text);
			remove_chains(&left.filter, "filter", in_filter, &text);
			left_put(out, left.restore, &text);
		}
		left_tables_free(&left);
	}
	strbuf_free(&text);
}
