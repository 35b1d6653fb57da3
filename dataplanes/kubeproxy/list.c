/* kubeproxy/list.c: the text of the state after a full sync, for every mode.
 *
 * The write form is the planner's own text; the list form is what the Linux model's
 * readers make of it, printed as iptables-save, nft, ipset and ipvsadm print. A text that
 * they cannot read is an error here, never half a listing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/kubeproxy.h"
#include "linux/ipset.h"
#include "linux/ipvs/ipvs.h"
#include "linux/nft/nft.h"
#include "linux/xtables/xtables.h"

#define IPVS_DEVICE "kube-ipvs0"
#define DEVICE_NUMBER 4 /* after lo, eth0 and the bridge, as on a node set up by kubeadm */

struct listing {
	const struct transactions *plan;
	enum rules_format format;
	bool titles;
	struct strbuf *out;
	struct err *err;
};

static bool uses(const struct transactions *plan, enum tx_tool tool)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->items[i].tool == tool)
			return true;
	return false;
}

static void title(struct listing *l, const char *text)
{
	if (l->titles)
		strbuf_printf(l->out, "# %s\n", text);
}

static void put_plain(struct listing *l, enum tx_tool tool)
{
	for (uint32_t i = 0; i < l->plan->count; i++)
		if (l->plan->items[i].tool == tool)
			transaction_text(&l->plan->items[i], l->out);
}

/* Single commands as they run on a node where nothing is yet: of "A || B" the second. */
static void put_commands(struct listing *l, enum tx_tool tool)
{
	struct strbuf text = { 0 };
	char *save = NULL;
	put_plain(&(struct listing){ .plan = l->plan, .out = &text }, tool);
	for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *second = strstr(line, " || ");
		strbuf_printf(l->out, "%s %s\n", tx_tool_name(tool), second ? second + 4 : line);
	}
	strbuf_free(&text);
}

/* ---- iptables ------------------------------------------------------------------ */

/* "A || B": B when A does not hold. Only -C and -S stand before the bars. */
static int run_command(struct xt_ruleset *x, char *line, struct err *err)
{
	char *second = strstr(line, " || ");
	bool found = false;
	if (!second)
		return xt_command(x, line, NULL, NULL, err);
	*second = '\0';
	struct strbuf ignored = { 0 };
	int code = xt_command(x, line, &found, &ignored, NULL);
	bool check = strstr(line, "-C ") != NULL;
	strbuf_free(&ignored);
	if (code == 0 && (found || !check))
		return 0;
	return xt_command(x, second + 4, NULL, NULL, err);
}

static int run_commands(struct xt_ruleset *x, char *text, struct err *err)
{
	int code = 0;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line && !code;
	     line = strtok_r(NULL, "\n", &save))
		code = run_command(x, line, err);
	return code;
}

static int save_tables(struct listing *l, uint8_t family)
{
	bool six = family == NET_V6;
	enum tx_tool restore = six ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE;
	enum tx_tool command = six ? TX_IP6TABLES : TX_IPTABLES;
	const struct xt_restore_options options = { .file = tx_tool_name(restore), .noflush = true,
						    .counters = true };
	struct xt_ruleset *x = xt_new(NULL, family);
	int code = 0;
	for (uint32_t i = 0; i < l->plan->count && !code; i++) {
		struct strbuf text = { 0 };
		transaction_text(&l->plan->items[i], &text);
		if (l->plan->items[i].tool == restore)
			code = xt_restore(x, strbuf_text(&text), text.length, &options, l->err);
		else if (l->plan->items[i].tool == command && text.length)
			code = run_commands(x, text.data, l->err);
		strbuf_free(&text);
	}
	if (!code)
		xt_save(x, NULL, false, l->out);
	xt_free(x);
	return code;
}

static int list_iptables(struct listing *l)
{
	static const struct {
		uint8_t family;
		enum tx_tool restore, command;
		const char *write, *save;
	} rows[] = {
		{ NET_V4, TX_IPTABLES_RESTORE, TX_IPTABLES, "iptables-restore", "iptables-save" },
		{ NET_V6, TX_IP6TABLES_RESTORE, TX_IP6TABLES, "ip6tables-restore",
		  "ip6tables-save" },
	};
	bool both = uses(l->plan, TX_IPTABLES_RESTORE) && uses(l->plan, TX_IP6TABLES_RESTORE);
	int code = 0;
	l->titles |= both;
	for (unsigned i = 0; i < 2 && !code; i++) {
		bool restored = uses(l->plan, rows[i].restore);
		if (!restored && !uses(l->plan, rows[i].command))
			continue;
		title(l, l->format == FORMAT_LIST ? rows[i].save :
			 restored ? rows[i].write : tx_tool_name(rows[i].command));
		if (l->format == FORMAT_LIST)
			code = save_tables(l, rows[i].family);
		else if (restored)
			put_plain(l, rows[i].restore);
		else
			put_commands(l, rows[i].command);
	}
	return code;
}

/* ---- the other tools ------------------------------------------------------------- */

static int list_nft(struct listing *l)
{
	struct nft_ruleset *r;
	int code = 0;
	if (!uses(l->plan, TX_NFT))
		return 0;
	title(l, l->format == FORMAT_LIST ? "nft list ruleset" : "nft -f -");
	if (l->format == FORMAT_WRITE) {
		put_plain(l, TX_NFT);
		return 0;
	}
	r = nft_new(NULL);
	for (uint32_t i = 0; i < l->plan->count && !code; i++) {
		struct strbuf text = { 0 };
		if (l->plan->items[i].tool != TX_NFT)
			continue;
		transaction_text(&l->plan->items[i], &text);
		code = nft_load(r, strbuf_text(&text), text.length, "nft", l->err);
		strbuf_free(&text);
	}
	if (!code)
		nft_list(r, l->out);
	nft_free(r);
	return code;
}

static int list_ipset(struct listing *l)
{
	struct strbuf text = { 0 };
	int code = 0;
	if (!uses(l->plan, TX_IPSET))
		return 0;
	title(l, l->format == FORMAT_LIST ? "ipset save" : "ipset restore");
	if (l->format == FORMAT_WRITE) {
		put_plain(l, TX_IPSET);
		return 0;
	}
	struct ipset_table *t = ipset_new(NULL);
	for (uint32_t i = 0; i < l->plan->count; i++)
		if (l->plan->items[i].tool == TX_IPSET)
			transaction_text(&l->plan->items[i], &text);
	code = ipset_restore(t, strbuf_text(&text), text.length, "ipset", true, l->err);
	if (!code)
		ipset_save(t, l->out);
	ipset_free(t);
	strbuf_free(&text);
	return code;
}

static int list_ipvsadm(struct listing *l)
{
	struct strbuf text = { 0 };
	if (!uses(l->plan, TX_IPVSADM))
		return 0;
	title(l, l->format == FORMAT_LIST ? "ipvsadm -Ln" : "ipvsadm -Sn");
	for (uint32_t i = 0; i < l->plan->count; i++)
		if (l->plan->items[i].tool == TX_IPVSADM)
			transaction_text(&l->plan->items[i], &text);
	struct ipvs *v = ipvs_new(NULL);
	int code = ipvs_restore(v, strbuf_text(&text), text.length, "ipvsadm", l->err);
	if (!code)
		ipvs_print(v, l->format == FORMAT_LIST ? IPVS_LIST : IPVS_SAVE, l->out);
	ipvs_free(v);
	strbuf_free(&text);
	return code;
}

static void list_address(struct listing *l, const char *line, size_t length)
{
	char address[NET_ADDR_TEXT], dev[32];
	char *copy = strndup(line, length);
	if (copy && sscanf(copy, "add %47s dev %31s", address, dev) == 2 &&
	    strcmp(dev, IPVS_DEVICE) == 0) {
		bool six = strchr(address, ':') != NULL;
		if (!six && strstr(address, "/32"))
			*strstr(address, "/32") = '\0';
		strbuf_printf(l->out,
			      "%d: %s    %s %s%s scope global %s\\       valid_lft forever "
			      "preferred_lft forever\n",
			      DEVICE_NUMBER, dev, six ? "inet6" : "inet", address,
			      six ? "" : "/32", six ? "" : dev);
	}
	free(copy);
}

/* As `ip -o addr show dev kube-ipvs0`; both formats are the same. */
static int list_addresses(struct listing *l)
{
	struct strbuf text = { 0 };
	if (!uses(l->plan, TX_ADDR))
		return 0;
	title(l, "ip -o addr show dev " IPVS_DEVICE);
	put_plain(&(struct listing){ .plan = l->plan, .out = &text }, TX_ADDR);
	for (const char *p = strbuf_text(&text); *p;) {
		size_t n = strcspn(p, "\n");
		list_address(l, p, n);
		p += n + (p[n] == '\n');
	}
	strbuf_free(&text);
	return 0;
}

static int list_view(struct listing *l, enum rules_view which)
{
	switch (which) {
	case VIEW_IPTABLES:
		return list_iptables(l);
	case VIEW_NFT:
		return list_nft(l);
	case VIEW_IPSET:
		return list_ipset(l);
	case VIEW_IPVSADM:
		return list_ipvsadm(l);
	case VIEW_ADDR:
		return list_addresses(l);
	case VIEW_ALL:
		break;
	}
	return 0;
}

int kubeproxy_list(const struct planner_class *class, const struct proxy_view *view,
		   enum rules_format format, enum rules_view which, struct strbuf *out,
		   struct err *err)
{
	static const enum rules_view all[] = { VIEW_IPTABLES, VIEW_IPSET, VIEW_IPVSADM, VIEW_ADDR,
					       VIEW_NFT };
	const struct plan_request request = { .full = true, .show = format == FORMAT_WRITE };
	struct transactions plan = { 0 };
	struct proxy_view alone = *view; /* knows nothing of what is loaded on the node */
	struct planner *fresh;
	alone.shared = NULL;
	alone.read = NULL;
	int code = class->open(&alone, &fresh, err);
	if (code)
		return code;
	code = class->plan(fresh, &alone, &request, &plan, err);
	struct listing l = { .plan = &plan, .format = format, .titles = which == VIEW_ALL,
			     .out = out, .err = err };
	if (!code && which != VIEW_ALL)
		code = list_view(&l, which);
	for (unsigned i = 0; which == VIEW_ALL && i < sizeof all / sizeof *all && !code; i++)
		code = list_view(&l, all[i]);
	transactions_free(&plan);
	class->close(fresh);
	return code;
}
