/* linux/xtables/print.c: rules as iptables-save 1.8.9 prints them. */
#include "linux/xtables/internal.h"

#include <stdlib.h>
#include <string.h>

/* xtables_save_string: bare words stay bare; \, " and ' are escaped. */
void print_quoted(struct strbuf *out, const char *text)
{
	static const char plain[] = "_-0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strspn(text, plain);
	if (length && !text[length]) {
		strbuf_putc(out, ' ');
		strbuf_puts(out, text);
		return;
	}
	strbuf_puts(out, " \"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || *text == '\'')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
	strbuf_putc(out, '"');
}

/* "a/len", "a/mask" when the mask has holes; a full length only when asked. */
void print_network(struct strbuf *out, const uint8_t *addr, const uint8_t *mask, uint8_t family,
		   bool always_bits)
{
	char text[NET_ADDR_TEXT];
	struct net_addr a = addr_from(addr, family);
	int bits = mask_bits(mask, family);
	strbuf_puts(out, net_addr_text(&a, text));
	if (bits < 0) {
		a = addr_from(mask, family);
		strbuf_printf(out, "/%s", net_addr_text(&a, text));
	} else if (always_bits || bits != (family == NET_V6 ? 128 : 32)) {
		strbuf_printf(out, "/%d", bits);
	}
}

static void side(struct strbuf *out, char letter, bool invert, const uint8_t *addr,
		 const uint8_t *mask, uint8_t family)
{
	if (!invert && mask_bits(mask, family) == 0)
		return;
	strbuf_puts(out, invert ? " ! -" : " -");
	strbuf_putc(out, letter);
	strbuf_putc(out, ' ');
	print_network(out, addr, mask, family, true);
}

static void header(struct strbuf *out, const struct xt_record *h, uint8_t family)
{
	if (h->kind == XT_HEADER4) {
		const struct xt_header4 *a = (const struct xt_header4 *)h;
		side(out, 's', h->invert & XT_INV_SRC, a->src, a->src_mask, family);
		side(out, 'd', h->invert & XT_INV_DST, a->dst, a->dst_mask, family);
	} else if (h->kind == XT_HEADER6) {
		const struct xt_header6 *a = (const struct xt_header6 *)h;
		side(out, 's', h->invert & XT_INV_SRC, a->src, a->src_mask, family);
		side(out, 'd', h->invert & XT_INV_DST, a->dst, a->dst_mask, family);
	}
	if (h->flags & XT_HAS_IFACES) {
		const struct xt_ifaces *f = (const struct xt_ifaces *)record_next(h);
		if (f->in[0])
			strbuf_printf(out, "%s -i %s", h->invert & XT_INV_IN ? " !" : "", f->in);
		if (f->out[0])
			strbuf_printf(out, "%s -o %s", h->invert & XT_INV_OUT ? " !" : "", f->out);
	}
	uint8_t proto = h->flags & XT_PROTO;
	if (proto) {
		const char *name = print_proto(proto);
		strbuf_puts(out, h->invert & XT_INV_PROTO ? " ! -p " : " -p ");
		if (name)
			strbuf_puts(out, name);
		else
			strbuf_printf(out, "%u", proto);
	}
	if (h->flags & XT_FRAGMENT)
		strbuf_puts(out, h->invert & XT_INV_FRAGMENT ? " ! -f" : " -f");
}

static void target(struct strbuf *out, const struct xt_rule *rule, uint8_t family)
{
	const struct xt_record *t = spec_target(rule->spec);
	const struct xt_extension *ext = extension_of(t->kind);
	switch (t->kind) {
	case XT_T_NONE:
		return;
	case XT_T_JUMP:
	case XT_T_GOTO:
		strbuf_puts(out, t->kind == XT_T_GOTO ? " -g " : " -j ");
		strbuf_puts(out, rule->jump->name);
		return;
	case XT_T_UNKNOWN:
		strbuf_putc(out, ' ');
		strbuf_puts(out, ((const struct xt_text *)t)->text);
		return;
	default:
		strbuf_puts(out, " -j ");
		strbuf_puts(out, ext->name);
		if (ext->print)
			ext->print(t, family, out);
	}
}

void print_rule(const struct xt_ruleset *x, const struct xt_chain *chain,
		const struct xt_rule *rule, struct strbuf *out)
{
	const struct xt_record *r = spec_first(rule->spec);
	strbuf_puts(out, "-A ");
	strbuf_puts(out, chain->name);
	header(out, r, x->family);
	for (r = record_next(r); r != spec_target(rule->spec); r = record_next(r)) {
		const struct xt_extension *ext = extension_of(r->kind);
		if (r->kind == XT_IFACES)
			continue;
		if (r->kind == XT_M_UNKNOWN) {
			strbuf_putc(out, ' ');
			strbuf_puts(out, ((const struct xt_text *)r)->text);
			continue;
		}
		strbuf_puts(out, " -m ");
		strbuf_puts(out, ext->name);
		if (ext->print)
			ext->print(r, x->family, out);
	}
	target(out, rule, x->family);
}

void print_unknown(const struct xt_ruleset *x, const struct xt_rule *rule, struct strbuf *out)
{
	const struct xt_record *r = spec_first(rule->spec);
	if (!rule->spec->unknown)
		return;
	for (;; r = record_next(r)) {
		if (r->kind == XT_M_UNKNOWN || r->kind == XT_T_UNKNOWN)
			strbuf_printf(out, "%s:%u:%u: svclab does not know `%s': packets that reach "
				      "it are undecidable\n", x->files[rule->file],
				      (unsigned)rule->line, rule->column,
				      ((const struct xt_text *)r)->text);
		if (r == spec_target(rule->spec))
			return;
	}
}

static void save_table(const struct xt_ruleset *x, const struct xt_table *t, bool counters,
		       struct strbuf *out)
{
	uint32_t count;
	struct xt_chain **chains = table_sorted(t, &count);
	strbuf_printf(out, "*%s\n", t->name);
	for (uint32_t i = 0; i < count; i++) {
		const struct xt_chain *c = chains[i];
		strbuf_printf(out, ":%s %s [%llu:%llu]\n", c->name,
			      c->hook < 0 ? "-" : c->drop ? "DROP" : "ACCEPT",
			      (unsigned long long)c->packets, (unsigned long long)c->bytes);
	}
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t r = 0; r < chains[i]->count; r++) {
			const struct xt_rule *rule = &chains[i]->rules[r];
			if (counters)
				strbuf_printf(out, "[%llu:%llu] ",
					      (unsigned long long)rule->packets,
					      (unsigned long long)rule->bytes);
			print_rule(x, chains[i], rule, out);
			strbuf_putc(out, '\n');
		}
	}
	strbuf_puts(out, "COMMIT\n");
	free(chains);
}

void xt_save(const struct xt_ruleset *x, const char *table, bool counters, struct strbuf *out)
{
	for (unsigned i = 0; i < sizeof x->tables / sizeof *x->tables; i++) {
		const struct xt_table *t = x->tables[i];
		if (t && (!table || strcmp(table, t->name) == 0))
			save_table(x, t, counters, out);
	}
}
