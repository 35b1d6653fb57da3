/* kube/schema.c: the table of kinds. */
#include <string.h>
#include <strings.h>

#include "kube/schema_rows.h"

static const struct kind_schema *const kinds[KIND_COUNT] = {
	[KIND_NAMESPACE] = &kube_namespace_schema,
	[KIND_NODE] = &kube_node_schema,
	[KIND_POD] = &kube_pod_schema,
	[KIND_SERVICE] = &kube_service_schema,
	[KIND_ENDPOINTS] = &kube_endpoints_schema,
	[KIND_ENDPOINT_SLICE] = &kube_endpoint_slice_schema,
	[KIND_DEPLOYMENT] = &kube_deployment_schema,
	[KIND_REPLICA_SET] = &kube_replica_set_schema,
	[KIND_REPLICATION_CONTROLLER] = &kube_replication_controller_schema,
	[KIND_STATEFUL_SET] = &kube_stateful_set_schema,
	[KIND_DAEMON_SET] = &kube_daemon_set_schema,
	[KIND_JOB] = &kube_job_schema,
	[KIND_PERSISTENT_VOLUME_CLAIM] = &kube_pvc_schema,
	[KIND_PERSISTENT_VOLUME] = &kube_pv_schema,
	[KIND_STORAGE_CLASS] = &kube_storage_class_schema,
	[KIND_CONFIG_MAP] = &kube_config_map_schema,
	[KIND_INGRESS] = &kube_ingress_schema,
	[KIND_INGRESS_CLASS] = &kube_ingress_class_schema,
	[KIND_SERVICE_CIDR] = &kube_service_cidr_schema,
	[KIND_KUBE_PROXY_CONFIGURATION] = &kube_proxy_configuration_schema,
	[KIND_CLUSTER_CONFIGURATION] = &kube_cluster_configuration_schema,
	[KIND_CONTROLLER_REVISION] = &kube_controller_revision_schema,
	[KIND_NETWORK_POLICY] = &kube_network_policy_schema,
	[KIND_EVENT] = &kube_event_schema,
};

const struct kind_schema *kube_schema(enum kube_kind kind)
{
	return kind > KIND_NONE && kind < KIND_COUNT ? kinds[kind] : NULL;
}

/* Whether `word` is one of a comma separated list. */
static bool listed(const char *list, const char *word, bool fold)
{
	size_t length = strlen(word);
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");
		if (n == length && (fold ? strncasecmp(p, word, n) : strncmp(p, word, n)) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

/* "deployments.apps", "deployments.v1.apps": the group after the plural is allowed. */
static bool names_kind(const struct kind_schema *s, const char *name)
{
	if (strcasecmp(name, s->name) == 0 || strcasecmp(name, s->plural) == 0 ||
	    listed(s->short_names, name, true))
		return true;
	size_t plural = strlen(s->plural), singular = strlen(s->name);
	const char *slash = strchr(s->group_version, '/');
	if (!slash)
		return false;
	size_t group = (size_t)(slash - s->group_version);
	const char *dot = strchr(name, '.');
	if (!dot ||
	    !(((size_t)(dot - name) == plural && strncasecmp(name, s->plural, plural) == 0) ||
	      ((size_t)(dot - name) == singular && strncasecmp(name, s->name, singular) == 0)))
		return false;
	dot++;
	if (strncmp(dot, slash + 1, strlen(slash + 1)) == 0 && dot[strlen(slash + 1)] == '.')
		dot += strlen(slash + 1) + 1;
	return strlen(dot) == group && strncmp(dot, s->group_version, group) == 0;
}

bool kube_kind_is_config(enum kube_kind kind)
{
	return kind == KIND_KUBE_PROXY_CONFIGURATION || kind == KIND_CLUSTER_CONFIGURATION;
}

const struct kind_schema *kube_schema_by_name(const char *name)
{
	for (enum kube_kind i = KIND_NONE; i < KIND_COUNT; i++)
		if (kinds[i] && !kube_kind_is_config(i) && names_kind(kinds[i], name))
			return kinds[i];
	return NULL;
}

const struct kind_schema *kube_schema_find(const char *api_version, const char *kind)
{
	if (!api_version || !kind)
		return NULL;
	for (int i = 0; i < KIND_COUNT; i++)
		if (kinds[i] && strcmp(kinds[i]->name, kind) == 0 &&
		    (strcmp(kinds[i]->group_version, api_version) == 0 ||
		     listed(kinds[i]->also, api_version, false)))
			return kinds[i];
	return NULL;
}
