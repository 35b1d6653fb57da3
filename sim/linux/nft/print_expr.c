/* linux/nft/print_expr.c: expressions and matches as nft 1.0.6 prints them. */
#include "linux/nft/internal.h"

#include <string.h>

static void print_prefix(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	const struct nft_node *v = nft_at(r, n->left);
	if (v->type == NT_IFNAME) {
		strbuf_printf(out, "\"%.*s*\"", (int)n->right / 8, (const char *)v->value);
		return;
	}
	nft_value_print(v->type, v->value, v->bytes, out);
	strbuf_printf(out, "/%u", n->right);
}

static void print_concat(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	const char *dot = "";
	for (const struct nft_node *c = nft_at(r, n->left); c; c = nft_next(r, c)) {
		strbuf_puts(out, dot);
		nft_print_expr(r, c, out);
		dot = " . ";
	}
}

static void print_meta(const struct nft_node *n, struct strbuf *out)
{
	bool bare = n->op == NM_IIF || n->op == NM_OIF || n->op == NM_IIFNAME ||
		    n->op == NM_OIFNAME || n->op == NM_IIFGROUP || n->op == NM_OIFGROUP;
	strbuf_printf(out, "%s%s", bare ? "" : "meta ", nft_meta_keys[n->op].name);
}

static void print_ct(unsigned key, uint32_t direction, struct strbuf *out)
{
	strbuf_printf(out, "ct %s%s", direction == 1 ? "original " : direction == 2 ? "reply " : "",
		      nft_ct_keys[key].name);
}

static void print_fib(const struct nft_node *n, struct strbuf *out)
{
	static const char *const flags[] = { "saddr", "daddr", "mark", "iif", "oif" };
	static const char *const results[] = { "oif", "oifname", "type" };
	const char *dot = "fib ";
	for (unsigned i = 0; i < 5; i++) {
		if (!(n->flags & 1u << i))
			continue;
		strbuf_printf(out, "%s%s", dot, flags[i]);
		dot = " . ";
	}
	strbuf_printf(out, " %s", results[n->op]);
}

/* The kernel keeps (x & mask) ^ xor; nft reads and, xor and or back from it. */
static void print_bitwise(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	const uint8_t *mask = nft_at(r, n->right)->value, *xor = nft_at(r, n->extra)->value;
	uint8_t and[NFT_VALUE], flip[NFT_VALUE], or[NFT_VALUE];
	bool has_and = false, has_flip = false, has_or = false;
	for (unsigned i = 0; i < n->bytes; i++) {
		or[i] = (uint8_t)(~mask[i] & xor[i]);
		and[i] = mask[i] | or[i];
		flip[i] = xor[i] & mask[i];
		has_or |= or[i] != 0;
		has_and |= and[i] != 0xff;
		has_flip |= flip[i] != 0;
	}
	nft_print_expr(r, nft_at(r, n->left), out);
	if (has_and || (!has_flip && !has_or)) {
		strbuf_puts(out, " & ");
		nft_value_print(n->type, and, n->bytes, out);
	}
	if (has_flip) {
		strbuf_puts(out, " ^ ");
		nft_value_print(n->type, flip, n->bytes, out);
	}
	if (has_or) {
		strbuf_puts(out, " | ");
		nft_value_print(n->type, or, n->bytes, out);
	}
}

static void print_generators(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	uint32_t offset = n->kind == N_NUMGEN ? n->right : n->extra;
	if (n->kind == N_NUMGEN) {
		strbuf_printf(out, "numgen %s mod %u", n->op ? "inc" : "random", n->left);
	} else {
		strbuf_puts(out, "jhash ");
		nft_print_expr(r, nft_at(r, n->left), out);
		strbuf_printf(out, " mod %u", n->right);
		if (n->flags)
			strbuf_printf(out, " seed 0x%llx", (unsigned long long)n->number[0]);
	}
	if (offset)
		strbuf_printf(out, " offset %u", offset);
}

static void print_set_ref(const struct nft_set *s, struct strbuf *out)
{
	if (s->name)
		strbuf_printf(out, "@%s", s->name);
	else
		nft_print_elements(s, 0, out);
}

void nft_print_expr(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	static const char *const bases[] = { "ll", "nh", "th" };
	const struct nft_payload *f;
	switch (n->kind) {
	case N_VALUE:
		nft_value_print(n->type, n->value, n->bytes, out);
		break;
	case N_PREFIX:
		print_prefix(r, n, out);
		break;
	case N_RANGE:
		nft_print_expr(r, nft_at(r, n->left), out);
		strbuf_putc(out, '-');
		nft_print_expr(r, nft_at(r, n->right), out);
		break;
	case N_CONCAT:
		print_concat(r, n, out);
		break;
	case N_META:
		print_meta(n, out);
		break;
	case N_CT:
		print_ct(n->op, n->flags, out);
		break;
	case N_PAYLOAD:
		f = nft_payload(n->op);
		strbuf_printf(out, "%s %s", f->header, f->name);
		break;
	case N_RAW:
		strbuf_printf(out, "@%s,%u,%u", bases[n->op], n->left, n->right);
		break;
	case N_FIB:
		print_fib(n, out);
		break;
	case N_NUMGEN:
	case N_JHASH:
		print_generators(r, n, out);
		break;
	case N_BITWISE:
		print_bitwise(r, n, out);
		break;
	case N_SHIFT:
		nft_print_expr(r, nft_at(r, n->left), out);
		strbuf_printf(out, " %s %u", n->op ? ">>" : "<<", n->right);
		break;
	case N_SET:
		print_set_ref(n->set, out);
		break;
	case N_MAP:
		nft_print_expr(r, nft_at(r, n->left), out);
		strbuf_puts(out, " map ");
		print_set_ref(n->set, out);
		break;
	default:
		break;
	}
}

/* ---- matches -------------------------------------------------------------------------------- */

static unsigned bits_set(const uint8_t *value, unsigned bytes)
{
	unsigned n = 0;
	for (unsigned i = 0; i < bytes; i++)
		n += (unsigned)__builtin_popcount(value[i]);
	return n;
}

/* Flags under a mask: "x ! m", "x & m == v" for a mask of one bit, else "x v / m". */
static void print_masked_flags(const struct nft_rule *r, const struct nft_node *n,
			       const struct nft_node *left, const struct nft_node *right,
			       struct strbuf *out)
{
	const struct nft_node *mask = nft_at(r, left->right);
	nft_print_expr(r, nft_at(r, left->left), out);
	if (n->op == OP_EQ && !bits_set(right->value, right->bytes)) {
		strbuf_puts(out, " ! ");
		nft_flags_print(mask->type, mask->value, mask->bytes, ",", out);
	} else if (bits_set(mask->value, mask->bytes) == 1) {
		strbuf_puts(out, " & ");
		nft_flags_print(mask->type, mask->value, mask->bytes, ",", out);
		strbuf_puts(out, n->op == OP_EQ ? " == " : " != ");
		nft_flags_print(right->type, right->value, right->bytes, ",", out);
	} else {
		strbuf_puts(out, n->op == OP_EQ ? " " : " != ");
		nft_flags_print(right->type, right->value, right->bytes, ",", out);
		strbuf_puts(out, " / ");
		nft_flags_print(mask->type, mask->value, mask->bytes, ",", out);
	}
}

static void print_flag_value(const struct nft_node *right, struct strbuf *out)
{
	if (right->type == NT_TCP_FLAG && bits_set(right->value, right->bytes) > 1)
		strbuf_printf(out, "0x%x", (unsigned)nft_number(right->value, right->bytes));
	else
		nft_value_print(right->type, right->value, right->bytes, out);
}

void nft_print_match(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	static const char *const ops[] = { "==", "!=", "<", ">", "<=", ">=" };
	const struct nft_node *left = nft_at(r, n->left), *right = nft_at(r, n->right);
	bool flags = right->kind == N_VALUE && nft_type_info(right->type)->flags;
	if (flags && left->kind == N_BITWISE && n->op <= OP_NE &&
	    !bits_set(nft_at(r, left->extra)->value, left->bytes)) {
		print_masked_flags(r, n, left, right, out);
		return;
	}
	nft_print_expr(r, left, out);
	strbuf_putc(out, ' ');
	if (n->op == OP_ANY) {
		nft_flags_print(right->type, right->value, right->bytes, ",", out);
		return;
	}
	bool shown = n->op != OP_EQ || flags || left->kind == N_BITWISE || left->kind == N_SHIFT;
	if (shown && !(n->op == OP_EQ && right->kind == N_SET))
		strbuf_printf(out, "%s ", ops[n->op]);
	if (right->kind == N_VALUE && left->kind == N_FIB && left->op == FIB_OIF &&
	    !right->value[0] && right->type != NT_BOOLEAN)
		strbuf_putc(out, '0');
	else if (flags)
		print_flag_value(right, out);
	else
		nft_print_expr(r, right, out);
}
