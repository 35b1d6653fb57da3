/* kube/schema_node.c: tables of Node, Namespace and ServiceCIDR, and of Event. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define T struct kube_taint
static const struct field taint_fields[] = {
	STRING("effect", T, effect, "NoSchedule, PreferNoSchedule or NoExecute.", .required = true),
	STRING("key", T, key, "Key of the taint.", .required = true),
	ROW("timeAdded", FIELD_TIME, T, time_added_ns, "When a NoExecute taint was added."),
	STRING("value", T, value, "Value of the taint."),
	END
};
#undef T

#define T struct kube_node_address
static const struct field node_address_fields[] = {
	STRING("address", T, address, "The address.", .required = true),
	STRING("type", T, type, "InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.",
	       .required = true),
	END
};
#undef T

#define T struct kube_node
static const struct field node_spec_fields[] = {
	IGNORED("configSource"),
	IGNORED("externalID"),
	STRING("podCIDR", T, spec.pod_cidr, "Network of the node's pods."),
	ROW("podCIDRs", FIELD_STRINGS, T, spec.pod_cidrs,
	    "Networks of the node's pods, one a family."),
	STRING("providerID", T, spec.provider_id, "Identity of the machine at its provider."),
	LIST("taints", T, spec.taints, taint_fields, "Taints that keep pods away."),
	ROW("unschedulable", FIELD_TRI, T, spec.unschedulable,
	    "Whether new pods stay away (cordon)."),
	END
};
static const struct field node_info_fields[] = {
	STRING("architecture", T, status.info.architecture, "Architecture of the machine."),
	STRING("bootID", T, status.info.boot_id, "Identity of the current boot."),
	STRING("containerRuntimeVersion", T, status.info.container_runtime, "Container runtime."),
	STRING("kernelVersion", T, status.info.kernel_version, "Version of the kernel."),
	STRING("kubeProxyVersion", T, status.info.kube_proxy_version, "Deprecated."),
	STRING("kubeletVersion", T, status.info.kubelet_version, "Version of the kubelet."),
	STRING("machineID", T, status.info.machine_id, "Identity of the installation."),
	STRING("operatingSystem", T, status.info.operating_system, "Operating system."),
	STRING("osImage", T, status.info.os_image, "Distribution and release."),
	IGNORED("swap"),
	STRING("systemUUID", T, status.info.system_uuid, "Identity of the machine."),
	END
};
static const struct field node_status_fields[] = {
	LIST("addresses", T, status.addresses, node_address_fields, "Addresses of the node."),
	ROW("allocatable", FIELD_QUANTITY_MAP, T, status.allocatable, "What pods may use."),
	ROW("capacity", FIELD_QUANTITY_MAP, T, status.capacity, "What the node has."),
	LIST("conditions", T, status.conditions, kube_condition_fields,
	     "Ready, MemoryPressure, DiskPressure, PIDPressure, NetworkUnavailable."),
	IGNORED("config"),
	IGNORED("daemonEndpoints"),
	IGNORED("declaredFeatures"),
	IGNORED("features"),
	IGNORED("images"),
	FLAT("nodeInfo", node_info_fields, "Versions and identities."),
	IGNORED("phase"),
	IGNORED("runtimeHandlers"),
	IGNORED("volumesAttached"),
	IGNORED("volumesInUse"),
	END
};
static const struct field node_fields[] = {
	META,
	FLAT("spec", node_spec_fields, "What the node should be.", .always = true),
	FLAT("status", node_status_fields, "What was last seen of the node.", .status = true),
	END
};
#undef T

const struct kind_schema kube_node_schema = {
	.kind = KIND_NODE, .name = "Node", .plural = "nodes", .short_names = "no",
	.group_version = "v1", .size = sizeof(struct kube_node), .fields = node_fields,
	.set_defaults = kube_default_node,
	.validate = kube_validate_node,
	.doc = "A machine that runs pods.",
};

#define T struct kube_namespace
static const struct field namespace_spec_fields[] = { IGNORED("finalizers"), END };
static const struct field namespace_status_fields[] = {
	IGNORED("conditions"),
	STRING("phase", T, status.phase, "Active or Terminating."),
	END
};
static const struct field namespace_fields[] = {
	META,
	FLAT("spec", namespace_spec_fields, "Finalizers of the namespace."),
	FLAT("status", namespace_status_fields, "State of the namespace.", .status = true),
	END
};
#undef T

const struct kind_schema kube_namespace_schema = {
	.kind = KIND_NAMESPACE, .name = "Namespace", .plural = "namespaces", .short_names = "ns",
	.group_version = "v1", .size = sizeof(struct kube_namespace), .fields = namespace_fields,
	.set_defaults = kube_default_namespace,
	.validate = kube_validate_namespace,
	.doc = "A space in which names are unique.",
};

#define T struct kube_service_cidr
static const struct field cidr_spec_fields[] = {
	ROW("cidrs", FIELD_STRINGS, T, cidrs, "Networks of virtual addresses, one a family."),
	END
};
static const struct field cidr_status_fields[] = {
	LIST("conditions", T, conditions, kube_condition_fields, "Whether the range is in use."),
	END
};
static const struct field cidr_fields[] = {
	META,
	FLAT("spec", cidr_spec_fields, "The range."),
	FLAT("status", cidr_status_fields, "State of the range.", .status = true),
	END
};
#undef T

const struct kind_schema kube_service_cidr_schema = {
	.kind = KIND_SERVICE_CIDR, .name = "ServiceCIDR", .plural = "servicecidrs",
	.group_version = "networking.k8s.io/v1",
	.also = "networking.k8s.io/v1beta1,networking.k8s.io/v1alpha1",
	.size = sizeof(struct kube_service_cidr), .fields = cidr_fields,
	.validate = kube_validate_service_cidr,
	.doc = "A range from which Services get virtual addresses.",
};

#define T struct kube_event
static const struct field source_fields[] = {
	STRING("component", T, component, "Who reports the event."),
	IGNORED("host"),
	END
};
static const struct field event_fields[] = {
	IGNORED("action"),
	ROW("count", FIELD_INT32, T, count, "How often it happened."),
	IGNORED("eventTime"),
	ROW("firstTimestamp", FIELD_TIME, T, first_ns, "When it was first seen."),
	INSIDE("involvedObject", T, involved, kube_reference_fields, "What the event is about.",
	       .required = true),
	ROW("lastTimestamp", FIELD_TIME, T, last_ns, "When it was last seen."),
	STRING("message", T, message, "Sentence for people."),
	META,
	STRING("reason", T, reason, "One word for what happened."),
	IGNORED("related"),
	IGNORED("reportingComponent"),
	IGNORED("reportingInstance"),
	IGNORED("series"),
	FLAT("source", source_fields, "Who reports the event."),
	STRING("type", T, type, "Normal or Warning."),
	END
};
#undef T

const struct kind_schema kube_event_schema = {
	.kind = KIND_EVENT, .name = "Event", .plural = "events", .short_names = "ev",
	.group_version = "v1", .also = "events.k8s.io/v1", .namespaced = true,
	.size = sizeof(struct kube_event), .fields = event_fields,
	.doc = "A report of something that happened to an object.",
};
