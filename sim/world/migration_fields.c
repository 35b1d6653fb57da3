/* world/migration_fields.c: changes of time and state, which one packet cannot show.
 *
 * A row says how each mode does something; two modes with different words differ. Where a
 * mode has no words the row does not speak of it. Sources: pkg/proxy of each mode, the
 * kernel's ipvs-sysctl and ip_vs_proto_tcp.c, xt_recent.c, nft_set_hash.c.
 */
#include "world/migration_internal.h"

#include <stdio.h>
#include <string.h>

struct row {
	const char *id;
	bool (*applies)(const struct comparison *c, const struct subject *s);
	const char *what;
	const char *how[MODE_COUNT]; /* order of enum mode */
	const char *advice;
};

static bool has_affinity(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->affinity;
}

static bool affinity_of_several(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->affinity && (s->port->node_port || s->virtual_ip || s->external_ip);
}

/* Above what lingering connections hold an ipvs template for, both expire alike. */
static bool short_affinity(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->affinity && s->proto == PROTO_TCP;
}

static bool is_tcp(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->proto == PROTO_TCP;
}

static bool is_udp(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->proto == PROTO_UDP;
}

static bool is_sctp(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->proto == PROTO_SCTP;
}

static bool has_own_addresses(const struct comparison *c, const struct subject *s)
{
	(void)c;
	return s->first && (s->virtual_ip || s->external_ip);
}

static bool has_node_port(const struct comparison *c, const struct subject *s)
{
	const struct kube_proxy_configuration *p = c->configuration;
	return s->port->node_port && (!p || !p->node_port_addresses.count);
}

#define DRAIN_NAT "open connections to an endpoint that left go on until one end closes them"

static const struct row port_rows[] = {
	{ "AFF-04", has_affinity, "Session affinity remembers a limited number of clients.",
	  { "100 client addresses per endpoint and node; above that clients change endpoints",
	    "a template per client, limited by memory only",
	    "65535 client addresses per endpoint and node", "as many as kube-proxy has memory for" },
	  "Count the distinct client addresses per node before you rely on affinity." },
	{ "AFF-07", short_affinity, "When session affinity forgets a client.",
	  { "timeoutSeconds after the last connection began",
	    "not before the client's last connection has left the table (TIME_WAIT lasts 120 s), then "
	    "in steps of 60 s",
	    "timeoutSeconds after the last connection began",
	    "timeoutSeconds after the last connection began; a failed dial forgets it at once" },
	  "Check timeoutSeconds against how long clients really come back: long connections and short "
	  "time-outs behave differently." },
	{ "AFF-09", affinity_of_several,
	  "Whether a client keeps its endpoint across ClusterIP, NodePort and load balancer address.",
	  { "one record for all addresses of the port", "a record for each address",
	    "one record for all addresses of the port", "one record for all addresses of the port" },
	  "Let clients that need the same endpoint use one address of the Service." },
	{ "CHN-03", is_tcp, "What becomes of open TCP connections when an endpoint leaves.",
	  { DRAIN_NAT,
	    "the endpoint stays with weight 0, looked at every 60 s, until its connections are gone; "
	    "reused source ports may still reach it",
	    DRAIN_NAT, DRAIN_NAT },
	  "Give pods a preStop delay, and watch a rollout under load before and after." },
	{ "CHN-04", is_udp, "What becomes of UDP flows when an endpoint leaves.",
	  { "kube-proxy deletes their conntrack entries at its next sync",
	    "the endpoint is deleted at once and the next packet ends the flow",
	    "kube-proxy deletes their conntrack entries at its next sync",
	    "kube-proxy's own socket keeps the flow until it is idle" },
	  "Test that long-lived UDP clients (DNS, statsd, QUIC) recover after a rollout." },
	{ "CHN-04", is_sctp, "What becomes of open SCTP associations when an endpoint leaves.",
	  { "they go on to the endpoint that left: kube-proxy deletes conntrack entries of UDP only",
	    "the endpoint is deleted at once and the next packet ends the association",
	    "they go on to the endpoint that left: kube-proxy deletes conntrack entries of UDP only", NULL },
	  "Let clients open a new association when their peer is gone." },
	{ "CHN-09", is_tcp, "When an idle TCP connection is forgotten.",
	  { "by conntrack: after 24 h with kube-proxy's default",
	    "by IPVS: after 900 s unless tcpTimeout is set, whatever conntrack knows",
	    "by conntrack: after 24 h with kube-proxy's default", NULL },
	  "Use keep-alives below the shorter time, or set ipvs.tcpTimeout." },
	{ "CTK-09", is_udp, "A UDP client that sends before the Service's rules are there.",
	  { "its socket stays broken until the entry is idle for 30 s", NULL,
	    "its packets are refused and the flow works as soon as the rules are there", NULL },
	  "Work-arounds for sockets that stay black-holed after a start may go, or are needed again." },
	{ "LBR-11", has_own_addresses,
	  "Whether nodes own the Service's load balancer and external addresses.",
	  { "no: only the Service's ports are caught",
	    "yes, on kube-ipvs0: every port and ping of the address end on the node",
	    "no: only the Service's ports are caught", "no: only the Service's ports are caught" },
	  "Look for other uses of these addresses, and set strictARP where they are announced by ARP." },
	{ "NPT-02", has_node_port, "On which addresses of a node the NodePort is served.",
	  { "every local address", "every address the node had at the last sync, but loopback",
	    "the Node's primary address only", "every local address" },
	  "Set nodePortAddresses, or make clients and load balancers use the primary address." },
	{ "USR-02", is_tcp, "What happens when the chosen endpoint does not answer.",
	  { "the client's connection waits until it gives up",
	    "the client's connection waits until it gives up",
	    "the client's connection waits until it gives up",
	    "kube-proxy dials the next endpoint after 250 ms" },
	  "Rely on readiness probes and client retries, not on the proxy." },
	{ "USR-04", is_tcp, "Who accepts the client's TCP connection.",
	  { "the endpoint", "the endpoint", "the endpoint",
	    "kube-proxy, before an endpoint is chosen: without one it connects and is closed" },
	  "Check health checks that only connect." },
	{ "PRT-06", is_sctp, "Whether SCTP is served.",
	  { "yes", "yes", "yes", "no" }, "Do not run SCTP Services in userspace mode." },
};

static const struct row cluster_rows[] = {
	{ "CIP-03", NULL, "Whether ClusterIPs are addresses of the nodes.",
	  { "no interface has them", "every node has all of them on kube-ipvs0",
	    "no interface has them", "no interface has them" },
	  "Check tools that read node addresses or local routes, and services bound to all addresses." },
	{ "SYN-06", NULL, "What happens when another program flushes the rules.",
	  { "noticed and repaired within syncPeriod (30 s)",
	    "not noticed: repaired by the next sync that writes them",
	    "not noticed: repaired when a transaction fails, or by the hourly full sync", NULL },
	  "Find scripts that flush or reload the host firewall and make them leave kube-proxy's tables." },
};

static void compare_row(struct comparison *c, const struct row *r, const struct subject *s)
{
	const char *before = r->how[c->modes[0]], *after = r->how[c->modes[1]];
	if (!before || !after || strcmp(before, after) == 0)
		return;
	if (s && !r->applies(c, s))
		return;
	migration_add(c, r->id, s ? s->name : "", r->what, before, after, r->advice);
}

/* ---- which endpoint ---------------------------------------------------------------- */

static const char *scheduler(const struct comparison *c)
{
	const char *s = c->configuration ? c->configuration->ipvs.scheduler : NULL;
	return s && *s ? s : "rr";
}

static const char *selection(const struct comparison *c, enum mode mode)
{
	if (mode == MODE_IPVS && strcmp(scheduler(c), "rr") != 0)
		return arena_printf(c->out->memory, "by the IPVS scheduler %s", scheduler(c));
	return mode == MODE_IPVS || mode == MODE_USERSPACE ? "in turn (round robin)"
							   : "at random, each equally likely";
}

static void compare_selection(struct comparison *c, const struct subject *s)
{
	const char *before = selection(c, c->modes[0]), *after = selection(c, c->modes[1]);
	if (s->endpoints < 2 || strcmp(before, after) == 0)
		return;
	bool lost = c->modes[0] == MODE_IPVS && strcmp(scheduler(c), "rr") != 0;
	migration_add(c, "SEL-04", s->name, "How the endpoint of a new connection is chosen.", before,
		      after,
		      lost ? "The scheduler is lost: only ipvs has schedulers; balance in the client or "
			     "a proxy where load or source must decide."
			   : "With few connections expect another spread over the endpoints.");
}

void fields_compare_port(struct comparison *c, const struct subject *s)
{
	compare_selection(c, s);
	for (size_t i = 0; i < sizeof port_rows / sizeof *port_rows; i++)
		compare_row(c, &port_rows[i], s);
}

/* ---- cluster-wide -------------------------------------------------------------------- */

static void compare_invalid(struct comparison *c)
{
	static const char *const how[] = { "forwarded", "dropped when they are forwarded" };
	bool liberal = c->configuration && c->configuration->conntrack.tcp_be_liberal == TRI_TRUE;
	bool before = c->modes[0] == MODE_IPTABLES, after = c->modes[1] == MODE_IPTABLES;
	if (liberal || before == after)
		return;
	migration_add(c, "CTK-11", "", "Packets that conntrack calls INVALID.", how[before],
		      how[after],
		      after ? "Check asymmetric routes: their packets are dropped now."
			    : "Set conntrack.tcpBeLiberal, or long transfers may be reset by late packets.");
}

static void compare_leftovers(struct comparison *c)
{
	enum mode a = c->modes[0], b = c->modes[1];
	if (!(a == MODE_IPTABLES && b == MODE_IPVS) && !(a == MODE_IPVS && b == MODE_IPTABLES))
		return;
	migration_add(c, "SYN-10", "", "What the old mode leaves on the nodes.",
		      a == MODE_IPVS ? "kube-ipvs0 and virtual servers are in use"
				     : "iptables chains of the Services are in use",
		      "they stay and still catch traffic: the new mode does not remove them",
		      "Run kube-proxy --cleanup on each node, or restart it, when the mode changes.");
}

static void compare_modules(struct comparison *c)
{
	if (c->modes[1] != MODE_IPVS)
		return;
	bool exits = world_version(c->worlds[1]) >= KUBE_1_30;
	migration_add(c, "SYN-09", "", "What kube-proxy does on a node without IPVS in its kernel.",
		      "the mode needs no IPVS",
		      exits ? "it ends with an error" : "up to v1.25 it falls back to iptables",
		      "Load ip_vs and its schedulers on every node first, and have ipset installed.");
}

void fields_compare_cluster(struct comparison *c)
{
	for (size_t i = 0; i < sizeof cluster_rows / sizeof *cluster_rows; i++)
		compare_row(c, &cluster_rows[i], NULL);
	compare_invalid(c);
	compare_leftovers(c);
	compare_modules(c);
}
