/* linux/nft/print_stmt.c: statements and rules as nft 1.0.6 prints them. */
#include "linux/nft/internal.h"

const struct nft_symbol nft_log_levels[] = {
	{ "emerg", 0 }, { "alert", 1 }, { "crit", 2 }, { "err", 3 }, { "warn", 4 }, { "notice", 5 },
	{ "info", 6 }, { "debug", 7 }, { "audit", 8 }, { NULL, 0 },
};

/* NF_LOG_*: TCPSEQ, TCPOPT, IPOPT, UID, MACDECODE, MASK. */
const struct nft_symbol nft_log_flags[] = {
	{ "sequence", 1 }, { "options", 2 }, { "skuid", 8 }, { "ether", 32 }, { "all", 47 },
	{ NULL, 0 },
};

const struct nft_symbol nft_limit_units[] = {
	{ "second", 0 }, { "minute", 1 }, { "hour", 2 }, { "day", 3 }, { "week", 4 }, { NULL, 0 },
};

const struct nft_symbol nft_nat_flags[] = {
	{ "random", NN_RANDOM }, { "fully-random", NN_FULLY }, { "persistent", NN_PERSISTENT },
	{ NULL, 0 },
};

void nft_print_verdict(uint8_t code, const struct nft_chain *chain, struct strbuf *out)
{
	static const char *const names[] = { "", "accept", "drop", "continue", "return", "jump",
					     "goto" };
	strbuf_puts(out, names[code]);
	if (chain)
		strbuf_printf(out, " %s", chain->name);
}

static const char *byte_unit(uint64_t *bytes)
{
	static const char *const units[] = { "bytes", "kbytes", "mbytes" };
	unsigned i = 0;
	while (i < 2 && *bytes && *bytes % 1024 == 0) {
		*bytes /= 1024;
		i++;
	}
	return units[i];
}

static void print_limit(const struct nft_node *n, struct strbuf *out)
{
	uint64_t rate = n->number[0], burst = n->number[1];
	bool bytes = n->flags & NL_BYTES;
	const char *unit = bytes ? byte_unit(&rate) : NULL;
	strbuf_printf(out, "limit rate %s%llu%s%s/%s", n->flags & NL_OVER ? "over " : "",
		      (unsigned long long)rate, unit ? " " : "", unit ? unit : "",
		      nft_symbol_name(nft_limit_units, n->op));
	if (bytes && burst) {
		unit = byte_unit(&burst);
		strbuf_printf(out, " burst %llu %s", (unsigned long long)burst, unit);
	} else if (!bytes && burst && burst != 5) {
		strbuf_printf(out, " burst %llu packets", (unsigned long long)burst);
	}
}

static void print_quota(const struct nft_node *n, struct strbuf *out)
{
	/* The kernel says no more than the quota. */
	uint64_t bytes = n->number[0], used = n->number[1] < bytes ? n->number[1] : bytes;
	const char *unit = byte_unit(&bytes);
	strbuf_printf(out, "quota %s%llu %s", n->flags & NL_OVER ? "over " : "",
		      (unsigned long long)bytes, unit);
	if (used) {
		unit = byte_unit(&used);
		strbuf_printf(out, " used %llu %s", (unsigned long long)used, unit);
	}
}

static void print_log_flags(uint32_t flags, struct strbuf *out)
{
	if ((flags & 47) == 47) {
		strbuf_puts(out, " flags all");
		return;
	}
	if (flags & 3)
		strbuf_printf(out, " flags tcp %s%s%s", flags & 1 ? "sequence" : "",
			      (flags & 3) == 3 ? "," : "", flags & 2 ? "options" : "");
	if (flags & 4)
		strbuf_puts(out, " flags ip options");
	if (flags & 8)
		strbuf_puts(out, " flags skuid");
	if (flags & 32)
		strbuf_puts(out, " flags ether");
}

static void print_log(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	strbuf_puts(out, "log");
	if (n->left)
		strbuf_printf(out, " prefix \"%s\"", nft_text_at(r, n->left));
	if (n->right)
		strbuf_printf(out, " group %u", n->right - 1);
	if (n->extra)
		strbuf_printf(out, " snaplen %u", n->extra);
	if (n->number[0])
		strbuf_printf(out, " queue-threshold %llu", (unsigned long long)n->number[0]);
	if (n->op)
		strbuf_printf(out, " level %s", nft_symbol_name(nft_log_levels, n->op - 1u));
	print_log_flags(n->flags, out);
}

static void print_reject(const struct nft_node *n, struct strbuf *out)
{
	static const char *const words[] = { "", "tcp reset", "icmp ", "icmpv6 ", "icmpx " };
	static const uint8_t types[] = { NT_NONE, NT_NONE, NT_ICMP_CODE, NT_ICMPV6_CODE,
					 NT_ICMPX_CODE };
	uint8_t code = (uint8_t)n->right;
	strbuf_puts(out, "reject");
	if (n->op == NR_DEFAULT)
		return;
	strbuf_printf(out, " with %s", words[n->op]);
	if (n->op != NR_RESET)
		nft_value_print(types[n->op], &code, 1, out);
}

/* "10.0.0.1", "[fd00::1]" before a port, "10.0.0.1-10.0.0.9". */
static void print_nat_address(const struct nft_rule *r, const struct nft_node *n,
			      struct strbuf *out)
{
	const struct nft_node *a = nft_at(r, n->left);
	bool bracket = n->right && n->type == NET_V6 &&
		       (a->kind == N_VALUE || a->kind == N_RANGE || a->kind == N_PREFIX);
	if (!bracket) {
		nft_print_expr(r, a, out);
		return;
	}
	strbuf_putc(out, '[');
	nft_print_expr(r, a->kind == N_RANGE ? nft_at(r, a->left) : a, out);
	strbuf_putc(out, ']');
	if (a->kind == N_RANGE) {
		strbuf_puts(out, "-[");
		nft_print_expr(r, nft_at(r, a->right), out);
		strbuf_putc(out, ']');
	}
}

static void print_nat(const struct nft_rule *r, const struct nft_node *n, uint8_t family,
		      struct strbuf *out)
{
	static const char *const words[] = { "dnat", "snat", "masquerade", "redirect" };
	const char *space = " ";
	strbuf_puts(out, words[n->op]);
	if (n->left && n->type && (family == NFT_INET || n->flags & (NN_CONCAT | NN_PREFIX)))
		strbuf_puts(out, n->type == NET_V4 ? " ip" : " ip6");
	if (n->flags & NN_PREFIX)
		strbuf_puts(out, " prefix");
	if (n->left || n->right)
		strbuf_puts(out, " to ");
	if (n->left)
		print_nat_address(r, n, out);
	if (n->right) {
		strbuf_putc(out, ':');
		nft_print_expr(r, nft_at(r, n->right), out);
	}
	for (const struct nft_symbol *f = nft_nat_flags; f->name; f++) {
		if (!(n->flags & f->value))
			continue;
		strbuf_printf(out, "%s%s", space, f->name);
		space = ",";
	}
}

static void print_dynset(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	static const char *const ops[] = { "add", "update", "delete" };
	strbuf_printf(out, "%s @%s { ", ops[n->op], n->set->name);
	nft_print_expr(r, nft_at(r, n->left), out);
	if (n->number[1]) {
		strbuf_puts(out, " timeout ");
		nft_time_print(n->number[1], out);
	}
	for (const struct nft_node *s = n->extra ? nft_at(r, n->extra) : NULL; s;
	     s = nft_next(r, s)) {
		strbuf_putc(out, ' ');
		if (s->kind == N_COUNTER)
			strbuf_puts(out, "counter");
		else
			nft_print_statement(r, s, NFT_INET, out);
	}
	if (n->right) {
		strbuf_puts(out, " : ");
		nft_print_expr(r, nft_at(r, n->right), out);
	}
	strbuf_puts(out, " }");
}

static void print_queue(const struct nft_node *n, struct strbuf *out)
{
	strbuf_puts(out, "queue");
	if (n->flags & (NQ_BYPASS | NQ_FANOUT))
		strbuf_printf(out, " flags %s%s%s", n->flags & NQ_BYPASS ? "bypass" : "",
			      (n->flags & 3) == 3 ? "," : "", n->flags & NQ_FANOUT ? "fanout" : "");
	strbuf_printf(out, " to %u", n->left);
	if (n->right != n->left)
		strbuf_printf(out, "-%u", n->right);
}

static void print_assignment(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out)
{
	if (n->kind == N_SET_META)
		strbuf_printf(out, "meta %s set ", nft_meta_keys[n->op].name);
	else if (n->kind == N_SET_CT)
		strbuf_printf(out, "ct %s%s set ", n->flags == 1 ? "original " :
			      n->flags == 2 ? "reply " : "", nft_ct_keys[n->op].name);
	else
		strbuf_printf(out, "%s %s set ", nft_payload(n->op)->header,
			      nft_payload(n->op)->name);
	nft_print_expr(r, nft_at(r, n->left), out);
}

void nft_print_statement(const struct nft_rule *r, const struct nft_node *n, uint8_t family,
			 struct strbuf *out)
{
	switch (n->kind) {
	case N_MATCH:
		nft_print_match(r, n, out);
		break;
	case N_COUNTER:
		strbuf_printf(out, "counter packets %llu bytes %llu",
			      (unsigned long long)n->number[0], (unsigned long long)n->number[1]);
		break;
	case N_OBJECT:
		strbuf_printf(out, "counter name \"%s\"", n->object->name);
		break;
	case N_LIMIT:
		print_limit(n, out);
		break;
	case N_QUOTA:
		print_quota(n, out);
		break;
	case N_LOG:
		print_log(r, n, out);
		break;
	case N_REJECT:
		print_reject(n, out);
		break;
	case N_VERDICT:
		nft_print_verdict(n->op, n->chain, out);
		break;
	case N_VMAP:
		nft_print_expr(r, nft_at(r, n->left), out);
		strbuf_puts(out, " vmap ");
		if (n->set->name)
			strbuf_printf(out, "@%s", n->set->name);
		else
			nft_print_elements(n->set, 0, out);
		break;
	case N_SET_META:
	case N_SET_CT:
	case N_SET_PAYLOAD:
		print_assignment(r, n, out);
		break;
	case N_NOTRACK:
		strbuf_puts(out, "notrack");
		break;
	case N_NAT:
		print_nat(r, n, family, out);
		break;
	case N_DYNSET:
		print_dynset(r, n, out);
		break;
	case N_QUEUE:
		print_queue(n, out);
		break;
	case N_CLAMP:
		strbuf_puts(out, "tcp option maxseg size set rt mtu");
		break;
	case N_UNKNOWN:
		strbuf_puts(out, nft_text_at(r, n->left));
		break;
	default:
		break;
	}
}

void nft_print_statements(const struct nft_rule *r, uint32_t first, uint8_t family,
			  struct strbuf *out)
{
	const char *space = "";
	for (const struct nft_node *n = first ? nft_at(r, first) : NULL; n; n = nft_next(r, n)) {
		strbuf_puts(out, space);
		nft_print_statement(r, n, family, out);
		space = " ";
	}
}

void nft_print_rule(const struct nft_rule *r, struct strbuf *out)
{
	nft_print_statements(r, r->first, r->chain->table->family, out);
	if (r->comment)
		strbuf_printf(out, " comment \"%s\"", nft_text_at(r, r->comment));
}
