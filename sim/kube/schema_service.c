/* kube/schema_service.c: tables of Service, Endpoints and EndpointSlice. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define T struct kube_service_port
static const struct field service_port_fields[] = {
	STRING("appProtocol", T, app_protocol, "Hint on the protocol that is spoken."),
	STRING("name", T, name, "Name of the port; needed when there are several."),
	ROW("nodePort", FIELD_INT32, T, node_port,
	    "Port on every node, for NodePort and LoadBalancer; allocated when not given."),
	ROW("port", FIELD_INT32, T, port, "Port of the Service.", .required = true),
	STRING("protocol", T, protocol, "TCP, UDP or SCTP; TCP when not given.",
	       .choices = "SCTP,TCP,UDP"),
	ROW("targetPort", FIELD_INT_OR_STRING, T, target_port,
	    "Number or name of the pods' port; the value of port when not given."),
	END
};
#undef T

#define T struct kube_port_status
static const struct field port_status_fields[] = {
	STRING("error", T, error, "What is wrong with the port."),
	ROW("port", FIELD_INT32, T, port, "Number of the port.", .required = true),
	STRING("protocol", T, protocol, "Its protocol.", .required = true),
	END
};
#undef T

#define T struct kube_lb_ingress
const struct field kube_ingress_status_fields[] = {
	STRING("hostname", T, hostname, "Name of the load balancer."),
	STRING("ip", T, ip, "Address of the load balancer."),
	STRING("ipMode", T, ip_mode,
	       "VIP: packets arrive with this destination. Proxy: with the node's or pod's."),
	LIST("ports", T, ports, port_status_fields, "State of each port."),
	END
};
#undef T

#define T struct kube_service
static const struct field client_ip_fields[] = {
	ROW("timeoutSeconds", FIELD_OPT_INT, T, spec.affinity_timeout_s,
	    "Seconds a client keeps its endpoint, 1 to 86400; 10800 when not given."),
	END
};
static const struct field affinity_fields[] = {
	FLAT("clientIP", client_ip_fields, "Settings of ClientIP affinity."),
	END
};
static const struct field service_spec_fields[] = {
	ROW("allocateLoadBalancerNodePorts", FIELD_TRI, T, spec.allocate_load_balancer_node_ports,
	    "Whether a LoadBalancer gets node ports; true when not given.", .pointer = true),
	STRING("clusterIP", T, spec.cluster_ip,
	       "Virtual address; None makes the Service headless; allocated when not given."),
	ROW("clusterIPs", FIELD_STRINGS, T, spec.cluster_ips, "Virtual addresses, one a family."),
	ROW("externalIPs", FIELD_STRINGS, T, spec.external_ips,
	    "Further addresses whose traffic, when it reaches a node, is for this Service."),
	STRING("externalName", T, spec.external_name, "DNS name that an ExternalName refers to."),
	STRING("externalTrafficPolicy", T, spec.external_traffic_policy,
	       "Cluster, or Local: traffic from outside goes to endpoints of its node only.",
	       .choices = "Cluster,Local"),
	ROW("healthCheckNodePort", FIELD_INT32, T, spec.health_check_node_port,
	    "Node port where a load balancer asks for local endpoints (policy Local)."),
	STRING(
	    "internalTrafficPolicy", T, spec.internal_traffic_policy,
	    "Cluster, or Local: traffic to the virtual address goes to its node's endpoints only.",
	    .choices = "Cluster,Local"),
	ROW("ipFamilies", FIELD_STRINGS, T, spec.ip_families, "IPv4, IPv6 or both, in order."),
	STRING("ipFamilyPolicy", T, spec.ip_family_policy,
	       "SingleStack, PreferDualStack or RequireDualStack.",
	       .choices = "PreferDualStack,RequireDualStack,SingleStack"),
	STRING("loadBalancerClass", T, spec.load_balancer_class,
	       "Implementation that serves the LoadBalancer; cannot change."),
	STRING("loadBalancerIP", T, spec.load_balancer_ip,
	       "Address wished for. Deprecated; implementations may ignore it."),
	ROW("loadBalancerSourceRanges", FIELD_STRINGS, T, spec.source_ranges,
	    "Networks whose clients may use the load balancer; all when empty."),
	LIST("ports", T, spec.ports, service_port_fields, "Ports of the Service."),
	ROW("publishNotReadyAddresses", FIELD_TRI, T, spec.publish_not_ready_addresses,
	    "Whether endpoints count as ready even when their pods are not."),
	ROW("selector", FIELD_MAP, T, spec.selector,
	    "Labels of the pods behind the Service; when empty, someone else writes endpoints."),
	STRING("sessionAffinity", T, spec.session_affinity,
	       "None, or ClientIP: a client's connections go to one endpoint.",
	       .choices = "ClientIP,None"),
	FLAT("sessionAffinityConfig", affinity_fields, "Settings of session affinity."),
	STRING("trafficDistribution", T, spec.traffic_distribution,
	       "PreferSameZone, PreferSameNode or the older PreferClose."),
	STRING("type", T, spec.type,
	       "ClusterIP (the default), NodePort, LoadBalancer, ExternalName.",
	       .choices = "ClusterIP,ExternalName,LoadBalancer,NodePort"),
	END
};
static const struct field balancer_status_fields[] = {
	LIST("ingress", T, status.ingress, kube_ingress_status_fields,
	     "Where clients reach the load balancer."),
	END
};
static const struct field service_status_fields[] = {
	LIST("conditions", T, status.conditions, kube_condition_fields, "State of the Service."),
	FLAT("loadBalancer", balancer_status_fields, "State of the load balancer.",
	     .always = true),
	END
};
static const struct field service_fields[] = {
	META,
	FLAT("spec", service_spec_fields, "What the Service should be."),
	FLAT("status", service_status_fields, "What was last seen of the Service.",
	     .always = true),
	END
};
#undef T

const struct kind_schema kube_service_schema = {
	.kind = KIND_SERVICE, .name = "Service", .plural = "services", .short_names = "svc",
	.group_version = "v1", .namespaced = true, .size = sizeof(struct kube_service),
	.fields = service_fields, .set_defaults = kube_default_service,
	.validate = kube_validate_service,
	.doc = "A named set of endpoints behind a virtual address, a port on every node or a "
	       "load balancer.",
};

#define T struct kube_endpoint
static const struct field conditions_fields[] = {
	ROW("ready", FIELD_TRI, T, conditions.ready,
	    "Whether the endpoint may get new connections; unknown counts as true.",
	    .pointer = true),
	ROW("serving", FIELD_TRI, T, conditions.serving,
	    "As ready, but not affected by the end of the pod.",
	    .pointer = true),
	ROW("terminating", FIELD_TRI, T, conditions.terminating, "Whether the pod is ending.",
	    .pointer = true),
	END
};
static const struct field hint_name_fields[] = { /* a hint is kept as its one string */
	{ .json = "name", .type = FIELD_STRING, .set_offset = NO_SET,
	  .doc = "Name of the zone or node.", .required = true },
	END
};
static const struct field hints_fields[] = {
	LIST("forNodes", T, hints.nodes, hint_name_fields, "Nodes that should use the endpoint."),
	LIST("forZones", T, hints.zones, hint_name_fields, "Zones that should use the endpoint."),
	END
};
static const struct field endpoint_fields[] = {
	ROW("addresses", FIELD_STRINGS, T, addresses,
	    "Addresses of the endpoint; consumers use the first.", .required = true),
	FLAT("conditions", conditions_fields, "State of the endpoint."),
	IGNORED("deprecatedTopology"),
	FLAT_SET("hints", T, hints.set, hints_fields, "Who should use the endpoint."),
	STRING("hostname", T, hostname, "Hostname that gives the endpoint a DNS name."),
	STRING("nodeName", T, node_name, "Node that the endpoint is on."),
	INSIDE("targetRef", T, target, kube_reference_fields, "The object behind the endpoint."),
	STRING("zone", T, zone, "Zone that the endpoint is in."),
	END
};
#undef T

#define T struct kube_endpoint_port
static const struct field endpoint_port_fields[] = {
	STRING("appProtocol", T, app_protocol, "Hint on the protocol that is spoken."),
	STRING("name", T, name, "Name of the port, that of the Service's port.",
	       .pointer = true),
	ROW("port", FIELD_OPT_INT, T, port, "Number of the port; all ports when not given."),
	STRING("protocol", T, protocol, "TCP, UDP or SCTP; TCP when not given."),
	END
};
#undef T

#define T struct kube_endpoint_slice
static const struct field slice_fields[] = {
	STRING("addressType", T, address_type, "IPv4, IPv6 or FQDN; cannot change.",
	       .required = true),
	LIST("endpoints", T, endpoints, endpoint_fields, "Endpoints, at most 1000.",
	     .required = true, .always = true),
	META,
	LIST("ports", T, ports, endpoint_port_fields, "Ports that every endpoint has.",
	     .always = true),
	END
};
#undef T

const struct kind_schema kube_endpoint_slice_schema = {
	.kind = KIND_ENDPOINT_SLICE, .name = "EndpointSlice", .plural = "endpointslices",
	.group_version = "discovery.k8s.io/v1", .also = "discovery.k8s.io/v1beta1",
	.namespaced = true, .size = sizeof(struct kube_endpoint_slice), .fields = slice_fields,
	.set_defaults = kube_default_endpoint_slice,
	.validate = kube_validate_endpoint_slice,
	.doc = "Some of the endpoints of a Service.",
};

#define T struct kube_endpoint_address
static const struct field address_fields[] = {
	STRING("hostname", T, hostname, "Hostname that gives the address a DNS name."),
	STRING("ip", T, ip, "The address.", .required = true),
	STRING("nodeName", T, node_name, "Node that the address is on."),
	INSIDE("targetRef", T, target, kube_reference_fields, "The object behind the address."),
	END
};
#undef T

#define T struct kube_endpoints_subset
static const struct field subset_fields[] = {
	LIST("addresses", T, addresses, address_fields, "Addresses that are ready."),
	LIST("notReadyAddresses", T, not_ready, address_fields, "Addresses that are not."),
	LIST("ports", T, ports, endpoint_port_fields, "Ports that every address has."),
	END
};
#undef T

static const struct field endpoints_fields[] = {
	META,
	LIST("subsets", struct kube_endpoints, subsets, subset_fields,
	     "Sets of addresses with equal ports."),
	END
};

const struct kind_schema kube_endpoints_schema = {
	.kind = KIND_ENDPOINTS, .name = "Endpoints", .plural = "endpoints", .short_names = "ep",
	.group_version = "v1", .namespaced = true, .size = sizeof(struct kube_endpoints),
	.fields = endpoints_fields, .set_defaults = kube_default_endpoints,
	.validate = kube_validate_endpoints,
	.doc = "All endpoints of a Service in one object. Deprecated in favour of EndpointSlice.",
};
