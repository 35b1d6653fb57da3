/* linux/conntrack.c: the table, its hooks, the life of an entry. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack_internal.h"
#include "net/trace.h"

#define GC_STEPS 4u      /* keys looked at for each entry that is added */
#define EVICT_RANGE 64u  /* keys that early drop looks at when the table is full */
#define STREAM_AFTER_NS (2 * NS_PER_S)
#define CLASH_SECONDS 1

int64_t ct_now(const struct conntrack *ct)
{
	return engine_now(ct->ns->env->engine);
}

void ct_refresh(struct ct_entry *e, int64_t seconds)
{
	e->expires_ns = ct_now(e->owner) + seconds * NS_PER_S;
}

/* Echo, timestamp, information and address mask come in pairs. */
static uint8_t answering_type(uint8_t family, uint8_t type)
{
	if (family == NET_V6) {
		switch (type) {
		case 128: case 139:
			return (uint8_t)(type + 1);
		case 129: case 140:
			return (uint8_t)(type - 1);
		default:
			return type;
		}
	}
	switch (type) {
	case 0:
		return 8;
	case 8:
		return 0;
	case 13: case 15: case 17:
		return (uint8_t)(type + 1);
	case 14: case 16: case 18:
		return (uint8_t)(type - 1);
	default:
		return type;
	}
}

static bool is_icmp(uint8_t proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

struct flow_key ct_invert(const struct flow_key *k, uint8_t family)
{
	struct flow_key out = { .src = k->dst, .dst = k->src, .proto = k->proto };
	if (is_icmp(k->proto)) {
		uint8_t type = answering_type(family, (uint8_t)(k->dst_port >> 8));
		out.src_port = k->src_port;
		out.dst_port = (uint16_t)(type << 8 | (k->dst_port & 0xff));
	} else {
		out.src_port = k->dst_port;
		out.dst_port = k->src_port;
	}
	return out;
}

enum ct_dir ct_direction(const struct packet *p)
{
	return p->ct_info == CT_INFO_ESTABLISHED_REPLY || p->ct_info == CT_INFO_RELATED_REPLY
		       ? DIR_REPLY : DIR_ORIGINAL;
}

struct ct_entry *ct_entry_of(const struct packet *p)
{
	return p->ct && !(p->ct->status & CTS_TEMPLATE) ? p->ct : NULL;
}

/* ---- memory ----------------------------------------------------------------- */

void ct_unlink_loose(struct ct_entry *e)
{
	if (!e->back)
		return;
	*e->back = e->next;
	if (e->next)
		e->next->back = e->back;
	e->back = NULL;
}

static void link_loose(struct conntrack *ct, struct ct_entry *e)
{
	e->loose_since = engine_count(ct->ns->env->engine);
	e->next = ct->loose;
	e->back = &ct->loose;
	if (e->next)
		e->next->back = &e->next;
	ct->loose = e;
}

/* A packet runs to completion within one event: what became loose in an earlier one
 * and is held by nobody is garbage. */
static void sweep_loose(struct conntrack *ct)
{
	uint64_t now = engine_count(ct->ns->env->engine);
	for (struct ct_entry *e = ct->loose, *next; e; e = next) {
		next = e->next;
		if (e->holds || e->loose_since == now)
			continue;
		ct_unlink_loose(e);
		free(e);
	}
}

static struct ct_key key_of(const struct flow_key *k, uint16_t zone)
{
	return (struct ct_key){ .flow = *k, .zone = zone };
}

static void remove_key(struct conntrack *ct, const struct ct_entry *e, enum ct_dir dir)
{
	struct ct_key key = key_of(&e->tuple[dir], e->zone);
	struct ct_entry **found = table_find(&ct->entries, &key);
	if (found && *found == e)
		table_remove(&ct->entries, &key);
}

void ct_kill(struct ct_entry *e)
{
	struct conntrack *ct = e->owner;
	if (!(e->status & CTS_CONFIRMED) || e->status & CTS_DYING)
		return;
	e->status |= CTS_DYING;
	remove_key(ct, e, DIR_ORIGINAL);
	remove_key(ct, e, DIR_REPLY);
	nat_source_remove(ct, e);
	ct->count--;
	ct_notify(ct, e, CT_EVENT_DESTROY);
	link_loose(ct, e);
}

struct ct_entry *ct_find(struct conntrack *ct, const struct flow_key *k, uint16_t zone,
			 enum ct_dir *dir)
{
	struct ct_key key = key_of(k, zone);
	struct ct_entry **found = table_find(&ct->entries, &key), *e = found ? *found : NULL;
	if (!e)
		return NULL;
	if (e->expires_ns <= ct_now(ct)) {
		ct_kill(e);
		return NULL;
	}
	*dir = memcmp(&e->tuple[DIR_ORIGINAL], k, sizeof *k) == 0 ? DIR_ORIGINAL : DIR_REPLY;
	return e;
}

static void collect_some(struct conntrack *ct, uint32_t steps)
{
	void *value;
	int64_t now_ns = ct_now(ct);
	for (uint32_t i = 0; i < steps; i++) {
		if (!table_next(&ct->entries, &ct->gc_cursor, NULL, &value)) {
			ct->gc_cursor = 0;
			return;
		}
		struct ct_entry *e = *(struct ct_entry **)value;
		if (e->expires_ns <= now_ns)
			ct_kill(e);
	}
}

/* early_drop: an entry that is not assured makes room. */
static bool make_room(struct conntrack *ct, const struct flow_key *k)
{
	uint32_t limit = (uint32_t)sysctl_value(ct->ns, SYSCTL_CT_MAX);
	void *value;
	if (!limit || ct->count < limit)
		return true;
	collect_some(ct, EVICT_RANGE);
	if (ct->count < limit)
		return true;
	uint32_t cursor = ct->entries.used ? (uint32_t)(hash_bytes(k, sizeof *k, 0) %
							ct->entries.used) : 0;
	for (uint32_t i = 0; i < EVICT_RANGE; i++) {
		if (!table_next(&ct->entries, &cursor, NULL, &value)) {
			cursor = 0;
			continue;
		}
		struct ct_entry *e = *(struct ct_entry **)value;
		if (e->status & CTS_ASSURED)
			continue;
		ct_kill(e);
		return true;
	}
	ct->stats.drop++;
	return false;
}

/* ---- a packet meets the table -------------------------------------------------- */

static bool new_flow(struct ct_entry *e, const struct packet *p)
{
	uint8_t type = (uint8_t)(e->tuple[DIR_ORIGINAL].dst_port >> 8);
	switch (p->proto) {
	case PROTO_TCP:
		return ct_tcp_new(e, p);
	case PROTO_SCTP:
		return ct_sctp_new(e, p);
	case PROTO_UDP:
		e->udp_stream_ns = ct_now(e->owner) + STREAM_AFTER_NS;
		return true;
	case PROTO_ICMP:
		return type == 8 || type == 13 || type == 15 || type == 17;
	case PROTO_ICMP6:
		return type == 128 || type == 139;
	default:
		return true;
	}
}

static struct ct_entry *create(struct conntrack *ct, struct packet *p, const struct flow_key *k,
			       uint16_t zone)
{
	struct ct_entry *e = mem_alloc(sizeof *e);
	e->owner = ct;
	e->zone = zone;
	e->tuple[DIR_ORIGINAL] = *k;
	e->tuple[DIR_REPLY] = ct_invert(k, p->family);
	e->packet = p;
	if (!new_flow(e, p)) {
		free(e);
		return NULL;
	}
	link_loose(ct, e);
	return e;
}

static enum ct_answer udp_packet(struct ct_entry *e)
{
	struct netns *ns = e->owner->ns;
	if (!(e->status & CTS_SEEN_REPLY)) {
		ct_refresh(e, sysctl_value(ns, SYSCTL_CT_UDP));
		return CT_FINE;
	}
	bool stream = ct_now(e->owner) > e->udp_stream_ns;
	ct_refresh(e, sysctl_value(ns, stream ? SYSCTL_CT_UDP_STREAM : SYSCTL_CT_UDP));
	if (stream && !(e->status & (CTS_ASSURED | CTS_NAT_CLASH))) {
		e->status |= CTS_ASSURED;
		e->changed = true;
	}
	return CT_FINE;
}

static enum ct_answer protocol_packet(struct ct_entry *e, const struct packet *p, enum ct_dir dir)
{
	struct netns *ns = e->owner->ns;
	switch (p->proto) {
	case PROTO_TCP:
		return ct_tcp_packet(e, p, dir);
	case PROTO_SCTP:
		return ct_sctp_packet(e, p, dir);
	case PROTO_UDP:
		return udp_packet(e);
	case PROTO_ICMP:
		ct_refresh(e, sysctl_value(ns, SYSCTL_CT_ICMP));
		return CT_FINE;
	case PROTO_ICMP6:
		ct_refresh(e, sysctl_value(ns, SYSCTL_CT_ICMP6));
		return CT_FINE;
	default:
		ct_refresh(e, sysctl_value(ns, SYSCTL_CT_GENERIC));
		return CT_FINE;
	}
}

/* An ICMP error belongs to the flow that it quotes. */
static void track_error(struct conntrack *ct, struct packet *p, uint16_t zone)
{
	struct packet *quoted = packet_quoted(p);
	enum ct_dir dir = DIR_ORIGINAL;
	if (!quoted)
		return;
	struct flow_key inner = packet_flow(quoted);
	struct flow_key back = ct_invert(&inner, quoted->family);
	packet_free(quoted);
	struct ct_entry *e = ct_find(ct, &back, zone, &dir);
	struct net_addr outer = packet_dst(p);
	if (!e || !net_addr_equal(&outer, &e->tuple[dir].dst))
		return;
	p->ct = e;
	p->ct_info = dir == DIR_REPLY ? CT_INFO_RELATED_REPLY : CT_INFO_RELATED;
}

/* Neighbour and multicast listener discovery are not tracked. */
static bool is_discovery(const struct packet *p)
{
	uint8_t type = packet_icmp_type(p);
	return p->proto == PROTO_ICMP6 && ((type >= 130 && type <= 137) || type == 143);
}

static void step_tracked(const struct hook_state *state, const char *what)
{
	char line[256];
	const struct packet *p = state->packet;
	if (p->trace)
		step_add(state->ns, p, hook_name(state->hook), "conntrack", NULL, "%s: %s", what,
			 packet_line(p, line, sizeof line));
}

static const char *info_name(uint8_t info)
{
	static const char *const names[] = { "no entry", "UNTRACKED", "INVALID", "NEW", "ESTABLISHED",
					     "RELATED", "ESTABLISHED (reply)", "RELATED (reply)" };
	return names[info];
}

/* False: the packet must be dropped. */
static bool track(struct conntrack *ct, struct packet *p, uint16_t zone)
{
	struct flow_key k = packet_flow(p);
	for (int round = 0; round < 2; round++) {
		enum ct_dir dir = DIR_ORIGINAL;
		struct ct_entry *e = ct_find(ct, &k, zone, &dir);
		if (!e) {
			if (!make_room(ct, &k))
				return false;
			e = create(ct, p, &k, zone);
			if (!e)
				break;
		} else {
			ct->stats.found++;
		}
		p->ct = e;
		p->ct_info = dir == DIR_REPLY		   ? CT_INFO_ESTABLISHED_REPLY
			     : e->status & CTS_SEEN_REPLY ? CT_INFO_ESTABLISHED
							   : CT_INFO_NEW;
		enum ct_answer answer = protocol_packet(e, p, dir);
		if (answer == CT_AGAIN)
			continue;
		if (answer == CT_BAD) {
			ct_forget(p);
			break;
		}
		if (dir == DIR_REPLY && !(e->status & CTS_SEEN_REPLY)) {
			e->status |= CTS_SEEN_REPLY;
			e->changed = true;
		}
		return true;
	}
	p->ct = NULL;
	p->ct_info = CT_INFO_INVALID;
	ct->stats.invalid++;
	return true;
}

/* Linux puts the datagram together first (nf_defrag); here a first fragment passes for the
 * whole and others are invalid, which a trace says. */
static bool note_fragment(const struct packet *p)
{
	const uint8_t *ip = p->bytes + p->l3;
	bool fragment = p->fragment || (p->family == NET_V4 && (ip[6] & 0x3f || ip[7]));
	if (fragment && p->trace && !p->trace->undecidable)
		p->trace->undecidable = "reassembly of IP fragments";
	return fragment;
}

static enum nf_verdict on_track(void *ctx, struct hook_state *state)
{
	struct conntrack *ct = ctx;
	struct packet *p = state->packet;
	uint16_t zone = 0;
	if (ct_entry_of(p) || p->ct_info == CT_INFO_UNTRACKED)
		return VERDICT_ACCEPT; /* seen: it came over the loopback, or was made here */
	if (p->ct)
		zone = p->ct->zone;
	p->ct = NULL;
	p->ct_info = CT_INFO_INVALID;
	sweep_loose(ct);
	if (note_fragment(p))
		step_tracked(state, "a fragment, which svclab does not put together with others");
	if (is_discovery(p)) {
		p->ct_info = CT_INFO_UNTRACKED;
	} else if (p->fragment || (p->proto == PROTO_TCP && !ct_tcp_sane(p))) {
		ct->stats.invalid++;
	} else if (packet_is_icmp_error(p)) {
		track_error(ct, p, zone);
		ct->stats.invalid += p->ct == NULL;
	} else if (!track(ct, p, zone)) {
		step_tracked(state, "table full, dropping packet");
		return VERDICT_DROP;
	}
	step_tracked(state, info_name(p->ct_info));
	return VERDICT_ACCEPT;
}

/* ---- confirmation ------------------------------------------------------------- */

static void insert_key(struct conntrack *ct, struct ct_entry *e, enum ct_dir dir)
{
	struct ct_key key = key_of(&e->tuple[dir], e->zone);
	*(struct ct_entry **)table_put(&ct->entries, &key, NULL) = e;
}

static void insert(struct conntrack *ct, struct ct_entry *e, bool reply_only)
{
	ct_unlink_loose(e);
	e->packet = NULL;
	e->status |= CTS_CONFIRMED;
	e->changed = false;
	if (!reply_only)
		insert_key(ct, e, DIR_ORIGINAL);
	insert_key(ct, e, DIR_REPLY);
	nat_source_add(ct, e);
	ct->count++;
	ct->stats.insert++;
	ct_notify(ct, e, CT_EVENT_NEW);
	collect_some(ct, GC_STEPS);
}

static bool same_flow(const struct ct_entry *a, const struct ct_entry *b)
{
	return memcmp(a->tuple, b->tuple, sizeof a->tuple) == 0;
}

/* Somebody else confirmed one of these tuples since the packet came in. UDP and ICMP
 * may share the winner's entry, or keep a short-lived one that only sees replies. */
static bool resolve_clash(struct conntrack *ct, struct packet *p, struct ct_entry *winner,
			  bool reply_taken)
{
	struct ct_entry *e = p->ct;
	uint8_t proto = e->tuple[DIR_ORIGINAL].proto;
	if (proto != PROTO_UDP && !is_icmp(proto))
		return false;
	if (same_flow(e, winner)) {
		p->ct = winner;
		return true;
	}
	if (ct->old_clashes || reply_taken || memcmp(&e->tuple[0], &winner->tuple[0], sizeof e->tuple[0]) != 0)
		return false;
	e->status |= CTS_NAT_CLASH;
	ct_refresh(e, CLASH_SECONDS);
	insert(ct, e, true);
	return true;
}

void conntrack_set_old_clashes(struct conntrack *ct, bool old)
{
	ct->old_clashes = old;
}

static enum nf_verdict on_confirm(void *ctx, struct hook_state *state)
{
	struct conntrack *ct = ctx;
	struct packet *p = state->packet;
	struct ct_entry *e = ct_entry_of(p);
	enum ct_dir dir;
	if (!e || (!(e->status & CTS_CONFIRMED) && ct_direction(p) == DIR_REPLY))
		return VERDICT_ACCEPT; /* an error or reset about a packet that died here */
	if (e->status & CTS_CONFIRMED) {
		if (e->changed && !(e->status & CTS_DYING))
			ct_notify(ct, e, CT_EVENT_UPDATE);
		e->changed = false;
		return VERDICT_ACCEPT;
	}
	struct ct_entry *first = ct_find(ct, &e->tuple[DIR_ORIGINAL], e->zone, &dir);
	struct ct_entry *second = ct_find(ct, &e->tuple[DIR_REPLY], e->zone, &dir);
	if (!first && !second) {
		insert(ct, e, false);
		p->ct_confirmed_here = true;
		return VERDICT_ACCEPT;
	}
	if (resolve_clash(ct, p, first ? first : second, second != NULL)) {
		ct->stats.clash_resolve++;
		step_tracked(state, "clash with an entry confirmed meanwhile: resolved");
		return VERDICT_ACCEPT;
	}
	ct->stats.drop++;
	ct->stats.insert_failed++;
	step_tracked(state, "clash with an entry confirmed meanwhile: insert_failed");
	return VERDICT_DROP;
}

/* ---- the whole table -------------------------------------------------------------- */

struct conntrack *conntrack_new(struct netns *ns)
{
	static const uint8_t families[] = { NET_V4, NET_V6 };
	struct conntrack *ct = mem_alloc(sizeof *ct);
	ct->ns = ns;
	table_init(&ct->entries, sizeof(struct ct_key), sizeof(struct ct_entry *));
	for (int i = 0; i < 2; i++) {
		hook_register(ns, families[i], HOOK_PREROUTING, PRI_CONNTRACK, on_track, ct);
		hook_register(ns, families[i], HOOK_OUTPUT, PRI_CONNTRACK, on_track, ct);
		hook_register(ns, families[i], HOOK_POSTROUTING, PRI_CONFIRM, on_confirm, ct);
		hook_register(ns, families[i], HOOK_INPUT, PRI_CONFIRM, on_confirm, ct);
	}
	return ct;
}

void conntrack_free(struct conntrack *ct)
{
	if (!ct)
		return;
	void *value;
	conntrack_watch(ct, NULL, NULL);
	conntrack_flush(ct);
	while (ct->loose) {
		struct ct_entry *e = ct->loose;
		ct_unlink_loose(e);
		free(e);
	}
	if (ct->templates.stride)
		for (uint32_t i = 0; table_next(&ct->templates, &i, NULL, &value);)
			free(*(struct ct_entry **)value);
	table_free(&ct->templates);
	table_free(&ct->by_source);
	table_free(&ct->entries);
	free(ct);
}
