/* kubeproxy/cleanup.c: conntrack entries that a sync makes stale.
 *
 * Only UDP: an entry holds its translation as long as packets come, wherever rules point
 * by now. What is deleted, by version:
 *
 *   v1.34  for each address and node port of a UDP service port that has serving
 *          endpoints, the entries whose reply source is none of them. The planner does
 *          not read conntrack; it names the endpoints that left, and everything when the
 *          first endpoints came (then no entry can be right). A port without endpoints
 *          is skipped and a deleted Service leaves its entries: known gaps.
 *   older  the entries to endpoints that left; all entries of a service that got its
 *          first endpoints; all entries to ClusterIPs that are gone; by address alone.
 *
 * Source: pkg/proxy/conntrack/cleanup.go of v1.34 and v1.30.
 */
#include <string.h>

#include "dataplanes/kubeproxy/kubeproxy.h"
#include "net/packet.h"

struct cleaning {
	const struct kubeproxy *k;
	struct strbuf text;
};

static void delete_address(struct cleaning *c, const char *ip, uint16_t port, const char *reply)
{
	strbuf_printf(&c->text, "-D -p udp --orig-dst %s", ip);
	if (c->k->config->version >= KUBE_1_34)
		strbuf_printf(&c->text, " --dport %u", port);
	if (reply)
		strbuf_printf(&c->text, " --reply-src %s", reply);
	strbuf_putc(&c->text, '\n');
}

/* reply NULL: whatever it was translated to. */
static void delete_port(struct cleaning *c, const struct service_port *p, const char *reply)
{
	delete_address(c, p->cluster_ip_text, p->port, reply);
	for (uint32_t i = 0; i < p->external_ip_count; i++)
		delete_address(c, p->external_ips[i], p->port, reply);
	for (uint32_t i = 0; i < p->vip_count; i++)
		delete_address(c, p->vips[i], p->port, reply);
	if (!p->node_port)
		return;
	strbuf_printf(&c->text, "-D -p udp --dport %u", p->node_port);
	if (reply)
		strbuf_printf(&c->text, " --reply-src %s", reply);
	strbuf_putc(&c->text, '\n');
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
	if (!now) {
		if (!newer)
			delete_address(c, was->cluster_ip_text, was->port, NULL);
		return;
	}
	bool kept = any_kept(c->k, now);
	if (newer && !kept)
		return;
	if (kept && (!was || !any_kept(c->k, was))) {
		delete_port(c, now, NULL);
		return;
	}
	for (uint32_t i = 0; was && i < was->endpoint_count; i++) {
		const struct endpoint *e = &was->endpoints[i];
		if (e->copy || !keeps(c->k, e))
			continue;
		const struct endpoint *still = find(now, e->text);
		if (!still || !keeps(c->k, still))
			delete_port(c, now, e->ip);
	}
}

void cleanup_conntrack(const struct kubeproxy *k, struct transactions *out)
{
	struct cleaning c = { .k = k };
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct snapshot_step step = { 0 };
		/* To the event-based code of old all is new in its first sync. */
		bool first = !k->planned && k->config->version < KUBE_1_34;
		const struct snapshot *was = first ? NULL : k->was[f];
		while (snapshot_next_change(was, k->now[f], &step)) {
			for (uint32_t i = 0; step.now && i < step.now->port_count; i++) {
				const struct service_port *p = &step.now->ports[i];
				if (p->proto_number == PROTO_UDP)
					clean_port(&c, same_port(step.was, p), p);
			}
			for (uint32_t i = 0; step.was && i < step.was->port_count; i++) {
				const struct service_port *p = &step.was->ports[i];
				if (p->proto_number == PROTO_UDP && !same_port(step.now, p))
					clean_port(&c, p, NULL);
			}
		}
	}
	plan_add(out, TX_CONNTRACK, &c.text);
	strbuf_free(&c.text);
}
