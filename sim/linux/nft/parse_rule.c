/* linux/nft/parse_rule.c: the scratch rule, and a rule from its first statement to its
 * comment. */
#include "linux/nft/parse.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define CODE_START 8u /* offset 0 names nothing */
#define CODE_LIMIT (1u << 20)

void nft_build_start(struct nft_parser *p)
{
	p->size = CODE_START;
	p->set_count = 0;
	p->unknown = p->stateful = p->tracks = false;
	p->proto = 0;
	p->nfproto = p->table->family == NFT_IP ? NET_V4 : p->table->family == NFT_IP6 ? NET_V6 : 0;
}

static uint32_t take(struct nft_parser *p, uint32_t bytes)
{
	uint32_t at = p->size;
	bytes = (bytes + 7) / 8 * 8;
	if (p->size + bytes > p->capacity) {
		uint32_t want = p->capacity ? p->capacity : 1024;
		while (want < p->size + bytes)
			want *= 2;
		p->code = mem_grow(p->code, p->capacity, want, 1);
		p->capacity = want;
	}
	memset(p->code + at, 0, bytes);
	p->size += bytes;
	return at;
}

uint32_t nft_build_node(struct nft_parser *p, enum nft_kind kind)
{
	uint32_t at = take(p, sizeof(struct nft_node));
	nft_built(p, at)->kind = (uint8_t)kind;
	return at;
}

uint32_t nft_build_text(struct nft_parser *p, const char *text, size_t length)
{
	uint32_t at = take(p, (uint32_t)length + 1);
	memcpy(p->code + at, text, length);
	return at;
}

uint32_t nft_build_value(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 const uint8_t *value)
{
	uint32_t at = nft_build_node(p, N_VALUE);
	struct nft_node *n = nft_built(p, at);
	n->type = (uint8_t)type;
	n->bytes = (uint8_t)bytes;
	memcpy(n->value, value, bytes);
	return at;
}

struct nft_node *nft_built(const struct nft_parser *p, uint32_t offset)
{
	return (struct nft_node *)(void *)(p->code + offset);
}

struct nft_set *nft_build_set(struct nft_parser *p)
{
	struct nft_set *s = nft_set_new(p->table, NULL);
	if (p->set_count == p->set_capacity) {
		uint32_t want = p->set_capacity ? p->set_capacity * 2 : 4;
		p->sets = mem_grow(p->sets, p->set_capacity, want, sizeof(struct nft_set *));
		p->set_capacity = want;
	}
	p->sets[p->set_count++] = s;
	return s;
}

void nft_build_drop(struct nft_parser *p)
{
	while (p->set_count)
		nft_set_free(p->sets[--p->set_count]);
}

struct nft_rule *nft_build_finish(struct nft_parser *p)
{
	struct nft_rule *r = mem_alloc(sizeof *r + p->size);
	memcpy(r->code, p->code, p->size);
	r->size = p->size;
	r->unknown = p->unknown;
	r->stateful = p->stateful;
	if (p->tracks && p->r->ns)
		netns_conntrack(p->r->ns);
	return r;
}

int nft_build_unknown(struct nft_parser *p, const struct nft_token *from, uint32_t *out)
{
	const char *start = from->text - (from->kind == TK_STRING), *end = start;
	unsigned depth = 0;
	uint32_t column = nft_token_column(from);
	while (!nft_is(p, TK_END) && (depth || !nft_at_end(p))) {
		if (!depth && nft_is_word(p, "comment"))
			break;
		if (nft_is(p, TK_BAD))
			return nft_expected(p, "nft text");
		depth += nft_is(p, '{');
		depth -= depth && nft_is(p, '}');
		end = p->token.text + p->token.length + (p->token.kind == TK_STRING);
		nft_advance(p);
	}
	uint32_t text = nft_build_text(p, start, (size_t)(end - start));
	*out = nft_build_node(p, N_UNKNOWN);
	nft_built(p, *out)->left = text;
	nft_built(p, *out)->right = column;
	p->unknown = true;
	return depth ? nft_expected(p, "\"}\"") : 0;
}

static int read_rule(struct nft_parser *p, uint32_t *first, uint32_t *comment)
{
	uint32_t last = 0, at;
	while (!nft_at_end(p)) {
		if (nft_accept_word(p, "comment")) {
			int bad = nft_check_comment(p);
			if (bad)
				return bad;
			*comment = nft_build_text(p, p->token.text, p->token.length);
			nft_advance(p);
			break;
		}
		if (p->size > CODE_LIMIT)
			return nft_expected(p, "a shorter rule");
		int code = nft_parse_statement(p, &at);
		if (code)
			return code;
		if (last)
			nft_built(p, last)->next = at;
		else
			*first = at;
		for (last = at; nft_built(p, last)->next;)
			last = nft_built(p, last)->next;
	}
	return last ? 0 : nft_expected(p, "a statement");
}

/* ---- the tidy form -------------------------------------------------------------------------- */

/* The protocol that "meta l4proto P" or, in tables of one family, "ip protocol P" demands. */
static uint8_t demands(const struct nft_parser *p, const struct nft_node *n)
{
	const struct nft_node *left, *right;
	if (n->kind != N_MATCH || n->op != OP_EQ)
		return 0;
	left = nft_built(p, n->left);
	right = nft_built(p, n->right);
	if (right->kind != N_VALUE)
		return 0;
	if (left->kind == N_META && left->op == NM_L4PROTO)
		return right->value[0];
	if (left->kind == N_PAYLOAD && left->type == NT_PROTO && p->table->family != NFT_INET)
		return right->value[0];
	return 0;
}

static const struct nft_node *payload_of(const struct nft_parser *p, const struct nft_node *n)
{
	while (n->kind == N_MATCH || n->kind == N_VMAP || n->kind == N_MAP ||
	       n->kind == N_BITWISE || n->kind == N_SHIFT || (n->kind == N_NAT && n->left))
		n = nft_built(p, n->left);
	return n;
}

static int field_named(const struct nft_payload *like, const char *header)
{
	return nft_payload_find(header, strlen(header), like->name, strlen(like->name));
}

/* The family that "meta nfproto F" demands in tables of both. */
static uint8_t demands_family(const struct nft_parser *p, const struct nft_node *n)
{
	const struct nft_node *left, *right;
	if (n->kind != N_MATCH || n->op != OP_EQ || p->table->family != NFT_INET)
		return 0;
	left = nft_built(p, n->left);
	right = nft_built(p, n->right);
	if (left->kind != N_META || left->op != NM_NFPROTO || right->kind != N_VALUE)
		return 0;
	return right->value[0] == 2 ? NET_V4 : NET_V6;
}

/* Whether a field of this header says what the demand said; a field of "th" takes the
 * protocol's name. */
static bool repeats(struct nft_node *f, uint8_t proto, uint8_t family)
{
	const struct nft_payload *field = nft_payload(f->op);
	const char *name = proto == PROTO_TCP ? "tcp" : proto == PROTO_UDP ? "udp" :
			   proto == PROTO_SCTP ? "sctp" : NULL;
	if (family)
		return field->proto == (family == NET_V4 ? NH_IP : NH_IP6);
	if (field->proto == NH_TH && name) {
		int as = field_named(field, name);
		if (as >= 0)
			f->op = (uint8_t)as;
		return as >= 0;
	}
	return nft_header_proto(field->proto) == proto;
}

/* A concatenation repeats the demand when one of its fields does. */
static bool concat_repeats(const struct nft_parser *p, const struct nft_node *c, uint8_t proto)
{
	bool yes = false;
	for (uint32_t at = proto ? c->left : 0; at; at = nft_built(p, at)->next)
		if (nft_built(p, at)->kind == N_PAYLOAD && repeats(nft_built(p, at), proto, 0))
			yes = true;
	return yes;
}

/* A demand followed by a field of that very protocol says the same twice; nft drops the
 * first. Counters and the like between keep it. */
static void tidy(struct nft_parser *p, uint32_t *first)
{
	uint32_t *link = first, *where = NULL;
	uint8_t proto = 0, family = 0;
	while (*link) {
		struct nft_node *n = nft_built(p, *link);
		struct nft_node *f = (struct nft_node *)(uintptr_t)payload_of(p, n);
		bool keeps = n->kind == N_MATCH || n->kind == N_VMAP || n->kind == N_NAT;
		if (keeps && where &&
		    ((f->kind == N_PAYLOAD && repeats(f, proto, family)) ||
		     (f->kind == N_CONCAT && concat_repeats(p, f, proto)))) {
			if (link == &nft_built(p, *where)->next)
				link = where;
			*where = nft_built(p, *where)->next;
			where = NULL;
		}
		if (!keeps)
			where = NULL;
		if (keeps && !where && (demands(p, n) || demands_family(p, n))) {
			proto = demands(p, n);
			family = demands_family(p, n);
			where = link;
		}
		link = &n->next;
	}
}

/* Field of a match "FIELD VALUE" that begins and ends at a byte, or NULL. */
static const struct nft_payload *plain_field(const struct nft_parser *p, const struct nft_node *n)
{
	if (n->kind != N_MATCH || n->op != OP_EQ || nft_built(p, n->right)->kind != N_VALUE ||
	    nft_built(p, n->left)->kind != N_PAYLOAD)
		return NULL;
	const struct nft_payload *f = nft_payload(nft_built(p, n->left)->op);
	return (f->offset | f->bits) % 8 ? NULL : f;
}

/* nft reads two neighbours of one header at once, when they fit into four bytes, and then
 * prints them in the header's order. */
static void order_neighbours(struct nft_parser *p, uint32_t *first)
{
	for (uint32_t *link = first; *link && nft_built(p, *link)->next;) {
		uint32_t at = *link, second = nft_built(p, at)->next;
		struct nft_node *a = nft_built(p, at), *b = nft_built(p, second);
		const struct nft_payload *f = plain_field(p, a), *g = plain_field(p, b);
		bool swap = f && g && f->proto == g->proto && g->offset + g->bits == f->offset &&
			    f->bits + g->bits <= 32;
		if (swap) {
			a->next = b->next;
			b->next = at;
			*link = second;
			link = &a->next;
		} else {
			link = &a->next;
		}
	}
}

int nft_parse_rule(struct nft_parser *p, struct nft_rule **out)
{
	uint32_t first = 0, comment = 0, line = p->token.line;
	nft_build_start(p);
	int code = read_rule(p, &first, &comment);
	if (code) {
		nft_build_drop(p);
		return code;
	}
	tidy(p, &first);
	order_neighbours(p, &first);
	*out = nft_build_finish(p);
	(*out)->first = first;
	(*out)->comment = comment;
	(*out)->line = p->from_file || p->unknown ? line : 0;
	(*out)->file = p->file_index;
	if ((*out)->stateful)
		nft_rule_reset(*out, nft_now(p->r));
	p->set_count = 0;
	return 0;
}
