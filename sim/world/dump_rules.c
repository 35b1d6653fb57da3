/* world/dump_rules.c: which tool printed a text, and loading it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "world/dumps_internal.h"

struct text {
	const char *file;
	struct strbuf bytes;
	enum tx_tool tool;
};

/* In this order one depends on those before. */
static const enum tx_tool order[] = { TX_IPSET, TX_IPTABLES_RESTORE, TX_IP6TABLES_RESTORE, TX_NFT,
				      TX_IPVSADM };

static const char *first_line(const char *text)
{
	for (;;) {
		text += strspn(text, " \t\r\n");
		if (*text != '#')
			return text;
		text += strcspn(text, "\n");
	}
}

/* iptables-save and ip6tables-save look alike; the tool's own comment tells, else what
 * only one of them can hold. */
static bool is_v6(const char *text)
{
	if (strstr(text, "by iptables-save") || strstr(text, "by iptables-nft-save"))
		return false;
	return strstr(text, "by ip6tables-save") || strstr(text, "by ip6tables-nft-save") ||
	       strstr(text, "icmp6-") || strstr(text, "-p ipv6-icmp") || strstr(text, "/128 ") ||
	       strstr(text, "::");
}

static int recognise(struct text *t, struct err *err)
{
	const char *text = strbuf_text(&t->bytes), *line = first_line(text);
	if (*line == '*')
		t->tool = is_v6(text) ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE;
	else if (strncmp(line, "table ", 6) == 0 || strncmp(line, "add table ", 10) == 0 ||
		 strncmp(line, "flush ruleset", 13) == 0)
		t->tool = TX_NFT;
	else if (strncmp(line, "create ", 7) == 0)
		t->tool = TX_IPSET;
	else if (strncmp(line, "-A -t ", 6) == 0 || strncmp(line, "-A -u ", 6) == 0 ||
		 strncmp(line, "-A -f ", 6) == 0 || strncmp(line, "-A --sctp-service ", 18) == 0)
		t->tool = TX_IPVSADM;
	else
		return err_at(err, EINVAL, t->file, 1, 1,
			      "no dump that is known: expected iptables-save, ip6tables-save, nft list "
			      "ruleset, ipset save or ipvsadm -Sn text");
	return 0;
}

static int load_text(struct world *w, const struct dump_host *h, const struct text *t,
		     struct err *err)
{
	struct transactions list = { 0 };
	struct load_cost cost;
	struct transaction *x = transactions_add(&list, t->tool);
	x->file = t->file;
	transaction_add(x, block_new(strbuf_text(&t->bytes), t->bytes.length));
	int code = w->row->executor->load(w->executor, h->place->name, x, &cost, err);
	transactions_free(&list);
	return code;
}

/* ipvsadm does not say which addresses kube-ipvs0 has; virtual servers work on local
 * ones only. */
static int add_virtual_addresses(const struct dump_host *h, const struct text *t, struct err *err)
{
	struct world *w = h->place->world;
	for (const char *line = strbuf_text(&t->bytes); *line;) {
		char service[NET_ADDR_TEXT + 16], text[NET_ADDR_TEXT], command[96];
		struct net_addr a;
		char *end;
		if ((sscanf(line, "-A -%*[tu] %63s", service) == 1 ||
		     sscanf(line, "-A --sctp-service %63s", service) == 1) &&
		    (end = strrchr(service, ':')) != NULL) {
			*end = '\0';
			char *start = service + (*service == '[');
			if (start[0] && start[strlen(start) - 1] == ']')
				start[strlen(start) - 1] = '\0';
			if (net_addr_parse(start, &a) && !place_by_addr(w, &a)) {
				snprintf(command, sizeof command, "add %s/%u dev kube-ipvs0\n",
					 net_addr_text(&a, text), net_family_bits(a.family));
				int code = place_load_line(h->place, TX_ADDR, command, err);
				if (code)
					return code;
			}
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}

int dump_rules_load(struct world *w, struct dump_host *h, const struct dump_node *node,
		    struct err *err)
{
	struct text *texts = mem_array(node->rule_count + 1, sizeof *texts);
	int code = 0;
	for (uint32_t i = 0; i < node->rule_count && !code; i++) {
		texts[i].file = arena_strdup(w->arena, strcmp(node->rules[i], "-") == 0
							       ? "(standard input)"
							       : node->rules[i]);
		code = file_read(node->rules[i], &texts[i].bytes, err);
		if (!code)
			code = recognise(&texts[i], err);
	}
	for (size_t k = 0; k < sizeof order / sizeof *order && !code; k++)
		for (uint32_t i = 0; i < node->rule_count && !code; i++) {
			if (texts[i].tool != order[k])
				continue;
			code = load_text(w, h, &texts[i], err);
			if (!code && texts[i].tool == TX_IPVSADM)
				code = add_virtual_addresses(h, &texts[i], err);
		}
	for (uint32_t i = 0; i < node->rule_count; i++)
		strbuf_free(&texts[i].bytes);
	free(texts);
	return code;
}
