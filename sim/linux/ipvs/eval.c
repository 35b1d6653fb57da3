/* linux/ipvs/eval.c: packets through IPVS.
 *
 * Hooks and order as ip_vs_core.c: replies (source address of a server) at INPUT 98,
 * OUTPUT -99 and FORWARD 100; requests to a virtual server at INPUT 99 and OUTPUT -98,
 * where the virtual address is a local one. A request goes on from there on its own: a
 * new route, OUTPUT's hooks once more, then POSTROUTING (forwarding method masq).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/internal.h"
#include "linux/ipvs/internal.h"
#include "net/trace.h"

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

/* ---- replies ---- */

static enum nf_verdict on_reply(void *ctx, struct hook_state *state)
{
	struct ipvs *v = ctx;
	struct packet *p = state->packet;
	char change[2 * NET_ADDR_TEXT + 32];
	if (p->ipvs || !balanced(p) || !v->conns_out.count)
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

/* ---- requests ---- */

static bool starts_connection(const struct packet *p)
{
	return p->proto != PROTO_TCP || (packet_tcp_flags(p) & (TCP_SYN | TCP_RST)) == TCP_SYN;
}

/* SYN that may begin anew (is_new_conn): not SYN/ACK. */
static bool is_syn(const struct packet *p)
{
	return p->proto == PROTO_TCP &&
	       (packet_tcp_flags(p) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

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
	t->in.from_port = t->in.to_port = 65535;
	while (table_find(&v->conns_in, &t->in))
		t->in.from_port--;
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
		t->state = 1;
		conn_touch(t);
	}
	d->stats.conns++;
	s->stats.conns++;
	return c;
}

/* A SYN on a connection that seems over is a new one (conn_reuse_mode). */
static bool begins_anew(struct ipvs *v, const struct ipvs_conn *c, const struct packet *p)
{
	if (!is_syn(p))
		return false;
	if (c->dest && c->dest->weight == 0 && c->dest->available &&
	    ipvs_sysctl(v, "net.ipv4.vs.expire_nodest_conn"))
		return true;
	return c->state == IPVS_TIME_WAIT && ipvs_sysctl(v, "net.ipv4.vs.conn_reuse_mode");
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

/* The rest of the way to the server; takes the packet unless the server is local. */
static enum nf_verdict transmit(struct ipvs *v, struct ipvs_conn *c, struct hook_state *state)
{
	struct packet *p = state->packet;
	struct netns *ns = v->ns;
	struct route_result route;
	struct net_addr src = packet_src(p);
	bool v4 = p->family == NET_V4;
	p->ipvs = c;
	packet_set_dst(p, &c->daddr, c->dport);
	if (p->trace) {
		p->trace->dnat_addr = c->daddr;
		p->trace->dnat_port = c->dport;
	}
	if (route_output(ns, &c->daddr, NULL, &route)) {
		icmp_error(ns, p, v4 ? 3 : 1, v4 ? 1 : 0, 0);
		return VERDICT_DROP;
	}
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

static enum nf_verdict on_request(void *ctx, struct hook_state *state)
{
	struct ipvs *v = ctx;
	struct packet *p = state->packet;
	char change[2 * NET_ADDR_TEXT + 32];
	if (p->ipvs || !balanced(p))
		return VERDICT_ACCEPT;
	struct conn_key key = key_of(p);
	probe(v, p);
	struct ipvs_conn *c = conn_find_in(v, &key);
	if (c && begins_anew(v, c, p)) {
		conn_free(c);
		c = NULL;
	}
	if (!c) {
		struct ipvs_service *s = starts_connection(p) ? service_of(v, p, &key) : NULL;
		if (!s)
			return VERDICT_ACCEPT;
		c = schedule(v, s, p, &key);
		if (!c)
			return refuse(v, state);
	}
	if (c->dest && !c->dest->available) {
		step_add(v->ns, p, hook_name(state->hook), "ipvs", NULL,
			 "the connection's server was removed");
		snprintf(p->comment, sizeof p->comment, "ipvs: the connection's server was removed");
		if (ipvs_sysctl(v, "net.ipv4.vs.expire_nodest_conn"))
			conn_free(c);
		return VERDICT_DROP;
	}
	count(c, p, true);
	conn_state(c, p, true);
	step_change(&key.to, key.to_port, &c->daddr, c->dport, change, sizeof change);
	step_add(v->ns, p, hook_name(state->hook), "ipvs", change, "virtual server, scheduler %s",
		 c->dest && c->dest->service ? c->dest->service->scheduler->name : "-");
	conn_touch(c);
	return transmit(v, c, state);
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

static const struct { enum nf_hook hook; int priority; bool reply; } hooks[] = {
	{ HOOK_INPUT, PRI_NAT_SRC - 2, true }, { HOOK_INPUT, PRI_NAT_SRC - 1, false },
	{ HOOK_OUTPUT, PRI_NAT_DST + 1, true }, { HOOK_OUTPUT, PRI_NAT_DST + 2, false },
	{ HOOK_FORWARD, PRI_NAT_SRC, true } };

void ipvs_hook(struct ipvs *v)
{
	if (v->hooked || !v->ns)
		return;
	v->hooked = true;
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		hook_fn *fn = hooks[i].reply ? on_reply : on_request;
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
		hook_fn *fn = hooks[i].reply ? on_reply : on_request;
		hook_unregister(v->ns, NET_V4, hooks[i].hook, fn, v);
		hook_unregister(v->ns, NET_V6, hooks[i].hook, fn, v);
	}
}
