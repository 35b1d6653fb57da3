/* linux/ipvs/eval.c: packets through IPVS.
 *
 * Hooks and order as ip_vs_core.c: replies (source address of a server) at INPUT 98,
 * OUTPUT -99 and FORWARD 100; requests to a virtual server at INPUT 99 and OUTPUT -98,
 * where the virtual address is a local one. A request goes on from there on its own: a
 * new route, OUTPUT's hooks once more, then POSTROUTING (forwarding method masq). An ICMP
 * error about a connection is translated on its way back, with what it quotes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/internal.h"
#include "linux/ipvs/internal.h"
#include "net/trace.h"

#define CT_STATUS_CONFIRMED 8u /* IPS_CONFIRMED */

static struct conn_key key_of(const struct packet *p)
{
	struct conn_key k;
	memset(&k, 0, sizeof k);
	k.from = packet_src(p);
	k.to = packet_dst(p);
	k.from_port = packet_src_port(p);
	k.to_port = packet_dst_port(p);
	k.proto = p->proto;
	return k;
}

static bool balanced(const struct packet *p)
{
	return !p->fragment && p->l4 &&
	       (p->proto == PROTO_TCP || p->proto == PROTO_UDP || p->proto == PROTO_SCTP);
}

static void probe(struct ipvs *v, const struct packet *p)
{
	v->probes++;
	if (p->trace)
		p->trace->ipvs_probes++;
}

static void count(struct ipvs_conn *c, const struct packet *p, bool in)
{
	uint64_t bytes = p->length - p->l3;
	struct ipvs_dest *d = c->dest;
	if (!d || !d->available)
		return;
	struct ipvs_stats *both[] = { &d->stats, &d->service->stats };
	for (int i = 0; i < 2; i++) {
		*(in ? &both[i]->in_packets : &both[i]->out_packets) += 1;
		*(in ? &both[i]->in_bytes : &both[i]->out_bytes) += bytes;
	}
}

/* ---- requests ---- */

static struct ipvs_service *service_of(struct ipvs *v, const struct packet *p,
				       const struct conn_key *key)
{
	struct ipvs_endpoint at;
	struct ipvs_service *s = NULL;
	memset(&at, 0, sizeof at);
	if (p->mark) {
		at.mark = p->mark;
		s = ipvs_service(v, &at);
		at.mark = 0;
	}
	at.addr = key->to;
	at.port = key->to_port;
	at.proto = key->proto;
	if (!s)
		s = ipvs_service(v, &at);
	if (!s) { /* port zero: all ports of a persistent service */
		at.port = 0;
		s = ipvs_service(v, &at);
	}
	return s && (s->at.port || s->at.mark || s->flags & SVC_PERSISTENT) ? s : NULL;
}

/* A template whose server went or has weight 0 (with expire_quiescent_template) is of no
 * use any more: ip_vs_check_template. */
static bool template_usable(struct ipvs *v, struct ipvs_conn *t)
{
	if (t->dest && t->dest->available &&
	    !(t->dest->weight == 0 && ipvs_sysctl(v, "net.ipv4.vs.expire_quiescent_template")))
		return true;
	/* Invalidated: it keeps its connections, but is found no more. */
	table_remove(&v->conns_in, &t->in);
	t->in.to_port = t->dport = 65535;
	while (table_find(&v->conns_in, &t->in))
		t->in.invalidated++;
	*(struct ipvs_conn **)table_put(&v->conns_in, &t->in, NULL) = t;
	return false;
}

static struct ipvs_conn *template_for(struct ipvs *v, struct ipvs_service *s, const struct packet *p,
				      const struct conn_key *key)
{
	struct conn_key held = *key;
	struct net_prefix client = { key->from, s->netmask };
	held.from = net_prefix_masked(&client).addr;
	held.from_port = 0;
	held.is_template = 1;
	if (!s->at.port)
		held.to_port = 0;
	struct ipvs_conn *t = conn_find_in(v, &held);
	if (t && template_usable(v, t))
		return t;
	struct ipvs_dest *d = ipvs_choose(v, s, p);
	if (!d)
		return NULL;
	t = conn_new(v, &held, d, s->at.port ? d->at.port : 0);
	t->timeout_ns = (int64_t)s->timeout_s * NS_PER_S;
	conn_touch(t);
	return t;
}

static struct ipvs_conn *schedule(struct ipvs *v, struct ipvs_service *s, const struct packet *p,
				  const struct conn_key *key)
{
	struct ipvs_conn *t = NULL;
	struct ipvs_dest *d;
	if (s->flags & SVC_PERSISTENT) {
		t = template_for(v, s, p, key);
		d = t ? t->dest : NULL;
	} else {
		d = ipvs_choose(v, s, p);
	}
	if (!d)
		return NULL;
	struct ipvs_conn *c = conn_new(v, key, d, d->at.port ? d->at.port : key->to_port);
	c->one_packet = s->flags & SVC_ONE_PACKET && key->proto == PROTO_UDP;
	if (t) {
		c->template = t;
		t->controlled++;
		conn_touch(t);
	}
	d->stats.conns++;
	s->stats.conns++;
	return c;
}

/* A SYN on a connection that seems over is a new one (conn_reuse_mode), unless a template
 * holds it; so is one to a server that is on its way out. */
static bool begins_anew(struct ipvs *v, const struct ipvs_conn *c, const struct packet *p)
{
	if (p->proto == PROTO_UDP || !conn_opens(p))
		return false;
	if (c->dest && c->dest->weight == 0 && ipvs_sysctl(v, "net.ipv4.vs.expire_nodest_conn"))
		return true;
	return !c->template && conn_seems_over(c) && ipvs_sysctl(v, "net.ipv4.vs.conn_reuse_mode");
}

/* Frees a connection that the packet found and that is of no use to it. True: the packet
 * goes too, as conntrack still has it in the old flow (ip_vs_conn_uses_old_conntrack). */
static bool expire_now(struct ipvs_conn *c, const struct packet *p)
{
	if (c->uses_conntrack && ct_status(p) & CT_STATUS_CONFIRMED) {
		conn_expire(c);
		return true;
	}
	conn_free(c);
	return false;
}

/* With vs/conntrack the entry's replies are expected from the server. */
static void tell_conntrack(struct ipvs *v, struct ipvs_conn *c, struct packet *p)
{
	struct flow_key original, reply;
	if (!ipvs_sysctl(v, "net.ipv4.vs.conntrack")) {
		ct_untrack(p);
		return;
	}
	if (!ct_tuples(p, &original, &reply))
		return;
	reply.src = c->daddr;
	reply.src_port = c->dport;
	ct_alter_reply(p, &reply);
}

static enum nf_verdict refuse(struct ipvs *v, struct hook_state *state)
{
	struct packet *p = state->packet;
	bool v4 = p->family == NET_V4;
	step_add(v->ns, p, hook_name(state->hook), "ipvs", NULL,
		 "no real server can be chosen: port unreachable");
	snprintf(p->comment, sizeof p->comment, "ipvs: no destination available");
	if (p->trace)
		trace_verdict(p->trace, TRACE_REJECTED, "%s: ipvs has no real server for it", v->ns->label);
	icmp_error(v->ns, p, v4 ? 3 : 1, v4 ? 3 : 4, 0);
	state->reject_errno = ECONNREFUSED;
	return VERDICT_DROP;
}

/* The rest of the way to the server, whose address the packet has; takes the packet unless
 * the server is local. */
static enum nf_verdict send_on(struct ipvs *v, struct ipvs_conn *c, struct hook_state *state)
{
	struct packet *p = state->packet;
	struct netns *ns = v->ns;
	struct route_result route;
	struct net_addr src = packet_src(p);
	bool v4 = p->family == NET_V4;
	if (route_output(ns, &c->daddr, NULL, &route)) {
		icmp_error(ns, p, v4 ? 3 : 1, v4 ? 1 : 0, 0);
		return VERDICT_DROP;
	}
	if (!packet_is_icmp_error(p))
		tell_conntrack(v, c, p);
	if (route.kind == ROUTE_LOCAL)
		return VERDICT_ACCEPT;
	if (net_addr_is_loopback(&src))
		return VERDICT_DROP;
	if (packet_ttl(p) <= 1) {
		icmp_error(ns, p, v4 ? 11 : 3, 0, 0);
		return VERDICT_DROP;
	}
	packet_set_ttl(p, (uint8_t)(packet_ttl(p) - 1));
	p->out_if = route.out_if;
	if (hook_at(ns, HOOK_OUTPUT, p, NULL) == VERDICT_ACCEPT)
		path_post(ns, &route, p);
	return VERDICT_STOLEN;
}

static enum nf_verdict transmit(struct ipvs *v, struct ipvs_conn *c, struct hook_state *state)
{
	struct packet *p = state->packet;
	p->ipvs = c;
	packet_set_dst(p, &c->daddr, c->dport);
	if (p->trace) {
		p->trace->dnat_addr = c->daddr;
		p->trace->dnat_port = c->dport;
	}
	return send_on(v, c, state);
}

/* ---- ICMP errors about connections ---- */

/* The flow that an error quotes, read backwards: as a packet of the other direction. */
static bool quoted_key(const struct packet *p, struct conn_key *out)
{
	struct packet *quoted = packet_quoted(p);
	bool ok = quoted && balanced(quoted);
	if (ok) {
		struct conn_key k = key_of(quoted);
		*out = k;
		out->from = k.to;
		out->to = k.from;
		out->from_port = k.to_port;
		out->to_port = k.from_port;
	}
	packet_free(quoted);
	return ok;
}

/* A server's side says that a request cannot be delivered: the client knows the request by
 * the virtual address, and hears of it from there. */
static enum nf_verdict error_to_client(struct ipvs *v, struct hook_state *state)
{
	struct packet *p = state->packet;
	struct conn_key key;
	char change[2 * NET_ADDR_TEXT + 32];
	if (!quoted_key(p, &key))
		return VERDICT_ACCEPT;
	probe(v, p);
	struct ipvs_conn *c = conn_find_out(v, &key);
	if (!c)
		return VERDICT_ACCEPT;
	struct net_addr from = packet_src(p);
	count(c, p, false);
	step_change(&from, 0, &c->in.to, 0, change, sizeof change);
	step_add(v->ns, p, hook_name(state->hook), "ipvs", change, "ICMP error about a connection");
	packet_set_quoted_dst(p, &c->in.to, c->in.to_port);
	packet_set_src(p, &c->in.to, 0);
	p->ipvs = c;
	return VERDICT_ACCEPT;
}

/* The client's side says that a reply cannot be delivered: on to the server. */
static enum nf_verdict error_to_server(struct ipvs *v, struct hook_state *state)
{
	struct packet *p = state->packet;
	struct conn_key key;
	char change[2 * NET_ADDR_TEXT + 32];
	if (!quoted_key(p, &key))
		return VERDICT_ACCEPT;
	probe(v, p);
	struct ipvs_conn *c = conn_find_in(v, &key);
	if (!c)
		return VERDICT_ACCEPT;
	struct net_addr to = packet_dst(p);
	count(c, p, true);
	step_change(&to, 0, &c->daddr, 0, change, sizeof change);
	step_add(v->ns, p, hook_name(state->hook), "ipvs", change, "ICMP error about a reply");
	packet_set_quoted_src(p, &c->daddr, c->dport);
	packet_set_dst(p, &c->daddr, 0);
	p->ipvs = c;
	return send_on(v, c, state);
}

static enum nf_verdict dropped(struct ipvs *v, struct hook_state *state, const char *why)
{
	struct packet *p = state->packet;
	step_add(v->ns, p, hook_name(state->hook), "ipvs", NULL, "%s", why);
	snprintf(p->comment, sizeof p->comment, "ipvs: %s", why);
	return VERDICT_DROP;
}

static enum nf_verdict on_request(void *ctx, struct hook_state *state)
{
	struct ipvs *v = ctx;
	struct packet *p = state->packet;
	char change[2 * NET_ADDR_TEXT + 32];
	if (p->ipvs)
		return VERDICT_ACCEPT;
	if (packet_is_icmp_error(p) && v->conns_in.count)
		return error_to_server(v, state);
	if (!balanced(p))
		return VERDICT_ACCEPT;
	struct conn_key key = key_of(p);
	probe(v, p);
	struct ipvs_conn *c = conn_find_in(v, &key);
	if (c && begins_anew(v, c, p)) {
		if (expire_now(c, p))
			return dropped(v, state, "a new connection while conntrack has the old one");
		c = NULL;
	}
	if (c && c->dest && !c->dest->available) {
		if (!ipvs_sysctl(v, "net.ipv4.vs.expire_nodest_conn") || expire_now(c, p))
			return dropped(v, state, "the connection's server was removed");
		c = NULL;
	}
	if (!c) {
		struct ipvs_service *s = conn_opens(p) ? service_of(v, p, &key) : NULL;
		if (!s)
			return VERDICT_ACCEPT;
		c = schedule(v, s, p, &key);
		if (!c)
			return refuse(v, state);
	}
	count(c, p, true);
	conn_state(c, p, true);
	step_change(&key.to, key.to_port, &c->daddr, c->dport, change, sizeof change);
	step_add(v->ns, p, hook_name(state->hook), "ipvs", change, "virtual server, scheduler %s",
		 c->dest && c->dest->service ? c->dest->service->scheduler->name : "-");
	conn_touch(c);
	return transmit(v, c, state);
}

/* ---- replies ---- */

static enum nf_verdict on_reply(void *ctx, struct hook_state *state)
{
	struct ipvs *v = ctx;
	struct packet *p = state->packet;
	char change[2 * NET_ADDR_TEXT + 32];
	if (p->ipvs || !v->conns_out.count)
		return VERDICT_ACCEPT;
	if (packet_is_icmp_error(p))
		return error_to_client(v, state);
	if (!balanced(p))
		return VERDICT_ACCEPT;
	struct conn_key key = key_of(p);
	probe(v, p);
	struct ipvs_conn *c = conn_find_out(v, &key);
	if (!c)
		return VERDICT_ACCEPT;
	count(c, p, false);
	conn_state(c, p, false);
	conn_touch(c);
	step_change(&key.from, key.from_port, &c->in.to, c->in.to_port, change, sizeof change);
	step_add(v->ns, p, hook_name(state->hook), "ipvs", change, "reply of a real server");
	packet_set_src(p, &c->in.to, c->in.to_port);
	p->ipvs = c;
	return VERDICT_ACCEPT;
}

bool ipvs_packet_virtual(const struct packet *p, struct ipvs_virtual *out)
{
	const struct ipvs_conn *handled = p->ipvs;
	struct conn_key there = key_of(p), back = there;
	back.from = there.to;
	back.to = there.from;
	back.from_port = there.to_port;
	back.to_port = there.from_port;
	struct ipvs_conn *c = handled ? conn_find_out(handled->owner, &back) : NULL;
	if (!c)
		return false;
	*out = (struct ipvs_virtual){ .addr = c->in.to, .port = c->in.to_port, .proto = c->in.proto,
				      .method = c->dest ? (uint8_t)c->dest->forward : 0 };
	return true;
}

/* ---- registration ---- */

/* Forwarded errors about replies: a client behind this node, a fwmark service. */
static enum nf_verdict on_forwarded_error(void *ctx, struct hook_state *state)
{
	struct packet *p = state->packet;
	bool error = !p->ipvs && packet_is_icmp_error(p);
	return error ? error_to_server(ctx, state) : VERDICT_ACCEPT;
}

static const struct { enum nf_hook hook; int priority; hook_fn *fn; } hooks[] = {
	{ HOOK_INPUT, PRI_NAT_SRC - 2, on_reply }, { HOOK_INPUT, PRI_NAT_SRC - 1, on_request },
	{ HOOK_OUTPUT, PRI_NAT_DST + 1, on_reply }, { HOOK_OUTPUT, PRI_NAT_DST + 2, on_request },
	{ HOOK_FORWARD, PRI_NAT_SRC - 1, on_forwarded_error }, { HOOK_FORWARD, PRI_NAT_SRC, on_reply } };

void ipvs_hook(struct ipvs *v)
{
	if (v->hooked || !v->ns)
		return;
	v->hooked = true;
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		hook_fn *fn = hooks[i].fn;
		hook_register(v->ns, NET_V4, hooks[i].hook, hooks[i].priority, fn, v);
		hook_register(v->ns, NET_V6, hooks[i].hook, hooks[i].priority, fn, v);
	}
}

void ipvs_unhook(struct ipvs *v)
{
	if (!v->hooked)
		return;
	v->hooked = false;
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		hook_fn *fn = hooks[i].fn;
		hook_unregister(v->ns, NET_V4, hooks[i].hook, fn, v);
		hook_unregister(v->ns, NET_V6, hooks[i].hook, fn, v);
	}
}
