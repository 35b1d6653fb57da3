/* kube/kubectl/columns_pod.c: cells of pods. */
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"



static bool sidecar(const struct kube_pod *p, uint32_t i)
{
	return i < p->spec.init_containers.count &&
	       kube_is(p->spec.init_containers.items[i].restart_policy, "Always");
}

static bool is(const struct kube_container_status *s, const char *state)
{
	return kube_is(s->state, state);
}

static const char *ended(struct call *c, const struct kube_container_status *s)
{
	return text_or(s->reason, arena_printf(c->arena, "ExitCode:%d", s->exit_code));
}

/* The first init container that holds the pod, or NULL. */
static const char *init_state(struct call *c, const struct kube_pod *p)
{
	uint32_t n = p->status.init_containers.count;
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_container_status *s = &p->status.init_containers.items[i];
		if (is(s, "terminated") && s->exit_code == 0)
			continue;
		if (sidecar(p, i) && s->started == TRI_TRUE)
			continue;
		if (is(s, "terminated"))
			return arena_printf(c->arena, "Init:%s", ended(c, s));
		if (is(s, "waiting") && s->reason && *s->reason &&
		    !kube_is(s->reason, "PodInitializing"))
			if (!kube_is(s->reason, "ContainerCreating"))
				return arena_printf(c->arena, "Init:%s", s->reason);
		return arena_printf(c->arena, "Init:%u/%u", i, p->spec.init_containers.count);
	}
	return NULL;
}

static const char *main_state(struct call *c, const struct kube_pod *p, const char *word)
{
	bool running = false;
	for (uint32_t i = p->status.containers.count; i-- > 0;) {
		const struct kube_container_status *s = &p->status.containers.items[i];
		if (is(s, "waiting") && s->reason && *s->reason)
			word = s->reason;
		else if (is(s, "terminated"))
			word = ended(c, s);
		else if (is(s, "running") && s->ready == TRI_TRUE)
			running = true;
	}
	if (kube_is(word, "Completed") && running)
		return pod_ready(p) ? "Running" : "NotReady";
	return word;
}

const char *pod_state(struct call *c, const struct kube_pod *p)
{
	const char *word = text_or(p->status.reason, text_or(p->status.phase, "Pending"));
	const struct kube_condition *scheduled =
		condition_find(&p->status.conditions, "PodScheduled");
	if (scheduled && kube_is(scheduled->reason, "SchedulingGated"))
		word = "SchedulingGated";
	const char *init = init_state(c, p);
	if (init)
		word = init;
	if (!init || kube_condition_true(&p->status.conditions, "Initialized"))
		word = main_state(c, p, word);
	if (p->object.meta.deletion_ns && kube_is(p->status.reason, "NodeLost"))
		return "Unknown";
	bool over = kube_is(p->status.phase, "Succeeded") || kube_is(p->status.phase, "Failed");
	return p->object.meta.deletion_ns && !over ? "Terminating" : word;
}

static void ready_cell(struct call *c, const struct kube_pod *p, bool initializing, struct row *r)
{
	uint32_t all = p->spec.containers.count, ready = 0;
	for (uint32_t i = 0; i < p->spec.init_containers.count; i++) {
		if (!sidecar(p, i))
			continue;
		all++;
		if (i < p->status.init_containers.count) {
			const struct kube_container_status *s = &p->status.init_containers.items[i];
			ready += s->started == TRI_TRUE && s->ready == TRI_TRUE;
		}
	}
	for (uint32_t i = 0; !initializing && i < p->status.containers.count; i++) {
		const struct kube_container_status *s = &p->status.containers.items[i];
		ready += s->ready == TRI_TRUE && is(s, "running");
	}
	row_cellf(c, r, "%u/%u", ready, all);
}

static void restarts_cell(struct call *c, const struct kube_pod *p, bool initializing,
			  struct row *r)
{
	int32_t count = 0;
	int64_t last = 0;
	bool any = false;
	uint32_t n = p->status.init_containers.count, total = n + p->status.containers.count;
	for (uint32_t i = 0; i < total; i++) {
		const struct kube_container_status *s = i < n ? &p->status.init_containers.items[i]
				 : &p->status.containers.items[i - n];
		if (i < n ? !initializing && !sidecar(p, i) : initializing)
			continue;
		count += s->restart_count;
		if (s->last.set && (!any || s->last.finished_ns > last)) {
			last = s->last.finished_ns;
			any = true;
		}
	}
	if (count && any)
		row_cellf(c, r, "%d (%s ago)", count, age_of(c, last));
	else
		row_cellf(c, r, "%d", count);
}

static void gates_cell(struct call *c, const struct kube_pod *p, struct row *r)
{
	uint32_t met = 0, all = p->spec.readiness_gates.count;
	for (uint32_t i = 0; i < all; i++)
		met += kube_condition_true(&p->status.conditions, p->spec.readiness_gates.items[i]);
	if (all)
		row_cellf(c, r, "%u/%u", met, all);
	else
		row_cell(r, "<none>");
}

void row_pod(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_pod *p = (const struct kube_pod *)o;
	bool initializing = init_state(c, p) != NULL &&
			    !kube_condition_true(&p->status.conditions, "Initialized");
	row_cell(r, o->meta.name);
	ready_cell(c, p, initializing, r);
	row_cell(r, pod_state(c, p));
	restarts_cell(c, p, initializing, r);
	row_cell(r, age_of(c, o->meta.creation_ns));
	row_cell(r, p->status.pod_ips.count ? p->status.pod_ips.items[0]
					    : text_or(p->status.pod_ip, "<none>"));
	row_cell(r, text_or(p->spec.node_name, "<none>"));
	row_cell(r, "<none>");
	gates_cell(c, p, r);
}
