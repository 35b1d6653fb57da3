/* linux/nft/eval_stmt.c: what statements do to a packet and to their own state.
 *
 * Facts: net/netfilter/nft_limit.c, nft_quota.c, nft_reject*.c, nft_nat.c, nft_masq.c,
 * nft_redir.c, nft_dynset.c.
 */
#include "linux/nft/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack.h"

static enum nft_answer undecided(struct nft_eval *e, const char *why)
{
	e->undecided = why;
	return NA_UNDECIDED;
}

__attribute__((format(printf, 2, 3))) static void note(struct nft_eval *e, const char *fmt, ...)
{
	size_t at = strlen(e->note);
	va_list ap;
	if (!e->packet->trace && !netns_env(e->ns)->tap)
		return;
	if (at && at + 2 < sizeof e->note) {
		strcat(e->note, "; ");
		at += 2;
	}
	va_start(ap, fmt);
	vsnprintf(e->note + at, sizeof e->note - at, fmt, ap);
	va_end(ap);
}

static uint32_t packet_bytes(const struct nft_eval *e)
{
	return e->packet->length - e->packet->l3;
}

/* ---- limits and counters ------------------------------------------------------------------ */

static enum nft_answer eval_limit(struct nft_eval *e, const struct nft_rule *block,
				  struct nft_node *n)
{
	struct nft_node *state = nft_at(block, n->right);
	uint64_t unit = nft_limit_unit_ns(n->op), rate = n->number[0];
	int64_t full = nft_limit_tokens(n);
	unsigned __int128 cost = unit / rate;
	if (n->flags & NL_BYTES)
		cost = (unsigned __int128)unit * packet_bytes(e) / rate;
	int64_t tokens = (int64_t)state->number[1];
	int64_t passed = e->now_ns - (int64_t)state->number[0];
	tokens = passed > full - tokens ? full : tokens + passed;
	bool under = cost <= (unsigned __int128)tokens;
	state->number[0] = (uint64_t)e->now_ns;
	state->number[1] = (uint64_t)(under ? tokens - (int64_t)cost : tokens);
	return under != !!(n->flags & NL_OVER) ? NA_YES : NA_NO;
}

/* Over, as since Linux 6.14, when more was used than the quota. */
static enum nft_answer eval_quota(struct nft_eval *e, struct nft_node *n)
{
	n->number[1] += packet_bytes(e);
	bool over = n->number[1] > n->number[0];
	return over == !!(n->flags & NL_OVER) ? NA_YES : NA_NO;
}

/* The statements of a set's element, or of one set for all. */
static enum nft_answer eval_block(struct nft_eval *e, struct nft_rule *block)
{
	enum nft_answer answer = NA_YES;
	for (struct nft_node *n = nft_first(block); n && answer == NA_YES; n = nft_next(block, n)) {
		if (n->kind == N_COUNTER) {
			n->number[0]++;
			n->number[1] += packet_bytes(e);
		} else if (n->kind == N_LIMIT) {
			answer = eval_limit(e, block, n);
		} else if (n->kind == N_QUOTA) {
			answer = eval_quota(e, n);
		} else {
			answer =
			    undecided(e, "a statement of an element that svclab does not know");
		}
	}
	return answer;
}

static struct nft_rule *elem_block(const struct nft_elem *elem)
{
	return elem->extra ? elem->extra->statements : NULL;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static enum nft_answer eval_vmap(struct nft_eval *e, const struct nft_node *n)
{
	struct nft_result key;
	const struct nft_node *left = nft_at(e->rule, n->left);
	enum nft_answer answer = nft_eval_expr(e, left, &key);
	if (answer != NA_YES)
		return answer;
	if (left->kind == N_NUMGEN)
		note(e, "numgen %llu", (unsigned long long)nft_number(key.bytes, 4));
	const struct nft_elem *found = nft_eval_lookup(e, n->set, key.bytes);
	if (!found)
		return NA_NO;
	if (elem_block(found) && (answer = eval_block(e, elem_block(found))) != NA_YES)
		return answer;
	e->verdict = found->verdict == NV_CONTINUE ? NV_NONE : found->verdict;
	e->target = found->chain;
	return NA_YES;
}

static enum nft_answer eval_reject(struct nft_eval *e, const struct nft_node *n)
{
	static const uint8_t codes4[] = { 0, 3, 1, 13 }, codes6[] = { 0, 4, 3, 1 };
	bool six = e->packet->family == NET_V6;
	uint8_t code = (uint8_t)n->right;
	if ((n->op == NR_ICMP && six) || (n->op == NR_ICMPV6 && !six))
		return NA_NO;
	if (n->op == NR_RESET && e->packet->proto != PROTO_TCP)
		return NA_NO;
	if (n->op == NR_DEFAULT)
		code = six ? 4 : 3;
	else if (n->op == NR_ICMPX)
		code = (six ? codes6 : codes4)[code & 3];
	netns_send_reject(e->ns, e->state, n->op == NR_RESET, six ? 1 : 3, code);
	e->rejected = true;
	e->verdict = NV_DROP;
	return NA_YES;
}

/* ---- NAT ----------------------------------------------------------------------------------------
 */

struct end {
	struct net_addr addr;
	uint16_t port;
};

static struct end end_of(const struct packet *p, enum nat_kind kind)
{
	return kind == NAT_DST ? (struct end){ packet_dst(p), packet_dst_port(p) } :
				 (struct end){ packet_src(p), packet_src_port(p) };
}

static void note_nat(struct nft_eval *e, enum nat_kind kind, const struct end *was)
{
	char a[NET_ADDR_TEXT + 8], b[NET_ADDR_TEXT + 8];
	struct end now = end_of(e->packet, kind);
	struct trace *t = e->packet->trace;
	if (was->port || now.port) {
		net_endpoint_text(&was->addr, was->port, a);
		net_endpoint_text(&now.addr, now.port, b);
	} else {
		net_addr_text(&was->addr, a);
		net_addr_text(&now.addr, b);
	}
	note(e, "%s -> %s", a, b);
	if (t && kind == NAT_DST) {
		t->dnat_addr = now.addr;
		t->dnat_port = now.port;
	} else if (t && !net_addr_equal(&was->addr, &now.addr)) {
		t->masqueraded = true;
	}
}

static struct net_addr to_address(const uint8_t *bytes, uint8_t family)
{
	struct net_addr a = { .family = family };
	memcpy(a.bytes, bytes, family == NET_V6 ? 16 : 4);
	return a;
}

/* The packet's own address with the prefix of another network (NF_NAT_RANGE_NETMAP). */
static void netmap(const struct packet *p, enum nat_kind kind, const uint8_t *low,
		   const uint8_t *high, struct nat_range *range)
{
	struct net_addr own = kind == NAT_DST ? packet_dst(p) : packet_src(p);
	range->min = own;
	for (unsigned i = 0; i < (own.family == NET_V6 ? 16u : 4u); i++) {
		uint8_t host = low[i] ^ high[i];
		range->min.bytes[i] = (uint8_t)(low[i] | (own.bytes[i] & host));
	}
	range->max = range->min;
}

static void prefix_end(const struct nft_node *prefix, const uint8_t *low, uint8_t *high)
{
	for (unsigned i = 0; i < prefix->bytes; i++) {
		unsigned left = prefix->right > i * 8 ? prefix->right - i * 8 : 0;
		high[i] = (uint8_t)(low[i] | (left >= 8 ? 0 : 0xffu >> left));
	}
}

static enum nft_answer nat_address(struct nft_eval *e, const struct nft_node *n, enum nat_kind kind,
				   struct nat_range *range)
{
	const struct nft_node *a = nft_at(e->rule, n->left);
	struct nft_result key;
	const uint8_t *low = key.bytes, *high = key.bytes;
	uint8_t end[NFT_VALUE], family = e->packet->family;
	enum nft_answer answer = NA_YES;
	if (a->kind == N_RANGE || a->kind == N_PREFIX)
		low = nft_at(e->rule, a->left)->value;
	if (a->kind == N_RANGE) {
		high = nft_at(e->rule, a->right)->value;
	} else if (a->kind == N_PREFIX) {
		prefix_end(a, low, end);
		high = end;
	} else if (a->kind == N_MAP) {
		answer = nft_eval_expr(e, nft_at(e->rule, a->left), &key);
		if (answer != NA_YES)
			return answer;
		const struct nft_elem *found = nft_eval_lookup(e, a->set, key.bytes);
		if (!found)
			return NA_NO;
		low = nft_elem_data(a->set, found);
		high = a->set->data_ranges ? low + a->set->data.size : low;
		unsigned after = a->set->data.field[0].size;
		if (a->set->data.count > 1) {
			range->port_min = (uint16_t)nft_number(low + after, 2);
			range->port_max = (uint16_t)nft_number(high + after, 2);
		}
	} else {
		answer = nft_eval_expr(e, a, &key);
	}
	if (answer != NA_YES)
		return answer;
	range->min = to_address(low, family);
	range->max = to_address(high, family);
	if (n->flags & NN_PREFIX)
		netmap(e->packet, kind, low, high, range);
	return NA_YES;
}

static enum nft_answer nat_port(struct nft_eval *e, const struct nft_node *n,
				struct nat_range *range)
{
	const struct nft_node *p = nft_at(e->rule, n->right);
	struct nft_result value;
	if (p->kind == N_RANGE) {
		range->port_min = (uint16_t)nft_number(nft_at(e->rule, p->left)->value, 2);
		range->port_max = (uint16_t)nft_number(nft_at(e->rule, p->right)->value, 2);
		return NA_YES;
	}
	enum nft_answer answer = nft_eval_expr(e, p, &value);
	if (answer == NA_YES)
		range->port_min = range->port_max = (uint16_t)nft_number(value.bytes, 2);
	return answer;
}

static enum nft_answer eval_nat(struct nft_eval *e, const struct nft_node *n)
{
	struct nat_range range = { .random = n->flags & NN_RANDOM,
				   .random_fully = n->flags & NN_FULLY,
				   .persistent = n->flags & NN_PERSISTENT };
	enum nat_kind kind = n->op == NAT_OP_DNAT || n->op == NAT_OP_REDIRECT ? NAT_DST : NAT_SRC;
	enum nft_answer answer = NA_YES;
	if (n->left && n->type && n->type != e->packet->family) /* in tables of both families */
		return NA_YES;
	if (n->left)
		answer = nat_address(e, n, kind, &range);
	if (answer == NA_YES && n->right)
		answer = nat_port(e, n, &range);
	if (answer != NA_YES)
		return answer;
	struct end was = end_of(e->packet, kind);
	enum nf_verdict v = n->op == NAT_OP_MASQUERADE ? nat_masquerade(e->state, &range) :
			    n->op == NAT_OP_REDIRECT ? nat_redirect(e->state, &range) :
						       nat_setup(e->state, kind, &range);
	e->stolen = v == VERDICT_STOLEN;
	e->verdict = v == VERDICT_DROP ? NV_DROP : NV_ACCEPT;
	if (v == VERDICT_ACCEPT)
		note_nat(e, kind, &was);
	return NA_YES;
}

/* ---- assignments
 * ----------------------------------------------------------------------------------- */

static enum nft_answer set_meta(struct nft_eval *e, const struct nft_node *n, uint64_t value)
{
	struct packet *p = e->packet;
	if (n->op == NM_MARK) {
		if (p->mark != value)
			note(e, "mark 0x%x -> 0x%llx", p->mark, (unsigned long long)value);
		p->mark = (uint32_t)value;
	} else if (n->op == NM_PRIORITY) {
		p->priority = (uint32_t)value;
	} else if (n->op == NM_PKTTYPE) {
		return undecided(e, "packets keep their type");
	}
	return NA_YES;
}

static enum nft_answer set_ct(struct nft_eval *e, const struct nft_node *n, uint64_t value)
{
	struct packet *p = e->packet;
	if (n->op == NC_ZONE) {
		ct_set_zone(e->ns, p, (uint16_t)value);
		return NA_YES;
	}
	if (ct_mark(p) != value)
		note(e, "connection mark 0x%x -> 0x%llx", ct_mark(p), (unsigned long long)value);
	ct_set_mark(p, (uint32_t)value);
	return NA_YES;
}

static enum nft_answer set_payload(struct nft_eval *e, const struct nft_node *n,
				   const struct nft_result *v)
{
	const struct nft_payload *f = nft_payload(n->op);
	struct packet *p = e->packet;
	uint8_t family = f->proto == NH_IP6 ? NET_V6 : NET_V4, proto = nft_header_proto(f->proto);
	bool network = f->proto == NH_IP || f->proto == NH_IP6;
	struct net_addr a = to_address(v->bytes, family);
	uint8_t low = v->bytes[0];
	if (network ? p->family != family : !p->l4 || p->fragment || (proto && p->proto != proto))
		return NA_NO;
	e->rewritten = true;
	if (network && strcmp(f->name, "saddr") == 0)
		packet_set_src(p, &a, packet_src_port(p));
	else if (network && strcmp(f->name, "daddr") == 0)
		packet_set_dst(p, &a, packet_dst_port(p));
	else if (strcmp(f->name, "ttl") == 0 || strcmp(f->name, "hoplimit") == 0)
		packet_set_ttl(p, low);
	else if (f->type == NT_DSCP)
		packet_set_tos(p, (uint8_t)((packet_tos(p) & 3) | low << 2));
	else if (f->type == NT_ECN)
		packet_set_tos(p, (uint8_t)((packet_tos(p) & 0xfc) | low));
	else if (f->type == NT_SERVICE && strcmp(f->name, "sport") == 0)
		a = packet_src(p), packet_set_src(p, &a, (uint16_t)nft_number(v->bytes, 2));
	else if (f->type == NT_SERVICE)
		a = packet_dst(p), packet_set_dst(p, &a, (uint16_t)nft_number(v->bytes, 2));
	else
		return undecided(e, "this header field cannot be written");
	note(e, "%s %s set", f->header, f->name);
	return NA_YES;
}

static enum nft_answer eval_assignment(struct nft_eval *e, const struct nft_node *n)
{
	struct nft_result v;
	const struct nft_node *left = nft_at(e->rule, n->left);
	enum nft_answer answer = nft_eval_expr(e, left, &v);
	if (answer != NA_YES)
		return answer;
	if (n->kind == N_SET_META)
		return set_meta(e, n, nft_number(v.bytes, nft_meta_keys[n->op].bytes));
	if (n->kind == N_SET_CT)
		return set_ct(e, n, nft_number(v.bytes, nft_ct_keys[n->op].bytes));
	return set_payload(e, n, &v);
}

/* ---- sets filled by packets
 * ------------------------------------------------------------------------- */

static struct nft_rule *own_statements(const struct nft_rule *rule, const struct nft_node *n,
				       const struct nft_set *s, int64_t now_ns)
{
	struct nft_rule *block = NULL;
	if (n->extra) { /* the rule's nodes, with this list as statements */
		block = nft_rule_copy(rule);
		block->first = n->extra;
	} else if (s->statements) {
		block = nft_rule_copy(s->statements);
	}
	if (block)
		nft_rule_reset(block, now_ns);
	return block;
}

static struct nft_elem *new_element(struct nft_eval *e, const struct nft_node *n,
				    const uint8_t *key)
{
	struct nft_set *s = n->set;
	if (s->limit && s->count >= s->limit)
		nft_set_purge(s, e->now_ns, false);
	if ((s->limit && s->count >= s->limit) || !nft_set_hashed(s))
		return NULL;
	struct nft_elem *elem = nft_elem_new(s);
	memcpy(elem->bytes, key, s->key.size);
	elem->dynamic = true;
	struct nft_rule *block = own_statements(e->rule, n, s, e->now_ns);
	if (block || n->number[1])
		elem->extra = mem_alloc(sizeof *elem->extra);
	if (elem->extra) {
		elem->extra->statements = block;
		elem->extra->timeout_ms = n->number[1] == s->timeout_ms ? 0 : n->number[1];
	}
	nft_set_put(s, elem);
	return elem;
}

/* nft_dynset_eval: `add` leaves what is there, `update` starts its time anew. */
static enum nft_answer eval_dynset(struct nft_eval *e, const struct nft_node *n)
{
	struct nft_set *s = n->set;
	struct nft_result key, data;
	enum nft_answer answer = nft_eval_expr(e, nft_at(e->rule, n->left), &key);
	if (answer == NA_YES && n->right)
		answer = nft_eval_expr(e, nft_at(e->rule, n->right), &data);
	if (answer != NA_YES)
		return answer;
	struct nft_elem *elem = nft_eval_lookup(e, s, key.bytes);
	if (n->op == ND_DELETE) {
		if (elem) {
			nft_set_take(s, elem);
			nft_elem_free(elem);
		}
		return elem ? NA_YES : NA_NO;
	}
	bool fresh = !elem;
	if (fresh) { /* an expired one makes room */
		struct nft_elem **old = s->count ? table_find(&s->index, key.bytes) : NULL;
		struct nft_elem *gone = old ? *old : NULL;
		if (gone) {
			nft_set_take(s, gone);
			nft_elem_free(gone);
		}
		elem = new_element(e, n, key.bytes);
	}
	if (!elem)
		return NA_NO;
	if (fresh && n->right)
		memcpy(nft_elem_data(s, elem), data.bytes, s->data.size);
	uint64_t timeout = n->number[1] ? n->number[1] : s->timeout_ms;
	if (timeout && (fresh || n->op == ND_UPDATE))
		elem->expires_ns = e->now_ns + (int64_t)timeout * NS_PER_MS;
	note(e, "%s an element of %s", fresh ? "added" : n->op == ND_UPDATE ? "renewed" : "kept",
	     s->name);
	return elem_block(elem) ? eval_block(e, elem_block(elem)) : NA_YES;
}

/* ---- all of them
 * ---------------------------------------------------------------------------------------- */

enum nft_answer nft_eval_statement(struct nft_eval *e, struct nft_node *n)
{
	switch (n->kind) {
	case N_MATCH:
		return nft_eval_match(e, n);
	case N_COUNTER:
		n->number[0]++;
		n->number[1] += packet_bytes(e);
		return NA_YES;
	case N_OBJECT:
		n->object->packets++;
		n->object->bytes += packet_bytes(e);
		return NA_YES;
	case N_LIMIT:
		return eval_limit(e, e->rule, n);
	case N_QUOTA:
		return eval_quota(e, n);
	case N_LOG:
	case N_CLAMP:
		return NA_YES;
	case N_REJECT:
		return eval_reject(e, n);
	case N_VERDICT:
		e->verdict = n->op == NV_CONTINUE ? NV_NONE : n->op;
		e->target = n->chain;
		return NA_YES;
	case N_VMAP:
		return eval_vmap(e, n);
	case N_SET_META:
	case N_SET_CT:
	case N_SET_PAYLOAD:
		return eval_assignment(e, n);
	case N_NOTRACK:
		ct_untrack(e->packet);
		return NA_YES;
	case N_NAT:
		return eval_nat(e, n);
	case N_DYNSET:
		return eval_dynset(e, n);
	case N_QUEUE: /* a queue that nobody reads */
		e->verdict = n->flags & NQ_BYPASS ? NV_ACCEPT : NV_DROP;
		return NA_YES;
	default:
		return undecided(e, "a statement that svclab does not know");
	}
}
