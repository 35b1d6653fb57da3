/* linux/nft/parse_stmt.c: statements: matches, assignments, verdicts, verdict maps. */
#include "linux/nft/parse.h"

#include <string.h>

static const char *const foreign[] = { /* statements that svclab does not evaluate */
	"tproxy", "synproxy", "dup", "fwd", "flow", "meter", "xt", "set", "map", "reset", "last",
	"ip6option", NULL
};

static bool is_foreign(const struct nft_parser *p)
{
	for (const char *const *w = foreign; *w; w++)
		if (nft_is_word(p, *w))
			return true;
	return false;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static const struct nft_symbol verdicts[] = {
	{ "accept", NV_ACCEPT }, { "drop", NV_DROP }, { "continue", NV_CONTINUE },
	{ "return", NV_RETURN }, { "jump", NV_JUMP }, { "goto", NV_GOTO }, { NULL, 0 },
};

bool nft_is_verdict(const struct nft_parser *p)
{
	uint32_t code;
	return nft_is(p, TK_WORD) &&
	       nft_symbol_value(verdicts, p->token.text, p->token.length, &code);
}

int nft_parse_verdict(struct nft_parser *p, uint8_t *code, struct nft_chain **chain)
{
	char name[NFT_NAME];
	uint32_t value;
	*chain = NULL;
	if (!nft_is_verdict(p))
		return nft_expected(p, "accept, drop, continue, return, jump or goto");
	nft_symbol_value(verdicts, p->token.text, p->token.length, &value);
	*code = (uint8_t)value;
	nft_advance(p);
	if (value != NV_JUMP && value != NV_GOTO)
		return 0;
	struct nft_token at = p->token;
	int failed = nft_need_name(p, name, "the name of a chain");
	if (failed)
		return failed;
	*chain = nft_chain_find(p->table, name);
	if (!*chain)
		return nft_fail_at(p, &at, ENOENT, "no chain %s in table %s", name, p->table->name);
	if ((*chain)->type != NCT_REGULAR)
		return nft_fail_at(p, &at, EOPNOTSUPP,
				   "%s is a base chain: expected one without hook", name);
	return 0;
}

static int verdict_statement(struct nft_parser *p, uint32_t *out)
{
	struct nft_chain *chain;
	uint8_t verdict;
	int code = nft_parse_verdict(p, &verdict, &chain);
	if (code)
		return code;
	*out = nft_build_node(p, N_VERDICT);
	nft_built(p, *out)->op = verdict;
	nft_built(p, *out)->chain = chain;
	return 0;
}

static int queue_statement(struct nft_parser *p, uint32_t *out)
{
	uint64_t first = 0, last;
	uint32_t flags = 0;
	int code = 0;
	nft_advance(p);
	if (nft_accept_word(p, "flags")) {
		do {
			if (nft_accept_word(p, "bypass"))
				flags |= NQ_BYPASS;
			else if (nft_accept_word(p, "fanout"))
				flags |= NQ_FANOUT;
			else
				return nft_expected(p, "bypass or fanout");
		} while (nft_accept(p, ','));
	}
	if (nft_accept_word(p, "num") || nft_accept_word(p, "to")) {
		flags |= NQ_NUMBER;
		code = nft_need_number(p, UINT16_MAX, &first);
	}
	last = first;
	if (!code && (flags & NQ_NUMBER) && nft_accept(p, '-'))
		code = nft_need_number(p, UINT16_MAX, &last);
	if (code)
		return code;
	for (bool more = true; more;) {
		more = true;
		if (nft_accept_word(p, "bypass"))
			flags |= NQ_BYPASS;
		else if (nft_accept_word(p, "fanout"))
			flags |= NQ_FANOUT;
		else
			more = nft_accept(p, ',');
	}
	*out = nft_build_node(p, N_QUEUE);
	nft_built(p, *out)->left = (uint32_t)first;
	nft_built(p, *out)->right = (uint32_t)last;
	nft_built(p, *out)->flags = flags;
	return 0;
}

/* ---- maps and assignments ------------------------------------------------------------------ */

static int vmap_statement(struct nft_parser *p, uint32_t left, uint32_t *out)
{
	struct nft_layout key, data = { .count = 1, .field = { { .type = NT_VERDICT } } };
	struct nft_set *set;
	nft_expr_layout(p, left, &key);
	nft_remember(p, left);
	int code = nft_parse_set_ref(p, &key, &data, &set);
	if (code)
		return code;
	*out = nft_build_node(p, N_VMAP);
	nft_built(p, *out)->left = left;
	nft_built(p, *out)->set = set;
	return 0;
}

int nft_parse_map(struct nft_parser *p, const struct nft_layout *data, uint32_t *expr)
{
	struct nft_layout key;
	struct nft_set *set;
	if (!nft_accept_word(p, "map"))
		return 0;
	nft_expr_layout(p, *expr, &key);
	nft_remember(p, *expr);
	int code = nft_parse_set_ref(p, &key, data, &set);
	if (code)
		return code;
	uint32_t at = nft_build_node(p, N_MAP);
	struct nft_node *n = nft_built(p, at);
	n->left = *expr;
	n->set = set;
	n->type = set->data.field[0].type;
	n->bytes = set->data.count == 1 ? set->data.field[0].bytes : set->data.size;
	*expr = at;
	return 0;
}

int nft_parse_operand(struct nft_parser *p, enum nft_type type, unsigned bytes, uint32_t *out)
{
	uint8_t value[NFT_VALUE];
	struct nft_layout data = { 0 };
	nft_layout_add(&data, type, bytes);
	if (nft_is_primary(p)) {
		int code = nft_parse_expr(p, out);
		return code ? code : nft_parse_map(p, &data, out);
	}
	int code = nft_parse_constant(p, type, bytes, value);
	if (!code)
		*out = nft_build_value(p, type, bytes, value);
	return code;
}

static int assignment(struct nft_parser *p, uint32_t left, uint32_t *out)
{
	struct nft_node l = *nft_built(p, left);
	enum nft_kind kind = l.kind == N_META ? N_SET_META : l.kind == N_CT ? N_SET_CT :
			     N_SET_PAYLOAD;
	uint32_t value;
	bool settable = (l.kind == N_META && (l.op == NM_MARK || l.op == NM_PRIORITY ||
					      l.op == NM_NFTRACE || l.op == NM_PKTTYPE)) ||
			(l.kind == N_CT && (l.op == NC_MARK || l.op == NC_ZONE)) ||
			l.kind == N_PAYLOAD;
	if (!settable)
		return nft_expected(p, "set after meta mark, ct mark or a header's field only");
	int code = nft_parse_operand(p, l.type, l.bytes, &value);
	if (code)
		return code;
	*out = nft_build_node(p, kind);
	struct nft_node *n = nft_built(p, *out);
	n->op = l.op;
	n->flags = l.flags;
	n->left = value;
	return 0;
}

static int expression_statement(struct nft_parser *p, uint32_t *out)
{
	uint32_t left;
	int code = nft_parse_expr(p, &left);
	if (code)
		return code;
	if (nft_accept_word(p, "set"))
		return assignment(p, left, out);
	if (nft_accept_word(p, "vmap"))
		return vmap_statement(p, left, out);
	if (nft_at_end(p))
		return nft_expected(p, "what it is compared with");
	return nft_parse_relation(p, left, out);
}

/* ---- all of them --------------------------------------------------------------------------- */

static int notrack_statement(struct nft_parser *p, uint32_t *out)
{
	nft_advance(p);
	p->tracks = true;
	*out = nft_build_node(p, N_NOTRACK);
	return 0;
}

/* "tcp option maxseg size set rt mtu": every link of the model carries 1500 bytes, so that
 * clamping to the path's MTU changes nothing. */
static bool clamp_statement(struct nft_parser *p, uint32_t *out)
{
	static const char *const words[] = {
		"tcp", "option", "maxseg", "size", "set", "rt", "mtu"
	};
	struct nft_parser ahead = *p;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (!nft_accept_word(&ahead, words[i]))
			return false;
	p->lexer = ahead.lexer;
	p->token = ahead.token;
	*out = nft_build_node(p, N_CLAMP);
	return true;
}

static int known_statement(struct nft_parser *p, uint32_t *out)
{
	static const struct {
		const char *word;
		int (*parse)(struct nft_parser *p, uint32_t *out);
	} rows[] = {
		{ "counter", nft_parse_counter }, { "limit", nft_parse_limit },
		{ "quota", nft_parse_quota }, { "log", nft_parse_log },
		{ "reject", nft_parse_reject }, { "masquerade", nft_parse_nat },
		{ "snat", nft_parse_nat }, { "dnat", nft_parse_nat },
		{ "redirect", nft_parse_nat }, { "add", nft_parse_dynset },
		{ "update", nft_parse_dynset }, { "delete", nft_parse_dynset },
		{ "queue", queue_statement }, { "notrack", notrack_statement },
	};
	if (nft_is_verdict(p))
		return verdict_statement(p, out);
	if (nft_is_word(p, "tcp") && clamp_statement(p, out))
		return 0;
	if (nft_is_primary(p) || nft_is(p, '('))
		return expression_statement(p, out);
	for (unsigned i = 0; nft_is(p, TK_WORD) && i < sizeof rows / sizeof *rows; i++)
		if (nft_is_word(p, rows[i].word))
			return rows[i].parse(p, out);
	return is_foreign(p) ? NFT_NOT_KNOWN : nft_expected(p, "a statement");
}

int nft_parse_statement(struct nft_parser *p, uint32_t *out)
{
	struct nft_lexer lexer = p->lexer;
	struct nft_token token = p->token;
	uint32_t size = p->size, sets = p->set_count;
	int code = known_statement(p, out);
	if (code != NFT_NOT_KNOWN)
		return code;
	while (p->set_count > sets)
		nft_set_free(p->sets[--p->set_count]);
	p->size = size;
	p->lexer = lexer;
	p->token = token;
	p->nesting = 0;
	return nft_build_unknown(p, &token, out);
}
