/* kube/validate.h: the API server's objections to an object.
 *
 * Each function appends one line per error, `<field path>: <type>: ...`, in the
 * API server's order: metadata, then the spec from top to bottom. `old` is the
 * stored object on update, NULL on create. The object has been defaulted.
 * Sources: pkg/apis/{core,apps,networking,discovery}/validation and apimachinery's
 * field and validation packages; values print as Kubernetes 1.34 prints them.
 */
#ifndef KUBE_VALIDATE_H
#define KUBE_VALIDATE_H

#include "core/strbuf.h"
#include "kube/types.h"

typedef void kube_validate_fn(const struct kube_object *o, const struct kube_object *old,
			      struct strbuf *errors);

kube_validate_fn kube_validate_pod, kube_validate_service, kube_validate_endpoint_slice,
	kube_validate_endpoints, kube_validate_deployment, kube_validate_replica_set,
	kube_validate_replication_controller, kube_validate_stateful_set,
	kube_validate_daemon_set, kube_validate_job, kube_validate_node, kube_validate_namespace,
	kube_validate_pvc, kube_validate_config_map, kube_validate_ingress,
	kube_validate_service_cidr;

/* Of a Service: what its addresses, families and policy must be like together. The
 * allocator asks this first. */
void validate_service_addresses(const struct kube_service *s, const struct kube_service *old,
				struct strbuf *errors);

#endif
