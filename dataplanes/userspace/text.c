/* userspace/text.c: see text.h. */
#include "dataplanes/userspace/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *table, *chain, *from, *verb, *match;
} portals[] = {
	{ "nat", "KUBE-PORTALS-CONTAINER", "PREROUTING", "-I",
	  "-m comment --comment \"handle ClusterIPs; NOTE: this must be before the NodePort "
	  "rules\"" },
	{ "nat", "KUBE-PORTALS-HOST", "OUTPUT", "-I",
	  "-m comment --comment \"handle ClusterIPs; NOTE: this must be before the NodePort "
	  "rules\"" },
	{ "nat", "KUBE-NODEPORT-CONTAINER", "PREROUTING", "-A",
	  "-m addrtype --dst-type LOCAL -m comment --comment \"handle service NodePorts; NOTE: "
	  "this must be the last rule in the chain\"" },
	{ "nat", "KUBE-NODEPORT-HOST", "OUTPUT", "-A",
	  "-m addrtype --dst-type LOCAL -m comment --comment \"handle service NodePorts; NOTE: "
	  "this must be the last rule in the chain\"" },
	{ "filter", "KUBE-NODEPORT-NON-LOCAL", "INPUT", "-I",
	  "-m comment --comment \"Ensure that non-local NodePort traffic can flow\"" },
};

#define PORTALS (sizeof portals / sizeof *portals)

void portal_setup(bool flush, struct strbuf *out)
{
	for (unsigned i = 0; i < PORTALS; i++) {
		const char *table = portals[i].table, *chain = portals[i].chain;
		strbuf_printf(out, "-t %s -S %s || -t %s -N %s\n", table, chain, table, chain);
		strbuf_printf(out, "-t %s -C %s %s -j %s || -t %s %s %s %s -j %s\n", table,
			      portals[i].from, portals[i].match, chain, table, portals[i].verb,
			      portals[i].from, portals[i].match, chain);
	}
	for (unsigned i = 0; i < PORTALS && flush; i++)
		strbuf_printf(out, "-t %s -F %s\n", portals[i].table, portals[i].chain);
}

/* Source of behaviour: CleanupLeftovers of pkg/proxy/userspace/proxier.go, v1.25. */
void portal_cleanup(const struct proxy_view *view, struct transactions *out)
{
	struct strbuf text = { 0 };
	for (unsigned f = 0; f < PROXY_FAMILIES && view->version <= KUBE_1_25; f++) {
		struct left_tables left;
		bool any = left_tables_read(&left, view, f);
		for (unsigned form = 0; any && form < 3; form++)
			for (unsigned i = 0; i < PORTALS; i++) {
				const char *table = portals[i].table, *chain = portals[i].chain;
				bool nat = strcmp(table, "nat") == 0;
				if (!left_chain(nat ? &left.nat : &left.filter, chain))
					continue;
				if (form == 0)
					strbuf_printf(&text, "-t %s -D %s %s -j %s || -t %s -S %s\n", table,
						      portals[i].from, portals[i].match, chain, table,
						      portals[i].from);
				else
					strbuf_printf(&text, "-t %s %s %s\n", table, form == 1 ? "-F" : "-X",
						      chain);
			}
		left_put(out, left.commands, &text);
		left_tables_free(&left);
	}
	strbuf_free(&text);
}

struct writer {
	const struct portal_style *s;
	const struct service_port *p;
	uint16_t proxy_port;
	bool add;
	struct strbuf *out;
};

/* One rule: "-t TABLE -C CHAIN RULE || -t TABLE -A CHAIN RULE", or -D. */
static void put(struct writer *w, const char *table, const char *chain, const char *rule)
{
	if (w->add)
		strbuf_printf(w->out, "-t %s -C %s %s || -t %s -A %s %s\n", table, chain, rule,
			      table, chain, rule);
	else
		strbuf_printf(w->out, "-t %s -D %s %s\n", table, chain, rule);
}

/* The proxy listens on all addresses, so REDIRECT reaches it from containers; from the
 * host itself only DNAT to the node's address does. */
static void put_portal(struct writer *w, const char *chain, bool host, const char *ip,
		       uint16_t port, const char *extra)
{
	char rule[1024], to[NET_ADDR_TEXT + 48], match[NET_ADDR_TEXT + 16] = "";
	bool six = w->s->family == PROXY_V6;
	if (ip)
		snprintf(match, sizeof match, "-d %s/%s ", ip, six ? "128" : "32");
	if (host)
		snprintf(to, sizeof to, six ? "DNAT --to-destination [%s]:%u" :
					      "DNAT --to-destination %s:%u",
			 w->s->host_ip, w->proxy_port);
	else
		snprintf(to, sizeof to, "REDIRECT --to-ports %u", w->proxy_port);
	snprintf(rule, sizeof rule, "-m comment --comment %s -p %s -m %s --dport %u %s%s-j %s",
		 w->p->name, w->p->proto, w->p->proto, port, match, extra, to);
	put(w, "nat", chain, rule);
}

static void put_address(struct writer *w, const char *ip)
{
	put_portal(w, "KUBE-PORTALS-CONTAINER", false, ip, w->p->port, "");
	put_portal(w, "KUBE-PORTALS-HOST", true, ip, w->p->port, "");
}

static void put_node_port(struct writer *w)
{
	char rule[512];
	put_portal(w, "KUBE-NODEPORT-CONTAINER", false, NULL, w->p->node_port, "");
	put_portal(w, "KUBE-NODEPORT-HOST", true, NULL, w->p->node_port, "");
	snprintf(rule, sizeof rule,
		 "-m comment --comment %s -p %s -m %s --dport %u -m state --state NEW -j ACCEPT",
		 w->p->name, w->p->proto, w->p->proto, w->proxy_port);
	put(w, "filter", "KUBE-NODEPORT-NON-LOCAL", rule);
}

/* Every ingress address of the family: this mode knows no ipMode. */
static const char *ingress(const struct service_port *p, uint32_t i, char out[NET_ADDR_TEXT])
{
	const struct kube_service *s = (const void *)p->service->object;
	struct net_addr a;
	const char *ip = s->status.ingress.items[i].ip;
	if (!ip || !net_addr_parse(ip, &a) || a.family != p->cluster_ip.family)
		return NULL;
	return net_addr_text(&a, out);
}

static uint32_t ingress_count(const struct service_port *p)
{
	return ((const struct kube_service *)(const void *)p->service->object)->status.ingress.count;
}

void portal_rules(const struct portal_style *s, const struct service_port *p,
		  uint16_t proxy_port, bool add, struct strbuf *out)
{
	struct writer w = { s, p, proxy_port, add, out };
	char text[NET_ADDR_TEXT];
	put_address(&w, p->cluster_ip_text);
	for (uint32_t i = 0; i < p->external_ip_count; i++) {
		const char *ip = p->external_ips[i];
		put_portal(&w, "KUBE-PORTALS-CONTAINER", false, ip, p->port,
			   "-m physdev ! --physdev-is-in ");
		put_portal(&w, "KUBE-PORTALS-CONTAINER", false, ip, p->port,
			   "-m addrtype --dst-type LOCAL ");
		put_portal(&w, "KUBE-PORTALS-HOST", true, ip, p->port,
			   "-m addrtype --dst-type LOCAL ");
	}
	for (uint32_t i = 0; i < ingress_count(p); i++)
		if (ingress(p, i, text))
			put_address(&w, text);
	if (p->node_port)
		put_node_port(&w);
}

bool portal_equal(const struct service_port *a, const struct service_port *b)
{
	char ta[NET_ADDR_TEXT], tb[NET_ADDR_TEXT];
	if (a->proto_number != b->proto_number || a->port != b->port ||
	    a->node_port != b->node_port || a->affinity != b->affinity ||
	    strcmp(a->cluster_ip_text, b->cluster_ip_text) != 0 ||
	    a->external_ip_count != b->external_ip_count || ingress_count(a) != ingress_count(b))
		return false;
	for (uint32_t i = 0; i < a->external_ip_count; i++)
		if (strcmp(a->external_ips[i], b->external_ips[i]) != 0)
			return false;
	for (uint32_t i = 0; i < ingress_count(a); i++) {
		const char *ia = ingress(a, i, ta), *ib = ingress(b, i, tb);
		if (!ia != !ib || (ia && strcmp(ia, ib) != 0))
			return false;
	}
	return true;
}
