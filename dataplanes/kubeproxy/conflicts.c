/* kubeproxy/conflicts.c: do services claim the same addresses and ports?
 *
 * Which of two claims wins is a matter of order, so planners that write element by element
 * look at all services where there are such; there seldom are. A table counts the holders of
 * each claim. It stands for one snapshot and follows changes to the one that is asked about.
 */
#include <stdlib.h>
#include <string.h>

#include "core/table.h"
#include "dataplanes/kubeproxy/tracker.h"

struct claim_key { /* an address and port, a node port (no address), an address (no port) */
	struct net_addr addr;
	uint16_t port;
	uint8_t proto;
	uint8_t reserved;
};

struct claims {
	struct snapshot *of;           /* the snapshot that the table stands for; NULL: empty */
	struct table holders;          /* struct claim_key -> uint32_t */
	uint32_t conflicts;            /* claims with more than one holder */
};

struct claims *claims_new(void)
{
	struct claims *c = mem_alloc(sizeof *c);
	table_init(&c->holders, sizeof(struct claim_key), sizeof(uint32_t));
	return c;
}

void claims_free(struct claims *c)
{
	if (!c)
		return;
	snapshot_unref(c->of);
	table_free(&c->holders);
	free(c);
}

static void hold(struct claims *c, const struct net_addr *addr, uint8_t proto, uint16_t port,
		 bool claim)
{
	struct claim_key key = { .port = port, .proto = proto };
	if (addr)
		key.addr = *addr;
	uint32_t *holders = table_put(&c->holders, &key, NULL);
	if (claim) {
		c->conflicts += ++*holders == 2;
		return;
	}
	c->conflicts -= --*holders == 1;
	if (!*holders)
		table_remove(&c->holders, &key);
}

/* Whether a port of the service before `p`, or a text of `p` before this one, names the
 * address too: a Service claims the address itself once. */
static bool named_before(const struct service_port *p, const struct net_addr *addr,
			 const char *const *before)
{
	const struct service_port *end = p + 1;
	struct net_addr other;
	for (const struct service_port *q = p->service->ports; q != end; q++) {
		const char *const *lists[] = { (const char *const *)q->external_ips,
					       (const char *const *)q->vips };
		const uint32_t counts[] = { q->external_ip_count, q->vip_count };
		for (unsigned l = 0; l < 2; l++)
			for (uint32_t i = 0; i < counts[l]; i++) {
				if (&lists[l][i] == before)
					return false;
				if (net_addr_parse(lists[l][i], &other) &&
				    net_addr_equal(&other, addr))
					return true;
			}
	}
	return false;
}

static void claim_addresses(struct claims *c, const struct service_port *p,
			    const char *const *ips, uint32_t count, bool claim)
{
	for (uint32_t i = 0; i < count; i++) {
		struct net_addr addr;
		if (!net_addr_parse(ips[i], &addr))
			continue;
		hold(c, &addr, p->proto_number, p->port, claim);
		if (!named_before(p, &addr, &ips[i]))
			hold(c, &addr, 0, 0, claim);
	}
}

/* An address and port belong to one service port, and to one of its lists once; an external
 * address belongs to one Service. */
static void claim_service(struct claims *c, const struct service *s, bool claim)
{
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct service_port *p = &s->ports[i];
		hold(c, &p->cluster_ip, p->proto_number, p->port, claim);
		claim_addresses(c, p, (const char *const *)p->external_ips, p->external_ip_count,
				claim);
		claim_addresses(c, p, (const char *const *)p->vips, p->vip_count, claim);
		if (p->node_port)
			hold(c, NULL, p->proto_number, p->node_port, claim);
	}
}

bool claims_conflict(struct claims *c, struct snapshot *of)
{
	struct snapshot_step step = { 0 };
	if (of->conflicts)
		return of->conflicts == 'y';
	while (snapshot_next_change(c->of, of, &step)) {
		if (step.was)
			claim_service(c, step.was, false);
		if (step.now)
			claim_service(c, step.now, true);
	}
	snapshot_ref(of);
	snapshot_unref(c->of);
	c->of = of;
	of->conflicts = c->conflicts ? 'y' : 'n';
	return c->conflicts != 0;
}
