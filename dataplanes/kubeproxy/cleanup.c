/* kubeproxy/cleanup.c: conntrack entries that a sync makes stale.
 *
 * Only UDP: an entry holds its translation as long as packets come, wherever rules point
 * by now. What is deleted, by version:
 *
 *   v1.34  when a UDP service port got its first serving endpoint or lost one: for each
 *          address and node port of all UDP service ports that have serving endpoints, the
 *          entries whose reply source is none of them. A node port counts whatever the
 *          address: flows to some other host's port of that number go as well. A port
 *          without endpoints is skipped and a deleted Service leaves its entries: known gaps.
 *   older  the entries to endpoints that left; all entries of a service that got its
 *          first endpoints; all entries to ClusterIPs that are gone; by address alone.
 *
 * Source: pkg/proxy/conntrack/cleanup.go of v1.34 and v1.30.
 */
#include <stdio.h>
#include <string.h>

#include "dataplanes/kubeproxy/kubeproxy.h"
#include "net/packet.h"

struct cleaning {
	const struct kubeproxy *k;
	unsigned family;
	bool required; /* v1.34 */
	struct strbuf text;
};

/* ip NULL: any, for a node port. `reply`: the option that tells the translation, or "". */
static void delete_entries(struct cleaning *c, const char *ip, uint16_t port, const char *reply)
{
	strbuf_puts(&c->text, "-D -p udp");
	if (c->family == PROXY_V6)
		strbuf_puts(&c->text, " -f ipv6");
	if (ip)
		strbuf_printf(&c->text, " --orig-dst %s", ip);
	if (!ip || c->k->config->version >= KUBE_1_34)
		strbuf_printf(&c->text, " --dport %u", port);
	strbuf_printf(&c->text, "%s\n", reply);
}

static void delete_port(struct cleaning *c, const struct service_port *p, const char *reply)
{
	delete_entries(c, p->cluster_ip_text, p->port, reply);
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		delete_entries(c, p->external_ips[i], p->port, reply);
	for (uint32_t i = 0; i < p->vip_count; i++)
		delete_entries(c, p->vips[i], p->port, reply);
	if (p->node_port)
		delete_entries(c, NULL, p->node_port, reply);
}

static bool keeps(const struct kubeproxy *k, const struct endpoint *e)
{
	return k->config->version >= KUBE_1_34 ? e->ready || e->serving : e->ready;
}

static bool any_kept(const struct kubeproxy *k, const struct service_port *p)
{
	for (uint32_t i = 0; i < p->endpoint_count; i++)
		if (keeps(k, &p->endpoints[i]))
			return true;
	return false;
}

static const struct endpoint *find(const struct service_port *p, const char *text)
{
	uint32_t low = 0, high = p->endpoint_count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = strcmp(p->endpoints[middle].text, text);
		if (order == 0)
			return &p->endpoints[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct service_port *same_port(const struct service *s, const struct service_port *p)
{
	for (uint32_t i = 0; s && i < s->port_count; i++)
		if (s->ports[i].proto_number == p->proto_number &&
		    strcmp(s->ports[i].port_name, p->port_name) == 0)
			return &s->ports[i];
	return NULL;
}

/* `now` may be NULL: the service port is gone. */
static void clean_port(struct cleaning *c, const struct service_port *was,
		       const struct service_port *now)
{
	bool newer = c->k->config->version >= KUBE_1_34;
	char reply[64];
	if (!now) {
		if (!newer)
			delete_entries(c, was->cluster_ip_text, was->port, "");
		return;
	}
	bool kept = any_kept(c->k, now);
	if (kept && (!was || !any_kept(c->k, was))) {
		c->required = true;
		if (!newer)
			delete_port(c, now, "");
		return;
	}
	for (uint32_t i = 0; was && i < was->endpoint_count; i++) {
		const struct endpoint *e = &was->endpoints[i];
		if (e->copy || !keeps(c->k, e))
			continue;
		const struct endpoint *still = find(now, e->text);
		if (still && keeps(c->k, still))
			continue;
		c->required = true;
		snprintf(reply, sizeof reply, " --reply-src %s", e->ip);
		if (!newer)
			delete_port(c, now, reply);
	}
}

static void clean_changed(struct cleaning *c, const struct snapshot *was,
			  const struct snapshot *now)
{
	struct snapshot_step step = { 0 };
	while (snapshot_next_change(was, now, &step)) {
		for (uint32_t i = 0; step.now && i < step.now->port_count; i++) {
			const struct service_port *p = &step.now->ports[i];
			if (p->proto_number == PROTO_UDP)
				clean_port(c, same_port(step.was, p), p);
		}
		for (uint32_t i = 0; step.was && i < step.was->port_count; i++) {
			const struct service_port *p = &step.was->ports[i];
			if (p->proto_number == PROTO_UDP && !same_port(step.now, p))
				clean_port(c, p, NULL);
		}
	}
}

/* v1.34: the entries of a UDP service port that lead to none of its endpoints. */
static void clean_stale(struct cleaning *c, const struct snapshot *now)
{
	struct snapshot_cursor cursor = { 0 };
	struct strbuf reply = { 0 };
	for (const struct service *s; (s = snapshot_walk(now, &cursor));) {
		for (uint32_t i = 0; i < s->port_count; i++) {
			const struct service_port *p = &s->ports[i];
			if (p->proto_number != PROTO_UDP || !any_kept(c->k, p))
				continue;
			strbuf_clear(&reply);
			for (uint32_t n = 0; n < p->endpoint_count; n++)
				if (!p->endpoints[n].copy && keeps(c->k, &p->endpoints[n]))
					strbuf_printf(&reply, "%s%s", reply.length ? "," : " --reply-src-not ",
						      p->endpoints[n].ip);
			delete_port(c, p, strbuf_text(&reply));
		}
	}
	strbuf_free(&reply);
}

void cleanup_conntrack(const struct kubeproxy *k, struct transactions *out)
{
	struct cleaning c = { .k = k };
	for (c.family = 0; c.family < PROXY_FAMILIES; c.family++) {
		/* To the event-based code of old all is new in its first sync. */
		bool newer = k->config->version >= KUBE_1_34, first = !k->planned && !newer;
		c.required = false;
		clean_changed(&c, first ? NULL : k->was[c.family], k->now[c.family]);
		if (newer && c.required)
			clean_stale(&c, k->now[c.family]);
	}
	plan_add(out, TX_CONNTRACK, &c.text);
	strbuf_free(&c.text);
}
