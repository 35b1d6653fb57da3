/* ipvs/state.c: see state.h. */
#include "dataplanes/ipvs/state.h"

#include <stdio.h>
#include <string.h>

#include "net/packet.h"

const struct ipvs_set_kind ipvs_sets[SET_COUNT] = {
	[SET_LOOP_BACK] = { "KUBE-LOOP-BACK", "hash:ip,port,ip",
		"Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
		KUBE_1_20 },
	[SET_CLUSTER_IP] = { "KUBE-CLUSTER-IP", "hash:ip,port",
		"Kubernetes service cluster ip + port for masquerade purpose", KUBE_1_20 },
	[SET_EXTERNAL_IP] = { "KUBE-EXTERNAL-IP", "hash:ip,port",
		"Kubernetes service external ip + port for masquerade and filter purpose",
		KUBE_1_20 },
	[SET_EXTERNAL_IP_LOCAL] = { "KUBE-EXTERNAL-IP-LOCAL", "hash:ip,port",
		"Kubernetes service external ip + port with externalTrafficPolicy=local",
		KUBE_1_20 },
	[SET_LOAD_BALANCER] = { "KUBE-LOAD-BALANCER", "hash:ip,port",
		"Kubernetes service lb portal", KUBE_1_20 },
	[SET_LOAD_BALANCER_FW] = { "KUBE-LOAD-BALANCER-FW", "hash:ip,port",
		"Kubernetes service load balancer ip + port for load balancer with sourceRange",
		KUBE_1_20 },
	[SET_LOAD_BALANCER_LOCAL] = { "KUBE-LOAD-BALANCER-LOCAL", "hash:ip,port",
		"Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
		KUBE_1_20 },
	[SET_SOURCE_IP] = { "KUBE-LOAD-BALANCER-SOURCE-IP", "hash:ip,port,ip",
		"Kubernetes service load balancer ip + port + source IP for packet filter purpose",
		KUBE_1_20 },
	[SET_SOURCE_CIDR] = { "KUBE-LOAD-BALANCER-SOURCE-CIDR", "hash:ip,port,net",
		"Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
		KUBE_1_20 },
	[SET_NODE_PORT_TCP] = { "KUBE-NODE-PORT-TCP", "bitmap:port",
		"Kubernetes nodeport TCP port for masquerade purpose", KUBE_1_20 },
	[SET_NODE_PORT_LOCAL_TCP] = { "KUBE-NODE-PORT-LOCAL-TCP", "bitmap:port",
		"Kubernetes nodeport TCP port with externalTrafficPolicy=local", KUBE_1_20 },
	[SET_NODE_PORT_UDP] = { "KUBE-NODE-PORT-UDP", "bitmap:port",
		"Kubernetes nodeport UDP port for masquerade purpose", KUBE_1_20 },
	[SET_NODE_PORT_LOCAL_UDP] = { "KUBE-NODE-PORT-LOCAL-UDP", "bitmap:port",
		"Kubernetes nodeport UDP port with externalTrafficPolicy=local", KUBE_1_20 },
	[SET_NODE_PORT_SCTP] = { "KUBE-NODE-PORT-SCTP-HASH", "hash:ip,port",
		"Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
		KUBE_1_20 },
	[SET_NODE_PORT_LOCAL_SCTP] = { "KUBE-NODE-PORT-LOCAL-SCTP-HASH", "hash:ip,port",
		"Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type "
		"'hash ip:port'", KUBE_1_20 },
	[SET_HEALTH_CHECK] = { "KUBE-HEALTH-CHECK-NODE-PORT", "bitmap:port",
		"Kubernetes health check node port", KUBE_1_25 },
	[SET_IPVS_IPS] = { "KUBE-IPVS-IPS", "hash:ip", "", KUBE_1_30 },
};

#define SET_NAME_LONGEST 31

const char *ipvs_set_name(enum ipvs_set set, uint8_t family, char out[IPVS_SET_NAME])
{
	const char *name = ipvs_sets[set].name;
	if (family != NET_V6)
		snprintf(out, IPVS_SET_NAME, "%s", name);
	else
		snprintf(out, SET_NAME_LONGEST + 1, "KUBE-6-%s", name + strlen("KUBE-"));
	return out;
}

void ipvs_state_init(struct ipvs_state *s)
{
	s->memory = arena_new();
	table_init(&s->addresses, TABLE_STRING_KEYS, 0);
	table_init(&s->servers, TABLE_STRING_KEYS, sizeof(struct virtual_server));
	for (unsigned i = 0; i < SET_COUNT; i++)
		table_init(&s->members[i], TABLE_STRING_KEYS, 0);
}

void ipvs_state_free(struct ipvs_state *s)
{
	table_free(&s->addresses);
	table_free(&s->servers);
	for (unsigned i = 0; i < SET_COUNT; i++)
		table_free(&s->members[i]);
	arena_free(s->memory);
}

bool ipvs_member_refused(const char *member)
{
	size_t n = strlen(member);
	return n > 2 && strcmp(member + n - 2, "/0") == 0;
}

/* ---- collecting ------------------------------------------------------------------------ */

struct collector {
	struct ipvs_state *s;
	const struct proxy_config *c;
	const struct family_config *family;
	const struct service_port *p;
	const struct endpoint_choice *choice;
	struct arena *scratch;
	bool etp_local; /* v1.20: not for a ClusterIP Service with external IPs */
};

static void add_member(struct ipvs_state *s, enum ipvs_set set, const char *text)
{
	if (!table_find(&s->members[set], text))
		table_put(&s->members[set], arena_strdup(s->memory, text), NULL);
}

static void add_ip_port(struct collector *c, enum ipvs_set set, const char *ip, uint16_t port)
{
	char text[NET_ADDR_TEXT + 32];
	snprintf(text, sizeof text, "%s,%s:%u", ip, c->p->proto, port);
	add_member(c->s, set, text);
}

static void add_port(struct collector *c, enum ipvs_set set, uint16_t port)
{
	char text[8];
	snprintf(text, sizeof text, "%u", port);
	add_member(c->s, set, text);
}

static void bind_address(struct collector *c, const char *ip)
{
	if (!table_find(&c->s->addresses, ip))
		table_put(&c->s->addresses, arena_strdup(c->s->memory, ip), NULL);
	if (c->c->version >= ipvs_sets[SET_IPVS_IPS].from)
		add_member(c->s, SET_IPVS_IPS, ip);
}

/* Addresses that another interface has stay there. */
static void bind_external(struct collector *c, const char *ip)
{
	struct net_addr a;
	const struct addr_list *own = &c->family->node_addrs;
	net_addr_parse(ip, &a);
	for (uint32_t i = 0; i < own->count && c->c->version >= KUBE_1_30; i++)
		if (net_addr_equal(&own->items[i], &a))
			return;
	bind_address(c, ip);
}

/* Local policy without local endpoints takes all of them (v1.20: none). */
static void add_server(struct collector *c, const char *ip, uint16_t port, bool local)
{
	const struct endpoint_choice *ch = c->choice;
	const char *service = c->p->proto_number == PROTO_UDP ? "-u" :
			      c->p->proto_number == PROTO_SCTP ? "--sctp-service" : "-t";
	bool six = strchr(ip, ':') != NULL, fallback = c->c->version >= KUBE_1_25;
	char *key = arena_printf(c->s->memory, six ? "%s [%s]:%u" : "%s %s:%u", service, ip, port);
	if (local && !ch->local_count && fallback)
		local = false;
	const struct endpoint **list = local ? ch->local : ch->cluster;
	uint32_t count = local ? ch->local_count : ch->cluster_count;
	struct virtual_server *v = table_put(&c->s->servers, key, NULL);
	*v = (struct virtual_server){ .streams = c->p->proto_number == PROTO_TCP };
	v->options = arena_printf(c->s->memory, "-s %s%s", c->c->scheduler,
				  kube_is(c->c->scheduler, "mh") ? " -b mh-port" : "");
	if (c->p->affinity)
		v->options = arena_printf(c->s->memory, "%s -p %d", v->options,
					  (int)c->p->affinity_seconds);
	v->reals = arena_array(c->s->memory, count + 1, sizeof *v->reals);
	for (uint32_t i = 0; i < count; i++)
		v->reals[v->real_count++] = list[i]->text; /* the service outlives the plan */
}

static void collect_cluster_ip(struct collector *c)
{
	const char *ip = c->p->cluster_ip_text;
	add_ip_port(c, SET_CLUSTER_IP, ip, c->p->port);
	bind_address(c, ip);
	add_server(c, ip, c->p->port, c->p->itp_local && c->c->version >= KUBE_1_25);
}

static void collect_external_ips(struct collector *c)
{
	for (uint32_t i = 0; i < c->p->external_ip_count; i++) {
		const char *ip = c->p->external_ips[i];
		add_ip_port(c, c->etp_local ? SET_EXTERNAL_IP_LOCAL : SET_EXTERNAL_IP, ip,
			    c->p->port);
		bind_external(c, ip);
		add_server(c, ip, c->p->port, c->etp_local);
	}
}

static void collect_ranges(struct collector *c, const char *vip)
{
	char text[2 * NET_ADDR_TEXT + 32];
	add_ip_port(c, SET_LOAD_BALANCER_FW, vip, c->p->port);
	for (uint32_t i = 0; i < c->p->range_count; i++) {
		snprintf(text, sizeof text, "%s,%s:%u,%s", vip, c->p->proto, c->p->port,
			 c->p->ranges[i]);
		add_member(c->s, SET_SOURCE_CIDR, text);
	}
	if (!port_range_contains(c->p, &c->family->node_ip))
		return;
	snprintf(text, sizeof text, "%s,%s:%u,%s", vip, c->p->proto, c->p->port, vip);
	add_member(c->s, SET_SOURCE_IP, text);
}

static void collect_vips(struct collector *c)
{
	for (uint32_t i = 0; i < c->p->vip_count; i++) {
		const char *vip = c->p->vips[i];
		add_ip_port(c, SET_LOAD_BALANCER, vip, c->p->port);
		if (c->etp_local)
			add_ip_port(c, SET_LOAD_BALANCER_LOCAL, vip, c->p->port);
		if (c->p->range_count)
			collect_ranges(c, vip);
		bind_external(c, vip);
		add_server(c, vip, c->p->port, c->etp_local);
	}
}

uint32_t ipvs_node_ips(const struct proxy_config *c, unsigned family, struct arena *a,
		       const char ***out)
{
	const struct family_config *f = &c->families[family];
	char text[NET_ADDR_TEXT];
	uint32_t count = 0;
	*out = arena_array(a, f->node_port_ips.count + 1, sizeof **out);
	for (uint32_t i = 0; i < f->node_port_ips.count; i++) {
		const struct net_addr *ip = &f->node_port_ips.items[i];
		if (net_addr_is_loopback(ip) && c->version >= KUBE_1_25)
			continue;
		if (f->node_port_all && f->family == NET_V6 && net_addr_is_link_local(ip))
			continue;
		(*out)[count++] = arena_strdup(a, net_addr_text(ip, text));
	}
	return count;
}

/* Without an address for node ports even the health check port is left out. */
static void collect_node_port(struct collector *c, unsigned family)
{
	const struct service_port *p = c->p;
	const char **ips;
	uint32_t count = ipvs_node_ips(c->c, family, c->scratch, &ips);
	bool udp = p->proto_number == PROTO_UDP, sctp = p->proto_number == PROTO_SCTP;
	if (p->node_port && !count)
		return;
	if (p->node_port && !sctp) {
		add_port(c, udp ? SET_NODE_PORT_UDP : SET_NODE_PORT_TCP, p->node_port);
		if (c->etp_local)
			add_port(c, udp ? SET_NODE_PORT_LOCAL_UDP : SET_NODE_PORT_LOCAL_TCP,
				 p->node_port);
	}
	for (uint32_t i = 0; p->node_port && i < count; i++) {
		if (sctp)
			add_ip_port(c, SET_NODE_PORT_SCTP, ips[i], p->node_port);
		if (sctp && c->etp_local)
			add_ip_port(c, SET_NODE_PORT_LOCAL_SCTP, ips[i], p->node_port);
		add_server(c, ips[i], p->node_port, c->etp_local);
	}
	if (p->health_check_node_port && c->c->version >= ipvs_sets[SET_HEALTH_CHECK].from)
		add_port(c, SET_HEALTH_CHECK, p->health_check_node_port);
}

void ipvs_collect(struct ipvs_state *s, const struct proxy_config *config, unsigned family,
		  const struct service *service, struct arena *scratch)
{
	const struct kube_service *object = (const void *)service->object;
	for (uint32_t i = 0; i < service->port_count; i++) {
		struct endpoint_choice choice;
		struct collector c = { .s = s, .c = config, .family = &config->families[family],
				       .p = &service->ports[i], .choice = &choice,
				       .scratch = scratch };
		c.etp_local = c.p->etp_local &&
			      (config->version >= KUBE_1_25 ||
			       !kube_is(object->spec.type, "ClusterIP"));
		service_choose(c.p, config, scratch, &choice);
		collect_cluster_ip(&c);
		collect_external_ips(&c);
		collect_vips(&c);
		collect_node_port(&c, family);
	}
}

void ipvs_collect_loop_back(struct ipvs_state *s, const struct proxy_config *c,
			    const struct service *service)
{
	for (uint32_t i = 0; i < service->port_count; i++) {
		const struct service_port *p = &service->ports[i];
		for (uint32_t k = 0; k < p->endpoint_count; k++) {
			const struct endpoint *e = &p->endpoints[k];
			char text[2 * NET_ADDR_TEXT + 32];
			if (strcmp(e->node, c->node) != 0)
				continue;
			if (c->version < KUBE_1_25 && !e->ready)
				continue; /* v1.20 did not know of them */
			snprintf(text, sizeof text, "%s,%s:%u,%s", e->ip, p->proto, e->port, e->ip);
			add_member(s, SET_LOOP_BACK, text);
		}
	}
}
