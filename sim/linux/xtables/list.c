/* linux/xtables/list.c: `iptables -L -n` text, as version 1.8.9 prints it. */
#include "linux/xtables/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "12345", "12345K", ... in five columns (xtables_print_num). */
static void number(struct strbuf *out, uint64_t n)
{
	static const char units[] = "KMGT";
	if (n <= 99999) {
		strbuf_printf(out, "%5llu ", (unsigned long long)n);
		return;
	}
	for (unsigned i = 0;; i++) {
		n = (n + 500) / 1000;
		if (n <= 9999 || i == 3) {
			strbuf_printf(out, "%4llu%c ", (unsigned long long)n, units[i]);
			return;
		}
	}
}

static void titles(const struct xt_ruleset *x, const struct xt_chain *c, bool verbose,
		   bool numbers, struct strbuf *out)
{
	(void)x;
	strbuf_printf(out, "Chain %s", c->name);
	if (c->hook < 0) {
		strbuf_printf(out, " (%u references)\n", c->references);
	} else if (verbose) {
		struct strbuf n = { 0 };
		number(&n, c->packets);
		const char *p = strbuf_text(&n);
		strbuf_printf(out, " (policy %s %s", c->drop ? "DROP" : "ACCEPT",
			      p + strspn(p, " "));
		strbuf_clear(&n);
		number(&n, c->bytes);
		p = strbuf_text(&n);
		strbuf_printf(out, "packets, %sbytes)\n", p + strspn(p, " "));
		strbuf_free(&n);
	} else {
		strbuf_printf(out, " (policy %s)\n", c->drop ? "DROP" : "ACCEPT");
	}
	if (numbers)
		strbuf_puts(out, "num  ");
	if (verbose)
		strbuf_puts(out, " pkts bytes target     prot opt in     out     source          "
				 "     destination         \n");
	else
		strbuf_puts(out, "target     prot opt source               destination         \n");
}

static void side(struct strbuf *out, bool invert, const uint8_t *addr, const uint8_t *mask,
		 uint8_t family)
{
	struct strbuf text = { 0 };
	if (mask_bits(mask, family) == 0)
		strbuf_puts(&text, family == NET_V6 ? "::/0" : "0.0.0.0/0");
	else
		print_network(&text, addr, mask, family, false);
	strbuf_printf(out, "%s%-20s", invert ? "!" : " ", strbuf_text(&text));
	strbuf_free(&text);
}

static void iface(struct strbuf *out, bool invert, const char *name)
{
	char text[XT_IFNAME + 1];
	snprintf(text, sizeof text, "%s%s", invert ? "!" : "", name[0] ? name : "*");
	strbuf_printf(out, "%-6s ", text);
}

static void columns(const struct xt_ruleset *x, const struct xt_rule *rule, bool verbose,
		    struct strbuf *out)
{
	static const uint8_t zero[16];
	const struct xt_record *h = spec_first(rule->spec);
	const struct xt_header4 *h4 = h->kind == XT_HEADER4 ? (const struct xt_header4 *)h : NULL;
	const struct xt_header6 *h6 = h->kind == XT_HEADER6 ? (const struct xt_header6 *)h : NULL;
	strbuf_printf(out, "%s%-4u ", h->invert & XT_INV_PROTO ? "!" : " ", h->flags & XT_PROTO);
	if (h->flags & XT_FRAGMENT)
		strbuf_puts(out, h->invert & XT_INV_FRAGMENT ? "!f " : "-f ");
	else
		strbuf_puts(out, "-- ");
	if (verbose) {
		const struct xt_ifaces *f = h->flags & XT_HAS_IFACES ?
					    (const struct xt_ifaces *)record_next(h) : NULL;
		strbuf_putc(out, ' ');
		iface(out, h->invert & XT_INV_IN, f ? f->in : "");
		iface(out, h->invert & XT_INV_OUT, f ? f->out : "");
	}
	side(out, h->invert & XT_INV_SRC, h4 ? h4->src : h6 ? h6->src : zero,
	     h4 ? h4->src_mask : h6 ? h6->src_mask : zero, x->family);
	side(out, h->invert & XT_INV_DST, h4 ? h4->dst : h6 ? h6->dst : zero,
	     h4 ? h4->dst_mask : h6 ? h6->dst_mask : zero, x->family);
}

static void target_name(const struct xt_rule *rule, char name[XT_NAME + 4])
{
	const struct xt_record *t = spec_target(rule->spec);
	const struct xt_extension *ext = extension_of(t->kind);
	name[0] = '\0';
	if (rule->jump)
		strcpy(name, rule->jump->name);
	else if (ext)
		strcpy(name, ext->name);
	else if (t->kind == XT_T_UNKNOWN)
		snprintf(name, XT_NAME, "%.*s",
			 (int)strcspn(((const struct xt_text *)t)->text + 3, " "),
			 ((const struct xt_text *)t)->text + 3);
}

static void rule_line(const struct xt_ruleset *x, const struct xt_rule *rule, bool verbose,
		      struct strbuf *out)
{
	const struct xt_record *t = spec_target(rule->spec);
	char name[XT_NAME + 4];
	if (verbose) {
		number(out, rule->packets);
		number(out, rule->bytes);
	}
	target_name(rule, name);
	strbuf_printf(out, "%-9s ", name);
	columns(x, rule, verbose, out);
	if (t->kind == XT_T_GOTO)
		strbuf_puts(out, "[goto] ");
	const struct xt_record *r = record_next(spec_first(rule->spec));
	for (;; r = record_next(r)) {
		const struct xt_extension *ext = extension_of(r->kind);
		if (r == t && spec_first(rule->spec) == t)
			break;
		if (ext && ext->list)
			ext->list(r, x->family, out);
		else if (r->kind == XT_M_UNKNOWN || r->kind == XT_T_UNKNOWN)
			strbuf_printf(out, " %s", ((const struct xt_text *)r)->text);
		if (r == t)
			break;
	}
	strbuf_putc(out, '\n');
}

void list_chains(const struct xt_ruleset *x, const struct xt_table *t, const char *chain,
		 bool verbose, bool numbers, struct strbuf *out)
{
	uint32_t count;
	struct xt_chain **chains = table_sorted(t, &count);
	bool first = true;
	for (uint32_t i = 0; i < count; i++) {
		const struct xt_chain *c = chains[i];
		if (chain && strcmp(chain, c->name) != 0)
			continue;
		if (!first)
			strbuf_putc(out, '\n');
		first = false;
		titles(x, c, verbose, numbers, out);
		for (uint32_t r = 0; r < c->count; r++) {
			if (numbers)
				strbuf_printf(out, "%-4u ", r + 1);
			rule_line(x, &c->rules[r], verbose, out);
		}
	}
	free(chains);
}

void xt_list(const struct xt_ruleset *x, const char *table, const char *chain, bool verbose,
	     struct strbuf *out)
{
	const struct xt_table *t = ruleset_table(x, table);
	if (t)
		list_chains(x, t, chain, verbose, false, out);
}
