/* kube/kubectl/columns_workload.c: cells of the kinds that make pods. */
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

static void containers(struct call *c, const struct kube_template *t, struct row *r)
{
	uint32_t n = t->spec.containers.count;
	struct kube_strings names = { 0 }, images = { 0 };
	names.items = arena_array(c->arena, n + 1, sizeof *names.items);
	images.items = arena_array(c->arena, n + 1, sizeof *images.items);
	for (uint32_t i = 0; i < n; i++) {
		names.items[names.count++] = text_or(t->spec.containers.items[i].name, "");
		images.items[images.count++] = text_or(t->spec.containers.items[i].image, "");
	}
	row_cell(r, words_join(c, &names, ",", ""));
	row_cell(r, words_join(c, &images, ",", ""));
}

static long long wanted(const struct opt_int *v)
{
	return v->set ? (long long)v->value : 1;
}

void row_deployment(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_deployment *d = (const struct kube_deployment *)o;
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%d/%lld", d->status.ready, wanted(&d->spec.replicas));
	row_cellf(c, r, "%d", d->status.updated);
	row_cellf(c, r, "%d", d->status.available);
	row_cell(r, age_of(c, o->meta.creation_ns));
	containers(c, &d->spec.template, r);
	row_cell(r, selector_text(c, &d->spec.selector, ""));
}

void row_replica_set(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_replica_set *s = (const struct kube_replica_set *)o;
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%lld", wanted(&s->spec.replicas));
	row_cellf(c, r, "%d", s->status.replicas);
	row_cellf(c, r, "%d", s->status.ready);
	row_cell(r, age_of(c, o->meta.creation_ns));
	containers(c, &s->spec.template, r);
	row_cell(r, selector_text(c, &s->spec.selector, "<none>"));
}

void row_stateful_set(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_stateful_set *s = (const struct kube_stateful_set *)o;
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%d/%lld", s->status.ready, wanted(&s->spec.replicas));
	row_cell(r, age_of(c, o->meta.creation_ns));
	containers(c, &s->spec.template, r);
}

void row_daemon_set(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_daemon_set *d = (const struct kube_daemon_set *)o;
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%d", d->status.desired);
	row_cellf(c, r, "%d", d->status.current);
	row_cellf(c, r, "%d", d->status.ready);
	row_cellf(c, r, "%d", d->status.updated);
	row_cellf(c, r, "%d", d->status.available);
	row_cell(r, pairs_text(c, &d->spec.template.spec.node_selector, "<none>"));
	row_cell(r, age_of(c, o->meta.creation_ns));
	containers(c, &d->spec.template, r);
	row_cell(r, selector_text(c, &d->spec.selector, "<none>"));
}

static const char *job_state(const struct kube_job *j)
{
	const struct kube_conditions *l = &j->status.conditions;
	if (kube_condition_true(l, "Complete"))
		return "Complete";
	if (kube_condition_true(l, "Failed"))
		return "Failed";
	if (j->object.meta.deletion_ns)
		return "Terminating";
	if (kube_condition_true(l, "Suspended"))
		return "Suspended";
	if (kube_condition_true(l, "FailureTarget"))
		return "FailureTarget";
	return kube_condition_true(l, "SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

void row_job(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_job *j = (const struct kube_job *)o;
	int64_t end = j->status.completion_ns ? j->status.completion_ns : call_now(c);
	row_cell(r, o->meta.name);
	row_cell(r, job_state(j));
	if (j->spec.completions.set)
		row_cellf(c, r, "%d/%lld", j->status.succeeded,
			  (long long)j->spec.completions.value);
	else if (wanted(&j->spec.parallelism) > 1)
		row_cellf(c, r, "%d/1 of %lld", j->status.succeeded, wanted(&j->spec.parallelism));
	else
		row_cellf(c, r, "%d/1", j->status.succeeded);
	row_cell(r, j->status.start_ns ? human_duration(c, end - j->status.start_ns) : "");
	row_cell(r, age_of(c, o->meta.creation_ns));
	containers(c, &j->spec.template, r);
	row_cellf(c, r, "batch.kubernetes.io/controller-uid=%s", text_or(o->meta.uid, ""));
}

void row_revision(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_controller_revision *v = (const struct kube_controller_revision *)o;
	const struct kube_owner *owner = controller_of(o);
	row_cell(r, o->meta.name);
	if (owner) {
		const struct kind_schema *s = kube_schema_by_name(owner->kind);
		row_cellf(c, r, "%s/%s", s ? kind_word(c, s) : owner->kind, owner->name);
	} else {
		row_cell(r, "<none>");
	}
	row_cellf(c, r, "%lld", (long long)v->revision);
	row_cell(r, age_of(c, o->meta.creation_ns));
}
