/* linux/ipvs/conn.c: the connection table and its templates.
 *
 * Source of behaviour: ip_vs_conn.c. A deadline is a timer of the kernel's wheel: far ones
 * fire late, up to an eighth of their distance (10,800 s were gone after 11,832 s; HZ is
 * 250), and until then a list shows the entry with nothing left. A connection whose timer
 * fires takes its conntrack entry along.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/ipvs/internal.h"
#include "linux/netns.h"

#define JIFFY_NS (NS_PER_S / 250)
#define WHEEL_LEVELS 9
#define TEMPLATE_AGAIN_NS (60 * NS_PER_S)

/* When a timer that is set now for `after_ns` later fires. */
static int64_t wheel(int64_t now_ns, int64_t after_ns)
{
	int64_t expires = (now_ns + after_ns + JIFFY_NS - 1) / JIFFY_NS;
	int64_t delta = after_ns / JIFFY_NS;
	int shift = 0;
	for (int level = 1; level < WHEEL_LEVELS && delta >= INT64_C(63) << (3 * (level - 1)); level++)
		shift = 3 * level;
	return (((expires >> shift) + 1) << shift) * JIFFY_NS;
}

static struct conn_key reply_key(const struct ipvs_conn *c)
{
	struct conn_key k;
	memset(&k, 0, sizeof k);
	k.from = c->daddr;
	k.from_port = c->dport;
	k.to = c->in.from;
	k.to_port = c->in.from_port;
	k.proto = c->in.proto;
	return k;
}

/* Room for new connections again; without a lower threshold at three quarters. */
static bool below_threshold(const struct ipvs_dest *d)
{
	uint64_t conns = (uint64_t)d->active + d->inactive;
	return d->lower ? conns < d->lower : conns * 4 < (uint64_t)d->upper * 3 || !d->upper;
}

void conn_free(struct ipvs_conn *c)
{
	struct conn_key out = reply_key(c);
	engine_cancel(netns_env(c->owner->ns)->engine, &c->timer);
	struct ipvs_conn **in_out = c->in.is_template ? NULL : table_find(&c->owner->conns_out, &out);
	table_remove(&c->owner->conns_in, &c->in);
	if (in_out && *in_out == c)
		table_remove(&c->owner->conns_out, &out);
	if (c->template)
		c->template->controlled--;
	if (c->dest) {
		if (c->in.is_template)
			c->dest->persistent--;
		else if (c->inactive)
			c->dest->inactive--;
		else
			c->dest->active--;
		if (c->dest->overload && below_threshold(c->dest))
			c->dest->overload = false;
		ipvs_dest_drop(c->owner, c->dest);
	}
	free(c);
}

static void on_timer(void *ctx);

/* The event comes when the timer fires; one that comes too early sets itself again. */
static void arm(struct ipvs_conn *c)
{
	struct engine *e = netns_env(c->owner->ns)->engine;
	if (engine_pending(e, c->timer) && c->timer_ns <= c->fires_ns)
		return;
	engine_cancel(e, &c->timer);
	c->timer_ns = c->fires_ns;
	c->timer = engine_at(e, c->timer_ns, on_timer, c);
}

static void on_timer(void *ctx)
{
	struct ipvs_conn *c = ctx;
	c->timer = (struct event_id){ 0 };
	if (c->fires_ns > ipvs_now(c->owner)) {
		arm(c);
	} else if (c->controlled) {
		/* From now on that is its timeout, also after new connections. */
		c->timeout_ns = TEMPLATE_AGAIN_NS;
		conn_touch(c);
	} else {
		struct conntrack *ct = netns_conntrack_if_any(c->owner->ns);
		struct flow_key flow;
		memset(&flow, 0, sizeof flow);
		flow.src = c->in.from;
		flow.dst = c->in.to;
		flow.src_port = c->in.from_port;
		flow.dst_port = c->in.to_port;
		flow.proto = c->in.proto;
		if (ct && c->uses_conntrack && !c->in.is_template)
			conntrack_delete_flow(ct, &flow);
		conn_free(c);
	}
}

void conn_touch(struct ipvs_conn *c)
{
	int64_t now = ipvs_now(c->owner);
	c->expires_ns = now + c->timeout_ns;
	c->fires_ns = wheel(now, c->timeout_ns);
	arm(c);
}

void conn_expire(struct ipvs_conn *c)
{
	c->expires_ns = c->fires_ns = ipvs_now(c->owner);
	arm(c);
}

static struct ipvs_conn *find(struct table *t, const struct conn_key *key)
{
	struct ipvs_conn **found = table_find(t, key);
	return found ? *found : NULL;
}

struct ipvs_conn *conn_find_in(struct ipvs *v, const struct conn_key *key)
{
	return find(&v->conns_in, key);
}

struct ipvs_conn *conn_find_out(struct ipvs *v, const struct conn_key *key)
{
	return find(&v->conns_out, key);
}

struct ipvs_conn *conn_new(struct ipvs *v, const struct conn_key *in, struct ipvs_dest *dest,
			   uint16_t dport)
{
	struct ipvs_conn *c = mem_alloc(sizeof *c);
	c->owner = v;
	c->in = *in;
	c->daddr = dest->at.addr;
	c->dport = dport;
	c->dest = dest;
	c->timeout_ns = 2 * NS_PER_S;
	dest->references++;
	if (in->is_template)
		dest->persistent++;
	else
		dest->inactive++; /* active when its protocol says so: UDP never is */
	c->inactive = true;
	c->uses_conntrack = ipvs_sysctl(v, "net.ipv4.vs.conntrack") != 0;
	if (dest->upper && dest->active + dest->inactive >= dest->upper)
		dest->overload = true;
	*(struct ipvs_conn **)table_put(&v->conns_in, &c->in, NULL) = c;
	struct conn_key out = reply_key(c);
	if (!in->is_template)
		*(struct ipvs_conn **)table_put(&v->conns_out, &out, NULL) = c;
	conn_touch(c);
	return c;
}
