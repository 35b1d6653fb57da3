/* linux/nft/parse_elem.c: elements of sets and maps.
 *
 * "KEY [counter ...] [timeout T] [expires T] [comment "..."] [: DATA]"; a key is a value,
 * a range, a prefix or "*", or a concatenation of them.
 */
#include "linux/nft/parse.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

static struct nft_extra *extra_of(struct nft_elem *e)
{
	if (!e->extra)
		e->extra = mem_alloc(sizeof *e->extra);
	return e->extra;
}

/* Fields of a key or of data. *ranges: how many were wider than a value. */
static int parse_fields(struct nft_parser *p, const struct nft_layout *l, uint8_t *low,
			uint8_t *high, unsigned *ranges, int *prefix)
{
	for (unsigned i = 0, at = 0; i < l->count; at += l->field[i++].size) {
		struct nft_range r;
		int code = i ? nft_need(p, '.', "\".\" and the next field") : 0;
		if (!code)
			code = nft_parse_range(p, l->field[i].type, l->field[i].bytes, &r);
		if (code)
			return code;
		memcpy(low + at, r.low, l->field[i].bytes);
		memcpy(high + at, r.high, l->field[i].bytes);
		*ranges += r.is_range;
		*prefix = r.prefix;
	}
	return 0;
}

static int parse_key(struct nft_parser *p, struct nft_set *s, struct nft_elem *e, unsigned *ranges,
		     int *prefix)
{
	uint8_t low[NFT_KEY] = { 0 }, high[NFT_KEY] = { 0 };
	struct nft_token at = p->token;
	if (nft_accept(p, '*')) {
		e->catch_all = true;
		return 0;
	}
	int code = parse_fields(p, &s->key, low, high, ranges, prefix);
	if (code)
		return code;
	memcpy(e->bytes, low, s->key.size);
	if (nft_set_hashed(s) && *ranges)
		return nft_fail_at(p, &at, EINVAL,
				   "set %s has no ranges: expected a single value, or "
				   "flags interval in its declaration",
				   s->name);
	if (!nft_set_hashed(s))
		memcpy(e->bytes + s->key.size, high, s->key.size);
	return 0;
}

static int parse_data(struct nft_parser *p, const struct nft_set *s, struct nft_elem *e)
{
	uint8_t low[NFT_KEY] = { 0 }, high[NFT_KEY] = { 0 };
	unsigned ranges = 0;
	int prefix;
	struct nft_token at;
	int code = nft_need(p, ':', "\":\" and the data");
	if (code)
		return code;
	if (s->data.field[0].type == NT_VERDICT)
		return nft_parse_verdict(p, &e->verdict, &e->chain);
	at = p->token;
	code = parse_fields(p, &s->data, low, high, &ranges, &prefix);
	if (!code && ranges && !s->data_ranges)
		code = nft_fail_at(p, &at, EINVAL, "data with ranges: expected a single value, or "
				   "interval before the type of the data");
	memcpy(nft_elem_data(s, e), low, s->data.size);
	if (s->data_ranges)
		memcpy(nft_elem_data(s, e) + s->data.size, high, s->data.size);
	return code;
}

/* counter, limit, quota of one element. */
static int element_statement(struct nft_parser *p, struct nft_elem *e)
{
	uint32_t at;
	if (!nft_is_word(p, "counter") && !nft_is_word(p, "limit") && !nft_is_word(p, "quota"))
		return nft_expected(
		    p, "timeout, expires, counter, limit, quota, comment, \",\", \":\" or "
		       "\"}\"");
	nft_build_start(p);
	int code = nft_is_word(p, "counter") ? nft_parse_counter(p, &at) :
		   nft_is_word(p, "limit") ? nft_parse_limit(p, &at) : nft_parse_quota(p, &at);
	if (code == NFT_NOT_KNOWN)
		code = nft_expected(p, "a statement without name");
	if (code)
		return code;
	nft_rule_free(extra_of(e)->statements);
	e->extra->statements = nft_build_finish(p);
	e->extra->statements->first = at;
	nft_rule_reset(e->extra->statements, nft_now(p->r));
	return 0;
}

static int parse_options(struct nft_parser *p, const struct nft_set *s, struct nft_elem *e)
{
	uint64_t expires = 0;
	int code = 0;
	while (!code && !nft_is(p, ',') && !nft_is(p, ':') && !nft_is(p, '}') && !nft_is(p, '\n')) {
		if (nft_is_word(p, "timeout") || nft_is_word(p, "expires")) {
			bool timeout = nft_is_word(p, "timeout");
			if (!(s->flags & NS_TIMEOUT))
				return nft_expected(p, "no timeout: the set has no flag timeout");
			nft_advance(p);
			code = nft_need_time(p, timeout ? &extra_of(e)->timeout_ms : &expires);
		} else if (nft_accept_word(p, "comment")) {
			code = nft_need_comment(p, &extra_of(e)->comment);
		} else {
			code = element_statement(p, e);
		}
	}
	uint64_t timeout = expires ? expires :
			   e->extra && e->extra->timeout_ms ? e->extra->timeout_ms : s->timeout_ms;
	if (timeout && timeout < INT64_MAX / (uint64_t)NS_PER_MS / 2)
		e->expires_ns = nft_now(p->r) + (int64_t)timeout * NS_PER_MS;
	return code;
}

/* ---- named sets ------------------------------------------------------------------------ */

static bool same_data(const struct nft_set *s, const struct nft_elem *a, const struct nft_elem *b)
{
	size_t size = s->data.size * (s->data_ranges ? 2u : 1u);
	return a->verdict == b->verdict && a->chain == b->chain &&
	       memcmp(nft_elem_data(s, a), nft_elem_data(s, b), size) == 0;
}

/* One more, or one less, in a field; false: there is none. */
static bool step(uint8_t *value, unsigned bytes, bool up)
{
	for (unsigned i = bytes; i-- > 0;) {
		value[i] = (uint8_t)(up ? value[i] + 1 : value[i] - 1);
		if (value[i] != (up ? 0 : 0xff))
			return true;
	}
	return false;
}

/* auto-merge: the new range swallows those that it meets. */
static void swallow(struct nft_parser *p, struct nft_set *s, struct nft_elem *e)
{
	unsigned bytes = s->key.field[0].bytes, size = s->key.size;
	struct nft_elem *wide = nft_elem_new(s), *o;
	for (;;) {
		memcpy(wide->bytes, e->bytes, 2u * size);
		if (!step(wide->bytes, bytes, false))
			memcpy(wide->bytes, e->bytes, size);
		if (!step(wide->bytes + size, bytes, true))
			memcpy(wide->bytes + size, e->bytes + size, size);
		o = nft_set_overlap(s, wide);
		if (!o)
			break;
		if (memcmp(o->bytes, e->bytes, size) < 0)
			memcpy(e->bytes, o->bytes, size);
		if (memcmp(o->bytes + size, e->bytes + size, size) > 0)
			memcpy(e->bytes + size, o->bytes + size, size);
		nft_delete_elem(p->change, s, o);
	}
	nft_elem_free(wide);
}

/* Takes the element over, also when it fails. */
static int add_element(struct nft_parser *p, struct nft_set *s, struct nft_elem *e, bool create,
		       const struct nft_token *at)
{
	struct nft_elem *there = nft_set_same(s, e);
	int code = 0;
	if (there && nft_elem_expired(there, nft_now(p->r))) {
		nft_delete_elem(p->change, s, there);
		there = NULL;
	}
	if (there) {
		if (create)
			code = nft_fail_at(p, at, EEXIST, "the element exists");
		else if (!same_data(s, there, e))
			code = nft_fail_at(p, at, EEXIST, "the element exists with other data");
		nft_elem_free(e);
		return code;
	}
	if (s->auto_merge && !s->map && s->key.count == 1 && !e->catch_all && !nft_set_hashed(s))
		swallow(p, s, e);
	if (nft_set_overlap(s, e))
		code = nft_fail_at(p, at, EEXIST, "the range overlaps one that is there");
	else if (s->limit && s->count >= s->limit)
		code = nft_fail_at(p, at, ENFILE, "set %s is full", s->name);
	if (code) {
		nft_elem_free(e);
		return code;
	}
	nft_add_elem(p->change, s, e);
	return 0;
}

static int delete_element(struct nft_parser *p, struct nft_set *s, struct nft_elem *e, bool must,
			  const struct nft_token *at)
{
	struct nft_elem *there = nft_set_same(s, e);
	nft_elem_free(e);
	if (there && nft_elem_expired(there, nft_now(p->r)) && must) {
		nft_delete_elem(p->change, s, there);
		there = NULL;
	} else if (there) {
		nft_delete_elem(p->change, s, there);
		return 0;
	}
	return must ? nft_fail_at(p, at, ENOENT, "set or map %s has no such element", s->name) : 0;
}

/* "counter" of the set: each element counts. */
static void give_statements(const struct nft_set *s, struct nft_elem *e, int64_t now_ns)
{
	if (!s->statements || (e->extra && e->extra->statements))
		return;
	extra_of(e)->statements = nft_rule_copy(s->statements);
	nft_rule_reset(e->extra->statements, now_ns);
}

static void skip_newlines(struct nft_parser *p)
{
	while (nft_is(p, '\n'))
		nft_advance(p);
}

/* Reads one element; *out is the caller's. */
static int read_element(struct nft_parser *p, struct nft_set *s, bool adds, struct nft_elem **out)
{
	struct nft_elem *e = *out = nft_elem_new(s);
	unsigned ranges = 0;
	int prefix;
	int code = parse_key(p, s, e, &ranges, &prefix);
	if (!code)
		code = parse_options(p, s, e);
	if (!code && s->map && (adds || nft_is(p, ':')))
		code = parse_data(p, s, e);
	if (!code && adds)
		give_statements(s, e, nft_now(p->r));
	return code;
}

struct pending { /* read, not yet put in */
	struct nft_elem *elem;
	struct nft_token at;
};

static int compare_pending(const void *a, const void *b, void *ctx)
{
	const struct nft_set *s = ctx;
	return memcmp(((const struct pending *)a)->elem->bytes,
		      ((const struct pending *)b)->elem->bytes, s->key.size);
}

/* Sorted arrays are filled in order: what comes last is cheap. */
static int add_pending(struct nft_parser *p, struct nft_set *s, enum nft_element_action action,
		       struct pending *list, uint32_t count)
{
	int code = 0;
	if (count && !nft_set_hashed(s))
		qsort_r(list, count, sizeof *list, compare_pending, s);
	for (uint32_t i = 0; i < count; i++) {
		if (code)
			nft_elem_free(list[i].elem);
		else if (action == NE_ADD || action == NE_CREATE)
			code = add_element(p, s, list[i].elem, action == NE_CREATE, &list[i].at);
		else
			code = delete_element(p, s, list[i].elem, action == NE_DELETE, &list[i].at);
	}
	return code;
}

int nft_parse_elements(struct nft_parser *p, struct nft_set *s, enum nft_element_action action)
{
	struct pending *list = NULL;
	uint32_t count = 0, capacity = 0;
	int code = nft_need(p, '{', "\"{\"");
	for (skip_newlines(p); !code && !nft_accept(p, '}'); skip_newlines(p)) {
		if (count == capacity) {
			uint32_t want = capacity ? capacity * 2 : 4;
			list = mem_grow(list, capacity, want, sizeof *list);
			capacity = want;
		}
		list[count].at = p->token;
		code = read_element(p, s, action == NE_ADD || action == NE_CREATE,
				    &list[count++].elem);
		skip_newlines(p);
		if (!code && !nft_is(p, '}'))
			code = nft_need(p, ',', "\",\" or \"}\"");
	}
	for (uint32_t i = 0; code && i < count; i++)
		nft_elem_free(list[i].elem);
	if (!code)
		code = add_pending(p, s, action, list, count);
	free(list);
	return code;
}

/* ---- anonymous sets -------------------------------------------------------------------- */

static int anonymous_element(struct nft_parser *p, struct nft_set *s)
{
	struct nft_elem *e = nft_elem_new(s);
	unsigned ranges = 0;
	int prefix = -1;
	int code = parse_key(p, s, e, &ranges, &prefix);
	if (!code && nft_accept_word(p, "comment"))
		code = nft_need_comment(p, &extra_of(e)->comment);
	if (!code && s->map)
		code = parse_data(p, s, e);
	if (!code && e->catch_all && s->catch_all)
		code = nft_expected(p, "\"*\" once");
	if (code) {
		nft_elem_free(e);
		return code;
	}
	s->lone = (uint8_t)(s->count || e->catch_all ? 0 : prefix >= 0 ? 2 + prefix : 1);
	nft_set_put(s, e);
	return 0;
}

/* Whether the first element's data are "ADDRESS . PORT". */
static bool data_has_port(const struct nft_parser *p)
{
	struct nft_lexer l = p->lexer;
	struct nft_token t = p->token;
	while (t.kind != ':' && t.kind != '}' && t.kind != TK_END)
		nft_lex(&l, &t);
	while (t.kind != '.' && t.kind != ',' && t.kind != '}' && t.kind != TK_END)
		nft_lex(&l, &t);
	return t.kind == '.';
}

int nft_parse_anonymous(struct nft_parser *p, const struct nft_layout *key,
			const struct nft_layout *data, struct nft_set **out)
{
	struct nft_token at = p->token;
	struct nft_set *s = nft_build_set(p);
	int code = nft_need(p, '{', "\"{\" or \"@\" and the name of a set");
	s->key = *key;
	s->map = data != NULL;
	if (data)
		s->data = *data;
	skip_newlines(p);
	if (!code && nft_is(p, '}'))
		code = nft_expected(p, "an element");
	/* "map { 80 : 10.0.0.1 . 8080 }": the data tell how many fields there are */
	s->data_ranges = data && (data->field[0].type == NT_IPV4 || data->field[0].type == NT_IPV6);
	if (!code && s->data_ranges && data_has_port(p))
		nft_layout_add(&s->data, NT_SERVICE, 2);
	for (; !code && !nft_accept(p, '}'); skip_newlines(p)) {
		code = anonymous_element(p, s);
		skip_newlines(p);
		if (!code && !nft_is(p, '}'))
			code = nft_need(p, ',', "\",\" or \"}\"");
		skip_newlines(p);
	}
	if (!code && nft_set_finish(s))
		code = nft_fail_at(p, &at, EEXIST, "the map's ranges overlap");
	*out = s;
	return code;
}
