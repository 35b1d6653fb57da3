/* linux/nft/parse_match.c: ranges, and what stands on the right of a match. */
#include "linux/nft/parse.h"

#include <string.h>

static void prefix_range(struct nft_range *r, unsigned bytes, unsigned bits)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned left = bits > i * 8 ? bits - i * 8 : 0;
		uint8_t mask = (uint8_t)(left >= 8 ? 0xff : 0xff00u >> left);
		r->low[i] &= mask;
		r->high[i] = (uint8_t)(r->low[i] | (uint8_t)~mask);
	}
	r->is_range = bits < bytes * 8;
	r->prefix = r->is_range ? (int)bits : -1;
}

/* Values that nft writes with a length behind them: DTYPE_F_PREFIX. */
static bool takes_prefix(enum nft_type type)
{
	return type == NT_IPV4 || type == NT_IPV6 || type == NT_MARK;
}

static int range_tail(struct nft_parser *p, enum nft_type type, unsigned bytes,
		      struct nft_range *out)
{
	uint64_t bits;
	int code;
	if (takes_prefix(type) && nft_accept(p, '/')) {
		code = nft_need_number(p, bytes * 8u, &bits);
		if (!code)
			prefix_range(out, bytes, (unsigned)bits);
		return code;
	}
	if (!nft_accept(p, '-'))
		return 0;
	struct nft_token at = p->token;
	code = nft_parse_constant(p, type, bytes, out->high);
	if (!code && memcmp(out->low, out->high, bytes) > 0)
		code = nft_fail_at(p, &at, EINVAL, "a range ends below its beginning");
	out->is_range = true;
	return code;
}

int nft_parse_range(struct nft_parser *p, enum nft_type type, unsigned bytes, struct nft_range *out)
{
	const struct nft_token *t = &p->token;
	*out = (struct nft_range){ .prefix = -1 };
	if (type == NT_IFNAME && t->length && t->length <= NFT_VALUE &&
	    t->text[t->length - 1] == '*' && (t->kind == TK_WORD || t->kind == TK_STRING)) {
		memcpy(out->low, t->text, t->length - 1);
		prefix_range(out, NFT_VALUE, (t->length - 1) * 8);
		nft_advance(p);
		return 0;
	}
	int code = nft_parse_constant(p, type, bytes, out->low);
	if (code)
		return code;
	memcpy(out->high, out->low, NFT_VALUE);
	return range_tail(p, type, bytes, out);
}

uint32_t nft_build_range(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 const struct nft_range *r)
{
	uint32_t low = nft_build_value(p, type, bytes, r->low), high, at;
	if (!r->is_range)
		return low;
	if (r->prefix >= 0) {
		at = nft_build_node(p, N_PREFIX);
		nft_built(p, at)->right = (uint32_t)r->prefix;
	} else {
		high = nft_build_value(p, type, bytes, r->high);
		at = nft_build_node(p, N_RANGE);
		nft_built(p, at)->right = high;
	}
	nft_built(p, at)->left = low;
	nft_built(p, at)->type = (uint8_t)type;
	nft_built(p, at)->bytes = (uint8_t)bytes;
	return at;
}

/* ---- the right side ------------------------------------------------------------------------ */

static uint32_t build_match(struct nft_parser *p, enum nft_op op, uint32_t left, uint32_t right)
{
	uint32_t at = nft_build_node(p, N_MATCH);
	struct nft_node *n = nft_built(p, at);
	n->op = (uint8_t)op;
	n->left = left;
	n->right = right;
	return at;
}

static bool relation_here(const struct nft_parser *p, enum nft_op *op)
{
	static const struct {
		int token;
		const char *word;
		enum nft_op op;
	} ops[] = { { TK_EQ, "eq", OP_EQ }, { TK_NE, "ne", OP_NE }, { '<', "lt", OP_LT },
		    { '>', "gt", OP_GT }, { TK_LE, "le", OP_LE }, { TK_GE, "ge", OP_GE } };
	for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (!nft_is(p, ops[i].token) && !nft_is_word(p, ops[i].word))
			continue;
		*op = ops[i].op;
		return true;
	}
	return false;
}

/* "a,b" and "a|b" */
static int flag_list(struct nft_parser *p, const struct nft_node *left, uint8_t out[NFT_VALUE])
{
	enum nft_type type = left->type;
	unsigned bytes = left->bytes;
	int code = nft_parse_constant(p, type, bytes, out);
	while (!code && nft_accept(p, ',')) {
		uint8_t more[NFT_VALUE];
		code = nft_parse_constant(p, type, bytes, more);
		for (unsigned i = 0; i < bytes; i++)
			out[i] |= more[i];
	}
	return code;
}

static bool is_zero(const uint8_t *value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		if (value[i])
			return false;
	return true;
}

uint32_t nft_build_mask(struct nft_parser *p, uint32_t left, const uint8_t *mask)
{
	static const uint8_t zeros[NFT_VALUE];
	enum nft_type type = nft_built(p, left)->type;
	unsigned bytes = nft_built(p, left)->bytes;
	uint32_t m = nft_build_value(p, type, bytes, mask);
	uint32_t x = nft_build_value(p, type, bytes, zeros);
	uint32_t at = nft_build_node(p, N_BITWISE);
	*nft_built(p, at) = (struct nft_node){ .kind = N_BITWISE, .type = (uint8_t)type,
					       .bytes = (uint8_t)bytes, .left = left, .right = m,
					       .extra = x };
	return at;
}

/* Right side of a set of flags: ct state, ct status, tcp flags. */
static int flags_relation(struct nft_parser *p, uint32_t left, bool explicit, enum nft_op op,
			  uint32_t *out)
{
	const struct nft_node *l = nft_built(p, left);
	enum nft_type type = l->type;
	unsigned bytes = l->bytes;
	uint8_t value[NFT_VALUE], mask[NFT_VALUE];
	bool none = !explicit && nft_accept(p, '!');
	int code = flag_list(p, l, value);
	if (code)
		return code;
	l = nft_built(p, left);
	if (none) { /* "tcp flags ! syn,ack" */
		memset(mask, 0, sizeof mask);
		left = nft_build_mask(p, left, value);
		*out = build_match(p, OP_EQ, left, nft_build_value(p, type, bytes, mask));
		return 0;
	}
	if (nft_accept(p, '/')) { /* "tcp flags syn / fin,syn" */
		code = flag_list(p, l, mask);
		if (code)
			return code;
		left = nft_build_mask(p, left, mask);
		explicit = true;
	} else if (l->kind == N_BITWISE && op == OP_NE && is_zero(value, bytes) &&
		   is_zero(nft_built(p, l->extra)->value, bytes)) {
		*out = build_match(p, OP_ANY, l->left, l->right);
		return 0;
	}
	bool any = !explicit && nft_built(p, left)->kind != N_BITWISE;
	uint32_t right = nft_build_value(p, type, bytes, value);
	*out = build_match(p, any ? OP_ANY : op, left, right);
	return 0;
}

static int named_set(struct nft_parser *p, struct nft_set **out)
{
	char name[NFT_NAME];
	struct nft_token at;
	nft_advance(p);
	at = p->token;
	int code = nft_need_name(p, name, "the name of a set");
	if (code)
		return code;
	*out = nft_set_by_name(p->table, name);
	return *out ? 0 : nft_fail_at(p, &at, ENOENT, "no set or map %s in table %s", name,
				      p->table->name);
}

/* "@name" or "{ ... }"; data NULL: no map is wanted. */
int nft_parse_set_ref(struct nft_parser *p, const struct nft_layout *key,
		      const struct nft_layout *data, struct nft_set **out)
{
	struct nft_token at = p->token;
	if (!nft_is(p, '@'))
		return nft_parse_anonymous(p, key, data, out);
	int code = named_set(p, out);
	if (code)
		return code;
	if ((*out)->map != (data != NULL))
		return nft_fail_at(p, &at, EINVAL, "%s is a %s: expected a %s", (*out)->name,
				   (*out)->map ? "map" : "set", data ? "map" : "set");
	if ((*out)->key.size != key->size || (*out)->key.count != key->count)
		return nft_fail_at(p, &at, EINVAL, "the keys of %s are of another type",
				   (*out)->name);
	if (data && ((*out)->data.field[0].type == NT_VERDICT) !=
			    (data->field[0].type == NT_VERDICT))
		return nft_fail_at(p, &at, EINVAL, "the data of %s is of another type",
				   (*out)->name);
	return 0;
}

static int set_relation(struct nft_parser *p, uint32_t left, enum nft_op op, uint32_t *out)
{
	struct nft_layout key;
	struct nft_set *set;
	uint32_t at;
	nft_expr_layout(p, left, &key);
	int code = nft_parse_set_ref(p, &key, NULL, &set);
	if (code)
		return code;
	if (op != OP_EQ && op != OP_NE)
		return nft_expected(p, "== or != before a set");
	if (!set->name && set->lone && key.count == 1) { /* a set of one is its element */
		const struct nft_elem *e = set->sorted[0];
		struct nft_range r = { .prefix = -1 };
		enum nft_type type = key.field[0].type;
		unsigned bytes = key.field[0].bytes;
		memcpy(r.low, e->bytes, bytes);
		memcpy(r.high, nft_elem_end(set, e), bytes);
		r.is_range = memcmp(r.low, r.high, bytes) != 0;
		if (set->lone > 1)
			r.prefix = set->lone - 2;
		nft_set_free(set);
		p->set_count--;
		bool any = nft_type_info(type)->flags && op == OP_EQ;
		at = nft_build_range(p, type, bytes, &r);
		*out = build_match(p, any ? OP_ANY : op, left, at);
		return 0;
	}
	at = nft_build_node(p, N_SET);
	nft_built(p, at)->set = set;
	*out = build_match(p, op, left, at);
	return 0;
}

static int concat_relation(struct nft_parser *p, uint32_t left, enum nft_op op, uint32_t *out)
{
	struct nft_layout key;
	uint32_t first = 0, last = 0;
	nft_expr_layout(p, left, &key);
	for (unsigned i = 0; i < key.count; i++) {
		struct nft_range r;
		int code = i ? nft_need(p, '.', "\".\"") : 0;
		if (!code)
			code = nft_parse_range(p, key.field[i].type, key.field[i].bytes, &r);
		if (code)
			return code;
		if (r.is_range)
			return nft_expected(p, "ranges of a concatenation in a set");
		uint32_t at = nft_build_value(p, key.field[i].type, key.field[i].bytes, r.low);
		if (last)
			nft_built(p, last)->next = at;
		else
			first = at;
		last = at;
	}
	uint32_t right = nft_build_node(p, N_CONCAT);
	nft_built(p, right)->left = first;
	nft_built(p, right)->bytes = key.size;
	*out = build_match(p, op, left, right);
	return 0;
}

static int mask_bits(const uint8_t *mask, unsigned bytes)
{
	uint8_t ones[NFT_VALUE];
	memset(ones, 0xff, sizeof ones);
	for (unsigned bits = 0; bits <= bytes * 8; bits++) {
		struct nft_range r = { .prefix = -1 };
		memcpy(r.low, ones, bytes);
		prefix_range(&r, bytes, bits);
		if (memcmp(r.low, mask, bytes) == 0)
			return (int)bits;
	}
	return -1;
}

/* "ip saddr & 255.255.255.0 == 10.0.0.0" is "ip saddr 10.0.0.0/24", "mark and 0x80000000 == 0"
 * is "mark 0x00000000/1". */
static void mask_to_prefix(const struct nft_parser *p, uint32_t *left, enum nft_op op,
			   struct nft_range *r)
{
	const struct nft_node *l = nft_built(p, *left);
	if (l->kind != N_BITWISE || !takes_prefix(l->type) || op > OP_NE || r->is_range ||
	    !is_zero(nft_built(p, l->extra)->value, l->bytes))
		return;
	int bits = mask_bits(nft_built(p, l->right)->value, l->bytes);
	if (bits < 0)
		return;
	for (unsigned i = 0; i < l->bytes; i++) /* bits outside of the mask can never be */
		if (r->low[i] & ~nft_built(p, l->right)->value[i])
			return;
	*left = l->left;
	prefix_range(r, l->bytes, (unsigned)bits);
}

/* What the rule demands of the packet's protocol from here on. */
static void remember(struct nft_parser *p, uint32_t left, enum nft_op op, const uint8_t *value)
{
	const struct nft_node *n = nft_built(p, left);
	if (n->kind == N_CONCAT) {
		for (uint32_t at = n->left; at; at = nft_built(p, at)->next)
			remember(p, at, op, NULL);
		return;
	}
	if (n->kind == N_META && n->op == NM_L4PROTO)
		p->proto = value && op == OP_EQ ? *value : 255;
	if (n->kind == N_META && n->op == NM_NFPROTO && value && op == OP_EQ)
		p->nfproto = *value == 2 ? NET_V4 : NET_V6;
	if (n->kind != N_PAYLOAD)
		return;
	const struct nft_payload *f = nft_payload(n->op);
	if (f->type == NT_PROTO)
		p->proto = value && op == OP_EQ ? *value : 255;
	else if (nft_header_base(f->proto) == NB_TRANSPORT && !p->proto)
		p->proto = nft_header_proto(f->proto); /* "th" is of any protocol: still 0 */
	if (f->proto == NH_IP || f->proto == NH_IP6)
		p->nfproto = f->proto == NH_IP ? NET_V4 : NET_V6;
}

void nft_remember(struct nft_parser *p, uint32_t left)
{
	remember(p, left, OP_NE, NULL);
}

static int value_relation(struct nft_parser *p, uint32_t left, enum nft_op op, uint32_t *out)
{
	enum nft_type type = nft_built(p, left)->type;
	unsigned bytes = nft_built(p, left)->bytes;
	struct nft_range r;
	if (nft_built(p, left)->kind == N_FIB &&
	    (nft_is_word(p, "exists") || nft_is_word(p, "missing"))) {
		type = NT_BOOLEAN;
		bytes = 1;
		nft_built(p, left)->flags |= NF_PRESENT;
	}
	if (nft_built(p, left)->kind == N_FIB && type == NT_IFINDEX && nft_is(p, TK_NUMBER)) {
		/* "oif 0": no interface */
		struct nft_range none = { .prefix = -1 };
		if (p->token.length != 1 || *p->token.text != '0')
			return nft_expected(p, "the name of an interface");
		nft_advance(p);
		*out = build_match(p, op, left, nft_build_range(p, type, bytes, &none));
		return 0;
	}
	int code = nft_parse_range(p, type, bytes, &r);
	if (code)
		return code;
	if (r.is_range && op != OP_EQ && op != OP_NE)
		return nft_expected(p, "a single value after <, >, <= and >=");
	mask_to_prefix(p, &left, op, &r);
	remember(p, left, op, r.is_range ? NULL : r.low);
	uint32_t right = nft_build_range(p, type, bytes, &r);
	*out = build_match(p, op, left, right);
	return 0;
}

/* "meta mark == ct mark": nft knows it, older ones not. A protocol's name is a value. */
static bool compares_expressions(const struct nft_parser *p, uint32_t left)
{
	const struct nft_node *l = nft_built(p, left);
	uint8_t value[NFT_VALUE];
	return nft_is_primary(p) && !nft_is(p, '@') &&
	       !(l->kind != N_CONCAT &&
		 nft_value_parse(l->type, p->token.text, p->token.length, l->bytes, value));
}

int nft_parse_relation(struct nft_parser *p, uint32_t left, uint32_t *out)
{
	enum nft_op op = OP_EQ;
	bool explicit = relation_here(p, &op);
	if (explicit)
		nft_advance(p);
	if (compares_expressions(p, left))
		return NFT_NOT_KNOWN;
	if (nft_is(p, '@') || nft_is(p, '{')) {
		nft_remember(p, left);
		return set_relation(p, left, op, out);
	}
	if (nft_built(p, left)->kind == N_CONCAT)
		return concat_relation(p, left, op, out);
	if (nft_type_info(nft_built(p, left)->type)->flags && op <= OP_NE) {
		nft_remember(p, left);
		return flags_relation(p, left, explicit, op, out);
	}
	return value_relation(p, left, op, out);
}
