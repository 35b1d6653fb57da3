/* dataplanes/model/load.c: carries one transaction out on a namespace.
 *
 * What it is charged: a fixed time to start the tool and a time a line, from loading
 * kube-proxy's text into Linux 6.18 (iptables-legacy 1.18 s for 10,000 services x 3,
 * about 110,000 lines; nft and ipvsadm per object likewise).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/model/internal.h"
#include "linux/conntrack.h"
#include "linux/ipset.h"
#include "linux/ipvs/ipvs.h"
#include "linux/nft/nft.h"
#include "linux/xtables/xtables.h"

#define TOOL_START_NS (2 * NS_PER_MS)
#define LINE_NS (11 * NS_PER_US)

typedef int line_fn(struct netns *ns, char *line, struct err *err);

static int each_line(struct netns *ns, const char *text, line_fn *fn, struct err *err)
{
	int code = 0;
	while (*text && !code) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);
		if (line && length)
			code = fn(ns, line, err);
		free(line);
		text += length + (text[length] == '\n');
	}
	return code;
}

/* "-t nat -C OUTPUT ... || -t nat -I OUTPUT ...": the second when the first fails; a check
 * fails by not finding its rule. */
static int xt_line(struct netns *ns, uint8_t family, char *line, struct err *err)
{
	struct xt_ruleset *x = netns_xt(ns, family);
	char *second = strstr(line, " || ");
	bool found = false;
	if (!second)
		return xt_command(x, line, NULL, NULL, err);
	*second = '\0';
	struct strbuf listing = { 0 }; /* -S prints */
	int code = xt_command(x, line, &found, &listing, NULL);
	bool check = strstr(line, "-C ") != NULL;
	strbuf_free(&listing);
	if (code == 0 && (found || !check))
		return 0;
	return xt_command(x, second + 4, NULL, NULL, err);
}

static int xt4_line(struct netns *ns, char *line, struct err *err)
{
	return xt_line(ns, NET_V4, line, err);
}

static int xt6_line(struct netns *ns, char *line, struct err *err)
{
	return xt_line(ns, NET_V6, line, err);
}

static int addr_line(struct netns *ns, char *line, struct err *err)
{
	char verb[8], address[NET_ADDR_TEXT], dev[16];
	struct net_prefix p;
	if (sscanf(line, "del dev %15s", dev) == 1) {
		if (netns_iface_by_name(ns, dev))
			netns_remove_iface(ns, netns_iface_by_name(ns, dev));
		return 0;
	}
	if (sscanf(line, "%7s %47s dev %15s", verb, address, dev) != 3 ||
	    !net_prefix_parse(address, &p))
		return err_set(err, EINVAL, "address change \"%s\": expected add|del ADDR/LEN dev DEV",
			       line);
	uint16_t number = netns_iface_by_name(ns, dev);
	if (strcmp(verb, "add") != 0) {
		if (number)
			netns_remove_addr(ns, number, &p.addr);
		return 0;
	}
	if (!number)
		number = netns_add_dummy(ns, dev);
	int code = netns_add_addr(ns, number, &p);
	return code == EEXIST ? 0 : code;
}

static int sysctl_line(struct netns *ns, char *line, struct err *err)
{
	char *equals = strchr(line, '=');
	if (!equals || equals == line)
		return err_set(err, EINVAL, "sysctl \"%s\": expected NAME=VALUE or NAME>=VALUE", line);
	bool at_least = equals[-1] == '>';
	int64_t value = atoll(equals + 1), present = 0;
	equals[at_least ? -1 : 0] = '\0';
	for (char *p = line; *p; p++)
		if (*p == '/')
			*p = '.';
	if (at_least && netns_sysctl_get(ns, line, &present) == 0 && present >= value)
		return 0;
	int code = netns_sysctl_set(ns, line, value);
	return code ? err_set(err, code, "no sysctl %s in the Linux model", line) : 0;
}

/* What a clean-up deletes: `filter`, and, with `keep`, only what leads to none of these. */
struct clean_up {
	struct ct_filter filter;
	const char *keep; /* "IP,IP"; NULL: not asked */
};

static bool in_list(const char *list, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];
	net_addr_text(a, text);
	size_t length = strlen(text);
	for (const char *p = list; (p = strstr(p, text)); p += length)
		if ((p == list || p[-1] == ',') && (p[length] == ',' || !p[length]))
			return true;
	return false;
}

static bool leads_elsewhere(void *ctx, const struct ct_view *v)
{
	const struct clean_up *c = ctx;
	return v->original.proto == c->filter.proto &&
	       (c->filter.original_dst.family == NET_NONE ||
		net_addr_equal(&c->filter.original_dst, &v->original.dst)) &&
	       v->original.dst_port == c->filter.original_dst_port && !in_list(c->keep, &v->reply.src);
}

static bool conntrack_option(struct clean_up *c, const char *word, const char *value)
{
	if (strcmp(word, "-p") == 0 || strcmp(word, "--proto") == 0)
		return (c->filter.proto = proto_number(value)) != 0;
	if (strcmp(word, "--orig-dst") == 0 || strcmp(word, "-d") == 0)
		return net_addr_parse(value, &c->filter.original_dst);
	if (strcmp(word, "--reply-src") == 0 || strcmp(word, "-r") == 0)
		return net_addr_parse(value, &c->filter.reply_src);
	if (strcmp(word, "--dport") == 0 || strcmp(word, "--orig-port-dst") == 0)
		return (c->filter.original_dst_port = (uint16_t)atoi(value)) != 0;
	if (strcmp(word, "--reply-src-not") == 0)
		return (c->keep = value) != NULL;
	return strcmp(word, "-f") == 0;
}

static int conntrack_line(struct netns *ns, char *line, struct err *err)
{
	struct clean_up clean = { 0 };
	char *save = NULL;
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (strcmp(word, "-D") == 0)
			continue;
		char *value = strtok_r(NULL, " ", &save);
		if (!value || !conntrack_option(&clean, word, value))
			return err_set(err, EINVAL, "conntrack clean-up: cannot read \"%s %s\"", word,
				       value ? value : "");
	}
	struct conntrack *ct = netns_conntrack_if_any(ns);
	if (ct && clean.keep)
		conntrack_delete_if(ct, leads_elsewhere, &clean);
	else if (ct)
		conntrack_delete(ct, &clean.filter);
	return 0;
}

/* "default", "blackhole default" or "[KIND] PREFIX", then words in pairs. */
static int route_line(struct netns *ns, char *line, struct err *err)
{
	static const struct { const char *word; enum route_kind kind; } kinds[] = {
		{ "unicast", ROUTE_UNICAST }, { "local", ROUTE_LOCAL },
		{ "blackhole", ROUTE_BLACKHOLE }, { "unreachable", ROUTE_UNREACHABLE },
		{ "prohibit", ROUTE_PROHIBIT },
	};
	struct route r = { .kind = ROUTE_UNICAST };
	char *save = NULL, *word = strtok_r(line, " \t", &save);
	bool del = word && strcmp(word, "del") == 0;
	if (!word || (!del && strcmp(word, "add") != 0))
		return err_set(err, EINVAL, "route change \"%s\": expected add or del PREFIX ...", line);
	word = strtok_r(NULL, " \t", &save);
	for (size_t i = 0; word && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(word, kinds[i].word) == 0) {
			r.kind = kinds[i].kind;
			word = strtok_r(NULL, " \t", &save);
			break;
		}
	bool everywhere = word && strcmp(word, "default") == 0;
	if (!word || (!everywhere && !net_prefix_parse(word, &r.dst)))
		return err_set(err, EINVAL, "route \"%s\": expected a prefix or default",
			       word ? word : "");
	for (word = strtok_r(NULL, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (strcmp(word, "onlink") == 0 || strcmp(word, "linkdown") == 0)
			continue;
		const char *value = strtok_r(NULL, " \t", &save);
		bool ok = value != NULL;
		if (ok && strcmp(word, "via") == 0)
			ok = net_addr_parse(value, &r.via);
		else if (ok && strcmp(word, "dev") == 0)
			ok = (r.out_if = netns_iface_by_name(ns, value)) != 0 ||
			     (r.out_if = netns_add_dummy(ns, value)) != 0;
		else if (ok && strcmp(word, "src") == 0)
			ok = net_addr_parse(value, &r.preferred);
		else if (ok && strcmp(word, "metric") == 0)
			r.metric = (uint32_t)strtoul(value, NULL, 10);
		if (!ok)
			return err_set(err, EINVAL, "route: cannot read \"%s %s\"", word,
				       value ? value : "");
	}
	if (everywhere)
		r.dst.addr.family = r.via.family ? r.via.family : NET_V4;
	if (del)
		return netns_remove_route(ns, &r.dst) ? 0 : err_set(err, ESRCH, "no such route");
	if (r.kind == ROUTE_UNICAST && !r.out_if) {
		struct route_result by;
		if (r.via.family == NET_NONE || !netns_route(ns, &r.via, NULL, 0, &by))
			return err_set(err, EINVAL, "route: expected dev DEV or a gateway on a link");
		r.out_if = by.out_if;
	}
	netns_remove_route(ns, &r.dst);
	int code = netns_add_route(ns, &r);
	return code == EEXIST ? 0 : code;
}

static int apply(struct netns *ns, const struct transaction *t, const struct strbuf *text,
		 struct err *err)
{
	/* Only what was read from a file has lines that a trace can name. */
	const char *file = t->file ? t->file : tx_tool_name(t->tool);
	struct xt_restore_options options = { .file = t->file, .noflush = true, .counters = true };
	const char *s = strbuf_text(text);
	switch (t->tool) {
	case TX_IPTABLES_RESTORE:
		return xt_restore(netns_xt(ns, NET_V4), s, text->length, &options, err);
	case TX_IP6TABLES_RESTORE:
		return xt_restore(netns_xt(ns, NET_V6), s, text->length, &options, err);
	case TX_IPTABLES:
		return each_line(ns, s, xt4_line, err);
	case TX_IP6TABLES:
		return each_line(ns, s, xt6_line, err);
	case TX_NFT:
		return nft_load(netns_nft(ns), s, text->length, t->file, err);
	case TX_IPSET:
		return ipset_restore(netns_ipset(ns), s, text->length, file, true, err);
	case TX_IPVSADM:
		return ipvs_restore(netns_ipvs(ns), s, text->length, file, err);
	case TX_ADDR:
		return each_line(ns, s, addr_line, err);
	case TX_SYSCTL:
		return each_line(ns, s, sysctl_line, err);
	case TX_CONNTRACK:
		return each_line(ns, s, conntrack_line, err);
	case TX_ROUTE:
		return each_line(ns, s, route_line, err);
	}
	return EINVAL;
}

int model_load(struct executor *e, const char *place, const struct transaction *t,
	       struct load_cost *cost, struct err *err)
{
	struct model_place *p = model_place(e, place);
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	struct strbuf text = { 0 };
	transaction_text(t, &text);
	int code = apply(p->ns, t, &text, err);
	uint64_t lines, rules;
	transaction_count(t, &lines, &rules);
	*cost = (struct load_cost){ .rules = rules, .bytes = text.length,
				    .charged_ns = TOOL_START_NS + (int64_t)lines * LINE_NS };
	strbuf_free(&text);
	return code;
}
