/* linux/nft/parse_table.c: blocks of tables, chains and objects. */
#include "linux/nft/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

struct nft_chain *nft_chain_new(struct nft_table *t, const char *name)
{
	struct nft_chain *c = mem_alloc(sizeof *c);
	c->table = t;
	c->name = mem_strdup(name);
	return c;
}

/* Goes from inside a block to behind its "}", which is at *end then. */
static int skip_to(struct nft_parser *p, const char **end)
{
	struct nft_lexer *l = &p->lexer;
	unsigned depth = 1;
	l->at = p->token.text - (p->token.kind == TK_STRING);
	l->line = p->token.line;
	l->line_start = p->token.line_start;
	for (; l->at < l->end && depth; l->at++) {
		char c = *l->at;
		if (c == '"' || c == '#') { /* to the other quote, or the end of the line */
			const char *stop = l->at + 1;
			while (stop < l->end && *stop != '\n' && (c == '#' || *stop != '"'))
				stop++;
			l->at = stop < l->end && *stop == '"' ? stop : stop - 1;
		} else if (c == '\n') {
			l->line++;
			l->line_start = l->at + 1;
		}
		depth += c == '{';
		depth -= c == '}';
	}
	*end = l->at - 1;
	nft_advance(p);
	return depth ? nft_expected(p, "\"}\"") : 0;
}

int nft_skip_block(struct nft_parser *p)
{
	const char *end;
	return skip_to(p, &end);
}

/* The text between braces as it stands. */
int nft_raw_block(struct nft_parser *p, char **out)
{
	const char *start = p->token.text + 1, *end;
	if (!nft_is(p, '{'))
		return nft_expected(p, "\"{\"");
	nft_advance(p);
	int code = skip_to(p, &end);
	if (code)
		return code;
	*out = mem_alloc((size_t)(end - start) + 1);
	memcpy(*out, start, (size_t)(end - start));
	return 0;
}

/* ---- chains -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int priority;
} priorities[] = {
	{ "raw", PRI_RAW },	  { "mangle", PRI_MANGLE },	{ "dstnat", PRI_NAT_DST },
	{ "filter", PRI_FILTER }, { "security", PRI_SECURITY }, { "srcnat", PRI_NAT_SRC },
};

static int parse_priority(struct nft_parser *p, int32_t *out)
{
	int64_t base = 0, sign = 1;
	uint64_t number;
	bool named = false;
	for (unsigned i = 0; i < sizeof priorities / sizeof *priorities; i++) {
		if (!nft_is_word(p, priorities[i].name))
			continue;
		base = priorities[i].priority;
		named = true;
	}
	if (named)
		nft_advance(p);
	if (nft_accept(p, '-'))
		sign = -1;
	else if (!nft_accept(p, '+') && named)
		sign = 0;
	int code = sign ? nft_need_number(p, INT32_MAX, &number) : 0;
	if (code)
		return code;
	*out = (int32_t)(base + (sign ? sign * (int64_t)number : 0));
	return 0;
}

static int parse_hook(struct nft_parser *p, struct nft_chain *c)
{
	uint32_t hook;
	if (!nft_accept_word(p, "hook"))
		return nft_expected(p, "hook");
	if (!nft_is(p, TK_WORD) ||
	    !nft_symbol_value(nft_hook_names, p->token.text, p->token.length, &hook))
		return nft_expected(p, "prerouting, input, forward, output or postrouting");
	c->hook = (uint8_t)hook;
	if (c->type == NCT_NAT && hook == HOOK_FORWARD)
		return nft_fail_at(p, &p->token, EOPNOTSUPP,
				   "chains of type nat have no hook forward");
	if (c->type == NCT_ROUTE && hook != HOOK_OUTPUT)
		return nft_fail_at(p, &p->token, EOPNOTSUPP,
				   "chains of type route have hook output only");
	nft_advance(p);
	if (!nft_accept_word(p, "priority"))
		return nft_expected(p, "priority");
	return parse_priority(p, &c->priority);
}

/* "type T hook H priority P": an ingress or egress hook is kept as text. */
static int parse_type(struct nft_parser *p, struct nft_chain *c)
{
	struct nft_lexer before = p->lexer;
	struct nft_token type = p->token, ahead;
	if (c->type != NCT_REGULAR)
		return nft_expected(p, "type once");
	for (nft_lex(&before, &ahead); ahead.kind == TK_WORD; nft_lex(&before, &ahead)) {
		bool edge = (ahead.length == 7 && memcmp(ahead.text, "ingress", 7) == 0) ||
			    (ahead.length == 6 && memcmp(ahead.text, "egress", 6) == 0);
		if (!edge)
			continue;
		while (!nft_at_end(p))
			nft_advance(p);
		c->type = NCT_OTHER;
		c->raw = mem_alloc((size_t)(p->token.text - type.text) + 1);
		memcpy(c->raw, type.text, (size_t)(p->token.text - type.text));
		return 0;
	}
	if (nft_is_word(p, "filter"))
		c->type = NCT_FILTER;
	else if (nft_is_word(p, "nat"))
		c->type = NCT_NAT;
	else if (nft_is_word(p, "route"))
		c->type = NCT_ROUTE;
	else
		return nft_expected(p, "filter, nat or route");
	nft_advance(p);
	return parse_hook(p, c);
}

static bool comment_here(const struct nft_parser *p)
{
	struct nft_lexer l = p->lexer;
	struct nft_token ahead;
	if (!nft_is_word(p, "comment"))
		return false;
	nft_lex(&l, &ahead);
	return ahead.kind == TK_STRING;
}

/* The first comment stays: what exists has its own already. */
static int comment_line(struct nft_parser *p, char **comment)
{
	char *ignored = NULL;
	nft_advance(p);
	int code = nft_need_comment(p, *comment ? &ignored : comment);
	free(ignored);
	return code;
}

/* One line of a chain block that is no rule; *taken tells. */
static int chain_line(struct nft_parser *p, struct nft_chain *spec, bool *policy, bool *taken)
{
	*taken = true;
	if (nft_accept_word(p, "type"))
		return parse_type(p, spec);
	if (nft_accept_word(p, "policy")) {
		*policy = true;
		spec->drop = nft_is_word(p, "drop");
		if (!spec->drop && !nft_is_word(p, "accept"))
			return nft_expected(p, "accept or drop");
		nft_advance(p);
		return 0;
	}
	if (comment_here(p))
		return comment_line(p, &spec->comment);
	*taken = false;
	return 0;
}

/* Adds the chain, or checks it against the one that is there. */
static int settle_chain(struct nft_parser *p, struct nft_chain *spec, bool policy, bool create,
			const struct nft_token *at, struct nft_chain **out)
{
	struct nft_chain *c = nft_chain_find(p->table, spec->name);
	*out = c ? c : spec;
	if (!c) {
		nft_add_chain(p->change, spec);
		return 0;
	}
	int code = 0;
	if (create)
		code = nft_fail_at(p, at, EEXIST, "chain %s exists", spec->name);
	else if (spec->type != NCT_REGULAR &&
		 (c->type != spec->type || c->hook != spec->hook || c->priority != spec->priority))
		code =
		    nft_fail_at(p, at, EEXIST,
				"chain %s exists with another type, hook or priority", spec->name);
	else if (policy && c->type != NCT_REGULAR)
		nft_set_policy(p->change, c, spec->drop);
	nft_chain_free(spec);
	return code;
}

/* Reads up to the first rule. *block: whether there are braces. */
static int chain_head(struct nft_parser *p, struct nft_chain *c, bool *policy, bool *block)
{
	struct nft_token at = p->token;
	bool taken = true;
	int code = 0;
	*block = nft_accept(p, '{');
	while (*block && taken && !code) {
		nft_skip_lines(p);
		code = chain_line(p, c, policy, &taken);
	}
	if (!code && *policy && c->type == NCT_REGULAR)
		code = nft_fail_at(p, &at, EOPNOTSUPP, "only a base chain has a policy");
	return code;
}

static int chain_rules(struct nft_parser *p, struct nft_chain *c)
{
	for (nft_skip_lines(p); !nft_accept(p, '}'); nft_skip_lines(p)) {
		struct nft_rule *rule = NULL;
		int code = comment_here(p) ? comment_line(p, &c->comment) :
					     nft_parse_rule(p, &rule);
		if (code)
			return code;
		if (rule)
			nft_add_rule(p->change, c, (struct nft_rule *)c->rules.last, rule);
		if (!nft_at_end(p))
			return nft_expected(p, "the end of the rule");
	}
	return 0;
}

int nft_parse_chain_block(struct nft_parser *p, const char *name, enum nft_chain_part part,
			  bool create)
{
	struct nft_token at = p->token;
	struct nft_chain *c = nft_chain_new(p->table, name);
	bool policy = false, block;
	int code = chain_head(p, c, &policy, &block);
	if (code || part == NFT_CHAIN_RULES)
		nft_chain_free(c);
	if (code)
		return code;
	if (part == NFT_CHAIN_RULES)
		c = nft_chain_find(p->table, name);
	else
		code = settle_chain(p, c, policy, create, &at, &c);
	if (!code && block)
		code = part == NFT_CHAIN_HEAD ? nft_skip_block(p) : chain_rules(p, c);
	return code;
}

/* ---- objects --------------------------------------------------------------------------------- */

static int counter_body(struct nft_parser *p, struct nft_object *o)
{
	int code = 0;
	if (!nft_accept(p, '{'))
		return 0;
	for (nft_skip_lines(p); !code && !nft_accept(p, '}'); nft_skip_lines(p)) {
		if (nft_accept_word(p, "packets"))
			code = nft_need_number(p, UINT64_MAX, &o->packets);
		else if (nft_accept_word(p, "bytes"))
			code = nft_need_number(p, UINT64_MAX, &o->bytes);
		else if (nft_accept_word(p, "comment"))
			code = nft_need_comment(p, &o->comment);
		else
			code = nft_expected(p, "packets, bytes or comment");
	}
	return code;
}

int nft_parse_object(struct nft_parser *p, const char *kind, bool create)
{
	struct nft_token at = p->token;
	char name[NFT_NAME];
	int code = nft_need_name(p, name, "a name");
	if (code)
		return code;
	struct nft_object *o = mem_alloc(sizeof *o);
	o->table = p->table;
	o->kind = mem_strdup(kind);
	o->name = mem_strdup(name);
	o->line = at.line;
	o->column = nft_token_column(&at);
	o->file = p->file_index;
	if (strcmp(kind, "counter") == 0)
		code = counter_body(p, o);
	else
		code = nft_raw_block(p, &o->raw);
	bool there = !code && nft_object_find(p->table, kind, name);
	if (there && create)
		code = nft_fail_at(p, &at, EEXIST, "%s %s exists", kind, name);
	if (code || there)
		nft_object_free(o);
	else
		nft_add_object(p->change, o);
	return code;
}

/* ---- tables
 * -------------------------------------------------------------------------------------- */

static struct nft_table *table_new(struct nft_parser *p, uint8_t family, const char *name)
{
	struct nft_table *t = mem_alloc(sizeof *t);
	t->r = p->r;
	t->family = family;
	t->name = mem_strdup(name);
	table_init(&t->chains_by_name, TABLE_STRING_KEYS, sizeof(struct nft_chain *));
	table_init(&t->sets_by_name, TABLE_STRING_KEYS, sizeof(struct nft_set *));
	return t;
}

static int raw_table(struct nft_parser *p, const char *family)
{
	char name[NFT_NAME], *raw = NULL;
	struct nft_token at = p->token;
	int code = nft_need_name(p, name, "the name of a table");
	if (!code && nft_is(p, '{'))
		code = nft_raw_block(p, &raw);
	if (code)
		return code;
	struct nft_table *there = nft_table_find(p->r, family, name);
	if (there && raw)
		nft_delete_table(p->change, there);
	if (!there || raw) {
		struct nft_table *t = table_new(p, NFT_OTHER, name);
		t->family_name = mem_strdup(family);
		t->raw = raw;
		t->line = at.line;
		t->column = nft_token_column(&at);
		t->file = p->file_index;
		nft_add_table(p->change, t);
	}
	return 0;
}

static int flags_line(struct nft_parser *p)
{
	if (!nft_accept_word(p, "dormant"))
		return nft_expected(p, "dormant");
	nft_set_dormant(p->change, p->table, true);
	return 0;
}

static int object_line(struct nft_parser *p)
{
	static const char *const kinds[] = { "counter", "quota", "limit", "flowtable", "synproxy",
					     "secmark", "ct" };
	char kind[24];
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!nft_is_word(p, kinds[i]))
			continue;
		nft_advance(p);
		snprintf(kind, sizeof kind, "%s", kinds[i]);
		if (i == 6 && (nft_is_word(p, "helper") || nft_is_word(p, "timeout") ||
			       nft_is_word(p, "expectation"))) {
			snprintf(kind, sizeof kind, "ct %.*s", (int)p->token.length, p->token.text);
			nft_advance(p);
		}
		return nft_parse_object(p, kind, false);
	}
	return nft_expected(p, "chain, set, map, flags, comment or an object");
}

static int skip_item(struct nft_parser *p)
{
	while (!nft_at_end(p)) {
		if (nft_is(p, '{')) {
			nft_advance(p);
			return nft_skip_block(p);
		}
		nft_advance(p);
	}
	return 0;
}

enum pass { PASS_CHAINS, PASS_SETS, PASS_RULES };

static int table_line(struct nft_parser *p, enum pass pass, bool fresh)
{
	char name[NFT_NAME];
	int code;
	bool chain = nft_is_word(p, "chain"), map = nft_is_word(p, "map");
	if (chain == (pass == PASS_SETS) || (!chain && pass != PASS_SETS))
		return skip_item(p);
	if (chain || map || nft_is_word(p, "set")) {
		nft_advance(p);
		code = nft_need_name(p, name, "a name");
		if (code)
			return code;
		if (!chain)
			return nft_parse_set_block(p, map, name, false);
		return nft_parse_chain_block(p, name, pass == PASS_CHAINS ? NFT_CHAIN_HEAD :
									    NFT_CHAIN_RULES, false);
	}
	if (nft_accept_word(p, "flags"))
		return flags_line(p);
	if (!nft_is_word(p, "comment"))
		return object_line(p);
	static char kept[] = "";
	char *other = kept;
	return comment_line(p, fresh ? &p->table->comment : &other);
}

static int table_pass(struct nft_parser *p, enum pass pass, bool fresh)
{
	for (nft_skip_lines(p); !nft_accept(p, '}'); nft_skip_lines(p)) {
		if (nft_is(p, TK_END))
			return nft_expected(p, "\"}\"");
		int code = table_line(p, pass, fresh);
		if (code)
			return code;
		if (!nft_at_end(p) && !nft_is(p, TK_WORD))
			return nft_expected(p, "the end of the line");
	}
	return 0;
}

/* A chain may be named before it stands there, and so may a set by a rule: chains first,
 * then sets and what is in them, then rules. */
static int table_body(struct nft_parser *p, bool fresh)
{
	struct nft_lexer lexer = p->lexer;
	struct nft_token token = p->token;
	for (enum pass pass = PASS_CHAINS; pass <= PASS_RULES; pass++) {
		p->lexer = lexer;
		p->token = token;
		int code = table_pass(p, pass, fresh);
		if (code)
			return code;
	}
	return 0;
}

/* "[FAMILY] NAME [{ ... }]" */
int nft_parse_table_block(struct nft_parser *p, bool create)
{
	static const char *const families[] = { "ip", "ip6", "inet", "bridge", "arp", "netdev" };
	char name[NFT_NAME];
	unsigned family = 0;
	for (unsigned i = 0; i < sizeof families / sizeof *families; i++) {
		if (!nft_is_word(p, families[i]))
			continue;
		family = i;
		nft_advance(p);
		break;
	}
	if (family >= NFT_OTHER)
		return raw_table(p, families[family]);
	struct nft_token at = p->token;
	int code = nft_need_name(p, name, "the name of a table");
	if (code)
		return code;
	p->table = nft_table_find(p->r, families[family], name);
	if (p->table && create)
		return nft_fail_at(p, &at, EEXIST, "table %s exists", name);
	bool fresh = !p->table;
	if (fresh) {
		p->table = table_new(p, (uint8_t)family, name);
		nft_add_table(p->change, p->table);
	}
	return nft_accept(p, '{') ? table_body(p, fresh) : 0;
}
