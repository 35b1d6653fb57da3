/* linux/nft/parse.c: tokens with expectations, and the commands of a script.
 *
 * Commands: add, create, insert, replace, delete, destroy, flush, list; a block without a
 * verb adds. `list` changes nothing and is passed over.
 */
#include "linux/nft/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define COMMENT_LONGEST 128

int nft_fail_at(struct nft_parser *p, const struct nft_token *t, int code, const char *fmt, ...)
{
	char text[480];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_at(p->err, code, p->file, (int)t->line, (int)nft_token_column(t), "%s", text);
}

static void describe(const struct nft_token *t, char out[96])
{
	if (t->kind == TK_END)
		snprintf(out, 96, "the end of the text");
	else if (t->kind == '\n')
		snprintf(out, 96, "the end of the line");
	else
		snprintf(out, 96, "\"%.*s\"", (int)(t->length > 80 ? 80 : t->length), t->text);
}

int nft_expected(struct nft_parser *p, const char *fmt, ...)
{
	char what[320], found[96];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	describe(&p->token, found);
	return nft_fail_at(p, &p->token, EINVAL, "expected %s, found %s", what, found);
}

void nft_advance(struct nft_parser *p)
{
	nft_lex(&p->lexer, &p->token);
}

bool nft_accept(struct nft_parser *p, int kind)
{
	bool yes = nft_is(p, kind);
	if (yes)
		nft_advance(p);
	return yes;
}

bool nft_accept_word(struct nft_parser *p, const char *word)
{
	bool yes = nft_is_word(p, word);
	if (yes)
		nft_advance(p);
	return yes;
}

int nft_need(struct nft_parser *p, int kind, const char *what)
{
	return nft_accept(p, kind) ? 0 : nft_expected(p, "%s", what);
}

void nft_skip_lines(struct nft_parser *p)
{
	while (nft_is(p, '\n') || nft_is(p, ';'))
		nft_advance(p);
}

bool nft_at_end(const struct nft_parser *p)
{
	return nft_is(p, '\n') || nft_is(p, ';') || nft_is(p, '}') || nft_is(p, TK_END);
}

int nft_need_number(struct nft_parser *p, uint64_t max, uint64_t *out)
{
	uint8_t value[NFT_VALUE];
	if (!nft_is(p, TK_NUMBER) ||
	    !nft_value_parse(NT_INTEGER, p->token.text, p->token.length, 8, value))
		return nft_expected(p, "a number");
	*out = nft_number(value, 8);
	if (*out > max)
		return nft_expected(p, "a number up to %llu", (unsigned long long)max);
	nft_advance(p);
	return 0;
}

int nft_need_name(struct nft_parser *p, char out[NFT_NAME], const char *what)
{
	const struct nft_token *t = &p->token;
	if (t->kind != TK_WORD || t->text[t->length - 1] == '*')
		return nft_expected(p, "%s", what);
	if (t->length >= NFT_NAME)
		return nft_fail_at(p, t, EINVAL, "%s: longer than %u characters", what,
				   NFT_NAME - 1);
	memcpy(out, t->text, t->length);
	out[t->length] = '\0';
	nft_advance(p);
	return 0;
}

/* nft refuses longer ones, and with one of them the whole transaction. */
int nft_check_comment(struct nft_parser *p)
{
	if (!nft_is(p, TK_STRING) && !nft_is(p, TK_WORD))
		return nft_expected(p, "a text in quotes");
	if (p->token.length > COMMENT_LONGEST)
		return nft_fail_at(p, &p->token, EINVAL,
				   "comment too long, %d characters maximum allowed",
				   COMMENT_LONGEST);
	return 0;
}

int nft_need_comment(struct nft_parser *p, char **out)
{
	int code = nft_check_comment(p);
	if (code)
		return code;
	free(*out);
	*out = mem_alloc(p->token.length + 1u);
	memcpy(*out, p->token.text, p->token.length);
	nft_advance(p);
	return 0;
}

int nft_need_time(struct nft_parser *p, uint64_t *ms)
{
	if (!nft_is(p, TK_NUMBER) || !nft_time_parse(p->token.text, p->token.length, ms))
		return nft_expected(p, "a time such as 30s or 1h30m");
	nft_advance(p);
	return 0;
}

/* ---- commands --------------------------------------------------------------------------- */

enum verb { V_ADD, V_CREATE, V_INSERT, V_REPLACE, V_DELETE, V_DESTROY, V_FLUSH };

static bool is_family(const struct nft_parser *p)
{
	return nft_is_word(p, "ip") || nft_is_word(p, "ip6") || nft_is_word(p, "inet");
}

static bool is_other_family(const struct nft_parser *p)
{
	return nft_is_word(p, "bridge") || nft_is_word(p, "arp") || nft_is_word(p, "netdev");
}

/* "[FAMILY] TABLE"; sets p->table, which must exist. */
static int need_table(struct nft_parser *p, bool must, struct nft_token *at)
{
	char family[8] = "ip", name[NFT_NAME];
	if (is_other_family(p))
		return nft_expected(p, "a table of family ip, ip6 or inet");
	if (is_family(p)) {
		memcpy(family, p->token.text, p->token.length);
		family[p->token.length] = '\0';
		nft_advance(p);
	}
	*at = p->token;
	int code = nft_need_name(p, name, "the name of a table");
	if (code)
		return code;
	if (!p->table || strcmp(p->table->name, name) != 0 ||
	    strcmp(nft_family_name(p->table), family) != 0)
		p->table = nft_table_find(p->r, family, name);
	if (!p->table && must)
		return nft_fail_at(p, at, ENOENT, "no table %s %s", family, name);
	return 0;
}

static int gone(enum verb verb, struct nft_parser *p, const struct nft_token *at, const char *what,
		const char *name)
{
	return verb == V_DESTROY ? 0 : nft_fail_at(p, at, ENOENT, "no %s %s", what, name);
}

static int busy(struct nft_parser *p, const struct nft_token *at, const char *what, int code)
{
	return code ? nft_fail_at(p, at, code, "%s is in use", what) : 0;
}

static int drop_table(struct nft_parser *p, enum verb verb)
{
	struct nft_token at;
	int code = need_table(p, verb != V_DESTROY, &at);
	if (!code && p->table)
		nft_delete_table(p->change, p->table);
	p->table = NULL;
	return code;
}

static int drop_chain(struct nft_parser *p, enum verb verb, const char *name,
		      const struct nft_token *at)
{
	struct nft_chain *c = nft_chain_find(p->table, name);
	if (!c)
		return gone(verb, p, at, "chain", name);
	if (verb == V_FLUSH)
		nft_flush_chain(p->change, c);
	else
		return busy(p, at, "the chain", nft_delete_chain(p->change, c));
	return 0;
}

static int drop_set(struct nft_parser *p, enum verb verb, const char *name,
		    const struct nft_token *at)
{
	struct nft_set *s = nft_set_by_name(p->table, name);
	if (!s)
		return gone(verb, p, at, "set or map", name);
	if (verb == V_FLUSH)
		nft_flush_set(p->change, s);
	else
		return busy(p, at, "the set", nft_delete_set(p->change, s));
	return 0;
}

static struct nft_rule *rule_by_handle(const struct nft_chain *c, uint64_t handle)
{
	struct nft_rule *rule = nft_first_rule(c);
	while (rule && rule->handle != handle)
		rule = nft_next_rule(rule);
	return rule;
}

/* "handle N", "position N", "index N": *found stays NULL without. */
static int rule_place(struct nft_parser *p, const struct nft_chain *c, struct nft_rule **found)
{
	struct nft_token at = p->token;
	bool index = nft_is_word(p, "index");
	uint64_t number;
	*found = NULL;
	if (!index && !nft_is_word(p, "handle") && !nft_is_word(p, "position"))
		return 0;
	nft_advance(p);
	int code = nft_need_number(p, UINT64_MAX, &number);
	if (code)
		return code;
	*found = index ? nft_first_rule(c) : rule_by_handle(c, number);
	while (index && *found && number--)
		*found = nft_next_rule(*found);
	return *found ? 0 : nft_fail_at(p, &at, ENOENT, "chain %s has no such rule", c->name);
}

static int change_rule(struct nft_parser *p, enum verb verb, struct nft_chain *c)
{
	struct nft_rule *place, *rule = NULL;
	struct nft_token at = p->token;
	int code = rule_place(p, c, &place);
	if (code)
		return code;
	if ((verb == V_REPLACE || verb == V_DELETE || verb == V_DESTROY) && !place)
		return nft_fail_at(p, &at, EINVAL, "expected handle NUMBER");
	if (verb != V_DELETE && verb != V_DESTROY)
		code = nft_parse_rule(p, &rule);
	if (code)
		return code;
	if (verb == V_INSERT) {
		struct nft_link *before = place ? place->link.prev : NULL;
		nft_add_rule(p->change, c, (struct nft_rule *)before, rule);
	} else if (verb == V_ADD || verb == V_CREATE) {
		nft_add_rule(p->change, c, place ? place : (struct nft_rule *)c->rules.last, rule);
	} else {
		if (rule)
			nft_add_rule(p->change, c, place, rule);
		nft_delete_rule(p->change, place);
	}
	return 0;
}

static int on_rule(struct nft_parser *p, enum verb verb)
{
	char name[NFT_NAME];
	struct nft_token at;
	int code = need_table(p, true, &at);
	at = p->token;
	if (!code)
		code = nft_need_name(p, name, "the name of a chain");
	if (code)
		return code;
	struct nft_chain *c = nft_chain_find(p->table, name);
	if (!c)
		return nft_fail_at(p, &at, ENOENT, "no chain %s in table %s", name, p->table->name);
	return change_rule(p, verb, c);
}

static int on_element(struct nft_parser *p, enum verb verb)
{
	static const enum nft_element_action actions[] = { NE_ADD, NE_CREATE, NE_ADD, NE_ADD,
							   NE_DELETE, NE_DESTROY, NE_ADD };
	char name[NFT_NAME];
	struct nft_token at;
	int code = need_table(p, true, &at);
	at = p->token;
	if (!code)
		code = nft_need_name(p, name, "the name of a set or map");
	if (code)
		return code;
	struct nft_set *s = nft_set_by_name(p->table, name);
	if (!s)
		return nft_fail_at(p, &at, ENOENT, "no set or map %s in table %s", name,
				   p->table->name);
	return nft_parse_elements(p, s, actions[verb]);
}

static int on_chain(struct nft_parser *p, enum verb verb)
{
	char name[NFT_NAME];
	struct nft_token at;
	int code = need_table(p, verb != V_DESTROY, &at);
	at = p->token;
	if (!code)
		code = nft_need_name(p, name, "the name of a chain");
	if (code || !p->table)
		return code;
	if (verb == V_ADD || verb == V_CREATE)
		return nft_parse_chain_block(p, name, NFT_CHAIN_ALL, verb == V_CREATE);
	return drop_chain(p, verb, name, &at);
}

static int on_set(struct nft_parser *p, enum verb verb, bool map)
{
	char name[NFT_NAME];
	struct nft_token at;
	int code = need_table(p, verb != V_DESTROY, &at);
	at = p->token;
	if (!code)
		code = nft_need_name(p, name, "the name of a set or map");
	if (code || !p->table)
		return code;
	if (verb == V_ADD || verb == V_CREATE)
		return nft_parse_set_block(p, map, name, verb == V_CREATE);
	return drop_set(p, verb, name, &at);
}

static int on_table(struct nft_parser *p, enum verb verb)
{
	struct nft_token at;
	if (verb == V_ADD || verb == V_CREATE)
		return nft_parse_table_block(p, verb == V_CREATE);
	if (verb == V_DELETE || verb == V_DESTROY)
		return drop_table(p, verb);
	int code = need_table(p, true, &at);
	for (struct nft_chain *c = code ? NULL : nft_first_chain(p->table); c;
	     c = nft_next_chain(c))
		nft_flush_chain(p->change, c);
	return code;
}

static int on_ruleset(struct nft_parser *p)
{
	struct nft_table *t = nft_first_table(p->r), *next;
	char family[8] = "";
	if (is_family(p) || is_other_family(p)) {
		memcpy(family, p->token.text, p->token.length);
		nft_advance(p);
	}
	for (; t; t = next) {
		next = nft_next_table(t);
		if (!*family || strcmp(nft_family_name(t), family) == 0)
			nft_delete_table(p->change, t);
	}
	p->table = NULL;
	return 0;
}

static int on_object(struct nft_parser *p, enum verb verb)
{
	char kind[16], name[NFT_NAME];
	struct nft_token at;
	snprintf(kind, sizeof kind, "%.*s", (int)p->token.length, p->token.text);
	nft_advance(p);
	int code = need_table(p, true, &at);
	if (code || verb == V_ADD || verb == V_CREATE)
		return code ? code : nft_parse_object(p, kind, verb == V_CREATE);
	at = p->token;
	code = nft_need_name(p, name, "a name");
	if (code)
		return code;
	struct nft_object *o = nft_object_find(p->table, kind, name);
	return o ? busy(p, &at, "it", nft_delete_object(p->change, o))
		 : gone(verb, p, &at, kind, name);
}

static bool is_object(const struct nft_parser *p)
{
	return nft_is_word(p, "counter") || nft_is_word(p, "quota") || nft_is_word(p, "limit") ||
	       nft_is_word(p, "flowtable") || nft_is_word(p, "synproxy") ||
	       nft_is_word(p, "secmark");
}

static int run_command(struct nft_parser *p, enum verb verb)
{
	bool adds = verb == V_ADD || verb == V_CREATE;
	if (nft_accept_word(p, "rule"))
		return verb == V_FLUSH ? nft_expected(p, "chain") : on_rule(p, verb);
	if (verb != V_INSERT && verb != V_REPLACE) {
		if (nft_accept_word(p, "element"))
			return verb == V_FLUSH ? nft_expected(p, "set or map") :
						 on_element(p, verb);
		if (nft_accept_word(p, "chain"))
			return on_chain(p, verb);
		if (nft_accept_word(p, "table"))
			return on_table(p, verb);
		if (nft_accept_word(p, "set"))
			return on_set(p, verb, false);
		if (nft_accept_word(p, "map"))
			return on_set(p, verb, true);
		if (verb == V_FLUSH && nft_accept_word(p, "ruleset"))
			return on_ruleset(p);
		if (verb != V_FLUSH && is_object(p))
			return on_object(p, verb);
	}
	/* "add rule" may leave out the word. */
	if ((adds || verb == V_INSERT) && (is_family(p) || nft_is(p, TK_WORD)))
		return on_rule(p, verb);
	return nft_expected(p, "table, chain, rule, set, map or element");
}

static int one_command(struct nft_parser *p)
{
	static const char *const verbs[] = { "add", "create", "insert", "replace", "delete",
					     "destroy", "flush" };
	for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (!nft_is_word(p, verbs[i]))
			continue;
		nft_advance(p);
		return run_command(p, (enum verb)i);
	}
	if (nft_is_word(p, "table")) {
		nft_advance(p);
		return nft_parse_table_block(p, false);
	}
	if (nft_is_word(p, "list")) {
		while (!nft_at_end(p))
			nft_advance(p);
		return 0;
	}
	if (nft_is_word(p, "define") || nft_is_word(p, "include") || nft_is_word(p, "undefine"))
		return nft_fail_at(p, &p->token, EINVAL,
				   "svclab reads no \"%.*s\": expected a script without variables",
				   (int)p->token.length, p->token.text);
	return nft_expected(p, "table, add, create, insert, replace, delete, destroy or flush");
}

int nft_parse_script(struct nft_parser *p)
{
	nft_advance(p);
	for (;;) {
		nft_skip_lines(p);
		if (nft_is(p, TK_END))
			return 0;
		int code = one_command(p);
		if (code)
			return code;
		if (!nft_at_end(p) || nft_is(p, '}'))
			return nft_expected(p, "the end of the command");
	}
}

int nft_load(struct nft_ruleset *r, const char *text, size_t length, const char *file,
	     struct err *err)
{
	struct nft_change change;
	struct nft_parser p = { .r = r, .change = &change, .err = err, .file = file ? file : "nft",
				.from_file = file != NULL };
	if (file)
		p.file_index = nft_file(r, file);
	if (memchr(text, '\0', length))
		return err_set(err, EINVAL, "%s: a NUL among the text: expected nft text", p.file);
	nft_change_begin(&change, r);
	nft_lex_open(&p.lexer, text, length);
	int code = nft_parse_script(&p);
	if (!code)
		code = nft_change_check(&change, err);
	if (code)
		nft_change_abort(&change);
	else
		nft_change_commit(&change);
	free(p.code);
	free(p.sets);
	return code;
}
