/* kube/kubectl/describe.h: between the files of kubectl describe.
 *
 * Describers write lines whose cells end at tabs, as kubectl's own do; describe_flush lays
 * out what has been written so far and begins a new block.
 */
#ifndef KUBE_KUBECTL_DESCRIBE_H
#define KUBE_KUBECTL_DESCRIBE_H

#include "kube/kubectl/internal.h"

struct describe {
	struct call *c;
	struct strbuf text;           /* not laid out yet */
};

/* Two blanks a level, then the words. */
void describe_put(struct describe *d, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void describe_flush(struct describe *d);
/* "Labels:" and the pairs, one a line; `indent` stands before the title. */
void describe_put_pairs(struct describe *d, const char *indent, const char *title,
	       const struct kube_map *m, bool skip_hash);
void describe_put_annotations(struct describe *d, const char *indent, const struct kube_map *m);
void describe_put_events(struct describe *d, const struct kube_object *o);
/* Name and Namespace. */
void describe_put_name(struct describe *d, const struct kube_object *o);
void describe_put_controller(struct describe *d, const struct kube_object *o);
void describe_put_tolerations(struct describe *d, const char *indent,
			      const struct kube_pod_spec *s);
void describe_put_template(struct describe *d, const struct kube_template *t);
void describe_put_volumes(struct describe *d, const char *indent, const struct kube_pod_spec *s);
/* `status` may be NULL; `pod` gives the values of fieldRefs and may be NULL. */
void describe_put_containers(struct describe *d, const char *indent, const char *title,
			const struct kube_containers *l,
			const struct kube_container_status *status, uint32_t status_count,
			const struct kube_pod *pod);

void describe_pod(struct describe *d, const struct kube_object *o);
void describe_service(struct describe *d, const struct kube_object *o);
void describe_endpoints(struct describe *d, const struct kube_object *o);
void describe_slice(struct describe *d, const struct kube_object *o);
void describe_ingress(struct describe *d, const struct kube_object *o);
void describe_deployment(struct describe *d, const struct kube_object *o);
void describe_replica_set(struct describe *d, const struct kube_object *o);
void describe_stateful_set(struct describe *d, const struct kube_object *o);
void describe_daemon_set(struct describe *d, const struct kube_object *o);
void describe_job(struct describe *d, const struct kube_object *o);
void describe_node(struct describe *d, const struct kube_object *o);
void describe_config_map(struct describe *d, const struct kube_object *o);
void describe_namespace(struct describe *d, const struct kube_object *o);
void describe_claim(struct describe *d, const struct kube_object *o);
void describe_volume(struct describe *d, const struct kube_object *o);
void describe_any(struct describe *d, const struct kube_object *o);

/* "10.244.1.2:80,..." of a Service's port: at most 3, then how many more. */
const char *service_endpoints(struct call *c, const struct kube_service *s,
			      const struct kube_service_port *p);
/* The template with its tabs, as rollout history --revision prints it. */
void describe_template_tabs(struct call *c, const struct kube_template *t, struct strbuf *out);

#endif
