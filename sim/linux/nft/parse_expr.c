/* linux/nft/parse_expr.c: expressions: what is read from a packet, operators, constants. */
#include "linux/nft/parse.h"

#include <string.h>

static bool word_in(const struct nft_token *t, const char *const *words)
{
	for (; *words; words++)
		if (nft_token_is(t, *words))
			return true;
	return false;
}

/* Expressions of nft that svclab does not evaluate. */
static const char *const foreign[] = {
	"symhash", "socket", "osf", "rt", "exthdr", "ipsec", "ah", "esp", "comp", "vlan", "arp",
	"hbh", "dst", "frag", "mh", "srh", "igmp", "gre", "gretap", "vxlan", "geneve", "rt0",
	"rt2", "rt4", NULL
};

static const char *const foreign_meta[] = {
	"iiftype", "oiftype", "rtclassid", "secpath", "ipsec", "iifkind", "oifkind", "time",
	"day", "hour", "cgroup", "ibrname", "obrname", "ibriport", "obriport", "ibridgename",
	"obridgename", "ibrpvid", "ibrvproto", "sdif", "sdifname", "prandom", "broute", "secmark",
	NULL
};

static const char *const foreign_ct[] = {
	"helper", "expiration", "bytes", "packets", "avgpkt", "id", "label", "labels", "event",
	"secmark", "count", "timeout", "expectation", NULL
};

/* Keys of meta that stand alone. */
static const char *const bare[] = {
	"mark", "iif", "iifname", "oif", "oifname", "skuid", "skgid", "nftrace", "iifgroup",
	"oifgroup", "pkttype", "cpu", NULL
};

bool nft_is_primary(const struct nft_parser *p)
{
	const struct nft_token *t = &p->token;
	static const char *const words[] = { "meta", "ct", "fib", "numgen", "jhash", NULL };
	if (t->kind == '@') {
		struct nft_lexer l = p->lexer;
		struct nft_token base, comma;
		nft_lex(&l, &base);
		nft_lex(&l, &comma);
		return comma.kind == ',';
	}
	if (t->kind == '(') { /* "(meta mark & 0xff) | 0x1" */
		struct nft_parser ahead = *p;
		while (nft_accept(&ahead, '('))
			;
		return nft_is_primary(&ahead);
	}
	if (t->kind != TK_WORD)
		return false;
	return word_in(t, words) || word_in(t, bare) || word_in(t, foreign) ||
	       word_in(t, foreign_meta) || nft_is_header(t->text, t->length);
}

static int build_key(struct nft_parser *p, enum nft_kind kind, int key, uint32_t flags,
		     uint32_t *out)
{
	const struct nft_key *k = kind == N_META ? &nft_meta_keys[key] : &nft_ct_keys[key];
	*out = nft_build_node(p, kind);
	struct nft_node *n = nft_built(p, *out);
	n->op = (uint8_t)key;
	n->type = k->type;
	n->bytes = k->bytes;
	n->flags = flags;
	return 0;
}

static int parse_meta(struct nft_parser *p, uint32_t *out)
{
	nft_accept_word(p, "meta");
	int key = nft_is(p, TK_WORD) ? nft_meta_find(p->token.text, p->token.length) : -1;
	if (key < 0)
		return word_in(&p->token, foreign_meta) ? NFT_NOT_KNOWN :
							  nft_expected(p, "a key of meta");
	nft_advance(p);
	return build_key(p, N_META, key, 0, out);
}

static int ct_address(struct nft_parser *p, int key, uint32_t direction, uint32_t *out)
{
	bool six = p->nfproto == NET_V6;
	if (!p->nfproto)
		return NFT_NOT_KNOWN;
	build_key(p, N_CT, key, direction, out);
	nft_built(p, *out)->type = six ? NT_IPV6 : NT_IPV4;
	nft_built(p, *out)->bytes = six ? 16 : 4;
	return 0;
}

static int parse_ct(struct nft_parser *p, uint32_t *out)
{
	uint32_t direction = 0;
	nft_advance(p);
	if (nft_accept_word(p, "original"))
		direction = 1;
	else if (nft_accept_word(p, "reply"))
		direction = 2;
	if (word_in(&p->token, foreign_ct))
		return NFT_NOT_KNOWN;
	int key = nft_is(p, TK_WORD) ? nft_ct_find(p->token.text, p->token.length) : -1;
	if (nft_is_word(p, "ip") || nft_is_word(p, "ip6")) {
		bool six = nft_is_word(p, "ip6");
		nft_advance(p);
		if (nft_is_word(p, "saddr"))
			key = six ? NC_IP6_SADDR : NC_IP_SADDR;
		else if (nft_is_word(p, "daddr"))
			key = six ? NC_IP6_DADDR : NC_IP_DADDR;
	}
	if (key < 0)
		return nft_expected(p, "a key of ct");
	bool needs = nft_ct_keys[key].directed && key != NC_L3PROTO && key != NC_PROTOCOL;
	if (needs && !direction)
		return nft_expected(p, "original or reply before %s", nft_ct_keys[key].name);
	nft_advance(p);
	p->tracks = true;
	if (key == NC_SADDR || key == NC_DADDR)
		return ct_address(p, key, direction, out);
	return build_key(p, N_CT, key, direction, out);
}

static int parse_field(struct nft_parser *p, uint32_t *out)
{
	struct nft_token header = p->token;
	nft_advance(p);
	if (nft_is_word(p, "option") || nft_is_word(p, "chunk") || nft_is_word(p, "nexthdr0"))
		return NFT_NOT_KNOWN;
	int field = nft_is(p, TK_WORD) ? nft_payload_find(header.text, header.length, p->token.text,
							  p->token.length) : -1;
	if (field < 0)
		return nft_expected(p, "a field of header %.*s", (int)header.length, header.text);
	nft_advance(p);
	const struct nft_payload *f = nft_payload((unsigned)field);
	const char *proto = p->proto == PROTO_TCP ? "tcp" : p->proto == PROTO_UDP ? "udp" :
			    p->proto == PROTO_SCTP ? "sctp" : NULL;
	if (f->proto == NH_TH && proto) { /* the rule says which: nft calls it so */
		field = nft_payload_find(proto, strlen(proto), f->name, strlen(f->name));
		f = nft_payload((unsigned)field);
	}
	if ((f->proto == NH_IP && p->table->family == NFT_IP6) ||
	    (f->proto == NH_IP6 && p->table->family == NFT_IP))
		return nft_fail_at(p, &header, EINVAL,
				   "packets of this table's family have no header "
				   "%s: expected %s",
				   f->header, f->proto == NH_IP ? "ip6" : "ip");
	*out = nft_build_node(p, N_PAYLOAD);
	struct nft_node *n = nft_built(p, *out);
	n->op = (uint8_t)field;
	n->type = f->type;
	n->bytes = (uint8_t)((f->bits + 7) / 8);
	return 0;
}

/* "@th,16,16" */
static int parse_raw(struct nft_parser *p, uint32_t *out)
{
	static const char *const bases[] = { "ll", "nh", "th" };
	uint64_t offset, bits;
	uint8_t base = 0;
	nft_advance(p);
	while (base < 3 && !nft_is_word(p, bases[base]))
		base++;
	if (base == 3)
		return nft_is_word(p, "ih") ? NFT_NOT_KNOWN : nft_expected(p, "ll, nh or th");
	nft_advance(p);
	int code = nft_need(p, ',', "\",\"");
	if (!code)
		code = nft_need_number(p, 4096, &offset);
	if (!code)
		code = nft_need(p, ',', "\",\"");
	if (!code)
		code = nft_need_number(p, 128, &bits);
	if (code)
		return code;
	if (!bits)
		return nft_expected(p, "a length of at least one bit");
	bool port = base == NB_TRANSPORT && bits == 16 && offset <= 16 && offset % 16 == 0;
	*out = nft_build_node(p, port ? N_PAYLOAD : N_RAW);
	struct nft_node *n = nft_built(p, *out);
	if (port) { /* nft's own name for it */
		n->op = (uint8_t)nft_payload_find("th", 2, offset ? "dport" : "sport", 5);
		n->type = NT_SERVICE;
		n->bytes = 2;
		return 0;
	}
	n->op = base;
	n->left = (uint32_t)offset;
	n->right = (uint32_t)bits;
	n->type = NT_INTEGER;
	n->bytes = (uint8_t)((bits + 7) / 8);
	return 0;
}

static int parse_fib(struct nft_parser *p, uint32_t *out)
{
	static const char *const flags[] = { "saddr", "daddr", "mark", "iif", "oif" };
	static const char *const results[] = { "oif", "oifname", "type" };
	static const uint8_t types[] = { NT_IFINDEX, NT_IFNAME, NT_FIB_TYPE };
	uint32_t set = 0;
	unsigned result = 0;
	nft_advance(p);
	do {
		unsigned i = 0;
		while (i < 5 && !nft_is_word(p, flags[i]))
			i++;
		if (i == 5)
			return nft_expected(p, "saddr, daddr, mark, iif or oif");
		set |= 1u << i;
		nft_advance(p);
	} while (nft_accept(p, '.'));
	while (result < 3 && !nft_is_word(p, results[result]))
		result++;
	if (result == 3)
		return nft_is_word(p, "check") ? NFT_NOT_KNOWN :
						 nft_expected(p, "oif, oifname or type");
	if (!(set & (NF_SADDR | NF_DADDR)) || (set & NF_SADDR && set & NF_DADDR))
		return nft_expected(p, "either saddr or daddr before the result of fib");
	nft_advance(p);
	*out = nft_build_node(p, N_FIB);
	struct nft_node *n = nft_built(p, *out);
	n->flags = set;
	n->op = (uint8_t)result;
	n->type = types[result];
	n->bytes = nft_type_info(types[result])->bytes;
	return 0;
}

static int parse_modulus(struct nft_parser *p, uint64_t *modulus)
{
	if (!nft_accept_word(p, "mod"))
		return nft_expected(p, "mod");
	int code = nft_need_number(p, UINT32_MAX, modulus);
	if (!code && !*modulus)
		code = nft_expected(p, "a modulus above 0");
	return code;
}

static int parse_offset(struct nft_parser *p, uint64_t *offset)
{
	*offset = 0;
	return nft_accept_word(p, "offset") ? nft_need_number(p, UINT32_MAX, offset) : 0;
}

static int parse_numgen(struct nft_parser *p, uint32_t *out)
{
	uint64_t modulus, offset;
	nft_advance(p);
	bool inc = nft_is_word(p, "inc");
	if (!inc && !nft_is_word(p, "random"))
		return nft_expected(p, "random or inc");
	nft_advance(p);
	int code = parse_modulus(p, &modulus);
	if (!code)
		code = parse_offset(p, &offset);
	if (code)
		return code;
	*out = nft_build_node(p, N_NUMGEN);
	struct nft_node *n = nft_built(p, *out);
	n->op = inc;
	n->left = (uint32_t)modulus;
	n->right = (uint32_t)offset;
	n->type = NT_INTEGER;
	n->bytes = 4;
	p->stateful |= inc;
	return 0;
}

static int parse_concat(struct nft_parser *p, uint32_t *out);

static int parse_jhash(struct nft_parser *p, uint32_t *out)
{
	uint64_t modulus, offset, seed = 0;
	uint32_t operand;
	nft_advance(p);
	int code = parse_concat(p, &operand);
	if (!code)
		code = parse_modulus(p, &modulus);
	bool seeded = !code && nft_accept_word(p, "seed");
	if (seeded)
		code = nft_need_number(p, UINT32_MAX, &seed);
	if (!code)
		code = parse_offset(p, &offset);
	if (code)
		return code;
	nft_remember(p, operand);
	*out = nft_build_node(p, N_JHASH);
	struct nft_node *n = nft_built(p, *out);
	n->left = operand;
	n->right = (uint32_t)modulus;
	n->extra = (uint32_t)offset;
	n->number[0] = seed;
	n->flags = seeded;
	n->type = NT_INTEGER;
	n->bytes = 4;
	return 0;
}

static int parse_primary(struct nft_parser *p, uint32_t *out)
{
	const struct nft_token *t = &p->token;
	if (word_in(t, foreign))
		return NFT_NOT_KNOWN;
	if (nft_is_word(p, "meta") || word_in(t, bare) || word_in(t, foreign_meta))
		return parse_meta(p, out);
	if (nft_is_word(p, "ct"))
		return parse_ct(p, out);
	if (nft_is_word(p, "fib"))
		return parse_fib(p, out);
	if (nft_is_word(p, "numgen"))
		return parse_numgen(p, out);
	if (nft_is_word(p, "jhash"))
		return parse_jhash(p, out);
	if (nft_is(p, '@'))
		return parse_raw(p, out);
	if (t->kind == TK_WORD && nft_is_header(t->text, t->length))
		return parse_field(p, out);
	return nft_expected(p, "an expression such as ip daddr, meta mark or ct state");
}

/* ---- operators ------------------------------------------------------------------------- */

enum operator { NO_OPERATOR, BIT_OR, BIT_XOR, BIT_AND, SHIFT_LEFT, SHIFT_RIGHT };

static enum operator operator_here(const struct nft_parser *p)
{
	if (nft_is(p, '|') || nft_is_word(p, "or"))
		return BIT_OR;
	if (nft_is(p, '^') || nft_is_word(p, "xor"))
		return BIT_XOR;
	if (nft_is(p, '&') || nft_is_word(p, "and"))
		return BIT_AND;
	if (nft_is(p, TK_LSHIFT) || nft_is_word(p, "lshift"))
		return SHIFT_LEFT;
	if (nft_is(p, TK_RSHIFT) || nft_is_word(p, "rshift"))
		return SHIFT_RIGHT;
	return NO_OPERATOR;
}

static void apply_bits(enum operator op, uint8_t *a, const uint8_t *b, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		a[i] = (uint8_t)(op == BIT_OR ? a[i] | b[i] : op == BIT_XOR ? a[i] ^ b[i] :
				 a[i] & b[i]);
}

static int constant_atom(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 uint8_t out[NFT_VALUE]);

/* Precedence climbing: operators that bind at least as tight as `least`. */
static int constant(struct nft_parser *p, enum nft_type type, unsigned bytes, enum operator least,
		    uint8_t out[NFT_VALUE])
{
	int code = constant_atom(p, type, bytes, out);
	while (!code) {
		enum operator op = operator_here(p);
		uint8_t right[NFT_VALUE];
		if (op == NO_OPERATOR || op < least || op >= SHIFT_LEFT)
			return 0;
		nft_advance(p);
		code = constant(p, type, bytes, op + 1, right);
		if (!code)
			apply_bits(op, out, right, bytes);
	}
	return code;
}

static const char *type_wanted(enum nft_type type)
{
	static const char *const wanted[NT_COUNT] = {
		[NT_INTEGER] = "a number", [NT_IPV4] = "an IPv4 address",
		[NT_IPV6] = "an IPv6 address", [NT_ETHER] = "a MAC address",
		[NT_PROTO] = "a protocol", [NT_SERVICE] = "a port", [NT_MARK] = "a mark",
		[NT_IFINDEX] = "an interface", [NT_IFNAME] = "the name of an interface",
	};
	return wanted[type] ? wanted[type] : nft_type_info(type)->name;
}

static int no_interface(struct nft_parser *p, const uint8_t *name)
{
	bool wild = memchr(name, '*', NFT_VALUE) != NULL;
	if (!wild &&
	    (p->from_file || !p->r->ns || netns_iface_by_name(p->r->ns, (const char *)name)))
		return 0;
	return nft_fail_at(p, &p->token, ENOENT,
			   "interface %.15s does not exist: expected one that is "
			   "there (iifname and oifname take names of others)",
			   (const char *)name);
}

static int constant_atom(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 uint8_t out[NFT_VALUE])
{
	const struct nft_token *t = &p->token;
	if (nft_is(p, '(')) {
		if (p->nesting >= NFT_NESTING)
			return nft_expected(p, "fewer parentheses");
		p->nesting++;
		nft_advance(p);
		int code = constant(p, type, bytes, BIT_OR, out);
		p->nesting--;
		return code ? code : nft_need(p, ')', "\")\"");
	}
	bool right = t->kind == TK_NUMBER || t->kind == TK_WORD || t->kind == TK_ADDRESS ||
		     t->kind == TK_STRING;
	if (t->kind == '$')
		return nft_fail_at(p, t, EINVAL, "svclab reads no variables: expected %s",
				   type_wanted(type));
	if (type == NT_CLASSID && t->kind == TK_NUMBER && *p->lexer.at == ':') {
		struct nft_token whole = *t;
		nft_advance(p);
		nft_advance(p);
		whole.length = (uint32_t)(p->token.text + p->token.length - whole.text);
		if (!nft_value_parse(type, whole.text, whole.length, bytes, out))
			return nft_expected(p, "a handle such as 1:2");
		nft_advance(p);
		return 0;
	}
	if (!right || !nft_value_parse(type, t->text, t->length, bytes, out))
		return nft_expected(p, "%s", type_wanted(type));
	int code = type == NT_IFINDEX ? no_interface(p, out) : 0;
	nft_advance(p);
	return code;
}

int nft_parse_constant(struct nft_parser *p, enum nft_type type, unsigned bytes,
		       uint8_t out[NFT_VALUE])
{
	return constant(p, type, bytes, BIT_OR, out);
}

/* ((x & mask) ^ xor): how the kernel keeps all of and, or, xor with constants. */
static void fold(struct nft_parser *p, uint32_t *left, enum operator op, const uint8_t *c)
{
	struct nft_node *n = nft_built(p, *left);
	enum nft_type type = n->type;
	unsigned bytes = n->bytes;
	if (n->kind != N_BITWISE) {
		uint8_t ones[NFT_VALUE], zeros[NFT_VALUE] = { 0 };
		memset(ones, 0xff, sizeof ones);
		uint32_t mask = nft_build_value(p, type, bytes, ones);
		uint32_t xor = nft_build_value(p, type, bytes, zeros);
		uint32_t at = nft_build_node(p, N_BITWISE);
		n = nft_built(p, at);
		*n = (struct nft_node){ .kind = N_BITWISE, .type = (uint8_t)type,
					.bytes = (uint8_t)bytes, .left = *left, .right = mask,
					.extra = xor };
		*left = at;
	}
	uint8_t *mask = nft_built(p, n->right)->value, *xor = nft_built(p, n->extra)->value;
	for (unsigned i = 0; i < bytes; i++) {
		if (op == BIT_AND) {
			mask[i] &= c[i];
			xor[i] &= c[i];
		} else if (op == BIT_XOR) {
			xor[i] ^= c[i];
		} else {
			mask[i] &= (uint8_t)~c[i];
			xor[i] |= c[i];
		}
	}
}

static int shift(struct nft_parser *p, uint32_t *left, enum operator op)
{
	uint64_t amount;
	int code = nft_need_number(p, 63, &amount);
	if (code)
		return code;
	uint32_t at = nft_build_node(p, N_SHIFT);
	struct nft_node *n = nft_built(p, at), *l = nft_built(p, *left);
	n->op = op == SHIFT_RIGHT;
	n->left = *left;
	n->right = (uint32_t)amount;
	n->type = l->type;
	n->bytes = l->bytes;
	*left = at;
	return 0;
}

static int parse_term(struct nft_parser *p, uint32_t *out)
{
	bool paren = nft_is(p, '(');
	if (p->nesting >= NFT_NESTING)
		return nft_expected(p, "fewer parentheses");
	if (paren)
		nft_advance(p);
	p->nesting++;
	int code = paren ? parse_term(p, out) : parse_primary(p, out);
	p->nesting--;
	if (!code && paren)
		code = nft_need(p, ')', "\")\"");
	unsigned operators = 0;
	for (enum operator op; !code && (op = operator_here(p)) != NO_OPERATOR;) {
		const struct nft_node *left = nft_built(p, *out);
		uint8_t c[NFT_VALUE];
		if (++operators > NFT_NESTING)
			return nft_expected(p, "fewer operators");
		nft_advance(p);
		if (op >= SHIFT_LEFT) {
			code = shift(p, out, op);
			continue;
		}
		if (nft_is_primary(p))
			return NFT_NOT_KNOWN;
		code = constant(p, left->type, left->bytes, op + 1, c);
		if (!code)
			fold(p, out, op, c);
	}
	return code;
}

static int parse_concat(struct nft_parser *p, uint32_t *out)
{
	uint32_t last, at, first;
	unsigned size, count = 1;
	int code = parse_term(p, out);
	if (code || !nft_is(p, '.'))
		return code;
	first = last = *out;
	size = (nft_built(p, first)->bytes + 3u) / 4 * 4;
	while (nft_accept(p, '.')) {
		code = parse_term(p, &at);
		if (code)
			return code;
		nft_built(p, last)->next = at;
		last = at;
		size += (nft_built(p, at)->bytes + 3u) / 4 * 4;
		if (++count > NFT_FIELDS || size > NFT_KEY)
			return nft_expected(p, "a shorter concatenation");
	}
	*out = nft_build_node(p, N_CONCAT);
	nft_built(p, *out)->left = first;
	nft_built(p, *out)->bytes = (uint8_t)size;
	return 0;
}

int nft_parse_expr(struct nft_parser *p, uint32_t *out)
{
	return parse_concat(p, out);
}

void nft_expr_layout(const struct nft_parser *p, uint32_t expr, struct nft_layout *out)
{
	const struct nft_node *n = nft_built(p, expr);
	*out = (struct nft_layout){ 0 };
	if (n->kind != N_CONCAT) {
		nft_layout_add(out, n->type, n->bytes);
		return;
	}
	for (uint32_t at = n->left; at; at = nft_built(p, at)->next)
		nft_layout_add(out, nft_built(p, at)->type, nft_built(p, at)->bytes);
}
