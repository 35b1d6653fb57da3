/* tests/modes/explain.c: see explain.h. */
#include "explain.h"

#include <stddef.h>

const char *const mode_names[MODE_COUNT] = { "iptables", "nftables", "ipvs", "userspace" };

enum { D = 1u << SEEN_DELIVERED, C = 1u << SEEN_CLOSED, R = 1u << SEEN_REFUSED,
       X = 1u << SEEN_DROPPED, U = 1u << SEEN_SILENT };

struct question {
	const struct mix *mix;
	const struct mix_probe *probe;
	const struct mix_service *service;
	struct seen from, to;   /* iptables', the other mode's */
	uint32_t ready, local;  /* endpoints that new connections get; those on the entry node */
	bool after;
	bool gone;              /* the Service was deleted */
	bool draining_only;     /* the endpoints are terminating ones */
};

/* ---- what the rules are made of --------------------------------------------------------- */

static bool is_ready(const struct question *q, unsigned i)
{
	const struct mix_pod *p = &q->mix->pods[i];
	bool changed = q->after && p->group == 0;
	if (!p->there || p->group != q->service->group)
		return false;
	if (changed && q->mix->change == CHANGE_LABEL && p->state < POD_DRAINING)
		return false;
	if (q->service->not_ready)
		return true;
	return p->state == POD_READY && !(changed && q->mix->change == CHANGE_UNREADY);
}

static bool is_draining(const struct question *q, unsigned i)
{
	const struct mix_pod *p = &q->mix->pods[i];
	return p->there && p->group == q->service->group && p->state == POD_DRAINING &&
	       !(q->after && p->group == 0 && q->mix->change == CHANGE_UNREADY);
}

/* Where the packet meets its first rules. */
static uint8_t entry_node(const struct question *q)
{
	const struct mix_probe *p = q->probe;
	switch (p->client) {
	case CLIENT_SERVER:
		return q->mix->pods[p->at].node;
	case CLIENT_POD:
	case CLIENT_NODE:
		return p->at;
	default:
		return p->front == FRONT_NODE_PORT ? p->node : 0;
	}
}

/* A node port's rules are those of the node whose address it is. */
static uint8_t serving_node(const struct question *q)
{
	return q->probe->front == FRONT_NODE_PORT ? q->probe->node : entry_node(q);
}

static void find_endpoints(struct question *q)
{
	uint32_t draining = 0;
	for (unsigned i = 0; i < MIX_PODS; i++) {
		q->ready |= is_ready(q, i) ? 1u << i : 0;
		draining |= is_draining(q, i) ? 1u << i : 0;
	}
	q->draining_only = !q->ready && draining;
	if (q->draining_only)
		q->ready = draining;
	for (unsigned i = 0; i < MIX_PODS; i++)
		if (q->mix->pods[i].node == serving_node(q))
			q->local |= (q->ready | draining) & 1u << i;
	/* Terminating ones are local endpoints only where no ready one is. */
	uint32_t ready_local = q->local & ~draining;
	if (ready_local)
		q->local = ready_local;
}

static bool is(const struct question *q, uint32_t from, uint32_t to)
{
	return q->from.classes == from && q->to.classes == to;
}

static bool from_outside(const struct question *q)
{
	return q->probe->client >= CLIENT_LAN;
}

static bool front_in(const struct question *q, uint32_t fronts)
{
	return fronts >> q->probe->front & 1;
}

enum { CLUSTER = 1u << FRONT_CLUSTER, UNDEFINED = 1u << FRONT_UNDEFINED, PING = 1u << FRONT_PING,
       NODE_PORT = 1u << FRONT_NODE_PORT, LOOPBACK = 1u << FRONT_LOOPBACK,
       GATEWAY = 1u << FRONT_GATEWAY, BALANCER = 1u << FRONT_BALANCER,
       EXTERNAL = 1u << FRONT_EXTERNAL };

/* Addresses that stand for the Service outside of the cluster. */
#define ABROAD (BALANCER | EXTERNAL)
#define EXPOSED (NODE_PORT | LOOPBACK | GATEWAY | ABROAD)

/* ---- kernel modes ---------------------------------------------------------------------------- */

/* What nftables and ipvs have in common: both answer for ports that are not defined, and
 * neither serves node ports on loopback. */
static const char *both(const struct question *q, bool ipvs)
{
	if (front_in(q, UNDEFINED) && is(q, U, R))
		return "CIP-04";
	if (front_in(q, PING) && is(q, U, R))
		return ipvs ? "ICM-02" : "ICM-01";
	if (front_in(q, LOOPBACK) && q->to.classes == R && (q->from.classes & (D | X)))
		return q->probe->v6 ? "NPT-06" : "NPT-04";
	if (q->ready)
		return NULL;
	bool excluded = front_in(q, BALANCER) && q->service->ranges;
	if (excluded && is(q, R, X))
		return "LBR-09";
	if (q->probe->client == CLIENT_NODE && front_in(q, ABROAD) &&
	    (is(q, U, R) || (excluded && is(q, U, X))))
		return "NEP-06";
	return NULL;
}

static const char *explain_nftables(const struct question *q)
{
	if (front_in(q, CLUSTER | UNDEFINED | PING) && q->gone && is(q, U, X))
		return "CIP-05";
	if (front_in(q, GATEWAY) && q->to.classes == R)
		return "NPT-03";
	return both(q, false);
}

/* A virtual server with policy Local has the node's own endpoints, or, when it has none,
 * all; nothing short-circuits the traffic of pods and of the node. */
static const char *ipvs_external_local(const struct question *q)
{
	uint32_t servers = q->local ? q->local : q->ready;
	if (q->to.backends & ~servers)
		return NULL;
	if (!q->local && (is(q, X, U) || (q->from.classes == X && q->to.classes & D)))
		return "POL-03";
	if (q->probe->client == CLIENT_NODE &&
	    (is(q, D, D) || (front_in(q, ABROAD) && !q->local && is(q, D, X))))
		return "POL-05";
	if (from_outside(q) || q->probe->client == CLIENT_NODE)
		return NULL;
	/* Pods; of another node, the answer may bypass the node that translated. */
	return serving_node(q) == entry_node(q) ? (is(q, D, D) ? "POL-04" : NULL)
	       : !(q->from.classes & ~(D | U | X)) && !(q->to.classes & ~(D | U)) ? "POL-06" : NULL;
}

static const char *explain_ipvs(const struct question *q)
{
	const struct mix_service *s = q->service;
	if (front_in(q, CLUSTER) && s->internal_local && !q->local && q->from.classes == X) {
		bool exposed = s->type != SERVICE_CLUSTER || s->external_ip;
		if (!exposed && q->to.classes == R)
			return "POL-08";
		if (exposed && q->to.classes == D)
			return "POL-09";
	}
	if (front_in(q, CLUSTER) && q->mix->no_detector && q->probe->client == CLIENT_NODE &&
	    is(q, D, D) && q->from.backends == q->to.backends)
		return "CIP-07";
	if (front_in(q, EXPOSED & ~LOOPBACK) && s->external_local && q->ready) {
		const char *id = ipvs_external_local(q);
		if (id)
			return id;
	}
	return both(q, true);
}

/* ---- userspace --------------------------------------------------------------------------------- */

/* Release 1.25: one family, portal rules that don't know policies, ranges or the node's own
 * traffic to external addresses, a proxy that accepts before it looks for an endpoint. */
static const char *explain_userspace(const struct question *q)
{
	const struct mix_service *s = q->service;
	bool closed = s->udp ? q->to.classes == U : q->to.classes == C;
	uint32_t ready = q->draining_only ? 0 : q->ready;
	if (q->probe->v6)
		return q->to.classes & (D | C) ? NULL : "DUA-01";
	/* Its rules leave out what a bridge port or the node itself sends. */
	if (front_in(q, EXTERNAL) && q->to.classes == U &&
	    (q->probe->client == CLIENT_NODE || (!from_outside(q) && !q->mix->routed)))
		return "EXI-01";
	/* A datagram's answer comes from 127.0.0.1 and the proxy's port, not the node port. */
	if (front_in(q, LOOPBACK) && s->udp && q->to.classes == U)
		return "NPT-04";
	if (q->to.backends & ~ready)
		return NULL;
	if (closed && q->draining_only)
		return "POL-11";
	if (closed && !ready)
		return s->udp ? "USR-05" : "USR-04";
	if (q->to.classes != D)
		return NULL;
	if (is(q, D, D) && front_in(q, EXPOSED) && s->external_local)
		return "POL-01";
	if (is(q, D, D) && front_in(q, CLUSTER) && s->internal_local)
		return "POL-07";
	if (is(q, D, D))
		return "USR-01";
	if (q->from.classes == X || q->from.classes == (D | U) || q->from.classes == U) {
		if (front_in(q, BALANCER) && s->ranges)
			return "LBR-04";
		if (front_in(q, CLUSTER) && s->internal_local)
			return "POL-07";
		if (front_in(q, EXPOSED) && s->external_local)
			return q->probe->client < CLIENT_NODE ? "POL-06" : "POL-02";
	}
	return NULL;
}

/* ---- */

static const struct seen *look(const struct seen_all *all, unsigned probe, enum aspect aspect)
{
	return aspect == ASPECT_AFTER ? &all->after[probe] : &all->before[probe];
}

static enum lasting lasting(const struct seen_all *all, unsigned probe, enum aspect aspect)
{
	return aspect == ASPECT_KEPT ? all->kept[probe] : all->sticks[probe];
}

bool explain_equal(const struct seen_all *iptables, const struct seen_all *other, enum mode mode,
		   unsigned probe, enum aspect aspect)
{
	if (aspect >= ASPECT_KEPT) {
		enum lasting a = lasting(iptables, probe, aspect), b = lasting(other, probe, aspect);
		return a == b || a == LASTS_NOT_ASKED || b == LASTS_NOT_ASKED;
	}
	const struct seen *a = look(iptables, probe, aspect), *b = look(other, probe, aspect);
	/* The proxy in user space turns to its endpoints one after another: it chose one. */
	bool backends = mode == MODE_USERSPACE ? !(b->backends & ~a->backends)
					       : a->backends == b->backends;
	bool one = mode == MODE_USERSPACE && a->own && a->other;
	return a->classes == b->classes && backends &&
	       (one || (a->own == b->own && a->other == b->other));
}

const char *explain(const struct mix *m, const struct seen_all *iptables,
		    const struct seen_all *other, enum mode mode, unsigned probe,
		    enum aspect aspect)
{
	struct question q = { .mix = m, .probe = &m->probes[probe],
			      .service = &m->services[m->probes[probe].service],
			      .after = aspect == ASPECT_AFTER,
			      .from = *look(iptables, probe, aspect),
			      .to = *look(other, probe, aspect) };
	q.gone = q.after && m->change == CHANGE_SERVICE && q.probe->service == 0;
	if (aspect == ASPECT_KEPT) { /* iptables: it lasts */
		if (mode == MODE_IPVS && m->change == CHANGE_SERVICE && q.probe->service == 0)
			return "CHN-07";
		if (mode == MODE_USERSPACE && m->change == CHANGE_RESTART)
			return "USR-01";
		return NULL;
	}
	if (aspect == ASPECT_STICKS)
		return NULL;
	find_endpoints(&q);
	if (q.gone)
		q.ready = q.local = 0;
	return mode == MODE_NFTABLES ? explain_nftables(&q)
	       : mode == MODE_IPVS   ? explain_ipvs(&q)
				     : explain_userspace(&q);
}
