/* linux/nft/parse_nat.c: masquerade, snat, dnat, redirect. */
#include "linux/nft/parse.h"

#include <string.h>

static uint8_t family_of(const struct nft_parser *p)
{
	return p->nfproto;
}

static int nat_flags(struct nft_parser *p, uint32_t *flags)
{
	uint32_t bit;
	while (nft_is(p, TK_WORD) &&
	       nft_symbol_value(nft_nat_flags, p->token.text, p->token.length, &bit)) {
		*flags |= bit;
		nft_advance(p);
		nft_accept(p, ',');
	}
	return 0;
}

static int needs_transport(struct nft_parser *p, const struct nft_token *at)
{
	return p->proto ? 0
			: nft_fail_at(p, at, EINVAL,
				      "ports are translated only after the transport "
				      "protocol was matched: expected tcp, udp or "
				      "meta l4proto before");
}

/* What stands behind ":". */
static int nat_port(struct nft_parser *p, uint32_t *out)
{
	struct nft_token at = p->token;
	struct nft_range r;
	int code = needs_transport(p, &at);
	if (code)
		return code;
	if (nft_is_primary(p))
		return nft_parse_operand(p, NT_SERVICE, 2, out);
	code = nft_parse_range(p, NT_SERVICE, 2, &r);
	if (!code)
		*out = nft_build_range(p, NT_SERVICE, 2, &r);
	return code;
}

/* An address, a range, a prefix, or a map that gives one, perhaps with its port. */
static int nat_address(struct nft_parser *p, struct nft_node *n)
{
	enum nft_type type;
	unsigned bytes;
	struct nft_layout data = { 0 };
	struct nft_range r;
	bool bracket = nft_accept(p, '['), primary = nft_is_primary(p);
	if (!n->type && !primary)
		n->type = bracket || nft_is(p, TK_ADDRESS) ? NET_V6 : family_of(p);
	type = n->type == NET_V6 ? NT_IPV6 : NT_IPV4;
	bytes = n->type == NET_V6 ? 16 : 4;
	if (primary) {
		if (!n->type)
			n->type = family_of(p);
		if (!n->type)
			return nft_expected(p, "ip or ip6 before to");
		int code = nft_parse_expr(p, &n->left);
		nft_layout_add(&data, n->type == NET_V6 ? NT_IPV6 : NT_IPV4,
			       n->type == NET_V6 ? 16 : 4);
		if (!code && nft_is_word(p, "map"))
			code = nft_parse_map(p, &data, &n->left);
		if (!code && nft_built(p, n->left)->kind == N_MAP &&
		    nft_built(p, n->left)->set->data.count == 2)
			n->flags |= NN_CONCAT;
		return code;
	}
	int code = nft_parse_range(p, type, bytes, &r);
	if (!code && bracket)
		code = nft_need(p, ']', "\"]\"");
	if (!code && bracket && nft_accept(p, '-')) {
		code = nft_need(p, '[', "\"[\"");
		if (!code)
			code = nft_parse_constant(p, type, bytes, r.high);
		r.is_range = true;
		if (!code)
			code = nft_need(p, ']', "\"]\"");
	}
	if (!code)
		n->left = nft_build_range(p, type, bytes, &r);
	return code;
}

/* "[ip|ip6] [addr . port] [prefix] to ..." */
static int nat_target(struct nft_parser *p, struct nft_node *n)
{
	struct nft_token at;
	if (nft_accept_word(p, "ip"))
		n->type = NET_V4;
	else if (nft_accept_word(p, "ip6"))
		n->type = NET_V6;
	if (nft_accept_word(p, "addr")) {
		if (!nft_accept(p, '.') || !nft_accept_word(p, "port"))
			return nft_expected(p, "addr . port");
		n->flags |= NN_CONCAT;
	}
	if (nft_accept_word(p, "interval"))
		return NFT_NOT_KNOWN;
	if (nft_accept_word(p, "prefix"))
		n->flags |= NN_PREFIX;
	at = p->token;
	if (!nft_accept_word(p, "to"))
		return nft_expected(p, "to");
	int code = nft_is(p, ':') ? 0 : nat_address(p, n);
	if (!code && (n->flags & NN_CONCAT))
		code = needs_transport(p, &at);
	if (!code && nft_accept(p, ':'))
		code = nat_port(p, &n->right);
	if (!code && p->table->family == NFT_INET && n->left && !n->type)
		code = nft_expected(p, "ip or ip6 before to");
	return code;
}

static int redirect_target(struct nft_parser *p, struct nft_node *n)
{
	if (!nft_accept_word(p, "to"))
		return 0;
	nft_accept(p, ':');
	return nat_port(p, &n->right);
}

int nft_parse_nat(struct nft_parser *p, uint32_t *out)
{
	struct nft_node n = { .kind = N_NAT };
	struct nft_token at = p->token;
	n.op = nft_is_word(p, "masquerade") ? NAT_OP_MASQUERADE : nft_is_word(p, "snat") ?
	       NAT_OP_SNAT : nft_is_word(p, "dnat") ? NAT_OP_DNAT : NAT_OP_REDIRECT;
	nft_advance(p);
	int code;
	if (n.op == NAT_OP_MASQUERADE || n.op == NAT_OP_REDIRECT)
		code = redirect_target(p, &n);
	else
		code = nat_target(p, &n);
	if (!code)
		code = nat_flags(p, &n.flags);
	if (!code && p->table->family != NFT_INET && n.type &&
	    n.type != (p->table->family == NFT_IP6 ? NET_V6 : NET_V4))
		code = nft_fail_at(p, &at, EINVAL, "an address of the other family");
	if (code)
		return code;
	*out = nft_build_node(p, N_NAT);
	*nft_built(p, *out) = n;
	p->tracks = true;
	return 0;
}
