/* kube/validate_pod.c: see validate.h and validate_pod.h. */
#include "kube/validate_pod.h"

#include <string.h>

#include "kube/copy.h"
#include "kube/schema_rows.h"
#include "kube/store.h"
#include "kube/validate.h"
#include "kube/validate_meta.h"

#define NAMESERVERS_MOST 3
#define SEARCHES_MOST 32
#define SEARCH_BYTES_MOST 2048

static const char *const restart_policies[] = { "Always", "OnFailure", "Never", NULL };
static const char *const dns_policies[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default",
					    "None", NULL };
static const char *const toleration_operators[] = { "Equal", "Exists", NULL };
static const char *const taint_effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };

static bool given(const char *text)
{
	return text && *text;
}

static void check_dns(struct strbuf *errors, const struct field_path *at,
		      const struct kube_pod_spec *s)
{
	const struct field_path *config = CHILD(at, "dnsConfig");
	const struct kube_strings *servers = &s->dns_config.nameservers;
	const struct kube_strings *searches = &s->dns_config.searches;
	size_t bytes = 0;
	if (!field_is_one_of(s->dns_policy, dns_policies))
		field_not_supported(errors, CHILD(at, "dnsPolicy"), s->dns_policy, dns_policies);
	if (kube_is(s->dns_policy, "None")) {
		if (!s->dns_config.set)
			field_required(errors, config,
				       "must provide `dnsConfig` when `dnsPolicy` is None");
		else if (!servers->count)
			field_required(
			    errors, CHILD(config, "nameservers"),
			    "must provide at least one DNS nameserver when `dnsPolicy` is None");
	}
	if (servers->count > NAMESERVERS_MOST)
		field_invalid_strings(errors, CHILD(config, "nameservers"), servers,
				      "must not have more than %d nameservers", NAMESERVERS_MOST);
	for (uint32_t i = 0; i < servers->count; i++)
		field_check_ip(errors, ITEM(config, "nameservers", i), servers->items[i]);
	if (searches->count > SEARCHES_MOST)
		field_invalid_strings(errors, CHILD(config, "searches"), searches,
				      "must not have more than %d search paths", SEARCHES_MOST);
	for (uint32_t i = 0; i < searches->count; i++)
		bytes += strlen(searches->items[i]) + (i > 0);
	if (bytes > SEARCH_BYTES_MOST)
		field_invalid_strings(
		    errors, CHILD(config, "searches"), searches,
		    "must not have more than %d characters (including spaces) in the "
		    "search list",
		    SEARCH_BYTES_MOST);
}

static void check_toleration(struct strbuf *errors, const struct field_path *at,
			     const struct kube_toleration *t)
{
	if (given(t->key))
		field_check(errors, CHILD(at, "key"), t->key, rule_qualified_name);
	if (!given(t->key) && !kube_is(t->op, "Exists"))
		field_invalid(errors, CHILD(at, "operator"), t->op,
			      "operator must be Exists when `key` is empty, which means \"match "
			      "all values and "
			      "all keys\"");
	if (t->seconds.set && !kube_is(t->effect, "NoExecute"))
		field_invalid(errors, CHILD(at, "effect"), t->effect,
			      "effect must be 'NoExecute' when `tolerationSeconds` is set");
	if (given(t->op) && !field_is_one_of(t->op, toleration_operators))
		field_not_supported(errors, CHILD(at, "operator"), t->op, toleration_operators);
	else if (kube_is(t->op, "Exists") && given(t->value))
		field_invalid(errors, CHILD(at, "operator"), t->op,
			      "value must be empty when `operator` is 'Exists'");
	if (given(t->effect) && !field_is_one_of(t->effect, taint_effects))
		field_not_supported(errors, CHILD(at, "effect"), t->effect, taint_effects);
}

static void check_spread(struct strbuf *errors, const struct field_path *at,
			 const struct kube_topology_spread *t)
{
	static const char *const actions[] = { "DoNotSchedule", "ScheduleAnyway", NULL };
	if (t->max_skew <= 0)
		field_invalid_int(errors, CHILD(at, "maxSkew"), t->max_skew,
				  "must be greater than zero");
	if (!given(t->topology_key))
		field_required(errors, CHILD(at, "topologyKey"), "can not be empty");
	if (!field_is_one_of(t->when_unsatisfiable, actions))
		field_not_supported(errors, CHILD(at, "whenUnsatisfiable"), t->when_unsatisfiable,
				    actions);
	validate_selector(errors, CHILD(at, "labelSelector"), &t->selector);
}

static void check_volumes(struct strbuf *errors, const struct field_path *at,
			  const struct kube_pod_spec *s)
{
	for (uint32_t i = 0; i < s->volumes.count; i++) {
		const struct kube_volume *v = &s->volumes.items[i];
		const struct field_path *item = ITEM(at, "volumes", i);
		if (!given(v->name))
			field_required(errors, CHILD(item, "name"), NULL);
		else
			field_check(errors, CHILD(item, "name"), v->name, rule_label_1123);
		for (uint32_t j = 0; j < i; j++)
			if (given(v->name) && kube_is(v->name, s->volumes.items[j].name)) {
				field_duplicate(errors, CHILD(item, "name"), v->name);
				break;
			}
	}
}

static void check_host_network(struct strbuf *errors, const struct field_path *at,
			       const struct kube_pod_spec *s)
{
	for (uint32_t i = 0; s->host_network == TRI_TRUE && i < s->containers.count; i++)
		for (uint32_t j = 0; j < s->containers.items[i].ports.count; j++) {
			const struct kube_container_port *p =
			    &s->containers.items[i].ports.items[j];
			const struct field_path *container = ITEM(at, "containers", i);
			const struct field_path *port = ITEM(container, "ports", j);
			if (p->host_port != p->container_port)
				field_invalid_int(
				    errors, CHILD(port, "hostPort"), p->host_port,
				    "must match `containerPort` when `hostNetwork` is true");
		}
}

static void check_names(struct strbuf *errors, const struct field_path *at,
			const struct kube_pod_spec *s)
{
	if (given(s->service_account))
		field_check(errors, CHILD(at, "serviceAccountName"), s->service_account,
			    rule_subdomain_1123);
	if (given(s->node_name))
		field_check(errors, CHILD(at, "nodeName"), s->node_name, rule_subdomain_1123);
	if (given(s->hostname))
		field_check(errors, CHILD(at, "hostname"), s->hostname, rule_label_1123);
	if (given(s->subdomain))
		field_check(errors, CHILD(at, "subdomain"), s->subdomain, rule_label_1123);
}

void validate_pod_spec(struct strbuf *errors, const struct field_path *at,
		       const struct kube_pod_spec *s, bool template)
{
	check_volumes(errors, at, s);
	validate_containers(errors, at, s, template);
	if (!field_is_one_of(s->restart_policy, restart_policies))
		field_not_supported(errors, CHILD(at, "restartPolicy"), s->restart_policy,
				    restart_policies);
	check_dns(errors, at, s);
	field_check_labels(errors, CHILD(at, "nodeSelector"), &s->node_selector);
	check_host_network(errors, at, s);
	for (uint32_t i = 0; i < s->readiness_gates.count; i++)
		field_check(errors, CHILD(ITEM(at, "readinessGates", i), "conditionType"),
			    s->readiness_gates.items[i], rule_qualified_name);
	for (uint32_t i = 0; i < s->topology_spread.count; i++)
		check_spread(errors, ITEM(at, "topologySpreadConstraints", i),
			     &s->topology_spread.items[i]);
	check_names(errors, at, s);
	for (uint32_t i = 0; i < s->tolerations.count; i++)
		check_toleration(errors, ITEM(at, "tolerations", i), &s->tolerations.items[i]);
	for (uint32_t i = 0; i < s->host_aliases.count; i++) {
		const struct kube_host_alias *a = &s->host_aliases.items[i];
		const struct field_path *item = ITEM(at, "hostAliases", i);
		field_check_ip(errors, CHILD(item, "ip"), a->ip);
		for (uint32_t j = 0; j < a->hostnames.count; j++)
			field_check(errors, CHILD(item, "hostnames"), a->hostnames.items[j],
				    rule_subdomain_1123);
	}
	if (s->active_deadline_s.set && s->active_deadline_s.value < 1)
		field_invalid_int(errors, CHILD(at, "activeDeadlineSeconds"),
				  s->active_deadline_s.value,
				  "must be between 1 and 2147483647, inclusive");
}

/* ---- Pod
 * ------------------------------------------------------------------------------------------- */

#define MAY_CHANGE                                                                             \
	"pod updates may not change fields other than `spec.containers[*].image`,"              \
	"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only " \
	"additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to " \
	"be set to 1 if it was previously negative)"

static void take_images(struct kube_containers *to, const struct kube_containers *from)
{
	for (uint32_t i = 0; i < to->count && i < from->count; i++)
		to->items[i].image = from->items[i].image;
}

/* Old tolerations all stay; a changed tolerationSeconds is no addition. */
static bool only_added(const struct kube_pod_spec *now, const struct kube_pod_spec *old)
{
	for (uint32_t i = 0; i < old->tolerations.count; i++) {
		const struct kube_toleration *t = &old->tolerations.items[i];
		bool found = false;
		for (uint32_t j = 0; j < now->tolerations.count && !found; j++) {
			const struct kube_toleration *u = &now->tolerations.items[j];
			found = texts_equal(t->key, u->key) && texts_equal(t->op, u->op) &&
				texts_equal(t->value, u->value) &&
				texts_equal(t->effect, u->effect);
		}
		if (!found)
			return false;
	}
	return true;
}

/* Whether anything changed that may not: the new spec with the old one's changeable
 * fields must be the old one. The scheduler's binding (nodeName from empty) is a
 * subresource in Kubernetes and is let through here. */
static bool changed_forbidden(const struct kube_pod *now, const struct kube_pod *old)
{
	struct kube_object *copy = kube_copy(&now->object);
	struct kube_pod_spec *s = &((struct kube_pod *)copy)->spec;
	take_images(&s->containers, &old->spec.containers);
	take_images(&s->init_containers, &old->spec.init_containers);
	s->active_deadline_s = old->spec.active_deadline_s;
	if (only_added(&now->spec, &old->spec)) {
		s->tolerations.items = old->spec.tolerations.items;
		s->tolerations.count = old->spec.tolerations.count;
	}
	if (old->spec.termination_grace_s.set && old->spec.termination_grace_s.value < 0 &&
	    s->termination_grace_s.value == 1)
		s->termination_grace_s = old->spec.termination_grace_s;
	if (!given(old->spec.node_name))
		s->node_name = old->spec.node_name;
	bool equal = kube_fields_equal(kube_pod_spec_fields, s, &old->spec);
	kube_unref(copy);
	return !equal;
}

static void check_status(struct strbuf *errors, const struct kube_pod *p)
{
	struct net_addr first, second;
	const struct kube_strings *ips = &p->status.pod_ips;
	if (ips->count > 2 ||
	    (ips->count == 2 && net_addr_parse(ips->items[0], &first) &&
	     net_addr_parse(ips->items[1], &second) && first.family == second.family)) {
		struct strbuf value = { 0 };
		strbuf_putc(&value, '[');
		for (uint32_t i = 0; i < ips->count; i++) {
			strbuf_printf(&value, "%s{\"IP\":", i ? "," : "");
			field_quote(&value, ips->items[i]);
			strbuf_putc(&value, '}');
		}
		strbuf_putc(&value, ']');
		field_invalid_raw(errors, FIELD("status.podIPs"), value.data,
				  "may specify no more than one IP for each IP family");
		strbuf_free(&value);
	}
}

void kube_validate_pod(const struct kube_object *o, const struct kube_object *before,
		       struct strbuf *errors)
{
	const struct kube_pod *p = (const struct kube_pod *)o;
	const struct kube_pod *old = (const struct kube_pod *)before;
	validate_meta(errors, o, before, rule_subdomain_1123);
	if (old && (p->spec.containers.count != old->spec.containers.count ||
		    p->spec.init_containers.count != old->spec.init_containers.count)) {
		field_forbidden(errors,
				p->spec.containers.count != old->spec.containers.count ?
					FIELD("spec.containers") : FIELD("spec.initContainers"),
				"pod updates may not add or remove containers");
		return;
	}
	validate_pod_spec(errors, FIELD("spec"), &p->spec, false);
	if (old && changed_forbidden(p, old))
		field_forbidden(errors, FIELD("spec"), MAY_CHANGE);
	check_status(errors, p);
}
