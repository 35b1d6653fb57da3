/* linux/nft/parse_set.c: blocks of sets and maps. */
#include "linux/nft/parse.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* "ipv4_addr . inet_service" */
static int type_list(struct nft_parser *p, struct nft_layout *out)
{
	do {
		const struct nft_token *t = &p->token;
		enum nft_type type = t->kind == TK_WORD ? nft_type_by_name(t->text, t->length) :
				     NT_NONE;
		unsigned bytes = nft_type_info(type)->bytes;
		if (type == NT_NONE || (!bytes && type != NT_VERDICT))
			return nft_expected(p, "a type such as ipv4_addr, inet_service or verdict");
		if (out->count == NFT_FIELDS || out->size + (bytes + 3) / 4 * 4 > NFT_KEY)
			return nft_expected(p, "a shorter concatenation");
		nft_layout_add(out, type, bytes);
		nft_advance(p);
	} while (nft_accept(p, '.'));
	return 0;
}

/* "ip saddr . tcp dport": types and the text of the expression. */
static int typeof_list(struct nft_parser *p, struct nft_layout *out, char **text)
{
	struct strbuf b = { 0 };
	uint32_t expr;
	struct nft_token at = p->token;
	nft_build_start(p);
	int code = nft_is_word(p, "verdict") ? NFT_NOT_KNOWN : nft_parse_expr(p, &expr);
	if (code == NFT_NOT_KNOWN && nft_accept_word(p, "verdict")) {
		nft_layout_add(out, NT_VERDICT, 0);
		*text = mem_strdup("verdict");
		return 0;
	}
	if (code == NFT_NOT_KNOWN)
		code = nft_fail_at(p, &at, EINVAL, "svclab has no type of this expression");
	if (code)
		return code;
	nft_expr_layout(p, expr, out);
	struct nft_rule *r = nft_build_finish(p);
	nft_print_expr(r, nft_at(r, expr), &b);
	nft_rule_free(r);
	free(*text);
	*text = strbuf_steal(&b);
	return 0;
}

static int type_line(struct nft_parser *p, struct nft_set *s, bool by_typeof)
{
	if (s->key.count)
		return nft_expected(p, "type or typeof once");
	int code = by_typeof ? typeof_list(p, &s->key, &s->key_text) : type_list(p, &s->key);
	if (!code && s->key.field[0].type == NT_VERDICT)
		code = nft_expected(p, "a type of keys");
	if (code || !s->map)
		return code;
	code = nft_need(p, ':', "\":\" and the type of the data");
	if (code)
		return code;
	s->data_ranges = nft_accept_word(p, "interval");
	return by_typeof ? typeof_list(p, &s->data, &s->data_text) : type_list(p, &s->data);
}

static int flags_line(struct nft_parser *p, struct nft_set *s)
{
	uint32_t bit;
	do {
		if (!nft_is(p, TK_WORD) ||
		    !nft_symbol_value(nft_set_flags, p->token.text, p->token.length, &bit))
			return nft_expected(p, "constant, dynamic, interval or timeout");
		s->flags |= bit;
		nft_advance(p);
	} while (nft_accept(p, ','));
	return 0;
}

/* counter, limit ...: what each element gets. */
static int statement_line(struct nft_parser *p, struct nft_set *s)
{
	uint32_t first;
	nft_build_start(p);
	int code = nft_parse_statement(p, &first);
	if (code)
		return code;
	nft_rule_free(s->statements);
	s->statements = nft_build_finish(p);
	s->statements->first = first;
	return 0;
}

static int number_line(struct nft_parser *p, struct nft_set *s)
{
	uint64_t number;
	int code = nft_need_number(p, UINT32_MAX, &number);
	s->limit = (uint32_t)number;
	return code;
}

static int set_line(struct nft_parser *p, struct nft_set *s)
{
	if (nft_accept_word(p, "type"))
		return type_line(p, s, false);
	if (nft_accept_word(p, "typeof"))
		return type_line(p, s, true);
	if (nft_accept_word(p, "flags"))
		return flags_line(p, s);
	if (nft_accept_word(p, "timeout")) {
		s->flags |= NS_TIMEOUT;
		return nft_need_time(p, &s->timeout_ms);
	}
	if (nft_accept_word(p, "gc-interval"))
		return nft_need_time(p, &s->gc_ms);
	if (nft_accept_word(p, "size"))
		return number_line(p, s);
	if (nft_accept_word(p, "comment"))
		return nft_need_comment(p, &s->comment);
	if (nft_accept_word(p, "auto-merge")) {
		s->auto_merge = true;
		return 0;
	}
	if (nft_accept_word(p, "policy")) {
		s->memory = nft_is_word(p, "memory");
		if (!s->memory && !nft_is_word(p, "performance"))
			return nft_expected(p, "memory or performance");
		nft_advance(p);
		return 0;
	}
	if (nft_is_word(p, "counter") || nft_is_word(p, "limit") || nft_is_word(p, "quota"))
		return statement_line(p, s);
	return nft_expected(p,
			    "type, typeof, flags, timeout, gc-interval, size, policy, auto-merge, "
			    "counter, limit, comment or elements");
}

static bool same_layout(const struct nft_layout *a, const struct nft_layout *b)
{
	bool same = a->count == b->count;
	for (unsigned i = 0; same && i < a->count; i++)
		same =
		    a->field[i].type == b->field[i].type && a->field[i].bytes == b->field[i].bytes;
	return same;
}

/* Puts the new set in, or keeps the one that is there when it is alike. */
static int settle_set(struct nft_parser *p, struct nft_set *s, bool create,
		      const struct nft_token *at, struct nft_set **out)
{
	struct nft_set *there = nft_set_by_name(p->table, s->name);
	int code = 0;
	*out = there ? there : s;
	if (!there && !s->key.count) {
		code = nft_fail_at(p, at, EINVAL, "set %s: expected a type", s->name);
	} else if (!there) {
		if ((s->flags & NS_DYNAMIC) && !s->limit)
			s->limit = UINT16_MAX;
		nft_add_set(p->change, s);
		return 0;
	} else if (create) {
		code = nft_fail_at(p, at, EEXIST, "set or map %s exists", s->name);
	} else if (s->key.count &&
		   (s->map != there->map || !same_layout(&s->key, &there->key) ||
		    !same_layout(&s->data, &there->data) ||
		    ((s->flags ^ there->flags) & (NS_INTERVAL | NS_TIMEOUT | NS_CONSTANT)))) {
		code = nft_fail_at(p, at, EEXIST, "set or map %s exists with another type or flags",
				   s->name);
	}
	nft_set_free(s);
	return code;
}

/* A line of a block up to "elements"; *elements tells that it stands there. */
static int set_head(struct nft_parser *p, struct nft_set *s, bool *elements, bool *closed)
{
	for (nft_skip_lines(p); !(*closed = nft_accept(p, '}')); nft_skip_lines(p)) {
		*elements = nft_accept_word(p, "elements");
		if (*elements)
			return nft_need(p, '=', "\"=\"");
		int code = set_line(p, s);
		if (!code && !nft_at_end(p))
			code = nft_expected(p, "the end of the line");
		if (code)
			return code;
	}
	return 0;
}

int nft_parse_set_block(struct nft_parser *p, bool map, const char *name, bool create)
{
	struct nft_token at = p->token;
	struct nft_set *s = nft_set_new(p->table, name);
	bool elements = false, closed = true;
	int code = 0;
	s->map = map;
	if (nft_accept(p, '{'))
		code = set_head(p, s, &elements, &closed);
	if (code) {
		nft_set_free(s);
		return code;
	}
	code = settle_set(p, s, create, &at, &s);
	if (!code && elements)
		code = nft_parse_elements(p, s, NE_ADD);
	while (!code && !closed) {
		nft_skip_lines(p);
		closed = nft_accept(p, '}');
		if (!closed && nft_is_word(p, "elements"))
			code = nft_expected(p, "elements once");
		else if (!closed) /* after the elements: it must agree, and is not taken over */
			code = nft_expected(p, "elements at the end of the block");
	}
	return code;
}
