/* kube/control/job.c: pods until enough of them have succeeded.
 *
 * Failed pods are replaced after 10 s doubling to 6 min, up to backoffLimit failures.
 */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"

#define COMPONENT "job-controller"
#define BACKOFF_FIRST (10 * NS_PER_S)
#define BACKOFF_LAST (360 * NS_PER_S)

struct job {
	struct control *c;
	const struct kube_job *job;
	int32_t active, succeeded, failed;
	int64_t last_failure_ns;
};

static void read_pods(struct job *j)
{
	struct object_list pods = { 0 };
	index_owned(&j->c->index, j->job->object.meta.uid, KIND_POD, &pods);
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods.items[i];
		if (kube_is(p->status.phase, "Succeeded")) {
			j->succeeded++;
		} else if (kube_is(p->status.phase, "Failed")) {
			j->failed++;
			for (uint32_t k = 0; k < p->status.containers.count; k++)
				if (p->status.containers.items[k].finished_ns > j->last_failure_ns)
					j->last_failure_ns =
						p->status.containers.items[k].finished_ns;
		} else if (!p->object.meta.deletion_ns) {
			j->active++;
		}
	}
	object_list_free(&pods);
}

static void create_pod(struct job *j)
{
	const struct kube_object *owner = &j->job->object;
	struct kube_pod *p = pod_from_template(j->c, &j->job->spec.template, owner, owner);
	struct kube_object *o = &p->object;
	char prefix[260], name[80];
	struct err err;
	snprintf(prefix, sizeof prefix, "%.253s-", owner->meta.name);
	o->meta.name = name_generate(j->c, o, prefix);
	o->meta.generate_name = kube_string(o, prefix);
	snprintf(name, sizeof name, "%s", o->meta.name);
	kube_map_set(o, &o->meta.labels, "batch.kubernetes.io/controller-uid", owner->meta.uid);
	kube_map_set(o, &o->meta.labels, "batch.kubernetes.io/job-name", owner->meta.name);
	kube_map_set(o, &o->meta.labels, "controller-uid", owner->meta.uid);
	kube_map_set(o, &o->meta.labels, "job-name", owner->meta.name);
	if (control_create(j->c, o, &err)) {
		control_event(j->c, owner, true, "FailedCreate", COMPONENT, "Error creating: %s",
			      err.text);
		return;
	}
	j->active++;
	control_event(j->c, owner, false, "SuccessfulCreate", COMPONENT, "Created pod: %s", name);
}

static void delete_active(struct job *j)
{
	struct object_list pods = { 0 };
	index_owned(&j->c->index, j->job->object.meta.uid, KIND_POD, &pods);
	for (uint32_t i = 0; i < pods.count; i++)
		kube_ref(pods.items[i]);
	for (uint32_t i = 0; i < pods.count; i++) {
		if (pod_active((const struct kube_pod *)pods.items[i]))
			control_delete_object(j->c, pods.items[i], -1);
		kube_unref((struct kube_object *)pods.items[i]);
	}
	object_list_free(&pods);
	j->active = 0;
}

static int64_t wanted(const struct job *j)
{
	int64_t parallel = j->job->spec.parallelism.set ? j->job->spec.parallelism.value : 1;
	if (!j->job->spec.completions.set) /* a work queue: one success ends it */
		return j->succeeded ? j->active : parallel;
	int64_t left = j->job->spec.completions.value - j->succeeded;
	return left < parallel ? left : parallel;
}

static bool complete(const struct job *j)
{
	if (j->job->spec.completions.set)
		return j->succeeded >= j->job->spec.completions.value;
	return j->succeeded && !j->active;
}

/* Time until a failed pod may be replaced. */
static int64_t back_off(const struct job *j)
{
	int64_t wait = BACKOFF_FIRST;
	if (!j->failed)
		return 0;
	for (int32_t i = 1; i < j->failed && wait < BACKOFF_LAST; i++)
		wait *= 2;
	if (wait > BACKOFF_LAST)
		wait = BACKOFF_LAST;
	int64_t left = j->last_failure_ns + wait - control_now(j->c);
	return left > 0 ? left : 0;
}

static void write_status(struct job *j, const char *end, const char *reason, const char *message)
{
	const struct kube_job *old = j->job;
	if (!end && old->status.active == j->active && old->status.succeeded == j->succeeded &&
	    old->status.failed == j->failed && old->status.start_ns)
		return;
	struct kube_job *copy = (struct kube_job *)object_touch(&old->object);
	copy->status.active = j->active;
	copy->status.succeeded = j->succeeded;
	copy->status.failed = j->failed;
	if (!copy->status.start_ns)
		copy->status.start_ns = control_now(j->c) ? control_now(j->c) : 1;
	if (end) {
		bool ok = kube_is(end, "Complete");
		int64_t now = control_now(j->c);
		condition_set(&copy->object, &copy->status.conditions,
			      ok ? "SuccessCriteriaMet" : "FailureTarget", "True", reason, message,
			      now);
		condition_set(&copy->object, &copy->status.conditions, end, "True", reason, message,
			      now);
		if (ok)
			copy->status.completion_ns = now;
	}
	control_update(j->c, &copy->object, false);
}

static void act(struct job *j)
{
	int64_t limit = j->job->spec.backoff_limit.set ? j->job->spec.backoff_limit.value : 6;
	const struct kube_object *o = &j->job->object;
	if (j->failed > limit) {
		delete_active(j);
		control_event(j->c, o, true, "BackoffLimitExceeded", COMPONENT,
			      "Job has reached the specified backoff limit");
		write_status(j, "Failed", "BackoffLimitExceeded",
			     "Job has reached the specified backoff limit");
		return;
	}
	if (complete(j)) {
		control_event(j->c, o, false, "Completed", COMPONENT, "Job completed");
		write_status(j, "Complete", "CompletionsReached",
			     "Reached expected number of succeeded pods");
		return;
	}
	int64_t wait = back_off(j), missing = wanted(j) - j->active;
	if (missing > 0 && wait)
		queue_add(&j->c->queues[KIND_JOB], o->meta.namespace, o->meta.name, wait);
	for (; missing > 0 && !wait; missing--)
		create_pod(j);
	write_status(j, NULL, NULL, NULL);
}

void job_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, KIND_JOB, namespace, name);
	if (!o || o->meta.deletion_ns)
		return;
	struct job j = { .c = c, .job = (const struct kube_job *)kube_ref(o) };
	if (!kube_condition_true(&j.job->status.conditions, "Complete") &&
	    !kube_condition_true(&j.job->status.conditions, "Failed")) {
		read_pods(&j);
		act(&j);
	}
	kube_unref((struct kube_object *)o);
}
