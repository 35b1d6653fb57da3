/* kube/explain_types.c: see explain_types.h. */
#include "kube/explain_types.h"

#include <string.h>

#include "kube/schema_rows.h"

/* The first row that fits. An empty `kind` or `above` fits all. */
static const struct { const char *kind, *above, *field, *type; } types[] = {
	{ "", "", "metadata", "ObjectMeta" },
	{ "", "metadata", "ownerReferences", "OwnerReference" },
	{ "Namespace", "", "spec", "NamespaceSpec" },
	{ "", "template", "spec", "PodSpec" },
	{ "", "volumeClaimTemplates", "spec", "PersistentVolumeClaimSpec" },
	{ "", "spec", "template", "PodTemplateSpec" },
	{ "", "spec", "volumeClaimTemplates", "PersistentVolumeClaim" },
	{ "", "", "containers", "Container" },
	{ "", "", "initContainers", "Container" },
	{ "", "containers", "ports", "ContainerPort" },
	{ "", "initContainers", "ports", "ContainerPort" },
	{ "", "", "env", "EnvVar" },
	{ "", "env", "valueFrom", "EnvVarSource" },
	{ "", "valueFrom", "configMapKeyRef", "ConfigMapKeySelector" },
	{ "", "valueFrom", "fieldRef", "ObjectFieldSelector" },
	{ "", "containers", "resources", "ResourceRequirements" },
	{ "", "initContainers", "resources", "ResourceRequirements" },
	{ "", "spec", "resources", "VolumeResourceRequirements" },
	{ "", "", "lifecycle", "Lifecycle" },
	{ "", "lifecycle", "postStart", "LifecycleHandler" },
	{ "", "lifecycle", "preStop", "LifecycleHandler" },
	{ "", "", "livenessProbe", "Probe" },
	{ "", "", "readinessProbe", "Probe" },
	{ "", "", "startupProbe", "Probe" },
	{ "", "", "exec", "ExecAction" },
	{ "", "", "httpGet", "HTTPGetAction" },
	{ "", "", "httpHeaders", "HTTPHeader" },
	{ "", "", "tcpSocket", "TCPSocketAction" },
	{ "", "", "grpc", "GRPCAction" },
	{ "", "", "sleep", "SleepAction" },
	{ "", "", "volumeMounts", "VolumeMount" },
	{ "", "", "volumes", "Volume" },
	{ "", "volumes", "configMap", "ConfigMapVolumeSource" },
	{ "", "volumes", "emptyDir", "EmptyDirVolumeSource" },
	{ "", "", "hostPath", "HostPathVolumeSource" },
	{ "", "volumes", "persistentVolumeClaim", "PersistentVolumeClaimVolumeSource" },
	{ "", "", "dnsConfig", "PodDNSConfig" },
	{ "", "dnsConfig", "options", "PodDNSConfigOption" },
	{ "", "", "hostAliases", "HostAlias" },
	{ "", "", "readinessGates", "PodReadinessGate" },
	{ "", "", "tolerations", "Toleration" },
	{ "", "", "topologySpreadConstraints", "TopologySpreadConstraint" },
	{ "", "", "labelSelector", "LabelSelector" },
	{ "", "", "podSelector", "LabelSelector" },
	{ "", "", "selector", "LabelSelector" },
	{ "", "", "matchExpressions", "LabelSelectorRequirement" },
	{ "", "", "containerStatuses", "ContainerStatus" },
	{ "", "", "initContainerStatuses", "ContainerStatus" },
	{ "", "", "state", "ContainerState" },
	{ "", "", "lastState", "ContainerState" },
	{ "", "", "running", "ContainerStateRunning" },
	{ "", "", "waiting", "ContainerStateWaiting" },
	{ "", "", "terminated", "ContainerStateTerminated" },
	{ "", "", "podIPs", "PodIP" },
	{ "", "", "hostIPs", "HostIP" },
	{ "Service", "spec", "ports", "ServicePort" },
	{ "Service", "", "sessionAffinityConfig", "SessionAffinityConfig" },
	{ "Service", "", "clientIP", "ClientIPConfig" },
	{ "Service", "", "loadBalancer", "LoadBalancerStatus" },
	{ "Service", "loadBalancer", "ingress", "LoadBalancerIngress" },
	{ "Service", "ingress", "ports", "PortStatus" },
	{ "Service", "status", "conditions", "Condition" },
	{ "ServiceCIDR", "status", "conditions", "Condition" },
	{ "EndpointSlice", "", "endpoints", "Endpoint" },
	{ "EndpointSlice", "", "ports", "EndpointPort" },
	{ "EndpointSlice", "endpoints", "conditions", "EndpointConditions" },
	{ "EndpointSlice", "", "hints", "EndpointHints" },
	{ "EndpointSlice", "", "forNodes", "ForNode" },
	{ "EndpointSlice", "", "forZones", "ForZone" },
	{ "", "", "targetRef", "ObjectReference" },
	{ "", "", "claimRef", "ObjectReference" },
	{ "", "", "involvedObject", "ObjectReference" },
	{ "Endpoints", "", "subsets", "EndpointSubset" },
	{ "Endpoints", "", "addresses", "EndpointAddress" },
	{ "Endpoints", "", "notReadyAddresses", "EndpointAddress" },
	{ "Endpoints", "", "ports", "EndpointPort" },
	{ "Deployment", "", "strategy", "DeploymentStrategy" },
	{ "Deployment", "", "rollingUpdate", "RollingUpdateDeployment" },
	{ "StatefulSet", "", "updateStrategy", "StatefulSetUpdateStrategy" },
	{ "StatefulSet", "", "rollingUpdate", "RollingUpdateStatefulSetStrategy" },
	{ "StatefulSet", "", "ordinals", "StatefulSetOrdinals" },
	{ "StatefulSet", "", "persistentVolumeClaimRetentionPolicy",
	  "StatefulSetPersistentVolumeClaimRetentionPolicy" },
	{ "DaemonSet", "", "updateStrategy", "DaemonSetUpdateStrategy" },
	{ "DaemonSet", "", "rollingUpdate", "RollingUpdateDaemonSet" },
	{ "Node", "", "taints", "Taint" },
	{ "Node", "", "addresses", "NodeAddress" },
	{ "Node", "", "nodeInfo", "NodeSystemInfo" },
	{ "Ingress", "", "backend", "IngressBackend" },
	{ "Ingress", "", "defaultBackend", "IngressBackend" },
	{ "Ingress", "", "service", "IngressServiceBackend" },
	{ "Ingress", "", "port", "ServiceBackendPort" },
	{ "Ingress", "", "rules", "IngressRule" },
	{ "Ingress", "", "http", "HTTPIngressRuleValue" },
	{ "Ingress", "", "paths", "HTTPIngressPath" },
	{ "Ingress", "", "loadBalancer", "IngressLoadBalancerStatus" },
	{ "Ingress", "", "ingress", "IngressLoadBalancerIngress" },
	{ "Ingress", "", "ports", "IngressPortStatus" },
	{ "Event", "", "source", "EventSource" },
};

static bool fits(const char *pattern, const char *name)
{
	return !*pattern || strcmp(pattern, name) == 0;
}

/* "spec", "status" and "conditions" of a kind bear the kind's name. */
static const char *of_kind(const struct kind_schema *s, const char *field)
{
	static const struct {
		enum kube_kind kind;
		const char *spec, *status, *condition;
	} names[] = {
		{ KIND_POD, "PodSpec", "PodStatus", "PodCondition" },
		{ KIND_SERVICE, "ServiceSpec", "ServiceStatus", "Condition" },
		{ KIND_NODE, "NodeSpec", "NodeStatus", "NodeCondition" },
		{ KIND_NAMESPACE, "NamespaceSpec", "NamespaceStatus", "NamespaceCondition" },
		{ KIND_DEPLOYMENT, "DeploymentSpec", "DeploymentStatus", "DeploymentCondition" },
		{ KIND_REPLICA_SET, "ReplicaSetSpec", "ReplicaSetStatus", "ReplicaSetCondition" },
		{ KIND_REPLICATION_CONTROLLER, "ReplicationControllerSpec",
		  "ReplicationControllerStatus", "ReplicationControllerCondition" },
		{ KIND_STATEFUL_SET, "StatefulSetSpec", "StatefulSetStatus",
		  "StatefulSetCondition" },
		{ KIND_DAEMON_SET, "DaemonSetSpec", "DaemonSetStatus", "DaemonSetCondition" },
		{ KIND_JOB, "JobSpec", "JobStatus", "JobCondition" },
		{ KIND_PERSISTENT_VOLUME_CLAIM, "PersistentVolumeClaimSpec",
		  "PersistentVolumeClaimStatus", "PersistentVolumeClaimCondition" },
		{ KIND_PERSISTENT_VOLUME, "PersistentVolumeSpec", "PersistentVolumeStatus",
		  "Object" },
		{ KIND_INGRESS, "IngressSpec", "IngressStatus", "Object" },
		{ KIND_INGRESS_CLASS, "IngressClassSpec", "Object", "Object" },
		{ KIND_SERVICE_CIDR, "ServiceCIDRSpec", "ServiceCIDRStatus", "Condition" },
		{ KIND_NETWORK_POLICY, "NetworkPolicySpec", "Object", "Object" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].kind != s->kind)
			continue;
		if (strcmp(field, "spec") == 0)
			return names[i].spec;
		if (strcmp(field, "status") == 0)
			return names[i].status;
		if (strcmp(field, "conditions") == 0)
			return names[i].condition;
	}
	return "Object";
}

const char *explain_type(const struct kind_schema *s, const struct field *above,
			 const struct field *f)
{
	const char *name = above ? above->json : "";
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (fits(types[i].kind, s->name) && fits(types[i].above, name) &&
		    strcmp(types[i].field, f->json) == 0)
			return types[i].type;
	return of_kind(s, f->json);
}
