/* linux/xtables/restore.c: iptables-restore. */
#include "linux/xtables/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/xtables/apply.h"

struct restore {
	struct xt_ruleset *x;
	const struct xt_restore_options *options;
	struct xt_parse *p;
	struct xt_change change;
	bool open; /* between "*table" and COMMIT */
	uint16_t file;
};

static int table_line(struct restore *r)
{
	const char *name = r->p->tokens[0].text + 1;
	if (r->open)
		return xt_complain(r->p, "\"*%s\" inside of a table, expected COMMIT first", name);
	if (r->p->count != 1 || !table_name_known(name))
		return xt_complain(r->p, "there is no table `%s', expected *filter, *nat, *mangle, "
				   "*raw or *security", name);
	change_begin(&r->change, r->x, name);
	r->open = true;
	r->p->table = r->change.table;
	if (!r->options->noflush)
		change_clear(&r->change);
	return 0;
}

/* "[packets:bytes]" */
static bool read_counters(const char *text, uint64_t *packets, uint64_t *bytes)
{
	char *end;
	if (text[0] != '[' || !isdigit((unsigned char)text[1]))
		return false;
	errno = 0;
	*packets = strtoull(text + 1, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]))
		return false;
	*bytes = strtoull(end + 1, &end, 10);
	return errno == 0 && end[0] == ']' && !end[1];
}

static int chain_line(struct restore *r)
{
	struct xt_parse *p = r->p;
	const char *name = p->tokens[0].text + 1;
	uint64_t packets = 0, bytes = 0;
	struct xt_chain *chain = table_chain(p->table, name);
	if (p->count < 2)
		return xt_complain(p, "policy of chain `%s' is missing, expected ACCEPT, DROP or -",
				   name);
	if (!chain) {
		int code = apply_check_new_name(p, name);
		if (code)
			return code;
		chain = change_create(&r->change, name);
	} else if (chain->hook < 0 && !r->options->noflush) {
		return xt_complain(p, "error creating chain '%s':File exists", name);
	} else if (chain->hook < 0) {
		change_flush(&r->change, chain);
	}
	p->at = 2;
	if (p->count > 2 && !read_counters(p->tokens[2].text, &packets, &bytes))
		return xt_complain(p, "invalid policy counters `%s', expected [packets:bytes]",
				   p->tokens[2].text);
	p->at = 1;
	if (strcmp(p->tokens[1].text, "-") == 0)
		return 0;
	if (chain->hook < 0)
		return xt_complain(p, "chain `%s' is not built in and has no policy, expected -",
				   name);
	return apply_policy(p, &r->change, chain, p->tokens[1].text,
			    r->options->counters && p->count > 2, packets, bytes);
}

static int rule_line(struct restore *r)
{
	struct xt_parse *p = r->p;
	uint64_t packets = 0, bytes = 0;
	uint32_t from = 0;
	if (p->tokens[0].text[0] == '[' && !p->tokens[0].quoted) {
		if (!read_counters(p->tokens[0].text, &packets, &bytes))
			return xt_complain(p, "invalid rule counters `%s', expected "
					   "[packets:bytes]", p->tokens[0].text);
		from = 1;
		if (!r->options->counters)
			packets = bytes = 0;
	}
	for (p->at = from; p->at < p->count; p->at++)
		if (!p->tokens[p->at].quoted && (strcmp(p->tokens[p->at].text, "-t") == 0 ||
						 strcmp(p->tokens[p->at].text, "--table") == 0))
			return xt_complain(p, "The -t option cannot be used in a table, expected "
					   "*%s to say it", p->table->name);
	struct apply_command c;
	int code = apply_read(p, from, &c);
	if (code)
		return code;
	if (!c.verb || strchr("LSCZ", c.verb)) {
		p->at = c.verb ? XT_NOWHERE : from;
		return xt_complain(p, "`%s' is no change of a table, expected -A, -I, -R, -D, -N, "
				   "-X, -F, -E or -P",
				   c.verb ? c.verb_text : from < p->count ?
				   p->tokens[from].text : "");
	}
	c.packets = packets;
	c.bytes = bytes;
	c.file = r->file;
	return apply_change(p, &r->change, &c);
}

static int commit_line(struct restore *r)
{
	const struct xt_chain *loop = change_loop(&r->change);
	if (loop)
		return xt_complain(r->p, "chain %s jumps to itself, directly or not: Too many "
				   "levels of symbolic links", loop->name);
	if (r->options->test)
		change_abort(&r->change);
	else
		change_commit(&r->change);
	r->open = false;
	return 0;
}

static int one_line(struct restore *r, const char *line, size_t length)
{
	struct xt_parse *p = r->p;
	const char *first = line, *end = line + length;
	while (first < end && isspace((unsigned char)*first))
		first++;
	if (first == end || *first == '#')
		return 0;
	int code = parse_tokens(p, first, (size_t)(end - first), (uint32_t)(first - line) + 1);
	if (code || !p->count)
		return code;
	if (*first == '*')
		return table_line(r);
	if (!r->open)
		return xt_complain(p, "`%s' outside of a table, expected *filter, *nat, ...",
				   p->tokens[0].text);
	if (strcmp(p->tokens[0].text, "COMMIT") == 0)
		return commit_line(r);
	return *first == ':' ? chain_line(r) : rule_line(r);
}

int xt_restore(struct xt_ruleset *x, const char *text, size_t length,
	       const struct xt_restore_options *options, struct err *err)
{
	static const struct xt_restore_options none;
	struct restore r = { .x = x, .options = options ? options : &none };
	if (!x->parse)
		x->parse = parse_new(x);
	r.p = x->parse;
	r.p->err = err;
	r.p->file = r.options->file ? r.options->file : "-";
	r.file = ruleset_file(x, r.p->file);
	r.p->line = 0;
	int code = 0;
	for (const char *at = text, *end = text + length; at < end && !code;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		r.p->line++;
		code = one_line(&r, at, (size_t)(stop - at));
		at = stop + 1;
	}
	if (!code && r.open) {
		r.p->count = 0;
		r.p->line++;
		code = xt_complain(r.p, "COMMIT expected at the end of table %s", r.p->table->name);
	}
	if (r.open)
		change_abort(&r.change);
	return code;
}
