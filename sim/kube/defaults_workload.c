/* kube/defaults_workload.c: workloads, nodes, storage: see defaults.h. */
#include <string.h>

#include "kube/defaults.h"
#include "kube/store.h"

static void set_text(const char **member, const char *value)
{
	if (!*member || !**member)
		*member = value;
}

static void set_int(struct opt_int *member, int64_t value)
{
	if (!member->set)
		*member = (struct opt_int){ true, value };
}

static void set_text_or_int(struct int_or_string *member, const char *text, int32_t number)
{
	if (!member->kind)
		*member = text ? (struct int_or_string){ .kind = 's', .string = text } :
				 (struct int_or_string){ .kind = 'i', .number = number };
}

void kube_default_deployment(struct kube_object *o)
{
	struct kube_deployment *d = (struct kube_deployment *)o;
	kube_default_pod_spec(o, &d->spec.template.spec);
	set_int(&d->spec.replicas, 1);
	set_text(&d->spec.strategy, "RollingUpdate");
	if (kube_is(d->spec.strategy, "RollingUpdate")) {
		set_text_or_int(&d->spec.max_unavailable, "25%", 0);
		set_text_or_int(&d->spec.max_surge, "25%", 0);
	}
	set_int(&d->spec.revision_history_limit, 10);
	set_int(&d->spec.progress_deadline_s, 600);
}

void kube_default_replica_set(struct kube_object *o)
{
	struct kube_replica_set *r = (struct kube_replica_set *)o;
	kube_default_pod_spec(o, &r->spec.template.spec);
	set_int(&r->spec.replicas, 1);
}

/* The ancestor takes selector and labels from its template. */
void kube_default_replication_controller(struct kube_object *o)
{
	struct kube_replica_set *r = (struct kube_replica_set *)o;
	const struct kube_map *labels = &r->spec.template.meta.labels;
	kube_default_pod_spec(o, &r->spec.template.spec);
	if (labels->count && !r->spec.selector.match_labels.count) {
		r->spec.selector.match_labels = *labels;
		r->spec.selector.set = true;
	}
	if (labels->count && !o->meta.labels.count)
		o->meta.labels = *labels;
	set_int(&r->spec.replicas, 1);
}

static void default_claim_templates(struct kube_object *o, struct kube_stateful_set *s)
{
	if (!s->spec.claims.count)
		return;
	struct kube_pvc_template *own = arena_array(o->arena, s->spec.claims.count, sizeof *own);
	memcpy(own, s->spec.claims.items, s->spec.claims.count * sizeof *own);
	for (uint32_t i = 0; i < s->spec.claims.count; i++)
		set_text(&own[i].volume_mode, "Filesystem");
	s->spec.claims.items = own;
}

void kube_default_stateful_set(struct kube_object *o)
{
	struct kube_stateful_set *s = (struct kube_stateful_set *)o;
	kube_default_pod_spec(o, &s->spec.template.spec);
	set_int(&s->spec.replicas, 1);
	set_text(&s->spec.pod_management_policy, "OrderedReady");
	set_text(&s->spec.update_strategy, "RollingUpdate");
	if (kube_is(s->spec.update_strategy, "RollingUpdate"))
		set_int(&s->spec.partition, 0);
	set_int(&s->spec.revision_history_limit, 10);
	set_text(&s->spec.retention_deleted, "Retain");
	set_text(&s->spec.retention_scaled, "Retain");
	default_claim_templates(o, s);
}

void kube_default_daemon_set(struct kube_object *o)
{
	struct kube_daemon_set *d = (struct kube_daemon_set *)o;
	kube_default_pod_spec(o, &d->spec.template.spec);
	set_text(&d->spec.update_strategy, "RollingUpdate");
	if (kube_is(d->spec.update_strategy, "RollingUpdate")) {
		set_text_or_int(&d->spec.max_unavailable, NULL, 1);
		set_text_or_int(&d->spec.max_surge, NULL, 0);
	}
	set_int(&d->spec.revision_history_limit, 10);
}

/* completions and parallelism default to one together. */
void kube_default_job(struct kube_object *o)
{
	struct kube_job *j = (struct kube_job *)o;
	kube_default_pod_spec(o, &j->spec.template.spec);
	if (!j->spec.completions.set && !j->spec.parallelism.set)
		set_int(&j->spec.completions, 1);
	set_int(&j->spec.parallelism, 1);
	set_int(&j->spec.backoff_limit, 6);
}

void kube_default_node(struct kube_object *o)
{
	struct kube_node *n = (struct kube_node *)o;
	if (!n->status.allocatable.count)
		n->status.allocatable = n->status.capacity;
	if (n->spec.pod_cidr && *n->spec.pod_cidr && !n->spec.pod_cidrs.count) {
		n->spec.pod_cidrs.items = arena_array(o->arena, 1, sizeof(char *));
		n->spec.pod_cidrs.items[0] = n->spec.pod_cidr;
		n->spec.pod_cidrs.count = 1;
	} else if (n->spec.pod_cidrs.count && (!n->spec.pod_cidr || !*n->spec.pod_cidr)) {
		n->spec.pod_cidr = n->spec.pod_cidrs.items[0];
	}
}

void kube_default_namespace(struct kube_object *o)
{
	struct kube_namespace *n = (struct kube_namespace *)o;
	if (o->meta.name &&
	    !kube_is(kube_map_get(&o->meta.labels, "kubernetes.io/metadata.name"), o->meta.name))
		kube_map_set(o, &o->meta.labels, "kubernetes.io/metadata.name", o->meta.name);
	set_text(&n->status.phase, "Active");
}

void kube_default_pvc(struct kube_object *o)
{
	struct kube_pvc *p = (struct kube_pvc *)o;
	set_text(&p->spec.volume_mode, "Filesystem");
	set_text(&p->status.phase, "Pending");
}

void kube_default_pv(struct kube_object *o)
{
	struct kube_pv *p = (struct kube_pv *)o;
	set_text(&p->spec.volume_mode, "Filesystem");
	set_text(&p->spec.reclaim_policy, "Retain");
	set_text(&p->status.phase, "Pending");
}

void kube_default_storage_class(struct kube_object *o)
{
	struct kube_storage_class *c = (struct kube_storage_class *)o;
	set_text(&c->reclaim_policy, "Delete");
	set_text(&c->binding_mode, "Immediate");
}

/* v1 has no defaults of its own; what v1beta1 wrote is put into v1's places. */
static void modern_backend(struct kube_ingress_backend *b)
{
	if (b->old_port.kind == 's')
		b->port_name = b->old_port.string;
	else if (b->old_port.kind == 'i')
		b->port_number = b->old_port.number;
	b->old_port = (struct int_or_string){ 0 };
}

void kube_convert_ingress(struct kube_object *o)
{
	struct kube_ingress *g = (struct kube_ingress *)o;
	bool old = g->default_backend.old_port.kind;
	for (uint32_t i = 0; i < g->rules.count; i++)
		for (uint32_t j = 0; j < g->rules.items[i].paths.count; j++)
			old |= g->rules.items[i].paths.items[j].backend.old_port.kind;
	if (!old)
		return;
	modern_backend(&g->default_backend);
	struct kube_ingress_rule *rules = arena_array(o->arena, g->rules.count, sizeof *rules);
	for (uint32_t i = 0; i < g->rules.count; i++) {
		rules[i] = g->rules.items[i];
		struct kube_ingress_path *paths =
			arena_array(o->arena, rules[i].paths.count, sizeof *paths);
		for (uint32_t j = 0; j < rules[i].paths.count; j++) {
			paths[j] = rules[i].paths.items[j];
			modern_backend(&paths[j].backend);
			set_text(&paths[j].path_type, "ImplementationSpecific");
		}
		rules[i].paths.items = paths;
	}
	g->rules.items = rules;
}
