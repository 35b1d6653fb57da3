/* linux/nft/eval_expr.c: what expressions read from a packet, and matches.
 *
 * An expression that cannot be read (no such header, no such interface) ends the rule:
 * the kernel's NFT_BREAK. Facts: net/netfilter/nft_meta.c, nft_payload.c, nft_ct.c,
 * nft_fib.c, nft_numgen.c, nft_hash.c, nft_bitwise.c, nft_cmp.c.
 */
#include "linux/nft/eval.h"

#include <string.h>

#include "linux/conntrack.h"

static enum nft_answer undecided(struct nft_eval *e, const char *why)
{
	e->undecided = why;
	return NA_UNDECIDED;
}

static enum nft_answer number(struct nft_result *out, unsigned bytes, uint64_t value)
{
	nft_put_number(out->bytes, bytes, value);
	out->size = (uint8_t)((bytes + 3) / 4 * 4);
	memset(out->bytes + bytes, 0, out->size - bytes);
	return NA_YES;
}

static enum nft_answer name(struct nft_result *out, const char *text)
{
	memset(out->bytes, 0, NFT_VALUE);
	strncpy((char *)out->bytes, text, NFT_VALUE - 1);
	out->size = NFT_VALUE;
	return NA_YES;
}

static enum nft_answer address(struct nft_result *out, const struct net_addr *a)
{
	out->size = a->family == NET_V6 ? 16 : 4;
	memcpy(out->bytes, a->bytes, out->size);
	return NA_YES;
}

/* ---- meta ----------------------------------------------------------------------------------- */

static uint64_t packet_type(const struct packet *p)
{
	struct net_addr dst = packet_dst(p);
	if (p->length >= ETHER_BYTES && (p->bytes[0] & 1))
		return memcmp(p->bytes, "\xff\xff\xff\xff\xff\xff", 6) == 0 ? 1 : 2;
	return net_addr_is_multicast(&dst) ? 2 : 0;
}

static enum nft_answer eval_meta(struct nft_eval *e, const struct nft_node *n,
				 struct nft_result *out)
{
	const struct packet *p = e->packet;
	switch (n->op) {
	case NM_MARK:
		return number(out, 4, p->mark);
	case NM_L4PROTO:
		return number(out, 1, p->proto);
	case NM_NFPROTO:
		return number(out, 1, p->family == NET_V6 ? 10 : 2);
	case NM_PROTOCOL:
		return number(out, 2, p->family == NET_V6 ? 0x86dd : 0x800);
	case NM_IIF:
	case NM_IIFNAME:
		return name(out, p->in_if ? netns_iface_name(e->ns, p->in_if) : "");
	case NM_OIF:
	case NM_OIFNAME:
		return name(out, p->out_if ? netns_iface_name(e->ns, p->out_if) : "");
	case NM_PKTTYPE:
		return number(out, 1, packet_type(p));
	case NM_LENGTH:
		return number(out, 4, p->length - p->l3);
	case NM_PRIORITY:
		return number(out, 4, p->priority);
	case NM_RANDOM:
		return number(out, 4, choice_uniform(netns_env(e->ns)->choice, "backend",
						     UINT64_C(1) << 32));
	case NM_NFTRACE:
		return number(out, 1, 0);
	case NM_SKUID:
	case NM_SKGID:
		if (!p->owner_sock)
			return NA_NO;
		return undecided(e, "users and groups of processes are not modelled");
	default:
		return undecided(e, "this key of meta is not modelled");
	}
}

/* ---- headers ----------------------------------------------------------------------------------
 */

/* `bits` bits from bit `at` of the header, as a number at the low end of its bytes. */
static enum nft_answer read_bits(const struct packet *p, uint32_t base, unsigned at, unsigned bits,
				 struct nft_result *out)
{
	unsigned bytes = (bits + 7) / 8, last = at + bits - 1;
	uint64_t end = (uint64_t)base + last / 8 + 1;
	if (end > p->length)
		return NA_NO;
	out->size = (uint8_t)((bytes + 3) / 4 * 4);
	memset(out->bytes, 0, out->size);
	for (unsigned i = 0; i < bits; i++) {
		unsigned from = at + bits - 1 - i, to = bytes * 8 - 1 - i;
		if (p->bytes[base + from / 8] & (0x80 >> from % 8))
			out->bytes[to / 8] |= (uint8_t)(0x80 >> to % 8);
	}
	return NA_YES;
}

/* Whether the packet has this header at all; *base is where it begins. */
static bool has_header(const struct packet *p, enum nft_header h, uint32_t *base)
{
	uint8_t proto = nft_header_proto(h);
	*base = 0;
	if (h == NH_ETHER)
		return p->length >= ETHER_BYTES;
	*base = p->l3;
	if (h == NH_IP || h == NH_IP6)
		return p->family == (h == NH_IP ? NET_V4 : NET_V6);
	*base = p->l4;
	return p->l4 && !p->fragment && (!proto || p->proto == proto);
}

static enum nft_answer eval_payload(const struct nft_eval *e, const struct nft_node *n,
				    struct nft_result *out)
{
	const struct nft_payload *f = nft_payload(n->op);
	const struct packet *p = e->packet;
	uint32_t base;
	if (!has_header(p, f->proto, &base))
		return NA_NO;
	if ((f->offset | f->bits) % 8)
		return read_bits(p, base, f->offset, f->bits, out);
	unsigned bytes = f->bits / 8u;
	if (base + f->offset / 8u + bytes > p->length)
		return NA_NO;
	out->size = (uint8_t)((bytes + 3) / 4 * 4);
	memcpy(out->bytes, p->bytes + base + f->offset / 8u, bytes);
	memset(out->bytes + bytes, 0, out->size - bytes);
	return NA_YES;
}

static enum nft_answer eval_raw(const struct nft_eval *e, const struct nft_node *n,
				struct nft_result *out)
{
	static const enum nft_header headers[] = { NH_ETHER, NH_IP, NH_TH };
	uint32_t base;
	enum nft_header h = headers[n->op];
	if (n->op == NB_NETWORK && e->packet->family == NET_V6)
		h = NH_IP6;
	return has_header(e->packet, h, &base) ? read_bits(e->packet, base, n->left, n->right, out)
					       : NA_NO;
}

/* ---- conntrack ----------------------------------------------------------------------------------
 */

static uint64_t state_bits(const struct packet *p)
{
	unsigned s = ct_state(p);
	return (s & CT_INVALID ? 1u : 0) | (s & CT_ESTABLISHED ? 2u : 0) |
	       (s & CT_RELATED ? 4u : 0) | (s & CT_NEW ? 8u : 0) | (s & CT_UNTRACKED ? 64u : 0);
}

static enum nft_answer eval_tuple(const struct nft_node *n, const struct flow_key *k,
				  uint8_t family, struct nft_result *out)
{
	switch (n->op) {
	case NC_SADDR:
	case NC_IP_SADDR:
	case NC_IP6_SADDR:
		return k->src.family == family ? address(out, &k->src) : NA_NO;
	case NC_DADDR:
	case NC_IP_DADDR:
	case NC_IP6_DADDR:
		return k->dst.family == family ? address(out, &k->dst) : NA_NO;
	case NC_PROTO_SRC:
		return number(out, 2, k->src_port);
	case NC_PROTO_DST:
		return number(out, 2, k->dst_port);
	case NC_L3PROTO:
		return number(out, 1, k->src.family == NET_V6 ? 10 : 2);
	default:
		return number(out, 1, k->proto);
	}
}

static enum nft_answer eval_ct(struct nft_eval *e, const struct nft_node *n,
			       struct nft_result *out)
{
	const struct packet *p = e->packet;
	struct flow_key original, reply;
	if (n->op == NC_STATE)
		return number(out, 4, state_bits(p));
	if (!nft_ct_keys[n->op].decided)
		return undecided(e, "this key of ct is not modelled");
	if (!ct_tuples(p, &original, &reply))
		return NA_NO;
	if (n->op == NC_DIRECTION)
		return number(out, 1, ct_is_reply(p));
	if (n->op == NC_STATUS)
		return number(out, 4, ct_status(p));
	if (n->op == NC_MARK)
		return number(out, 4, ct_mark(p));
	return eval_tuple(n, n->flags == 2 ? &reply : &original,
			  n->type == NT_IPV6 ? NET_V6 : NET_V4, out);
}

/* ---- fib
 * ------------------------------------------------------------------------------------------ */

static enum nft_answer fib_result(struct nft_eval *e, const struct nft_node *n, uint16_t oif,
				  struct nft_result *out)
{
	if (n->flags & NF_PRESENT)
		return number(out, 1, oif != 0);
	return name(out, oif ? netns_iface_name(e->ns, oif) : "");
}

/* nft_fib_ipv4.c: a route to the address, for `saddr` as if answering; with iif it must
 * leave by the interface that the packet came in by. */
static enum nft_answer fib_oif(struct nft_eval *e, const struct nft_node *n,
			       struct nft_result *out)
{
	const struct packet *p = e->packet;
	bool source = n->flags & NF_SADDR;
	struct net_addr to = source ? packet_src(p) : packet_dst(p);
	struct net_addr from = source ? packet_dst(p) : packet_src(p);
	struct route_result route;
	const char *in = p->in_if ? netns_iface_name(e->ns, p->in_if) : "";
	if (source && strcmp(in, "lo") == 0)
		return fib_result(e, n, p->in_if, out);
	uint32_t mark = n->flags & NF_MARK ? p->mark : 0;
	if (!netns_route(e->ns, &to, &from, mark, &route) || route.kind != ROUTE_UNICAST)
		return fib_result(e, n, 0, out);
	if ((n->flags & NF_IIF && route.out_if != p->in_if) ||
	    (n->flags & NF_OIF && route.out_if != p->out_if))
		return fib_result(e, n, 0, out);
	return fib_result(e, n, route.out_if, out);
}

static enum addr_type routed_type(const struct netns *ns, const struct net_addr *a)
{
	struct route_result route;
	if (!netns_route(ns, a, NULL, 0, &route))
		return ADDR_UNREACHABLE;
	switch (route.kind) {
	case ROUTE_BLACKHOLE:
		return ADDR_BLACKHOLE;
	case ROUTE_UNREACHABLE:
		return ADDR_UNREACHABLE;
	case ROUTE_PROHIBIT:
		return ADDR_PROHIBIT;
	default:
		return ADDR_UNICAST;
	}
}

static enum nft_answer eval_fib(struct nft_eval *e, const struct nft_node *n,
				struct nft_result *out)
{
	struct net_addr a = n->flags & NF_SADDR ? packet_src(e->packet) : packet_dst(e->packet);
	static const uint8_t types[] = { [ADDR_UNSPEC] = 0, [ADDR_UNICAST] = 1, [ADDR_LOCAL] = 2,
					 [ADDR_BROADCAST] = 3, [ADDR_MULTICAST] = 5,
					 [ADDR_BLACKHOLE] = 6, [ADDR_UNREACHABLE] = 7,
					 [ADDR_PROHIBIT] = 8 };
	if (n->op != FIB_TYPE)
		return fib_oif(e, n, out);
	uint16_t on = n->flags & NF_IIF ? e->packet->in_if : n->flags & NF_OIF ? e->packet->out_if : 0;
	enum addr_type type = netns_addr_type_on(e->ns, &a, on);
	/* IPv6 asks all routes, not the local ones only (nft_fib6_eval_type). */
	if (type == ADDR_UNICAST && a.family == NET_V6)
		type = routed_type(e->ns, &a);
	return number(out, 4, types[type]);
}

/* ---- generators, operators ------------------------------------------------------------------- */

static enum nft_answer eval_numgen(struct nft_eval *e, const struct nft_node *n,
				   struct nft_result *out)
{
	struct nft_node *state = (struct nft_node *)(uintptr_t)n;
	uint64_t value;
	if (n->op) {
		value = n->number[0] + 1 < n->left ? n->number[0] + 1 : 0;
		state->number[0] = value;
	} else {
		value = choice_uniform(netns_env(e->ns)->choice, "backend", n->left);
	}
	return number(out, 4, (uint32_t)(value + n->right));
}

/* What the kernel keeps in its own byte order (little-endian here) is hashed so. */
static void kernel_order(const struct nft_rule *r, const struct nft_node *n, uint8_t *bytes)
{
	const struct nft_type_info *t = nft_type_info(n->type);
	unsigned at = 0;
	if (n->kind == N_CONCAT) {
		for (const struct nft_node *c = nft_at(r, n->left); c; c = nft_next(r, c)) {
			kernel_order(r, c, bytes + at);
			at += (c->bytes + 3u) / 4 * 4;
		}
	} else if (t->host && n->bytes <= 4) {
		for (unsigned i = 0, j = n->bytes - 1u; i < j; i++, j--) {
			uint8_t swap = bytes[i];
			bytes[i] = bytes[j];
			bytes[j] = swap;
		}
	}
}

static enum nft_answer eval_jhash(struct nft_eval *e, const struct nft_node *n,
				  struct nft_result *out)
{
	struct nft_result operand;
	const struct nft_node *left = nft_at(e->rule, n->left);
	enum nft_answer answer = nft_eval_expr(e, left, &operand);
	uint32_t seed = (uint32_t)n->number[0];
	if (answer != NA_YES)
		return answer;
	if (!n->flags) { /* the kernel draws a seed when the rule is made */
		if (!e->r->hash_seeded)
			e->r->hash_seed = (uint32_t)choice_uniform(netns_env(e->ns)->choice, "hash",
								   UINT64_C(1) << 32);
		e->r->hash_seeded = true;
		seed = e->r->hash_seed;
	}
	unsigned length = left->kind == N_CONCAT ? operand.size : left->bytes;
	kernel_order(e->rule, left, operand.bytes);
	uint32_t hash = nft_jhash(operand.bytes, length, seed);
	return number(out, 4, (uint32_t)((uint64_t)hash * n->right >> 32) + n->extra);
}

static enum nft_answer eval_bitwise(struct nft_eval *e, const struct nft_node *n,
				    struct nft_result *out)
{
	const uint8_t *mask = nft_at(e->rule, n->right)->value,
		      *xor = nft_at(e->rule, n->extra)->value;
	enum nft_answer answer = nft_eval_expr(e, nft_at(e->rule, n->left), out);
	for (unsigned i = 0; answer == NA_YES && i < n->bytes; i++)
		out->bytes[i] = (uint8_t)((out->bytes[i] & mask[i]) ^ xor[i]);
	return answer;
}

static enum nft_answer eval_shift(struct nft_eval *e, const struct nft_node *n,
				  struct nft_result *out)
{
	enum nft_answer answer = nft_eval_expr(e, nft_at(e->rule, n->left), out);
	if (answer != NA_YES)
		return answer;
	if (n->bytes > 8)
		return undecided(e, "shifts of addresses are not modelled");
	uint64_t v = nft_number(out->bytes, n->bytes);
	return number(out, n->bytes, n->op ? v >> n->right : v << n->right);
}

static enum nft_answer eval_concat(struct nft_eval *e, const struct nft_node *n,
				   struct nft_result *out)
{
	unsigned at = 0;
	for (const struct nft_node *c = nft_at(e->rule, n->left); c; c = nft_next(e->rule, c)) {
		struct nft_result one;
		enum nft_answer answer = nft_eval_expr(e, c, &one);
		if (answer != NA_YES)
			return answer;
		memcpy(out->bytes + at, one.bytes, one.size);
		at += one.size;
	}
	out->size = (uint8_t)at;
	return NA_YES;
}

static enum nft_answer eval_map(struct nft_eval *e, const struct nft_node *n,
				struct nft_result *out)
{
	struct nft_result key;
	enum nft_answer answer = nft_eval_expr(e, nft_at(e->rule, n->left), &key);
	if (answer != NA_YES)
		return answer;
	const struct nft_elem *found = nft_eval_lookup(e, n->set, key.bytes);
	if (!found)
		return NA_NO;
	out->size = n->set->data.size;
	memcpy(out->bytes, nft_elem_data(n->set, found), out->size);
	return NA_YES;
}

enum nft_answer nft_eval_expr(struct nft_eval *e, const struct nft_node *n, struct nft_result *out)
{
	switch (n->kind) {
	case N_VALUE:
		out->size = (uint8_t)((n->bytes + 3) / 4 * 4);
		memcpy(out->bytes, n->value, NFT_VALUE);
		return NA_YES;
	case N_CONCAT:
		return eval_concat(e, n, out);
	case N_META:
		return eval_meta(e, n, out);
	case N_CT:
		return eval_ct(e, n, out);
	case N_PAYLOAD:
		return eval_payload(e, n, out);
	case N_RAW:
		return eval_raw(e, n, out);
	case N_FIB:
		return eval_fib(e, n, out);
	case N_NUMGEN:
		return eval_numgen(e, n, out);
	case N_JHASH:
		return eval_jhash(e, n, out);
	case N_BITWISE:
		return eval_bitwise(e, n, out);
	case N_SHIFT:
		return eval_shift(e, n, out);
	case N_MAP:
		return eval_map(e, n, out);
	default:
		return undecided(e, "an expression that svclab does not know");
	}
}
