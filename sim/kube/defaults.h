/* kube/defaults.h: what the API server fills in before it validates.
 *
 * Each function sets what is absent and nothing else, and may be called again.
 * Values that depend on other objects (virtual addresses, node ports, families)
 * are not defaults: see kube/allocate.h. Sources: pkg/apis/{core,apps,discovery}/v1
 * defaults.go of Kubernetes 1.34.
 */
#ifndef KUBE_DEFAULTS_H
#define KUBE_DEFAULTS_H

#include "kube/types.h"

void kube_default_pod(struct kube_object *o);
void kube_default_service(struct kube_object *o);
void kube_default_endpoint_slice(struct kube_object *o);
void kube_default_endpoints(struct kube_object *o);
void kube_default_deployment(struct kube_object *o);
void kube_default_replica_set(struct kube_object *o);
void kube_default_replication_controller(struct kube_object *o);
void kube_default_stateful_set(struct kube_object *o);
void kube_default_daemon_set(struct kube_object *o);
void kube_default_job(struct kube_object *o);
void kube_default_node(struct kube_object *o);
void kube_default_namespace(struct kube_object *o);
void kube_default_pvc(struct kube_object *o);
void kube_default_pv(struct kube_object *o);
void kube_default_storage_class(struct kube_object *o);
void kube_convert_ingress(struct kube_object *o);

/* Of a pod template: what holds for pods and templates alike. */
void kube_default_pod_spec(struct kube_object *o, struct kube_pod_spec *spec);

#endif
