/* tests/modes/mix.c: see mix.h. */
#include "mix.h"

#include <stdio.h>
#include <string.h>

#include "core/choice.h"

static const char node_letters[] = "abc";

/* ---- drawing -------------------------------------------------------------------------- */

static bool one_in(struct choice *c, uint32_t n)
{
	return choice_uniform(c, "address", n) == 0;
}

static uint8_t below(struct choice *c, uint32_t n)
{
	return (uint8_t)choice_uniform(c, "address", n);
}

static void draw_pods(struct mix *m, struct choice *c)
{
	for (unsigned i = 0; i < MIX_PODS; i++) {
		struct mix_pod *p = &m->pods[i];
		p->there = i == 0 || !one_in(c, 3);
		p->group = below(c, MIX_GROUPS);
		p->node = below(c, m->nodes);
		p->state = one_in(c, 2) ? POD_READY : (enum mix_state)below(c, 4);
	}
}

static void draw_services(struct mix *m, struct choice *c)
{
	for (unsigned i = 0; i < MIX_SERVICES; i++) {
		struct mix_service *s = &m->services[i];
		s->there = i == 0 || !one_in(c, 4);
		s->group = one_in(c, 6) ? MIX_GROUPS : below(c, MIX_GROUPS);
		s->type = (enum mix_type)below(c, 3);
		s->udp = one_in(c, 4);
		s->external_local = s->type != SERVICE_CLUSTER && one_in(c, 3);
		s->internal_local = one_in(c, 4);
		s->affinity = one_in(c, 4);
		s->external_ip = one_in(c, 4);
		s->dual = m->dual && one_in(c, 2);
		s->not_ready = one_in(c, 8);
		if (s->type == SERVICE_BALANCED && one_in(c, 3))
			s->ranges = (enum mix_ranges)(1 + below(c, 3));
	}
}

static bool has_front(const struct mix_service *s, enum mix_front front)
{
	switch (front) {
	case FRONT_NODE_PORT:
	case FRONT_LOOPBACK:
	case FRONT_GATEWAY:
		return s->type != SERVICE_CLUSTER;
	case FRONT_BALANCER:
		return s->type == SERVICE_BALANCED;
	case FRONT_EXTERNAL:
		return s->external_ip;
	default:
		return true;
	}
}

/* Most questions go where the modes have much to do. */
static enum mix_front draw_front(struct choice *c)
{
	static const uint64_t weights[FRONT_COUNT] = {
		[FRONT_CLUSTER] = 5, [FRONT_UNDEFINED] = 1, [FRONT_PING] = 1, [FRONT_NODE_PORT] = 8,
		[FRONT_LOOPBACK] = 2, [FRONT_GATEWAY] = 2, [FRONT_BALANCER] = 8, [FRONT_EXTERNAL] = 6 };
	return (enum mix_front)choice_draw(c, "address", weights, FRONT_COUNT);
}

static void draw_probe(const struct mix *m, struct choice *c, struct mix_probe *p)
{
	p->service = below(c, MIX_SERVICES);
	const struct mix_service *s = &m->services[p->service];
	do
		p->front = draw_front(c);
	while (!has_front(s, p->front));
	p->client = (enum mix_client)below(c, CLIENT_FAR + 1);
	p->at = p->client == CLIENT_SERVER ? below(c, MIX_PODS) : below(c, m->nodes);
	p->node = below(c, m->nodes);
	/* Addresses of both families are the Services' own: node ports and ClusterIPs. */
	p->v6 = s->dual && p->front != FRONT_BALANCER && p->front != FRONT_EXTERNAL &&
		p->front != FRONT_GATEWAY && one_in(c, 2);
	if (p->front == FRONT_LOOPBACK)
		p->client = CLIENT_NODE;
	else if (p->front == FRONT_GATEWAY)
		p->client = CLIENT_POD;
	else if (p->front <= FRONT_PING && p->client >= CLIENT_LAN)
		p->client = CLIENT_POD; /* nothing outside routes ClusterIPs */
	if (p->client != CLIENT_SERVER && p->at >= m->nodes)
		p->at = 0;
	/* A client that is gone, or whose own server is the question, asks nothing. */
	p->there = s->there && (p->client != CLIENT_SERVER || m->pods[p->at].there);
}

void mix_draw(struct mix *m, uint64_t seed)
{
	struct choice *c = choice_new(seed);
	memset(m, 0, sizeof *m);
	m->seed = seed;
	m->nodes = (uint8_t)(1 + below(c, MIX_NODES));
	m->routed = one_in(c, 3);
	m->dual = one_in(c, 4);
	m->masquerade_all = one_in(c, 6);
	m->no_detector = one_in(c, 8);
	m->node_cidr = !m->no_detector && one_in(c, 8);
	draw_pods(m, c);
	draw_services(m, c);
	for (unsigned i = 0; i < MIX_PROBES; i++)
		draw_probe(m, c, &m->probes[i]);
	m->change = (enum mix_change)below(c, CHANGE_COUNT);
	choice_free(c);
}

/* ---- shrinking ------------------------------------------------------------------------- */

/* Fewer nodes only when the last one is nobody's. */
static void drop_node(struct mix *m)
{
	uint8_t last = (uint8_t)(m->nodes - 1);
	bool used = last == 0;
	for (unsigned i = 0; i < MIX_PODS; i++)
		used |= m->pods[i].there && m->pods[i].node == last;
	for (unsigned i = 0; i < MIX_PROBES; i++) {
		const struct mix_probe *p = &m->probes[i];
		used |= p->there && (p->node == last || (p->client != CLIENT_SERVER && p->at == last));
	}
	if (!used)
		m->nodes = last;
}

static void simplify_service(struct mix_service *s, uint32_t way)
{
	switch (way) {
	case 0: s->there = false; break;
	case 1: s->ranges = RANGES_NONE; break;
	case 2: s->affinity = false; break;
	case 3: s->external_local = false; break;
	case 4: s->internal_local = false; break;
	case 5: s->udp = false; break;
	case 6: s->dual = false; break;
	case 7: s->not_ready = false; break;
	case 8: s->external_ip = false; break;
	default: s->type = SERVICE_CLUSTER; break;
	}
}

/* A simpler Service may no longer be what a probe asks for. */
static void forget_lost(struct mix *m)
{
	for (unsigned i = 0; i < MIX_PROBES; i++) {
		struct mix_probe *p = &m->probes[i];
		const struct mix_service *s = &m->services[p->service];
		p->there &= s->there && has_front(s, p->front) && (!p->v6 || s->dual) &&
			    (p->client != CLIENT_SERVER || m->pods[p->at].there);
	}
}

bool mix_simplify(struct mix *m, uint32_t step)
{
	enum { WAYS = 10, BASE = 7 };
	if (step < MIX_PROBES) {
		m->probes[step].there = false;
	} else if ((step -= MIX_PROBES) < MIX_PODS) {
		m->pods[step].there = false;
	} else if ((step -= MIX_PODS) < MIX_PODS) {
		m->pods[step].state = POD_READY;
	} else if ((step -= MIX_PODS) < MIX_SERVICES * WAYS) {
		simplify_service(&m->services[step / WAYS], step % WAYS);
	} else if ((step -= MIX_SERVICES * WAYS) < BASE) {
		switch (step) {
		case 0: m->change = CHANGE_NONE; break;
		case 1: m->routed = false; break;
		case 2: m->dual = false; break;
		case 3: m->masquerade_all = false; break;
		case 4: m->no_detector = false; break;
		case 5: m->node_cidr = false; break;
		default: drop_node(m); break;
		}
		for (unsigned i = 0; i < MIX_SERVICES && !m->dual; i++)
			m->services[i].dual = false;
	} else {
		return false;
	}
	forget_lost(m);
	return true;
}

/* ---- manifests -------------------------------------------------------------------------- */

static void pod_yaml(const struct mix *m, unsigned i, struct strbuf *out)
{
	const struct mix_pod *p = &m->pods[i];
	strbuf_printf(out, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: server-%u\n"
			   "  labels: {group: g%u}\nspec:\n  nodeName: %c\n"
			   "  terminationGracePeriodSeconds: 400000\n  containers:\n  - name: main\n"
			   "    image: nginx:1.27\n"
			   "    ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]\n"
			   "    lifecycle: {preStop: {sleep: {seconds: 300000}}}\n---\n",
		      i, p->group, node_letters[p->node]);
}

static void client_yaml(unsigned node, struct strbuf *out)
{
	strbuf_printf(out, "apiVersion: v1\nkind: Pod\nmetadata: {name: cli-%c}\nspec:\n"
			   "  nodeName: %c\n  containers:\n  - name: main\n"
			   "    image: curlimages/curl:8.10.1\n    command: [sleep, infinity]\n---\n",
		      node_letters[node], node_letters[node]);
}

static void service_yaml(const struct mix *m, unsigned i, struct strbuf *out)
{
	static const char *const types[] = { "ClusterIP", "NodePort", "LoadBalancer" };
	static const char *const ranges[] = { "", "[192.168.0.100/32]", "[10.244.0.0/16]",
					      "[203.0.113.200/32]" };
	const struct mix_service *s = &m->services[i];
	strbuf_printf(out, "apiVersion: v1\nkind: Service\nmetadata:\n  name: s%u\nspec:\n"
			   "  type: %s\n  selector: {group: g%u}\n", i, types[s->type], s->group);
	if (s->dual)
		strbuf_puts(out, "  ipFamilyPolicy: RequireDualStack\n");
	if (s->external_local)
		strbuf_puts(out, "  externalTrafficPolicy: Local\n");
	if (s->internal_local)
		strbuf_puts(out, "  internalTrafficPolicy: Local\n");
	if (s->affinity)
		strbuf_puts(out, "  sessionAffinity: ClientIP\n");
	if (s->not_ready)
		strbuf_puts(out, "  publishNotReadyAddresses: true\n");
	if (s->external_ip)
		strbuf_printf(out, "  externalIPs: [198.51.100.%u]\n", 10 + i);
	if (s->type == SERVICE_BALANCED)
		strbuf_printf(out, "  loadBalancerIP: 203.0.113.%u\n", 10 + i);
	if (s->ranges)
		strbuf_printf(out, "  loadBalancerSourceRanges: %s\n", ranges[s->ranges]);
	strbuf_printf(out, "  ports:\n  - port: 80\n    protocol: %s\n", s->udp ? "UDP" : "TCP");
	if (s->type != SERVICE_CLUSTER)
		strbuf_printf(out, "    nodePort: %u\n", 30080 + i);
	strbuf_puts(out, "---\n");
}

void mix_yaml(const struct mix *m, struct strbuf *out)
{
	for (unsigned i = 0; i < MIX_PODS; i++)
		if (m->pods[i].there)
			pod_yaml(m, i, out);
	for (unsigned n = 0; n < m->nodes; n++)
		client_yaml(n, out);
	for (unsigned i = 0; i < MIX_SERVICES; i++)
		if (m->services[i].there)
			service_yaml(m, i, out);
}

void mix_proxy_config(const struct mix *m, struct strbuf *out)
{
	if (m->masquerade_all)
		strbuf_puts(out, "iptables: {masqueradeAll: true}\nnftables: {masqueradeAll: true}\n");
	if (m->no_detector)
		strbuf_puts(out, "clusterCIDR: \"\"\n");
	if (m->node_cidr)
		strbuf_puts(out, "detectLocalMode: NodeCIDR\n");
}

/* ---- names ------------------------------------------------------------------------------- */

const char *mix_from(const struct mix_probe *p, char out[64])
{
	switch (p->client) {
	case CLIENT_POD:
		snprintf(out, 64, "pod/cli-%c", node_letters[p->at]);
		break;
	case CLIENT_SERVER:
		snprintf(out, 64, "pod/server-%u", p->at);
		break;
	case CLIENT_NODE:
		snprintf(out, 64, "node/%c", node_letters[p->at]);
		break;
	case CLIENT_LAN:
		snprintf(out, 64, "outside/%s", p->v6 ? "2001:db8:7::100" : "192.168.0.100");
		break;
	default:
		snprintf(out, 64, "outside/%s", p->v6 ? "2001:db8:7::77" : "198.51.100.77");
	}
	return out;
}

uint16_t mix_port(const struct mix_probe *p)
{
	switch (p->front) {
	case FRONT_UNDEFINED:
		return 7;
	case FRONT_NODE_PORT:
	case FRONT_LOOPBACK:
	case FRONT_GATEWAY:
		return (uint16_t)(30080 + p->service);
	default:
		return 80;
	}
}

const char *mix_to(const struct mix_probe *p, const char *cluster_ip, const char *node_address,
		   const char *gateway, char out[96])
{
	char own[32];
	const char *address = cluster_ip;
	switch (p->front) {
	case FRONT_NODE_PORT:
		address = node_address;
		break;
	case FRONT_LOOPBACK:
		address = p->v6 ? "::1" : "127.0.0.1";
		break;
	case FRONT_GATEWAY:
		address = gateway;
		break;
	case FRONT_BALANCER:
		snprintf(own, sizeof own, "203.0.113.%u", 10u + p->service);
		address = own;
		break;
	case FRONT_EXTERNAL:
		snprintf(own, sizeof own, "198.51.100.%u", 10u + p->service);
		address = own;
		break;
	default:
		break;
	}
	if (p->front == FRONT_PING)
		snprintf(out, 96, "%s", address);
	else
		snprintf(out, 96, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, mix_port(p));
	return out;
}
