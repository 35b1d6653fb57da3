/* linux/xtables/command.c: "iptables ..." as typed: xt_command. */
#include <stdlib.h>
#include <string.h>

#include "linux/xtables/apply.h"

static int read_table(struct xt_parse *p, const char **table)
{
	*table = "filter";
	for (uint32_t i = 0; i < p->count; i++) {
		const struct xt_token *t = &p->tokens[i];
		if (t->quoted || (strcmp(t->text, "-t") != 0 && strcmp(t->text, "--table") != 0))
			continue;
		if (i + 1 == p->count)
			return xt_complain(p, "option \"-t\" requires an argument");
		*table = p->tokens[i + 1].text;
		memmove(&p->tokens[i], &p->tokens[i + 2],
			(p->count - i - 2) * sizeof *p->tokens);
		p->count -= 2;
		break;
	}
	if (table_name_known(*table))
		return 0;
	xt_complain(p, "can't initialize %s table `%s': Table does not exist (do you need to "
		    "insmod?)", p->x->family == NET_V6 ? "ip6tables" : "iptables", *table);
	return ENOENT;
}

/* -S: "-P", "-N" and "-A" lines. */
static void print_rules(const struct xt_ruleset *x, const struct xt_table *t,
			const struct apply_command *c, struct strbuf *out)
{
	uint32_t count;
	struct xt_chain **all = table_sorted(t, &count);
	for (uint32_t i = 0; i < count && !c->number; i++) {
		if (c->chain && strcmp(all[i]->name, c->chain) != 0)
			continue;
		strbuf_printf(out, all[i]->hook < 0 ? "-N %s" : "-P %s", all[i]->name);
		if (all[i]->hook >= 0)
			strbuf_puts(out, all[i]->drop ? " DROP" : " ACCEPT");
		if (c->verbose && all[i]->hook >= 0)
			strbuf_printf(out, " -c %llu %llu", (unsigned long long)all[i]->packets,
				      (unsigned long long)all[i]->bytes);
		strbuf_putc(out, '\n');
	}
	for (uint32_t i = 0; i < count; i++) {
		if (c->chain && strcmp(all[i]->name, c->chain) != 0)
			continue;
		for (uint32_t r = 0; r < all[i]->count; r++) {
			if (c->number && c->number != r + 1)
				continue;
			print_rule(x, all[i], &all[i]->rules[r], out);
			strbuf_putc(out, '\n');
		}
	}
	free(all);
}

static int look(struct xt_parse *p, const struct apply_command *c, struct strbuf *out)
{
	if (c->chain && !table_chain(p->table, c->chain))
		return xt_failed(p, ENOENT, "No chain/target/match by that name.", c->chain);
	if (out && c->verb == 'S')
		print_rules(p->x, p->table, c, out);
	else if (out)
		list_chains(p->x, p->table, c->chain, c->verbose, c->numbers, out);
	return 0;
}

static int check(struct xt_parse *p, const struct apply_command *c, bool *found)
{
	bool there;
	int code = apply_find(p, c, &there);
	if (found)
		*found = !code && there;
	if (code || there || found)
		return code;
	return xt_failed(p, ENOENT, "Bad rule (does a matching rule exist in that chain?).",
			 c->chain);
}

static int run(struct xt_parse *p, struct xt_change *change, bool *found, struct strbuf *out)
{
	struct apply_command c;
	int code = apply_read(p, 0, &c);
	if (code)
		return code;
	if (!c.verb)
		return xt_complain(p, "no command specified");
	c.file = ruleset_file(p->x, "iptables");
	if (c.verb == 'S' || c.verb == 'L')
		return look(p, &c, out);
	if (c.verb == 'C')
		return check(p, &c, found);
	code = apply_change(p, change, &c);
	if (code)
		return code;
	const struct xt_chain *loop = change_loop(change);
	return loop ? xt_failed(p, ELOOP, "Too many levels of symbolic links.", loop->name) : 0;
}

int xt_command(struct xt_ruleset *x, const char *command, bool *found, struct strbuf *out,
	       struct err *err)
{
	struct xt_change change;
	const char *table;
	if (found)
		*found = false;
	if (!x->parse)
		x->parse = parse_new(x);
	struct xt_parse *p = x->parse;
	p->err = err;
	p->file = NULL;
	p->line = 0;
	int code = parse_tokens(p, command, strlen(command), 1);
	if (!code)
		code = read_table(p, &table);
	if (code)
		return code;
	change_begin(&change, x, table);
	p->table = change.table;
	code = run(p, &change, found, out);
	if (code)
		change_abort(&change);
	else
		change_commit(&change);
	return code;
}
