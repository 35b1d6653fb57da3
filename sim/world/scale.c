/* world/scale.c: see scale.h. */
#include "world/scale.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world/internal.h"
#include "world/tracing.h"

#define NODE "scale"
#define CLIENT "pod/default/client"
#define SERVICE_BASE 0x0a600000u /* 10.96.0.0; Services from .256 up */
#define POD_BASE 0x64400000u     /* 100.64.0.0/10: room for 4 million endpoints */
#define POD_ROOM 0x3f0000u

/* ---- objects, made without text ------------------------------------------------------------ */

static int put(struct world *w, struct kube_object *o, const char *namespace, const char *name,
	       struct err *err)
{
	o->api_version = "v1";
	o->meta.name = kube_string(o, name);
	o->meta.namespace = namespace ? kube_string(o, namespace) : NULL;
	return kube_store_create(w->store, o, err);
}

static const char *address(struct kube_object *o, uint32_t value)
{
	char text[NET_ADDR_TEXT];
	struct net_addr a = net_addr_v4(value);
	return kube_string(o, net_addr_text(&a, text));
}

static int add_node(struct world *w, struct err *err)
{
	struct kube_node *n = (void *)kube_new(KIND_NODE);
	struct kube_object *o = &n->object;
	struct kube_node_address *a = arena_alloc(o->arena, sizeof *a);
	a->type = "InternalIP";
	a->address = "192.168.0.1";
	n->status.addresses.items = a;
	n->status.addresses.count = 1;
	return put(w, o, NULL, NODE, err);
}

static int add_client(struct world *w, struct err *err)
{
	struct kube_pod *p = (void *)kube_new(KIND_POD);
	p->spec.node_name = NODE;
	p->status.pod_ip = "10.244.0.9";
	p->status.phase = "Running";
	return put(w, &p->object, "default", strrchr(CLIENT, '/') + 1, err);
}

static int add_service(struct world *w, uint32_t number, struct err *err)
{
	struct kube_service *s = (void *)kube_new(KIND_SERVICE);
	struct kube_object *o = &s->object;
	struct kube_service_port *port = arena_alloc(o->arena, sizeof *port);
	const char **ips = arena_array(o->arena, 1, sizeof *ips);
	const char **families = arena_array(o->arena, 1, sizeof *families);
	char name[32];
	snprintf(name, sizeof name, "svc-%06u", number);
	s->spec.type = "ClusterIP";
	ips[0] = s->spec.cluster_ip = address(o, SERVICE_BASE + 256 + number);
	families[0] = "IPv4";
	s->spec.cluster_ips.items = ips;
	s->spec.ip_families.items = families;
	s->spec.cluster_ips.count = s->spec.ip_families.count = 1;
	s->spec.ip_family_policy = "SingleStack";
	s->spec.internal_traffic_policy = "Cluster";
	s->spec.session_affinity = "None";
	port->protocol = "TCP";
	port->port = 80;
	port->target_port = (struct int_or_string){ .kind = 'i', .number = 8080 };
	s->spec.ports.items = port;
	s->spec.ports.count = 1;
	return put(w, o, "default", name, err);
}

static int add_slice(struct world *w, uint32_t number, uint32_t endpoints, struct err *err)
{
	struct kube_endpoint_slice *s = (void *)kube_new(KIND_ENDPOINT_SLICE);
	struct kube_object *o = &s->object;
	struct kube_endpoint_port *port = arena_alloc(o->arena, sizeof *port);
	char name[40], service[32];
	snprintf(service, sizeof service, "svc-%06u", number);
	snprintf(name, sizeof name, "%s-1", service);
	kube_map_set(o, &o->meta.labels, "kubernetes.io/service-name", kube_string(o, service));
	s->address_type = "IPv4";
	port->name = "";
	port->protocol = "TCP";
	port->port = (struct opt_int){ true, 8080 };
	s->ports.items = port;
	s->ports.count = 1;
	s->endpoints.items = arena_array(o->arena, endpoints, sizeof *s->endpoints.items);
	s->endpoints.count = endpoints;
	for (uint32_t i = 0; i < endpoints; i++) {
		struct kube_endpoint *e = &s->endpoints.items[i];
		const char **addresses = arena_array(o->arena, 1, sizeof *addresses);
		addresses[0] = address(o, POD_BASE + (uint32_t)(((uint64_t)number * endpoints + i) %
								POD_ROOM));
		e->addresses.items = addresses;
		e->addresses.count = 1;
		e->node_name = NODE;
		e->conditions.ready = e->conditions.serving = TRI_TRUE;
		e->conditions.terminating = TRI_FALSE;
	}
	return put(w, o, "default", name, err);
}

/* As kubeadm configures kube-proxy: it knows the pods' range. */
static int add_configuration(struct world *w, struct err *err)
{
	struct kube_proxy_configuration *c = (void *)kube_new(KIND_KUBE_PROXY_CONFIGURATION);
	c->cluster_cidr = "100.64.0.0/10";
	return put(w, &c->object, NULL, "scale", err);
}

static int fill(struct world *w, const struct scale_query *q, struct err *err)
{
	int code = add_node(w, err);
	if (!code)
		code = add_configuration(w, err);
	if (!code)
		code = add_client(w, err);
	for (uint32_t i = 0; i < q->services && !code; i++) {
		code = add_service(w, i, err);
		if (!code)
			code = add_slice(w, i, q->endpoints, err);
	}
	return code;
}

/* ---- figures -------------------------------------------------------------------------------- */

static int measure(struct world *w, const struct scale_query *q, struct scale_row *out,
		   struct err *err)
{
	struct trace_report report = { 0 };
	struct sync_stats stats;
	char to[64], text[NET_ADDR_TEXT];
	struct net_addr last = net_addr_v4(SERVICE_BASE + 256 + q->services - 1);
	snprintf(to, sizeof to, "%s:80", net_addr_text(&last, text));
	struct trace_query trace = { .from = CLIENT, .to = to, .proto = PROTO_TCP };
	int code = world_trace(w, &trace, &report, err);
	if (!code && world_sync_stats(w, NODE, &stats) == 0) {
		out->rules = stats.last_rules;
		out->bytes = stats.last_bytes;
		out->rules_passed = report.outcomes[0].trace->rules_evaluated;
	}
	trace_report_free(&report);
	return code;
}

int world_scale(const struct scale_query *q, struct scale_row *out, struct err *err)
{
	struct world *w = NULL;
	enum kube_version version = q->version;
	if (!version && strcmp(q->mode, "userspace") == 0)
		version = KUBE_1_25;
	struct world_options options = { .registry = q->registry, .dataplane = q->mode, .seed = 1,
					 .version = version, .snapshot = true };
	*out = (struct scale_row){ 0 };
	int code = world_new(&options, &w, err);
	if (!code)
		code = fill(w, q, err);
	if (!code)
		code = snapshot_places(w, err);
	if (!code)
		code = measure(w, q, out, err);
	world_free(w);
	return code;
}
