/* linux/nft/parse_action.c: counter, limit, quota, log, reject, nat, and statements that
 * put elements into sets. */
#include "linux/nft/parse.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

int nft_parse_counter(struct nft_parser *p, uint32_t *out)
{
	char name[NFT_NAME];
	uint64_t packets = 0, bytes = 0;
	nft_advance(p);
	if (nft_accept_word(p, "name")) {
		struct nft_token at = p->token;
		if (nft_is(p, TK_STRING)) /* as nft prints it */
			p->token.kind = TK_WORD;
		if (!p->token.length)
			return nft_expected(p, "the name of a counter");
		int code = nft_need_name(p, name, "the name of a counter");
		if (code)
			return code;
		struct nft_object *o = nft_object_find(p->table, "counter", name);
		if (!o)
			return nft_fail_at(p, &at, ENOENT, "no counter %s in table %s", name,
					   p->table->name);
		*out = nft_build_node(p, N_OBJECT);
		nft_built(p, *out)->object = o;
		return 0;
	}
	if (nft_accept_word(p, "packets")) {
		int code = nft_need_number(p, UINT64_MAX, &packets);
		if (!code && !nft_accept_word(p, "bytes"))
			code = nft_expected(p, "bytes");
		if (!code)
			code = nft_need_number(p, UINT64_MAX, &bytes);
		if (code)
			return code;
	}
	*out = nft_build_node(p, N_COUNTER);
	nft_built(p, *out)->number[0] = packets;
	nft_built(p, *out)->number[1] = bytes;
	return 0;
}

/* "kbytes" and its kin; *factor. */
static bool byte_unit(const struct nft_parser *p, uint64_t *factor)
{
	*factor = nft_is_word(p, "bytes") ? 1 : nft_is_word(p, "kbytes") ? 1024 :
		  nft_is_word(p, "mbytes") ? 1024 * 1024 : 0;
	return *factor != 0;
}

static int limit_burst(struct nft_parser *p, bool bytes, uint64_t *burst)
{
	uint64_t factor = 1;
	*burst = bytes ? 0 : 5;
	if (!nft_accept_word(p, "burst"))
		return 0;
	int code = nft_need_number(p, UINT32_MAX, burst);
	if (code)
		return code;
	if (bytes ? !byte_unit(p, &factor) : !nft_is_word(p, "packets"))
		return nft_expected(p, bytes ? "bytes, kbytes or mbytes" : "packets");
	nft_advance(p);
	*burst *= factor;
	return 0;
}

int nft_parse_limit(struct nft_parser *p, uint32_t *out)
{
	uint64_t rate, burst, factor;
	uint32_t flags = 0, unit;
	nft_advance(p);
	if (nft_is_word(p, "name"))
		return NFT_NOT_KNOWN;
	if (!nft_accept_word(p, "rate"))
		return nft_expected(p, "rate");
	if (nft_accept_word(p, "over"))
		flags |= NL_OVER;
	else
		nft_accept_word(p, "until");
	int code = nft_need_number(p, UINT32_MAX, &rate);
	if (code)
		return code;
	if (!rate)
		return nft_expected(p, "a rate above 0");
	if (byte_unit(p, &factor)) {
		flags |= NL_BYTES;
		nft_advance(p);
	} else {
		factor = 1;
	}
	/* A word may hold the slash: "mbytes/second" */
	if (!nft_accept(p, '/') && nft_is(p, TK_WORD)) {
		struct nft_token *t = &p->token;
		const char *slash = memchr(t->text, '/', t->length);
		size_t head = slash ? (size_t)(slash - t->text) : 0;
		factor = head == 5 && memcmp(t->text, "bytes", 5) == 0 ? 1 :
			 head == 6 && memcmp(t->text, "kbytes", 6) == 0 ? 1024 :
			 head == 6 && memcmp(t->text, "mbytes", 6) == 0 ? 1024 * 1024 : 0;
		if (!factor)
			return nft_expected(p, "\"/\" and a unit of time");
		flags |= NL_BYTES;
		t->text = slash + 1;
		t->length -= (uint32_t)head + 1;
	}
	if (!nft_is(p, TK_WORD) ||
	    !nft_symbol_value(nft_limit_units, p->token.text, p->token.length, &unit))
		return nft_expected(p, "second, minute, hour, day or week");
	nft_advance(p);
	code = limit_burst(p, flags & NL_BYTES, &burst);
	if (code)
		return code;
	uint32_t state = nft_build_node(p, N_VALUE);
	*out = nft_build_node(p, N_LIMIT);
	struct nft_node *n = nft_built(p, *out);
	n->op = (uint8_t)unit;
	n->flags = flags;
	n->right = state;
	n->number[0] = rate * factor;
	n->number[1] = burst;
	p->stateful = true;
	return 0;
}

static int quota_bytes(struct nft_parser *p, uint64_t *out)
{
	uint64_t factor;
	int code = nft_need_number(p, UINT32_MAX, out);
	if (code)
		return code;
	if (!byte_unit(p, &factor))
		return nft_expected(p, "bytes, kbytes or mbytes");
	nft_advance(p);
	*out *= factor;
	return 0;
}

int nft_parse_quota(struct nft_parser *p, uint32_t *out)
{
	uint64_t bytes, used = 0;
	nft_advance(p);
	if (nft_is_word(p, "name"))
		return NFT_NOT_KNOWN;
	bool over = nft_accept_word(p, "over");
	if (!over)
		nft_accept_word(p, "until");
	int code = quota_bytes(p, &bytes);
	if (!code && nft_accept_word(p, "used"))
		code = quota_bytes(p, &used);
	if (code)
		return code;
	uint32_t initial = nft_build_node(p, N_VALUE);
	nft_built(p, initial)->number[0] = used;
	*out = nft_build_node(p, N_QUOTA);
	struct nft_node *n = nft_built(p, *out);
	n->flags = over ? NL_OVER : 0;
	n->right = initial;
	n->number[0] = bytes;
	n->number[1] = used;
	p->stateful = true;
	return 0;
}

/* ---- log ------------------------------------------------------------------------------------ */

static int log_flags(struct nft_parser *p, uint32_t *flags)
{
	uint32_t bit;
	do {
		const char *of = NULL;
		if (nft_is_word(p, "tcp") || nft_is_word(p, "ip")) {
			of = nft_is_word(p, "tcp") ? "tcp" : "ip";
			nft_advance(p);
		}
		if (!nft_is(p, TK_WORD) ||
		    !nft_symbol_value(nft_log_flags, p->token.text, p->token.length, &bit) ||
		    (of && strcmp(of, "ip") == 0 && !nft_is_word(p, "options")))
			return nft_expected(
			    p, "tcp sequence, tcp options, ip options, skuid, ether or "
			       "all");
		if (of && strcmp(of, "ip") == 0)
			bit = 4;
		*flags |= bit;
		nft_advance(p);
	} while (nft_accept(p, ','));
	return 0;
}

static int log_word(struct nft_parser *p, struct nft_node *n, uint32_t *prefix)
{
	uint64_t number;
	uint32_t level;
	int code = 0;
	if (nft_accept_word(p, "prefix")) {
		if (!nft_is(p, TK_STRING))
			return nft_expected(p, "a prefix in quotes");
		*prefix = nft_build_text(p, p->token.text, p->token.length);
		nft_advance(p);
	} else if (nft_accept_word(p, "level")) {
		if (!nft_is(p, TK_WORD) ||
		    !nft_symbol_value(nft_log_levels, p->token.text, p->token.length, &level))
			return nft_expected(p,
					    "a level: emerg, alert, crit, err, warn, notice, info, "
					    "debug or audit");
		n->op = (uint8_t)(level + 1);
		nft_advance(p);
	} else if (nft_accept_word(p, "group")) {
		code = nft_need_number(p, UINT16_MAX, &number);
		n->right = (uint32_t)number + 1;
	} else if (nft_accept_word(p, "snaplen")) {
		code = nft_need_number(p, UINT32_MAX, &number);
		n->extra = (uint32_t)number;
	} else if (nft_accept_word(p, "queue-threshold")) {
		code = nft_need_number(p, UINT16_MAX, &n->number[0]);
	} else if (nft_accept_word(p, "flags")) {
		code = log_flags(p, &n->flags);
	} else {
		return NFT_NOT_KNOWN; /* here: no more words of log */
	}
	return code;
}

int nft_parse_log(struct nft_parser *p, uint32_t *out)
{
	struct nft_node n = { .kind = N_LOG };
	uint32_t prefix = 0;
	int code = 0;
	nft_advance(p);
	while (!code)
		code = log_word(p, &n, &prefix);
	if (code != NFT_NOT_KNOWN)
		return code;
	n.left = prefix;
	if (n.op == 4 + 1) /* warn is the default */
		n.op = 0;
	*out = nft_build_node(p, N_LOG);
	*nft_built(p, *out) = n;
	return 0;
}

/* ---- reject --------------------------------------------------------------------------------- */

static int reject_code(struct nft_parser *p, enum nft_type type, uint32_t *code)
{
	uint8_t value[NFT_VALUE];
	nft_advance(p);
	nft_accept_word(p, "type");
	int failed = nft_parse_constant(p, type, 1, value);
	*code = value[0];
	return failed;
}

int nft_parse_reject(struct nft_parser *p, uint32_t *out)
{
	enum nft_reject_op op = NR_DEFAULT;
	uint32_t icmp = 0, demand = 0;
	int code = 0;
	nft_advance(p);
	if (nft_accept_word(p, "with")) {
		if (nft_accept_word(p, "tcp")) {
			op = NR_RESET;
			code = nft_accept_word(p, "reset") ? 0 : nft_expected(p, "reset");
		} else if (nft_is_word(p, "icmp")) {
			op = NR_ICMP;
			code = reject_code(p, NT_ICMP_CODE, &icmp);
		} else if (nft_is_word(p, "icmpv6")) {
			op = NR_ICMPV6;
			code = reject_code(p, NT_ICMPV6_CODE, &icmp);
		} else if (nft_is_word(p, "icmpx")) {
			op = NR_ICMPX;
			code = reject_code(p, NT_ICMPX_CODE, &icmp);
		} else {
			code = nft_expected(p, "tcp reset, icmp, icmpv6 or icmpx");
		}
	}
	if (code)
		return code;
	bool inet = p->table->family == NFT_INET;
	if (op == NR_DEFAULT && inet && p->nfproto) {
		op = p->nfproto == NET_V4 ? NR_ICMP : NR_ICMPV6;
		icmp = p->nfproto == NET_V4 ? 3 : 4;
	} else if ((op == NR_ICMPX && icmp == 1) ||
		   (!inet && ((op == NR_ICMP && icmp == 3) || (op == NR_ICMPV6 && icmp == 4)))) {
		op = NR_DEFAULT;
	}
	if (op == NR_RESET && inet && !p->proto) {
		/* nft adds what a reset demands */
		uint8_t tcp = PROTO_TCP;
		uint32_t left = nft_build_node(p, N_META);
		*nft_built(p, left) = (struct nft_node){ .kind = N_META, .op = NM_L4PROTO,
							 .type = NT_PROTO, .bytes = 1 };
		uint32_t right = nft_build_value(p, NT_PROTO, 1, &tcp);
		demand = nft_build_node(p, N_MATCH);
		nft_built(p, demand)->left = left;
		nft_built(p, demand)->right = right;
	}
	uint32_t at = nft_build_node(p, N_REJECT);
	nft_built(p, at)->op = (uint8_t)op;
	nft_built(p, at)->right = icmp;
	if (demand)
		nft_built(p, demand)->next = at;
	*out = demand ? demand : at;
	return 0;
}

/* ---- sets filled by packets --------------------------------------------------------------------
 */

/* "{ KEY [timeout T] [counter | limit ...] [: DATA] }" */
static int dynset_body(struct nft_parser *p, const struct nft_set *s, struct nft_node *n)
{
	uint32_t at, last = 0;
	int code = nft_parse_expr(p, &n->left);
	while (!code && !nft_is(p, '}') && !nft_is(p, ':')) {
		if (nft_accept_word(p, "timeout")) {
			code = nft_need_time(p, &n->number[1]);
			continue;
		}
		if (nft_is_word(p, "counter"))
			code = nft_parse_counter(p, &at);
		else if (nft_is_word(p, "limit"))
			code = nft_parse_limit(p, &at);
		else if (nft_is_word(p, "quota"))
			code = nft_parse_quota(p, &at);
		else
			return nft_is_word(p, "ct") || nft_is_word(p, "last")
				   ? NFT_NOT_KNOWN
				   : nft_expected(p, "timeout, counter, limit, quota, "
						     "\":\" or \"}\"");
		if (code)
			return code;
		if (last)
			nft_built(p, last)->next = at;
		else
			n->extra = at;
		last = at;
	}
	if (!code && nft_accept(p, ':')) {
		if (!s->map || s->data.count != 1)
			return nft_expected(p, "\"}\"");
		code =
		    nft_parse_operand(p, s->data.field[0].type, s->data.field[0].bytes, &n->right);
	}
	return code ? code : nft_need(p, '}', "\"}\"");
}

int nft_parse_dynset(struct nft_parser *p, uint32_t *out)
{
	struct nft_node n = { .kind = N_DYNSET };
	struct nft_layout key;
	char name[NFT_NAME];
	n.op = nft_is_word(p, "add") ? ND_ADD : nft_is_word(p, "update") ? ND_UPDATE : ND_DELETE;
	nft_advance(p);
	if (!nft_accept(p, '@'))
		return nft_expected(p, "\"@\" and the name of a set");
	struct nft_token at = p->token;
	int code = nft_need_name(p, name, "the name of a set");
	if (code)
		return code;
	struct nft_set *s = nft_set_by_name(p->table, name);
	if (!s)
		return nft_fail_at(p, &at, ENOENT, "no set %s in table %s", name, p->table->name);
	if (s->flags & (NS_CONSTANT | NS_INTERVAL))
		return nft_fail_at(p, &at, EOPNOTSUPP, "packets cannot change set %s", name);
	code = nft_need(p, '{', "\"{\"");
	if (!code)
		code = dynset_body(p, s, &n);
	if (code)
		return code;
	nft_expr_layout(p, n.left, &key);
	if (key.size != s->key.size || s->map != (n.right != 0 || (s->map && n.op == ND_DELETE)))
		return nft_fail_at(p, &at, EINVAL, "keys or data of %s are of another type", name);
	nft_set_dynamic(p->change, s);
	n.set = s;
	*out = nft_build_node(p, N_DYNSET);
	*nft_built(p, *out) = n;
	return 0;
}
