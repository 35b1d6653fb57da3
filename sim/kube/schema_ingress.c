/* kube/schema_ingress.c: tables of Ingress, IngressClass and NetworkPolicy. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define T struct kube_ingress_backend
static const struct field backend_port_fields[] = {
	STRING("name", T, port_name, "Name of the Service's port."),
	ROW("number", FIELD_INT32, T, port_number, "Number of the Service's port."),
	END
};
static const struct field backend_service_fields[] = {
	STRING("name", T, service, "Name of the Service.", .required = true),
	FLAT("port", backend_port_fields, "Port of the Service, by name or number."),
	END
};
static const struct field backend_fields[] = {
	IGNORED("resource"),
	FLAT("service", backend_service_fields, "The Service that requests go to."),
	STRING("serviceName", T, service, "Form of v1beta1.", .hidden = true),
	ROW("servicePort", FIELD_INT_OR_STRING, T, old_port, "Form of v1beta1.", .hidden = true),
	END
};
#undef T

#define T struct kube_ingress_path
static const struct field path_fields[] = {
	INSIDE_SET("backend", T, backend, backend.set, backend_fields,
		   "Where requests for the path go.", .required = true),
	STRING("path", T, path, "Path that is compared with the request's."),
	STRING("pathType", T, path_type, "Exact, Prefix or ImplementationSpecific.",
	       .required = true),
	END
};
#undef T

#define T struct kube_ingress_rule
static const struct field http_fields[] = {
	LIST("paths", T, paths, path_fields, "Paths and where they lead.", .required = true),
	END
};
static const struct field rule_fields[] = {
	STRING("host", T, host, "Host of the requests; all when empty."),
	FLAT_SET("http", T, has_http, http_fields, "Paths of the host."),
	END
};
#undef T

#define T struct kube_ingress
static const struct field ingress_spec_fields[] = {
	INSIDE_SET("backend", T, default_backend, default_backend.set, backend_fields,
		   "Form of v1beta1.", .hidden = true),
	INSIDE_SET("defaultBackend", T, default_backend, default_backend.set, backend_fields,
		   "Where requests go that no rule takes."),
	STRING("ingressClassName", T, class_name, "Class whose controller serves the Ingress."),
	LIST("rules", T, rules, rule_fields, "Rules by host."),
	IGNORED("tls"),
	END
};
static const struct field ingress_balancer_fields[] = {
	LIST("ingress", T, ingress, kube_ingress_status_fields, "Where clients reach it."),
	END
};
static const struct field ingress_status_fields[] = { FLAT("loadBalancer", ingress_balancer_fields,
							   "State of the load balancer.",
							   .always = true),
						      END };
static const struct field ingress_fields[] = {
	META,
	FLAT("spec", ingress_spec_fields, "What the Ingress should be."),
	FLAT("status", ingress_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_ingress_schema = {
	.kind = KIND_INGRESS, .name = "Ingress", .plural = "ingresses", .short_names = "ing",
	.group_version = "networking.k8s.io/v1",
	.also = "networking.k8s.io/v1beta1,extensions/v1beta1", .namespaced = true,
	.size = sizeof(struct kube_ingress), .fields = ingress_fields,
	.convert = kube_convert_ingress,
	.validate = kube_validate_ingress,
	.doc = "Rules by which HTTP requests from outside reach Services.",
};

#define T struct kube_ingress_class
static const struct field ingress_class_spec_fields[] = {
	STRING("controller", T, controller, "Controller that serves the class."),
	IGNORED("parameters"),
	END
};
static const struct field ingress_class_fields[] = {
	META,
	FLAT("spec", ingress_class_spec_fields, "The class."),
	END
};
#undef T

const struct kind_schema kube_ingress_class_schema = {
	.kind = KIND_INGRESS_CLASS, .name = "IngressClass", .plural = "ingressclasses",
	.group_version = "networking.k8s.io/v1", .also = "networking.k8s.io/v1beta1",
	.size = sizeof(struct kube_ingress_class), .fields = ingress_class_fields,
	.doc = "A kind of Ingress implementation.",
};

#define T struct kube_network_policy
static const struct field policy_spec_fields[] = {
	IGNORED("egress"),
	IGNORED("ingress"),
	INSIDE_SET("podSelector", T, pod_selector, pod_selector.set, kube_selector_fields,
		   "Pods that the policy is about.", .required = true, .always = true),
	IGNORED("policyTypes"),
	END
};
static const struct field policy_fields[] = {
	META,
	FLAT("spec", policy_spec_fields, "The policy."),
	END
};
#undef T

const struct kind_schema kube_network_policy_schema = {
	.kind = KIND_NETWORK_POLICY, .name = "NetworkPolicy", .plural = "networkpolicies",
	.short_names = "netpol", .group_version = "networking.k8s.io/v1",
	.also = "extensions/v1beta1", .namespaced = true,
	.size = sizeof(struct kube_network_policy), .fields = policy_fields,
	.doc = "Which traffic pods may have.",
};
