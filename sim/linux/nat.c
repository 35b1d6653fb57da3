/* linux/nat.c: network address translation on top of conntrack.
 *
 * One function of this file sits at each nat hook; the rule evaluators (iptables' nat
 * table, nft's nat chains) are called from it, for packets whose entry has not been set
 * up for this manipulation yet. A packet that no rule takes gets a null binding: its
 * own address, but a tuple that nobody else has. Facts from net/netfilter/nf_nat_core.c,
 * nf_nat_proto.c and nf_nat_masquerade.c.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack_internal.h"
#include "net/trace.h"

struct nat_rule {
	hook_fn *fn;
	void *ctx;
	int priority;
};

struct nat_rules { /* of a namespace: [family][hook] */
	struct nat_rule_list {
		struct nat_rule *rules;
		uint32_t count, capacity;
	} lists[2][HOOK_COUNT];
	bool hooked[2];
};

static enum nat_kind kind_at(enum nf_hook hook)
{
	return hook == HOOK_POSTROUTING || hook == HOOK_INPUT ? NAT_SRC : NAT_DST;
}

static uint32_t status_of(enum nat_kind kind)
{
	return kind == NAT_SRC ? CTS_SRC_NAT : CTS_DST_NAT;
}

static uint32_t done_of(enum nat_kind kind)
{
	return kind == NAT_SRC ? CTS_SRC_NAT_DONE : CTS_DST_NAT_DONE;
}

/* Whether packets of this direction are rewritten at this kind of hook. */
static bool applies(const struct ct_entry *e, enum nat_kind kind, enum ct_dir dir)
{
	uint32_t bit = status_of(kind);
	if (dir == DIR_REPLY)
		bit ^= CTS_SRC_NAT | CTS_DST_NAT;
	return e->status & bit;
}

static bool is_icmp_tuple(const struct flow_key *k)
{
	return k->proto == PROTO_ICMP || k->proto == PROTO_ICMP6;
}

/* In a tuple of ICMP the identifier is the source port of both directions. */
static uint16_t dst_port_of(const struct flow_key *k)
{
	return is_icmp_tuple(k) ? k->src_port : k->dst_port;
}

static void note_change(const struct hook_state *state, enum nat_kind kind,
			const struct net_addr *before, uint16_t before_port,
			const struct net_addr *after, uint16_t after_port, const char *why)
{
	char change[2 * NET_ADDR_TEXT + 32];
	struct packet *p = state->packet;
	if (net_addr_equal(before, after) && before_port == after_port)
		return;
	step_change(before, before_port, after, after_port, change, sizeof change);
	if (!*p->comment)
		snprintf(p->comment, sizeof p->comment, "%s: %s %s", why,
			 kind == NAT_SRC ? "source" : "destination", change);
	if (!p->trace)
		return;
	step_add(state->ns, p, hook_name(state->hook), "nat", change, "%s, %s", why,
		 kind == NAT_SRC ? "source" : "destination");
	if (ct_direction(p) == DIR_REPLY)
		return;
	if (kind == NAT_DST) {
		p->trace->dnat_addr = *after;
		p->trace->dnat_port = after_port;
	} else if (!net_addr_equal(before, after)) {
		p->trace->masqueraded = true;
	}
}

/* Rewrites the packet as its entry says. */
static void manipulate(struct hook_state *state, struct ct_entry *e, enum nat_kind kind,
		       const char *why)
{
	struct packet *p = state->packet;
	enum ct_dir dir = ct_direction(p);
	if (!applies(e, kind, dir))
		return;
	struct flow_key target = ct_invert(&e->tuple[!dir], p->family);
	if (kind == NAT_SRC) {
		struct net_addr before = packet_src(p);
		uint16_t port = packet_src_port(p);
		packet_set_src(p, &target.src, target.src_port);
		note_change(state, kind, &before, port, &target.src, target.src_port, why);
	} else {
		struct net_addr before = packet_dst(p);
		uint16_t port = packet_dst_port(p);
		packet_set_dst(p, &target.dst, dst_port_of(&target));
		note_change(state, kind, &before, port, &target.dst, dst_port_of(&target), why);
	}
}

/* An ICMP error about a translated flow: the quoted header gets back the addresses that
 * its receiver knows, and so does the outer one. */
static void translate_error(struct hook_state *state, struct ct_entry *e, enum nat_kind kind)
{
	struct packet *p = state->packet;
	enum ct_dir dir = ct_direction(p);
	if (!applies(e, kind, dir))
		return;
	const struct flow_key *inner = &e->tuple[!dir];
	struct flow_key outer = ct_invert(inner, p->family);
	if (kind == NAT_SRC) {
		struct net_addr before = packet_src(p);
		packet_set_quoted_dst(p, &inner->dst, dst_port_of(inner));
		packet_set_src(p, &outer.src, 0);
		note_change(state, kind, &before, 0, &outer.src, 0, "ICMP error");
	} else {
		struct net_addr before = packet_dst(p);
		packet_set_quoted_src(p, &inner->src, inner->src_port);
		packet_set_dst(p, &outer.dst, 0);
		note_change(state, kind, &before, 0, &outer.dst, 0, "ICMP error");
	}
}

static enum nf_verdict setup(struct ct_entry *e, enum nat_kind kind, const struct nat_range *range,
			     uint8_t family)
{
	if (e->status & (CTS_CONFIRMED | done_of(kind)))
		return VERDICT_ACCEPT;
	struct flow_key current = ct_invert(&e->tuple[DIR_REPLY], family), wanted;
	nat_unique_tuple(e, kind, range, &current, &wanted);
	if (memcmp(&wanted, &current, sizeof wanted) != 0) {
		e->tuple[DIR_REPLY] = ct_invert(&wanted, family);
		e->status |= status_of(kind);
	}
	e->status |= done_of(kind);
	return VERDICT_ACCEPT;
}

static void null_binding(struct ct_entry *e, enum nat_kind kind, uint8_t family)
{
	const struct flow_key *reply = &e->tuple[DIR_REPLY];
	const struct net_addr *own = kind == NAT_SRC ? &reply->dst : &reply->src;
	struct nat_range range = { .min = *own, .max = *own };
	setup(e, kind, &range, family);
}

enum nf_verdict nat_setup(struct hook_state *state, enum nat_kind kind,
			  const struct nat_range *range)
{
	struct ct_entry *e = ct_entry_of(state->packet);
	if (!e)
		return VERDICT_DROP;
	enum nf_verdict verdict = setup(e, kind, range, state->packet->family);
	if (verdict == VERDICT_ACCEPT)
		manipulate(state, e, kind, kind == NAT_SRC ? "SNAT" : "DNAT");
	return verdict;
}

enum nf_verdict nat_masquerade(struct hook_state *state, const struct nat_range *range)
{
	struct packet *p = state->packet;
	struct net_addr dst = packet_dst(p);
	struct route_result route;
	bool found = netns_route(state->ns, &dst, NULL, 0, &route);
	struct nat_range own = *range;
	own.min = own.max = route_source(state->ns, p->out_if, found ? &route.next_hop : &dst,
					 p->family);
	if (own.min.family == NET_NONE) {
		step_add(state->ns, p, hook_name(state->hook), "nat", NULL,
			 "MASQUERADE: no address on any interface");
		return VERDICT_DROP;
	}
	return nat_setup(state, NAT_SRC, &own);
}

enum nf_verdict nat_redirect(struct hook_state *state, const struct nat_range *range)
{
	const struct packet *p = state->packet;
	struct nat_range own = *range;
	if (state->hook != HOOK_OUTPUT) {
		own.min = netns_iface_addr(state->ns, p->in_if, p->family);
	} else if (p->family == NET_V4) {
		own.min = net_addr_v4(UINT32_C(0x7f000001));
	} else {
		own.min = (struct net_addr){ .family = NET_V6 };
		own.min.bytes[15] = 1;
	}
	own.max = own.min;
	return own.min.family == NET_NONE ? VERDICT_DROP : nat_setup(state, NAT_DST, &own);
}

void ct_alter_reply(struct packet *p, const struct flow_key *reply)
{
	struct ct_entry *e = ct_entry_of(p);
	if (!e || e->status & CTS_CONFIRMED)
		return;
	e->tuple[DIR_REPLY] = *reply; /* no NAT of conntrack's: IPVS rewrites the packets */
}

/* ---- the hook ------------------------------------------------------------------ */

static enum nf_verdict run_rules(struct nat_rule_list *list, struct hook_state *state,
				 struct ct_entry *e, enum nat_kind kind)
{
	for (uint32_t i = 0; i < list->count; i++) {
		enum nf_verdict verdict = list->rules[i].fn(list->rules[i].ctx, state);
		if (verdict != VERDICT_ACCEPT)
			return verdict;
		if (e->status & done_of(kind))
			return VERDICT_ACCEPT;
	}
	null_binding(e, kind, state->packet->family);
	return VERDICT_ACCEPT;
}

/* After DNAT of a local packet its route is another one (ip_route_me_harder). */
static enum nf_verdict route_again(struct hook_state *state, const struct net_addr *before)
{
	struct packet *p = state->packet;
	struct net_addr dst = packet_dst(p), src = packet_src(p);
	struct route_result route;
	if (state->hook != HOOK_OUTPUT || net_addr_equal(before, &dst))
		return VERDICT_ACCEPT;
	int code = route_output(state->ns, &dst, &src, &route);
	if (code) {
		step_add(state->ns, p, "route", "", NULL, "after DNAT: no way out for this source");
		state->reject_errno = code;
		return VERDICT_DROP;
	}
	p->out_if = route.out_if;
	return VERDICT_ACCEPT;
}

static enum nf_verdict on_nat(void *ctx, struct hook_state *state)
{
	struct nat_rule_list *list = ctx;
	struct packet *p = state->packet;
	struct ct_entry *e = ct_entry_of(p);
	enum nat_kind kind = kind_at(state->hook);
	if (!e)
		return VERDICT_ACCEPT;
	bool related = p->ct_info == CT_INFO_RELATED || p->ct_info == CT_INFO_RELATED_REPLY;
	struct net_addr before = packet_dst(p);
	if (related && packet_is_icmp_error(p)) {
		translate_error(state, e, kind);
		return route_again(state, &before);
	}
	if ((related || p->ct_info == CT_INFO_NEW) && !(e->status & done_of(kind))) {
		enum nf_verdict verdict = run_rules(list, state, e, kind);
		if (verdict != VERDICT_ACCEPT)
			return verdict;
	}
	manipulate(state, e, kind, "conntrack");
	return route_again(state, &before);
}

static const enum nf_hook nat_hooks[] = { HOOK_PREROUTING, HOOK_INPUT, HOOK_OUTPUT,
					 HOOK_POSTROUTING };
#define NAT_HOOKS (sizeof nat_hooks / sizeof *nat_hooks)

/* All four at once, as soon as a family has one evaluator: what is translated at one
 * hook comes back at another. */
static void hook_family(struct netns *ns, uint8_t family, bool on)
{
	for (size_t i = 0; i < NAT_HOOKS; i++) {
		enum nf_hook hook = nat_hooks[i];
		struct nat_rule_list *list = &ns->nat->lists[family == NET_V6][hook];
		if (on)
			hook_register(ns, family, hook,
				      kind_at(hook) == NAT_SRC ? PRI_NAT_SRC : PRI_NAT_DST,
				      on_nat, list);
		else
			hook_unregister(ns, family, hook, on_nat, list);
	}
	ns->nat->hooked[family == NET_V6] = on;
}

void nat_register(struct netns *ns, uint8_t family, enum nf_hook hook, int priority,
		  hook_fn *rules, void *ctx)
{
	netns_conntrack(ns);
	if (!ns->nat)
		ns->nat = mem_alloc(sizeof *ns->nat);
	struct nat_rule_list *list = &ns->nat->lists[family == NET_V6][hook];
	assert(hook != HOOK_FORWARD);
	if (!ns->nat->hooked[family == NET_V6])
		hook_family(ns, family, true);
	if (list->count == list->capacity) {
		uint32_t want = list->capacity ? list->capacity * 2 : 2;
		list->rules = mem_grow(list->rules, list->capacity, want, sizeof *list->rules);
		list->capacity = want;
	}
	uint32_t at = list->count++;
	while (at > 0 && list->rules[at - 1].priority > priority) {
		list->rules[at] = list->rules[at - 1];
		at--;
	}
	list->rules[at] = (struct nat_rule){ rules, ctx, priority };
}

void nat_unregister(struct netns *ns, uint8_t family, enum nf_hook hook, hook_fn *rules,
		    void *ctx)
{
	struct nat_rule_list *list = ns->nat ? &ns->nat->lists[family == NET_V6][hook] : NULL;
	uint32_t left = 0;
	for (uint32_t i = 0; list && i < list->count; i++) {
		if (list->rules[i].fn != rules || list->rules[i].ctx != ctx)
			continue;
		list->count--;
		memmove(list->rules + i, list->rules + i + 1,
			(list->count - i) * sizeof *list->rules);
		break;
	}
	for (size_t i = 0; list && i < NAT_HOOKS; i++)
		left += ns->nat->lists[family == NET_V6][nat_hooks[i]].count;
	if (list && !left && ns->nat->hooked[family == NET_V6])
		hook_family(ns, family, false);
}

void nat_free(struct netns *ns)
{
	for (unsigned i = 0; ns->nat && i < 2; i++)
		for (unsigned k = 0; k < HOOK_COUNT; k++)
			free(ns->nat->lists[i][k].rules);
	free(ns->nat);
	ns->nat = NULL;
}
