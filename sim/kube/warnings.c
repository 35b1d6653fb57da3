/* kube/warnings.c: see warnings.h. */
#include "kube/warnings.h"

#include <string.h>

#include "kube/validate_meta.h"

static bool given(const char *text)
{
	return text && *text;
}

/* ---- Service ---------------------------------------------------------------------------- */

static void check_address(struct strbuf *out, const char *field, uint32_t index, const char *text)
{
	struct net_addr ip;
	char canonical[NET_ADDR_TEXT];
	if (!text || !net_addr_parse(text, &ip) || ip.family != NET_V6)
		return;
	net_addr_text(&ip, canonical);
	if (strcmp(text, canonical) != 0)
		strbuf_printf(out,
			      "%s[%u]: IPv6 address \"%s\" should be in RFC 5952 canonical format "
			      "(\"%s\")\n",
			      field, index, text, canonical);
}

static void check_range(struct strbuf *out, uint32_t index, const char *text)
{
	struct net_prefix p, masked;
	char range[NET_ADDR_TEXT], host[NET_ADDR_TEXT];
	if (!text || !strchr(text, '/') || !net_prefix_parse(text, &p))
		return;
	masked = net_prefix_masked(&p);
	if (net_addr_equal(&masked.addr, &p.addr))
		return;
	strbuf_printf(out,
		      "spec.loadBalancerSourceRanges[%u]: CIDR value \"%s\" is ambiguous in this "
		      "context (should be \"%s\" or \"%s/%u\"?)\n",
		      index, text, net_prefix_text(&masked, range), net_addr_text(&p.addr, host),
		      net_family_bits(p.addr.family));
}

static void service_warnings(struct strbuf *out, const struct kube_service *s)
{
	bool headless = kube_is(s->spec.cluster_ip, "None");
	bool external_name = kube_is(s->spec.type, "ExternalName");
	if (kube_map_get(&s->object.meta.annotations, "service.kubernetes.io/topology-aware-hints"))
		strbuf_puts(out,
			    "annotation service.kubernetes.io/topology-aware-hints is deprecated, "
			    "please use service.kubernetes.io/topology-mode instead\n");
	for (uint32_t i = 0; i < s->spec.cluster_ips.count; i++)
		check_address(out, "spec.clusterIPs", i, s->spec.cluster_ips.items[i]);
	for (uint32_t i = 0; i < s->spec.external_ips.count; i++)
		check_address(out, "spec.externalIPs", i, s->spec.external_ips.items[i]);
	for (uint32_t i = 0; i < s->spec.source_ranges.count; i++)
		check_range(out, i, s->spec.source_ranges.items[i]);
	if (external_name && s->spec.external_ips.count)
		strbuf_puts(out,
			    "spec.externalIPs is ignored when spec.type is \"ExternalName\"\n");
	if (!external_name && given(s->spec.external_name))
		strbuf_puts(
		    out, "spec.externalName is ignored when spec.type is not \"ExternalName\"\n");
	if (!headless)
		return;
	if (given(s->spec.load_balancer_ip))
		strbuf_puts(out, "spec.loadBalancerIP is ignored for headless services\n");
	if (s->spec.external_ips.count)
		strbuf_puts(out, "spec.externalIPs is ignored for headless services\n");
	if (kube_is(s->spec.session_affinity, "ClientIP"))
		strbuf_puts(out, "spec.SessionAffinity is ignored for headless services\n");
}

/* ---- Pod --------------------------------------------------------------------------------- */

/* What two port definitions have in common; NULL: nothing worth a warning. */
static const char *overlap(const struct kube_container_port *p,
			   const struct kube_container_port *q)
{
	if (!texts_equal(p->protocol, q->protocol) || p->container_port != q->container_port)
		return NULL;
	bool same_host = p->host_port == q->host_port && texts_equal(p->host_ip, q->host_ip);
	if (same_host)
		return "duplicate port definition with";
	if (p->host_port && p->host_port == q->host_port && given(p->host_ip) != given(q->host_ip))
		return "dangerously ambiguous port definition with";
	if (!p->host_port || !q->host_port)
		return "overlapping port definition with";
	return NULL;
}

static void port_warnings(struct strbuf *out, const char *prefix, const char *list,
			  uint32_t container, const struct kube_container *c)
{
	for (uint32_t i = 0; i < c->ports.count; i++) {
		const struct kube_container_port *p = &c->ports.items[i];
		if (given(p->host_ip) && !p->host_port)
			strbuf_printf(
			    out,
			    "%sspec.%s[%u].ports[%u]: hostIP set without hostPort: {Name:%s "
			    "HostPort:0 ContainerPort:%d Protocol:%s HostIP:%s}\n",
			    prefix, list, container, i, p->name ? p->name : "", p->container_port,
			    p->protocol ? p->protocol : "", p->host_ip);
		for (uint32_t j = 0; j < i; j++) {
			const char *text = overlap(p, &c->ports.items[j]);
			if (!text)
				continue;
			strbuf_printf(out, "%sspec.%s[%u].ports[%u]: %s %sspec.%s[%u].ports[%u]\n",
				      prefix, list, container, i, text, prefix, list, container, j);
			break;
		}
	}
}

static void env_warnings(struct strbuf *out, const char *prefix, const char *list,
			 uint32_t container, const struct kube_container *c)
{
	for (uint32_t i = 0; i < c->env.count; i++)
		for (uint32_t j = 0; j < i; j++) {
			if (!kube_is(c->env.items[i].name, c->env.items[j].name))
				continue;
			strbuf_printf(
			    out,
			    "%sspec.%s[%u].env[%u]: hides previous definition of \"%s\", which may "
			    "be dropped when using apply\n",
			    prefix, list, container, i, c->env.items[i].name);
			break;
		}
}

static void memory_warnings(struct strbuf *out, const char *prefix, const char *list,
			    uint32_t container, const char *which, const struct kube_map *amounts)
{
	const char *memory = kube_map_get(amounts, "memory");
	int64_t milli;
	if (memory && kube_quantity_parse(memory, &milli) && milli % 1000)
		strbuf_printf(out,
			      "%sspec.%s[%u].resources.%s[memory]: fractional byte value \"%s\" is "
			      "invalid, must be an integer\n",
			      prefix, list, container, which, memory);
}

static void container_warnings(struct strbuf *out, const char *prefix, const char *list,
			       const struct kube_containers *containers)
{
	for (uint32_t i = 0; i < containers->count; i++) {
		const struct kube_container *c = &containers->items[i];
		memory_warnings(out, prefix, list, i, "limits", &c->resources.limits);
		memory_warnings(out, prefix, list, i, "requests", &c->resources.requests);
		env_warnings(out, prefix, list, i, c);
		port_warnings(out, prefix, list, i, c);
	}
}

static void spec_warnings(struct strbuf *out, const char *prefix, const struct kube_pod_spec *s)
{
	static const struct { const char *key, *instead; } labels[] = {
		{ "beta.kubernetes.io/arch", "kubernetes.io/arch" },
		{ "beta.kubernetes.io/os", "kubernetes.io/os" },
	};
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (kube_map_get(&s->node_selector, labels[i].key))
			strbuf_printf(
			    out,
			    "%sspec.nodeSelector[%s]: deprecated since v1.14; use \"%s\" instead\n",
			    prefix, labels[i].key, labels[i].instead);
	for (uint32_t i = 0; i < s->topology_spread.count; i++)
		if (!s->topology_spread.items[i].selector.set)
			strbuf_printf(out,
				      "%sspec.topologySpreadConstraints[%u].labelSelector: a null "
				      "labelSelector results in matching no pod\n",
				      prefix, i);
	for (uint32_t i = 0; i < s->host_aliases.count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (kube_is(s->host_aliases.items[i].ip, s->host_aliases.items[j].ip)) {
				strbuf_printf(out,
					      "%sspec.hostAliases[%u].ip: duplicate ip \"%s\"\n",
					      prefix, i, s->host_aliases.items[i].ip);
				break;
			}
	container_warnings(out, prefix, "initContainers", &s->init_containers);
	container_warnings(out, prefix, "containers", &s->containers);
	if (s->termination_grace_s.set && s->termination_grace_s.value < 0)
		strbuf_printf(
		    out,
		    "%sspec.terminationGracePeriodSeconds: must be >= 0; negative values are "
		    "invalid and will be treated as 1\n",
		    prefix);
}

static const struct kube_pod_spec *template_of(const struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT: return &((const struct kube_deployment *)o)->spec.template.spec;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((const struct kube_replica_set *)o)->spec.template.spec;
	case KIND_STATEFUL_SET: return &((const struct kube_stateful_set *)o)->spec.template.spec;
	case KIND_DAEMON_SET: return &((const struct kube_daemon_set *)o)->spec.template.spec;
	case KIND_JOB: return &((const struct kube_job *)o)->spec.template.spec;
	default: return NULL;
	}
}

void kube_warnings(const struct kube_object *o, const struct kube_object *old,
		   struct strbuf *out)
{
	const struct kube_pod_spec *template = template_of(o);
	if (o->kind == KIND_ENDPOINTS)
		strbuf_puts(out, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
			    "EndpointSlice\n");
	else if (o->kind == KIND_SERVICE)
		service_warnings(out, (const struct kube_service *)o);
	else if (template)
		spec_warnings(out, "spec.template.", template);
	if (o->kind != KIND_POD || old)
		return;
	if (o->meta.name && strchr(o->meta.name, '.'))
		strbuf_puts(
		    out,
		    "metadata.name: this is used in the Pod's hostname, which can result in "
		    "surprising behavior; a DNS label is recommended: [must not contain dots]\n");
	spec_warnings(out, "", &((const struct kube_pod *)o)->spec);
}
