/* kube/validate_service.c: see validate.h. */
#include <stdio.h>
#include <string.h>

#include "kube/validate.h"
#include "kube/validate_meta.h"

#define ONLY_BALANCER "may only be used when `type` is 'LoadBalancer'"
#define RANGES_ANNOTATION "service.beta.kubernetes.io/load-balancer-source-ranges"
#define HINTS_ANNOTATION "service.kubernetes.io/topology-aware-hints"
#define MODE_ANNOTATION "service.kubernetes.io/topology-mode"
#define KUBELET_PORT 10250
#define AFFINITY_MOST_S 86400

static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
				     NULL };
static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const affinities[] = { "ClientIP", "None", NULL };
static const char *const traffic_policies[] = { "Cluster", "Local", NULL };
static const char *const families[] = { "IPv4", "IPv6", NULL };
static const char *const family_policies[] = { "PreferDualStack", "RequireDualStack",
					       "SingleStack", NULL };
static const char *const distributions[] = { "PreferClose", "PreferSameNode", "PreferSameZone",
					     NULL };

static bool type_is(const struct kube_service *s, const char *type)
{
	return kube_is(s->spec.type, type);
}

static bool given(const char *text)
{
	return text && *text;
}

static bool headless(const struct kube_service *s)
{
	return kube_is(s->spec.cluster_ip, "None");
}

/* ---- addresses and families --------------------------------------------------------------- */

static void check_policy(const struct kube_service *s, struct strbuf *errors)
{
	const struct field_path *at = FIELD("spec.ipFamilyPolicy");
	const char *policy = s->spec.ip_family_policy;
	if (given(policy) && !field_is_one_of(policy, family_policies))
		field_not_supported(errors, at, policy, family_policies);
	if (given(policy) && !kube_is(policy, "SingleStack"))
		return;
	if (s->spec.ip_families.count > 1)
		field_invalid(
		    errors, at, "SingleStack",
		    "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families "
		    "are specified");
	if (s->spec.cluster_ips.count > 1 && !headless(s))
		field_invalid(
		    errors, at, "SingleStack",
		    "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs "
		    "are specified");
}

static void check_family_list(const struct kube_service *s, struct strbuf *errors)
{
	for (uint32_t i = 0; i < s->spec.ip_families.count; i++) {
		const char *family = s->spec.ip_families.items[i];
		const struct field_path *at = ITEM(NULL, "spec.ipFamilies", i);
		if (!field_is_one_of(family, families))
			field_not_supported(errors, at, family, families);
		for (uint32_t j = 0; j < i; j++)
			if (kube_is(family, s->spec.ip_families.items[j])) {
				field_duplicate(errors, at, family);
				break;
			}
	}
}

/* Syntax of each address, then whether they suit each other and the families. */
static void check_address_list(const struct kube_service *s, struct strbuf *errors)
{
	const struct kube_strings *ips = &s->spec.cluster_ips;
	struct net_addr parsed[2] = { 0 };
	if (ips->count > 2)
		field_invalid_strings(errors, FIELD("spec.clusterIPs"), ips,
				      "may only hold up to 2 values");
	for (uint32_t i = 0; i < ips->count; i++) {
		if (i == 0 && kube_is(ips->items[0], "None")) {
			if (ips->count > 1)
				field_invalid_strings(errors, FIELD("spec.clusterIPs"), ips,
						      "'None' must be the first and only value");
			return;
		}
		if (!field_check_ip(errors, ITEM(NULL, "spec.clusterIPs", i), ips->items[i]))
			return;
		if (i < 2)
			net_addr_parse(ips->items[i], &parsed[i]);
	}
	if (ips->count == 2 && parsed[0].family == parsed[1].family)
		field_invalid_strings(errors, FIELD("spec.clusterIPs"), ips,
				      "may specify no more than one IP for each IP family");
	for (uint32_t i = 0; i < ips->count && i < s->spec.ip_families.count && i < 2; i++) {
		const char *family = parsed[i].family == NET_V6 ? "IPv6" : "IPv4";
		const char *wanted = s->spec.ip_families.items[i];
		if (!kube_is(wanted, family) && field_is_one_of(wanted, families))
			field_invalid(errors, ITEM(NULL, "spec.clusterIPs", i), ips->items[i],
				      "expected an %s value as indicated by `ipFamilies[%u]`",
				      wanted, i);
	}
}

/* What of two families may change, and how. */
static void check_family_change(const struct kube_service *s, const struct kube_service *old,
				struct strbuf *errors)
{
	const struct kube_strings *ips = &s->spec.cluster_ips, *before = &old->spec.cluster_ips;
	const struct kube_strings *now = &s->spec.ip_families, *then = &old->spec.ip_families;
	if (kube_is(old->spec.type, "ExternalName"))
		return;
	if (before->count && ips->count && !kube_is(ips->items[0], before->items[0]))
		field_invalid_strings(errors, ITEM(NULL, "spec.clusterIPs", 0), ips,
				      "may not change once set");
	else if (before->count && !ips->count)
		field_invalid_raw(errors, ITEM(NULL, "spec.clusterIPs", 0), "null",
				  "primary clusterIP can not be unset");
	if (then->count && now->count && !kube_is(now->items[0], then->items[0]))
		field_invalid_strings(errors, ITEM(NULL, "spec.ipFamilies", 0), now,
				      "may not change once set");
	else if (then->count && !now->count)
		field_invalid_raw(errors, ITEM(NULL, "spec.ipFamilies", 0), "null",
				  "primary ipFamily can not be unset");
	bool single = kube_is(s->spec.ip_family_policy, "SingleStack");
	if (before->count == 2 && ips->count == 1 && !single)
		field_invalid(errors, FIELD("spec.ipFamilyPolicy"), s->spec.ip_family_policy,
			      "must be 'SingleStack' to release the secondary cluster IP");
	if (then->count == 2 && now->count == 1 && !single)
		field_invalid(errors, FIELD("spec.ipFamilyPolicy"), s->spec.ip_family_policy,
			      "must be 'SingleStack' to release the secondary IP family");
}

void validate_service_addresses(const struct kube_service *s, const struct kube_service *old,
				struct strbuf *errors)
{
	const struct kube_strings *ips = &s->spec.cluster_ips;
	if (type_is(s, "ExternalName"))
		return;
	if (old)
		check_family_change(s, old, errors);
	if (ips->count && !given(s->spec.cluster_ip))
		field_invalid_strings(errors, FIELD("spec.clusterIPs"), ips,
				      "must be empty when `clusterIP` is not specified");
	else if (given(s->spec.cluster_ip) && !ips->count)
		field_required(errors, FIELD("spec.clusterIPs"), NULL);
	else if (given(s->spec.cluster_ip) && !kube_is(s->spec.cluster_ip, ips->items[0]))
		field_invalid_strings(errors, FIELD("spec.clusterIPs"), ips,
				      "first value must match `clusterIP`");
	check_policy(s, errors);
	check_family_list(s, errors);
	check_address_list(s, errors);
}

/* ---- ports ------------------------------------------------------------------------------------
 */

static void check_port(const struct kube_service *s, uint32_t index, struct strbuf *errors)
{
	const struct kube_service_port *p = &s->spec.ports.items[index];
	const struct field_path *at = ITEM(NULL, "spec.ports", index);
	if (!given(p->name) && s->spec.ports.count > 1) {
		field_required(errors, CHILD(at, "name"), NULL);
	} else if (given(p->name)) {
		bool duplicate = false;
		field_check(errors, CHILD(at, "name"), p->name, rule_label_1123);
		for (uint32_t i = 0; i < index; i++)
			duplicate |= kube_is(p->name, s->spec.ports.items[i].name);
		if (duplicate)
			field_duplicate(errors, CHILD(at, "name"), p->name);
	}
	field_check_port(errors, CHILD(at, "port"), p->port);
	if (!given(p->protocol))
		field_required(errors, CHILD(at, "protocol"), NULL);
	else if (!field_is_one_of(p->protocol, protocols))
		field_not_supported(errors, CHILD(at, "protocol"), p->protocol, protocols);
	field_check_port_or_name(errors, CHILD(at, "targetPort"), &p->target_port);
	if (given(p->app_protocol))
		field_check(errors, CHILD(at, "appProtocol"), p->app_protocol, rule_qualified_name);
}

static void check_type(const struct kube_service *s, struct strbuf *errors)
{
	bool balancer = type_is(s, "LoadBalancer");
	if (balancer)
		for (uint32_t i = 0; i < s->spec.ports.count; i++)
			if (s->spec.ports.items[i].port == KUBELET_PORT)
				field_invalid_int(errors,
						  CHILD(ITEM(NULL, "spec.ports", i), "port"),
						  KUBELET_PORT,
						  "may not expose port 10250 externally since it "
						  "is used by kubelet");
	if (headless(s) && (balancer || type_is(s, "NodePort")))
		field_invalid(errors, ITEM(NULL, "spec.clusterIPs", 0), "None",
			      "may not be set to 'None' for %s services", s->spec.type);
	if (!type_is(s, "ExternalName"))
		return;
	if (s->spec.cluster_ips.count)
		field_forbidden(errors, FIELD("spec.clusterIPs"),
				"may not be set for ExternalName services");
	if (s->spec.ip_families.count)
		field_forbidden(errors, FIELD("spec.ipFamilies"),
				"may not be set for ExternalName services");
	if (given(s->spec.ip_family_policy))
		field_forbidden(errors, FIELD("spec.ipFamilyPolicy"),
				"may not be set for ExternalName services");
	if (!given(s->spec.external_name)) {
		field_required(errors, FIELD("spec.externalName"), NULL);
		return;
	}
	struct complaints c = { 0 };
	char name[512];
	size_t length = strnlen(s->spec.external_name, sizeof name - 1);
	memcpy(name, s->spec.external_name, length);
	if (length && name[length - 1] == '.')
		length--;
	name[length] = '\0';
	rule_subdomain_1123(name, &c);
	for (uint32_t i = 0; i < c.count; i++)
		field_invalid(errors, FIELD("spec.externalName"), name, "%s", c.text[i]);
}

static void check_node_ports(const struct kube_service *s, struct strbuf *errors)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		const struct field_path *list = ITEM(NULL, "spec.ports", i);
		const struct field_path *at = CHILD(list, "nodePort");
		if (!p->node_port)
			continue;
		if (type_is(s, "ClusterIP")) {
			field_forbidden(errors, at, "may not be used when `type` is 'ClusterIP'");
			continue;
		}
		for (uint32_t j = 0; j < i; j++) {
			const struct kube_service_port *q = &s->spec.ports.items[j];
			if (q->node_port == p->node_port && kube_is(p->protocol, q->protocol)) {
				char number[16];
				snprintf(number, sizeof number, "%d", p->node_port);
				field_duplicate_raw(errors, at, number);
				break;
			}
		}
	}
}

static void check_equal_ports(const struct kube_service *s, struct strbuf *errors)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		for (uint32_t j = 0; j < i; j++) {
			const struct kube_service_port *p = &s->spec.ports.items[i];
			const struct kube_service_port *q = &s->spec.ports.items[j];
			if (p->port != q->port || !texts_equal(p->protocol, q->protocol))
				continue;
			struct strbuf value = { 0 };
			strbuf_puts(&value, "{\"Name\":\"\",\"Protocol\":");
			field_quote(&value, p->protocol);
			strbuf_printf(&value, ",\"AppProtocol\":null,\"Port\":%d,\"TargetPort\":0,"
				      "\"NodePort\":0}", p->port);
			field_duplicate_raw(errors, ITEM(NULL, "spec.ports", i), value.data);
			strbuf_free(&value);
			break;
		}
}

/* ---- the rest -----------------------------------------------------------------------------------
 */

static void check_affinity(const struct kube_service *s, struct strbuf *errors)
{
	const struct opt_int *timeout = &s->spec.affinity_timeout_s;
	if (!given(s->spec.session_affinity))
		field_required(errors, FIELD("spec.sessionAffinity"), NULL);
	else if (!field_is_one_of(s->spec.session_affinity, affinities))
		field_not_supported(errors, FIELD("spec.sessionAffinity"), s->spec.session_affinity,
				    affinities);
	if (kube_is(s->spec.session_affinity, "ClientIP") && timeout->set &&
	    (timeout->value <= 0 || timeout->value > AFFINITY_MOST_S))
		field_invalid_int(
		    errors, FIELD("spec.sessionAffinityConfig.clientIP.timeoutSeconds"),
		    timeout->value, "must be greater than 0 and less than %d", AFFINITY_MOST_S);
}

static void check_external_ips(const struct kube_service *s, struct strbuf *errors)
{
	for (uint32_t i = 0; i < s->spec.external_ips.count; i++) {
		const struct field_path *at = ITEM(NULL, "spec.externalIPs", i);
		if (field_check_ip(errors, at, s->spec.external_ips.items[i]))
			field_check_special_ip(errors, at, s->spec.external_ips.items[i]);
	}
}

/* Blanks around a range are allowed. */
static void trimmed(const char *text, char *out, size_t size)
{
	while (*text == ' ' || *text == '\t')
		text++;
	size_t length = strlen(text);
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	snprintf(out, size, "%.*s", (int)length, text);
}

static void check_source_ranges(const struct kube_service *s, struct strbuf *errors)
{
	bool balancer = type_is(s, "LoadBalancer");
	const char *annotation = kube_map_get(&s->object.meta.annotations, RANGES_ANNOTATION);
	if (s->spec.source_ranges.count) {
		if (!balancer)
			field_forbidden(errors, FIELD("spec.LoadBalancerSourceRanges"),
					ONLY_BALANCER);
		for (uint32_t i = 0; i < s->spec.source_ranges.count; i++) {
			char range[128];
			trimmed(s->spec.source_ranges.items[i], range, sizeof range);
			field_check_cidr(errors, ITEM(NULL, "spec.LoadBalancerSourceRanges", i),
					 range);
		}
	} else if (annotation && !balancer) {
		field_forbidden(errors, FIELD("metadata.annotations[" RANGES_ANNOTATION "]"),
				ONLY_BALANCER);
	}
}

static void check_balancer(const struct kube_service *s, struct strbuf *errors)
{
	bool balancer = type_is(s, "LoadBalancer");
	const struct field_path *ports = FIELD("spec.allocateLoadBalancerNodePorts");
	const struct field_path *class = FIELD("spec.loadBalancerClass");
	if (balancer && !s->spec.allocate_load_balancer_node_ports)
		field_required(errors, ports, NULL);
	if (!balancer && s->spec.allocate_load_balancer_node_ports)
		field_forbidden(errors, ports, ONLY_BALANCER);
	if (given(s->spec.load_balancer_class)) {
		field_check(errors, class, s->spec.load_balancer_class, rule_qualified_name);
		if (!balancer)
			field_forbidden(errors, class, ONLY_BALANCER);
	}
}

static bool externally_accessible(const struct kube_service *s)
{
	return type_is(s, "LoadBalancer") || type_is(s, "NodePort") ||
	       (type_is(s, "ClusterIP") && s->spec.external_ips.count);
}

static void check_policies(const struct kube_service *s, struct strbuf *errors)
{
	const char *external = s->spec.external_traffic_policy;
	const struct field_path *at = FIELD("spec.externalTrafficPolicy");
	int32_t health = s->spec.health_check_node_port;
	if (!externally_accessible(s)) {
		if (given(external))
			field_invalid(errors, at, external,
				      "may only be set for externally-accessible services");
	} else if (!given(external)) {
		field_required(errors, at, NULL);
	} else if (!field_is_one_of(external, traffic_policies)) {
		field_not_supported(errors, at, external, traffic_policies);
	}
	if (health && !(type_is(s, "LoadBalancer") && kube_is(external, "Local")))
		field_invalid_int(errors, FIELD("spec.healthCheckNodePort"), health,
				  "may only be set when `type` is 'LoadBalancer' and "
				  "`externalTrafficPolicy` is 'Local'");
	if (given(s->spec.internal_traffic_policy) &&
	    !field_is_one_of(s->spec.internal_traffic_policy, traffic_policies))
		field_not_supported(errors, FIELD("spec.internalTrafficPolicy"),
				    s->spec.internal_traffic_policy, traffic_policies);
	if (given(s->spec.traffic_distribution) &&
	    !field_is_one_of(s->spec.traffic_distribution, distributions))
		field_not_supported(errors, FIELD("spec.trafficDistribution"),
				    s->spec.traffic_distribution, distributions);
}

static void check_annotations(const struct kube_service *s, struct strbuf *errors)
{
	const char *hints = kube_map_get(&s->object.meta.annotations, HINTS_ANNOTATION);
	const char *mode = kube_map_get(&s->object.meta.annotations, MODE_ANNOTATION);
	if (hints && mode && strcmp(hints, mode) != 0)
		field_invalid(errors, FIELD("metadata.annotations[" MODE_ANNOTATION "]"), mode,
			      "must match annotations[" HINTS_ANNOTATION
			      "] when both are specified");
}

static void check_status(const struct kube_service *s, struct strbuf *errors)
{
	static const char *const modes[] = { "Proxy", "VIP", NULL };
	if (s->status.ingress.count && !type_is(s, "LoadBalancer"))
		field_forbidden(errors, FIELD("status.loadBalancer.ingress"),
				"may only be used when `spec.type` is 'LoadBalancer'");
	for (uint32_t i = 0; i < s->status.ingress.count; i++) {
		const struct kube_lb_ingress *g = &s->status.ingress.items[i];
		const struct field_path *at = ITEM(NULL, "status.loadBalancer.ingress", i);
		struct net_addr ip;
		if (given(g->ip))
			field_check_ip(errors, CHILD(at, "ip"), g->ip);
		if (given(g->ip_mode) && !field_is_one_of(g->ip_mode, modes))
			field_not_supported(errors, CHILD(at, "ipMode"), g->ip_mode, modes);
		if (!given(g->hostname))
			continue;
		if (net_addr_parse(g->hostname, &ip))
			field_invalid(errors, CHILD(at, "hostname"), g->hostname,
				      "must be a DNS name, not an IP address");
		else
			field_check(errors, CHILD(at, "hostname"), g->hostname,
				    rule_subdomain_1123);
	}
}

static void check_change(const struct kube_service *s, const struct kube_service *old,
			 struct strbuf *errors)
{
	bool both = type_is(s, "LoadBalancer") && kube_is(old->spec.type, "LoadBalancer");
	bool local = kube_is(s->spec.external_traffic_policy, "Local") &&
		     kube_is(old->spec.external_traffic_policy, "Local");
	if (both && local && s->spec.health_check_node_port != old->spec.health_check_node_port)
		field_forbidden(errors, FIELD("spec.healthCheckNodePort"), TEXT_IMMUTABLE);
	if (both && !texts_equal(s->spec.load_balancer_class, old->spec.load_balancer_class))
		field_invalid(errors, FIELD("spec.loadBalancerClass"), s->spec.load_balancer_class,
			      "may not change once set");
}

void kube_validate_service(const struct kube_object *o, const struct kube_object *before,
			   struct strbuf *errors)
{
	const struct kube_service *s = (const struct kube_service *)o;
	const struct kube_service *old = (const struct kube_service *)before;
	if (old)
		check_change(s, old, errors);
	validate_meta(errors, o, before, rule_label_1035);
	check_annotations(s, errors);
	if (!s->spec.ports.count && !headless(s) && !type_is(s, "ExternalName"))
		field_required(errors, FIELD("spec.ports"), NULL);
	check_type(s, errors);
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		check_port(s, i, errors);
	field_check_labels(errors, FIELD("spec.selector"), &s->spec.selector);
	check_affinity(s, errors);
	validate_service_addresses(s, old, errors);
	check_external_ips(s, errors);
	if (!given(s->spec.type))
		field_required(errors, FIELD("spec.type"), NULL);
	else if (!field_is_one_of(s->spec.type, types))
		field_not_supported(errors, FIELD("spec.type"), s->spec.type, types);
	check_node_ports(s, errors);
	check_equal_ports(s, errors);
	check_source_ranges(s, errors);
	check_balancer(s, errors);
	check_policies(s, errors);
	check_status(s, errors);
}
