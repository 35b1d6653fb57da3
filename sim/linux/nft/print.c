/* linux/nft/print.c: `nft list ruleset`, tables, chains, sets, as nft 1.0.6 prints them. */
#include "linux/nft/internal.h"

#include <stdlib.h>
#include <string.h>

const struct nft_symbol nft_hook_names[] = {
	{ "prerouting", HOOK_PREROUTING }, { "input", HOOK_INPUT }, { "forward", HOOK_FORWARD },
	{ "output", HOOK_OUTPUT }, { "postrouting", HOOK_POSTROUTING }, { NULL, 0 },
};

const struct nft_symbol nft_set_flags[] = {
	{ "constant", NS_CONSTANT }, { "dynamic", NS_DYNAMIC }, { "interval", NS_INTERVAL },
	{ "timeout", NS_TIMEOUT }, { NULL, 0 },
};

void nft_print_quoted(const char *text, struct strbuf *out)
{
	strbuf_printf(out, "\"%s\"", text);
}

/* ---- sets -------------------------------------------------------------------------------------
 */

static void print_layout(const struct nft_layout *l, struct strbuf *out)
{
	for (unsigned i = 0; i < l->count; i++)
		strbuf_printf(out, "%s%s", i ? " . " : "",
			      nft_type_info(l->field[i].type)->name);
}

static void print_fields(const struct nft_layout *l, const uint8_t *low, const uint8_t *high,
			 struct strbuf *out)
{
	for (unsigned i = 0, at = 0; i < l->count; at += l->field[i++].size) {
		if (i)
			strbuf_puts(out, " . ");
		nft_range_print(l->field[i].type, low + at, high + at, l->field[i].bytes, out);
	}
}

static void print_data(const struct nft_set *s, const struct nft_elem *e, struct strbuf *out)
{
	strbuf_puts(out, " : ");
	if (s->data.field[0].type == NT_VERDICT) {
		nft_print_verdict(e->verdict, e->chain, out);
		return;
	}
	const uint8_t *low = nft_elem_data(s, e);
	print_fields(&s->data, low, s->data_ranges ? low + s->data.size : low, out);
}

static void print_element(const struct nft_set *s, const struct nft_elem *e, int64_t now_ns,
			  struct strbuf *out)
{
	const struct nft_extra *x = e->extra;
	if (e->catch_all)
		strbuf_putc(out, '*');
	else
		print_fields(&s->key, e->bytes, nft_elem_end(s, e), out);
	if (x && x->statements) {
		strbuf_putc(out, ' ');
		nft_print_statements(x->statements, x->statements->first, NFT_INET, out);
	}
	if (x && x->timeout_ms) {
		strbuf_puts(out, " timeout ");
		nft_time_print(x->timeout_ms, out);
	}
	if (e->expires_ns) {
		strbuf_puts(out, " expires ");
		nft_time_print((uint64_t)(e->expires_ns - now_ns) / (uint64_t)NS_PER_MS, out);
	}
	if (x && x->comment) {
		strbuf_puts(out, " comment ");
		nft_print_quoted(x->comment, out);
	}
	if (s->map)
		print_data(s, e, out);
}

static int compare_names(const void *a, const void *b)
{
	const struct nft_elem *x = *(struct nft_elem *const *)a, *y = *(struct nft_elem *const *)b;
	for (unsigned i = NFT_VALUE; i-- > 0;)
		if (x->bytes[i] != y->bytes[i])
			return x->bytes[i] < y->bytes[i] ? -1 : 1;
	return 0;
}

/* nft sorts names of interfaces, unless there are ranges, as little-endian numbers. */
static struct nft_elem **in_order(const struct nft_set *s, uint32_t *count)
{
	struct nft_elem **all = nft_set_sorted(s, count);
	if (s->key.count == 1 && s->key.field[0].type == NT_IFNAME && !s->ranges &&
	    !(s->flags & NS_INTERVAL))
		qsort(all, *count, sizeof *all, compare_names);
	return all;
}

/* Elements of a named set stand in columns that depend on the type of its key. */
void nft_print_elements(const struct nft_set *s, int64_t now_ns, struct strbuf *out)
{
	uint32_t count, printed = 0;
	struct nft_elem **all = in_order(s, &count);
	unsigned a_line = s->key.count > 1 ? 1 : nft_type_info(s->key.field[0].type)->a_line;
	strbuf_puts(out, "{ ");
	for (uint32_t i = 0; i <= count; i++) {
		const struct nft_elem *e = i < count ? all[i] : s->catch_all;
		if (!e || nft_elem_expired(e, now_ns))
			continue;
		if (printed)
			strbuf_puts(out, !s->name || printed % a_line ? ", " :
								      ",\n\t\t\t     ");
		print_element(s, e, now_ns, out);
		printed++;
	}
	strbuf_puts(out, printed ? " }" : "}");
	free(all);
}

static bool has_elements(const struct nft_set *s, int64_t now_ns)
{
	uint32_t count;
	struct nft_elem **all;
	bool any = s->catch_all != NULL;
	if (any || !s->count)
		return any;
	if (!(s->flags & NS_TIMEOUT))
		return true;
	all = nft_set_sorted(s, &count);
	for (uint32_t i = 0; i < count && !any; i++)
		any = !nft_elem_expired(all[i], now_ns);
	free(all);
	return any;
}

static void print_set_type(const struct nft_set *s, struct strbuf *out)
{
	strbuf_puts(out, s->key_text ? "\t\ttypeof " : "\t\ttype ");
	if (s->key_text)
		strbuf_puts(out, s->key_text);
	else
		print_layout(&s->key, out);
	if (s->map)
		strbuf_puts(out, s->data_ranges ? " : interval " : " : ");
	if (s->map && s->data_text)
		strbuf_puts(out, s->data_text);
	else if (s->map)
		print_layout(&s->data, out);
	strbuf_putc(out, '\n');
}

static void print_set_flags(const struct nft_set *s, struct strbuf *out)
{
	const char *comma = "";
	/* A default timeout says it already. */
	if (!(s->flags & ~(s->timeout_ms ? NS_TIMEOUT : 0u)))
		return;
	strbuf_puts(out, "\t\tflags ");
	for (const struct nft_symbol *f = nft_set_flags; f->name; f++) {
		if (!(s->flags & f->value))
			continue;
		strbuf_printf(out, "%s%s", comma, f->name);
		comma = ",";
	}
	strbuf_putc(out, '\n');
}

static void print_set_time(const char *word, uint64_t ms, struct strbuf *out)
{
	if (!ms)
		return;
	strbuf_printf(out, "\t\t%s ", word);
	nft_time_print(ms, out);
	strbuf_putc(out, '\n');
}

void nft_print_set(const struct nft_set *s, int64_t now_ns, struct strbuf *out)
{
	strbuf_printf(out, "\t%s %s {\n", s->map ? "map" : "set", s->name);
	print_set_type(s, out);
	if (s->memory)
		strbuf_puts(out, "\t\tpolicy memory\n");
	if (s->limit)
		strbuf_printf(out, "\t\tsize %u\n", s->limit);
	print_set_flags(s, out);
	if (s->statements) {
		const struct nft_node *n = nft_first(s->statements);
		strbuf_puts(out, "\t\t");
		if (n->kind == N_COUNTER)
			strbuf_puts(out, "counter");
		else
			nft_print_statement(s->statements, n, NFT_INET, out);
		strbuf_putc(out, '\n');
	}
	if (s->auto_merge)
		strbuf_puts(out, "\t\tauto-merge\n");
	print_set_time("timeout", s->timeout_ms, out);
	print_set_time("gc-interval", s->gc_ms, out);
	if (s->comment)
		strbuf_printf(out, "\t\tcomment \"%s\"\n", s->comment);
	if (has_elements(s, now_ns)) {
		strbuf_puts(out, "\t\telements = ");
		nft_print_elements(s, now_ns, out);
		strbuf_putc(out, '\n');
	}
	strbuf_puts(out, "\t}\n");
}

/* ---- chains and objects ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	int priority;
	int hook; /* the only one where it has this name, -1 all */
} priorities[] = {
	{ "raw", PRI_RAW, -1 }, { "mangle", PRI_MANGLE, -1 },
	{ "dstnat", PRI_NAT_DST, HOOK_PREROUTING }, { "filter", PRI_FILTER, -1 },
	{ "security", PRI_SECURITY, -1 }, { "srcnat", PRI_NAT_SRC, HOOK_POSTROUTING },
};

static void print_priority(const struct nft_chain *c, struct strbuf *out)
{
	for (unsigned i = 0; i < sizeof priorities / sizeof *priorities; i++) {
		int64_t away = (int64_t)c->priority - priorities[i].priority;
		if ((priorities[i].hook >= 0 && priorities[i].hook != c->hook) || away < -10 ||
		    away > 10)
			continue;
		strbuf_puts(out, priorities[i].name);
		if (away)
			strbuf_printf(out, " %c %d", away < 0 ? '-' : '+', (int)llabs(away));
		return;
	}
	strbuf_printf(out, "%d", c->priority);
}

static void print_type(const struct nft_chain *c, struct strbuf *out)
{
	static const char *const names[] = { "", "filter", "nat", "route", "" };
	if (c->type == NCT_REGULAR)
		return;
	if (c->type == NCT_OTHER) {
		strbuf_printf(out, "\t\ttype %s; policy %s;\n", c->raw,
			      c->drop ? "drop" : "accept");
		return;
	}
	strbuf_printf(out, "\t\ttype %s hook %s priority ", names[c->type],
		      nft_symbol_name(nft_hook_names, c->hook));
	print_priority(c, out);
	strbuf_printf(out, "; policy %s;\n", c->drop ? "drop" : "accept");
}

static void print_chain(const struct nft_chain *c, struct strbuf *out)
{
	strbuf_printf(out, "\tchain %s {\n", c->name);
	if (c->comment)
		strbuf_printf(out, "\t\tcomment \"%s\"\n", c->comment);
	print_type(c, out);
	for (const struct nft_rule *r = nft_first_rule(c); r; r = nft_next_rule(r)) {
		strbuf_puts(out, "\t\t");
		nft_print_rule(r, out);
		strbuf_putc(out, '\n');
	}
	strbuf_puts(out, "\t}\n");
}

static void print_object(const struct nft_object *o, struct strbuf *out)
{
	strbuf_printf(out, "\t%s %s {", o->kind, o->name);
	if (o->raw) {
		strbuf_puts(out, o->raw);
		strbuf_puts(out, "}\n");
		return;
	}
	strbuf_putc(out, '\n');
	if (o->comment)
		strbuf_printf(out, "\t\tcomment \"%s\"\n", o->comment);
	strbuf_printf(out, "\t\tpackets %llu bytes %llu\n\t}\n", (unsigned long long)o->packets,
		      (unsigned long long)o->bytes);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

static void print_table(const struct nft_table *t, int64_t now_ns, struct strbuf *out)
{
	const char *blank = t->dormant ? "\n" : "";
	strbuf_printf(out, "table %s %s {", nft_family_name(t), t->name);
	if (t->family == NFT_OTHER) {
		strbuf_printf(out, "%s}\n", t->raw ? t->raw : "\n");
		return;
	}
	strbuf_putc(out, '\n');
	if (t->dormant)
		strbuf_puts(out, "\tflags dormant\n");
	if (t->comment)
		strbuf_printf(out, "\tcomment \"%s\"\n", t->comment);
	for (int flow = 0; flow < 2; flow++) {
		for (const struct nft_object *o = nft_first_object(t); o; o = nft_next_object(o)) {
			if ((strcmp(o->kind, "flowtable") == 0) != flow)
				continue;
			strbuf_puts(out, blank);
			print_object(o, out);
			blank = "\n";
		}
		for (const struct nft_set *s = flow ? NULL : nft_first_set(t); s;
		     s = nft_next_set(s)) {
			strbuf_puts(out, blank);
			nft_print_set(s, now_ns, out);
			blank = "\n";
		}
	}
	for (const struct nft_chain *c = nft_first_chain(t); c; c = nft_next_chain(c)) {
		strbuf_puts(out, blank);
		print_chain(c, out);
		blank = "\n";
	}
	strbuf_puts(out, "}\n");
}

void nft_list(const struct nft_ruleset *r, struct strbuf *out)
{
	int64_t now = nft_now(r);
	for (const struct nft_table *t = nft_first_table(r); t; t = nft_next_table(t))
		print_table(t, now, out);
}

/* ---- what is not known
 * ---------------------------------------------------------------------------- */

static void place(const struct nft_ruleset *r, uint16_t file, uint32_t line, uint32_t column,
		  struct strbuf *out)
{
	strbuf_printf(out, "%s:%u:%u: not evaluated: ",
		      file < r->file_count ? r->files[file] : "nft", line, column);
}

struct unknown {
	const struct nft_ruleset *r;
	const struct nft_rule *rule;
	struct strbuf *out;
};

static void unknown_node(void *ctx, struct nft_node *n)
{
	const struct unknown *u = ctx;
	if (n->kind != N_UNKNOWN)
		return;
	place(u->r, u->rule->file, u->rule->line, n->right, u->out);
	strbuf_printf(u->out, "%s\n", nft_text_at(u->rule, n->left));
}

void nft_unknown(const struct nft_ruleset *r, struct strbuf *out)
{
	for (const struct nft_table *t = nft_first_table(r); t; t = nft_next_table(t)) {
		if (t->family == NFT_OTHER) {
			place(r, t->file, t->line, t->column, out);
			strbuf_printf(out, "table %s %s\n", t->family_name, t->name);
		}
		for (const struct nft_object *o = nft_first_object(t); o; o = nft_next_object(o)) {
			if (!o->raw)
				continue;
			place(r, o->file, o->line, o->column, out);
			strbuf_printf(out, "%s %s\n", o->kind, o->name);
		}
		for (const struct nft_chain *c = nft_first_chain(t); c; c = nft_next_chain(c)) {
			for (const struct nft_rule *rule = nft_first_rule(c); rule;
			     rule = nft_next_rule(rule)) {
				struct unknown u = { r, rule, out };
				if (rule->unknown)
					nft_rule_walk(rule, unknown_node, &u);
			}
		}
	}
}
