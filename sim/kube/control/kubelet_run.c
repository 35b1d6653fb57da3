/* kube/control/kubelet_run.c: containers: pulled, started, stopped, started again. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"

#define BACKOFF_FIRST (10 * NS_PER_S)
#define BACKOFF_LAST (300 * NS_PER_S)
#define BACKOFF_RESET (600 * NS_PER_S) /* a run that long starts the back-off anew */
#define LEAST_STOP (2 * NS_PER_S)
#define QUICK_PULL (500 * NS_PER_MS)   /* the registry says that nothing is newer */

static struct control *control_of(const struct kubelet_container *k)
{
	return k->pod->kubelet->c;
}

static const struct kube_object *pod_object(const struct kubelet_container *k)
{
	return &k->pod->pod->object;
}

const struct kube_container *container_spec(const struct kubelet_container *k)
{
	const struct kube_pod_spec *s = &k->pod->pod->spec;
	return k->init ? &s->init_containers.items[k->index] : &s->containers.items[k->index];
}

bool container_sidecar(const struct kubelet_container *k)
{
	return k->init && kube_is(container_spec(k)->restart_policy, "Always");
}

static void timer_after(struct kubelet_container *k, int64_t delay_ns, event_fn *fn)
{
	struct control *c = control_of(k);
	engine_cancel(c->engine, &k->timer);
	k->timer = engine_after(c->engine, delay_ns, fn, k);
}

/* A duration that an annotation of the pod gives. */
static bool annotated(const struct kubelet_container *k, const char *key, int64_t *out)
{
	const char *text = kube_map_get(&pod_object(k)->meta.annotations, key);
	return text && kube_duration_parse(text, out) && *out >= 0;
}

void container_clear(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	engine_cancel(c->engine, &k->timer);
	engine_cancel(c->engine, &k->kill);
	probes_stop(k);
	if (k->hook)
		call_forget(c, k->hook);
	k->hook = 0;
	k->stop = STOP_NONE;
	if (k->run)
		table_remove(&c->kubelets->runs, &k->run);
	k->run = 0;
	kube_env_vars_unref(k->services);
	k->services = NULL;
}

/* ---- images ---------------------------------------------------------------------- */

static bool pull_fails(struct control *c, const char *image)
{
	if (c->options.pull_fails)
		return c->options.pull_fails(c->options.pull_ctx, image);
	const char *name = strrchr(image, '/') ? strrchr(image, '/') + 1 : image;
	const char *tag = strrchr(name, ':') ? strrchr(name, ':') + 1 : "";
	return !strncmp(name, "missing", 7) || !strncmp(name, "bad", 3) ||
	       !strncmp(tag, "missing", 7) || !strncmp(tag, "bad", 3);
}

static bool image_present(struct kubelet_container *k, const char *image)
{
	return control_of(k)->options.images_present ||
	       table_find(&k->pod->kubelet->images, image) != NULL;
}

static void image_add(struct kubelet *k, const char *image)
{
	if (table_find(&k->images, image))
		return;
	char *key = mem_strdup(image);
	*(char **)table_put(&k->images, key, NULL) = key;
}

static void create(struct kubelet_container *k);

static void pulled(void *ctx)
{
	struct kubelet_container *k = ctx;
	struct kubelet_pod *p = k->pod;
	struct control *c = control_of(k);
	const char *image = text_or(container_spec(k)->image, "");
	if (!kubelet_works(p->kubelet))
		return;
	if (!pull_fails(c, image)) {
		double s = (double)(control_now(c) - k->started_ns) / NS_PER_S;
		uint64_t bytes = 4000000 + hash_bytes(image, strlen(image), 2) % 90000000;
		image_add(p->kubelet, image);
		k->pull_backoff_ns = 0;
		control_event(
		    c, pod_object(k), false, "Pulled", "kubelet",
		    "Successfully pulled image \"%s\" in %.3gs (%.3gs including waiting). "
		    "Image size: %llu bytes.",
		    image, s, s, (unsigned long long)bytes);
		create(k);
		return;
	}
	k->state = CONTAINER_PULL_BACKOFF;
	k->reason = "ErrImagePull";
	control_event(c, pod_object(k), true, "Failed", "kubelet",
		      "Failed to pull image \"%s\": failed to resolve reference: %s: not found",
		      image, image);
	control_event(c, pod_object(k), true, "Failed", "kubelet", "Error: ErrImagePull");
	containers_advance(p);
	kubelet_pod_relist(p);
	kubelet_pod_account(p);
}

static void pull(struct kubelet_container *k, bool present)
{
	struct control *c = control_of(k);
	const char *image = text_or(container_spec(k)->image, "");
	int64_t now = control_now(c), span;
	if (present)
		span = QUICK_PULL;
	else if (!annotated(k, "svclab.dev/pull-delay", &span))
		span = pull_fails(c, image)
			   ? c->options.pull
			   : control_span(c, c->options.pull, 10 * c->options.pull);
	/* One image at a time on a node (serializeImagePulls). */
	int64_t begin = k->pod->kubelet->pull_free_ns > now ? k->pod->kubelet->pull_free_ns : now;
	k->pod->kubelet->pull_free_ns = begin + span;
	k->state = CONTAINER_PULLING;
	k->started_ns = now; /* until it runs: when the pull was asked for */
	control_event(c, pod_object(k), false, "Pulling", "kubelet", "Pulling image \"%s\"", image);
	timer_after(k, begin + span - now, pulled);
}

static void pull_again(void *ctx)
{
	struct kubelet_container *k = ctx;
	if (!kubelet_works(k->pod->kubelet))
		return;
	k->reason = NULL;
	pull(k, false);
	kubelet_pod_account(k->pod);
}

/* The relist after a failed pull: wait before the next one. */
static void pull_backoff(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	const char *image = text_or(container_spec(k)->image, "");
	if (engine_pending(c->engine, k->timer))
		return;
	k->reason = "ImagePullBackOff";
	k->pull_backoff_ns = k->pull_backoff_ns ? 2 * k->pull_backoff_ns : BACKOFF_FIRST;
	if (k->pull_backoff_ns > BACKOFF_LAST)
		k->pull_backoff_ns = BACKOFF_LAST;
	control_event(c, pod_object(k), false, "BackOff", "kubelet",
		      "Back-off pulling image \"%s\"", image);
	control_event(c, pod_object(k), true, "Failed", "kubelet", "Error: ImagePullBackOff");
	timer_after(k, k->pull_backoff_ns, pull_again);
	kubelet_pod_relist(k->pod);
}

/* ---- start ----------------------------------------------------------------------- */

static void start_program(void *ctx)
{
	struct kubelet_container *k = ctx;
	struct control *c = control_of(k);
	struct err err = { "" };
	if (!kubelet_works(k->pod->kubelet) || k->state != CONTAINER_RUNNING || k->program)
		return;
	k->program = true;
	if (!c->host.start)
		return;
	struct control_container container = {
		.id = k->run, .pod = k->pod->pod, .node = kubelet_node(k->pod->kubelet),
		.container = container_spec(k), .init = k->init && !container_sidecar(k),
	};
	uint64_t run = k->run;
	if (c->host.start(c->host.ctx, &container, &err) && k->run == run) {
		control_event(c, pod_object(k), true, "Failed", "kubelet", "Error: %s", err.text);
		container_ended(k, 128);
		k->reason = "StartError";
	}
}

static void post_start(struct kubelet_container *k)
{
	const struct kube_container *spec = container_spec(k);
	if (spec->lifecycle.has_post_start)
		k->hook = call_begin(k, CONTROL_HOOK, &spec->lifecycle.post_start, 0, NULL);
}

static void run(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	int64_t delay;
	k->run = ++c->kubelets->next_run;
	*(struct kubelet_container **)table_put(&c->kubelets->runs, &k->run, NULL) = k;
	k->state = CONTAINER_RUNNING;
	k->reason = NULL;
	k->program = k->seen = false;
	k->started_ns = control_now(c);
	if (k->ever)
		k->restarts++;
	k->ever = true;
	if (c->host.start)
		k->services = services_env(k);
	probes_start(k);
	if (annotated(k, "svclab.dev/start-delay", &delay) && delay)
		timer_after(k, delay, start_program);
	else
		start_program(k);
}

static void started(void *ctx)
{
	struct kubelet_container *k = ctx;
	struct kubelet_pod *p = k->pod;
	struct control *c = control_of(k);
	const char *name = container_spec(k)->name;
	if (!kubelet_works(p->kubelet))
		return;
	control_event(c, pod_object(k), false, "Created", "kubelet", "Created container: %s", name);
	run(k);
	if (k->state == CONTAINER_RUNNING) {
		control_event(c, pod_object(k), false, "Started", "kubelet",
			      "Started container %s", name);
		post_start(k);
	}
	containers_advance(p);
	kubelet_pod_relist(p);
	kubelet_pod_account(p);
}

static void create(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	k->state = CONTAINER_CREATING;
	timer_after(k, control_span(c, c->options.container_start, 3 * c->options.container_start),
		    started);
}

/* A container of a pod that ran before the kubelet came: nothing is pulled or counted. */
static void take_over(struct kubelet_container *k)
{
	if (k->init && !container_sidecar(k)) {
		k->state = CONTAINER_EXITED;
		k->reason = "Completed";
		k->ever = true;
		return;
	}
	k->ever = false;
	run(k);
	k->seen = true;
	const struct kube_pod_status *s = &k->pod->pod->status;
	if (!k->init && k->index < s->containers.count)
		k->started_ns = s->containers.items[k->index].started_ns;
}

static void begin(struct kubelet_container *k)
{
	const struct kube_container *spec = container_spec(k);
	const char *image = text_or(spec->image, "");
	if (k->pod->adopted) {
		take_over(k);
		return;
	}
	bool present = image_present(k, image);
	bool always = kube_is(spec->image_pull_policy, "Always") &&
		      !control_of(k)->options.images_present;
	if (present && !always && !pull_fails(control_of(k), image)) {
		control_event(control_of(k), pod_object(k), false, "Pulled", "kubelet",
			      "Container image \"%s\" already present on machine", image);
		create(k);
		return;
	}
	pull(k, present);
}

/* Whether the next container may start; begins this one if it is its turn. */
static bool advance_one(struct kubelet_container *k)
{
	if (k->state == CONTAINER_WAITING)
		begin(k);
	if (k->init && !container_sidecar(k))
		return k->state == CONTAINER_EXITED && k->exit_code == 0;
	if (k->init)
		return k->state == CONTAINER_RUNNING && k->started;
	return k->state != CONTAINER_PULLING && k->state != CONTAINER_CREATING;
}

void containers_advance(struct kubelet_pod *p)
{
	if (p->stage != STAGE_CONTAINERS || !p->sandbox)
		return;
	for (uint32_t i = 0; i < p->container_count; i++)
		if (!advance_one(&p->containers[i]))
			return;
	p->adopted = false;
}

/* ---- the end of a run ------------------------------------------------------------ */

void container_ended(struct kubelet_container *k, int32_t exit_code)
{
	if (k->state != CONTAINER_RUNNING)
		return;
	container_clear(k);
	k->state = CONTAINER_EXITED;
	k->exit_code = exit_code;
	k->reason = exit_code ? "Error" : "Completed";
	k->finished_ns = control_now(control_of(k));
	k->started = false;
	kubelet_pod_container_down(k->pod);
}

void container_kill(struct kubelet_container *k, int32_t exit_code)
{
	struct control *c = control_of(k);
	if (k->state != CONTAINER_RUNNING) {
		if (k->state == CONTAINER_PULLING || k->state == CONTAINER_CREATING)
			engine_cancel(c->engine, &k->timer);
		return;
	}
	if (c->host.signal && k->program)
		c->host.signal(c->host.ctx, k->run, CONTROL_SIGKILL);
	container_ended(k, exit_code);
}

static void kill_now(void *ctx)
{
	struct kubelet_container *k = ctx;
	if (kubelet_works(k->pod->kubelet))
		container_kill(k, 137);
}

static void stopped_by_itself(void *ctx)
{
	struct kubelet_container *k = ctx;
	if (kubelet_works(k->pod->kubelet))
		container_ended(k, 0);
}

void container_hook_done(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	int64_t delay = 0;
	k->hook = 0;
	if (k->stop != STOP_HOOK)
		return;
	k->stop = STOP_TERM;
	if (k->killed_ns < control_now(c) + LEAST_STOP) {
		k->killed_ns = control_now(c) + LEAST_STOP;
		engine_cancel(c->engine, &k->kill);
		k->kill = engine_at(c->engine, k->killed_ns, kill_now, k);
	}
	if (c->host.signal && k->program) {
		c->host.signal(c->host.ctx, k->run, CONTROL_SIGTERM);
		return;
	}
	annotated(k, "svclab.dev/stop-delay", &delay);
	timer_after(k, delay, stopped_by_itself);
}

static void slept(void *ctx)
{
	struct kubelet_container *k = ctx;
	if (kubelet_works(k->pod->kubelet))
		container_hook_done(k);
}

void container_stop(struct kubelet_container *k, int64_t grace_ns)
{
	struct control *c = control_of(k);
	const struct kube_container *spec = container_spec(k);
	const struct kube_probe_handler *h = &spec->lifecycle.pre_stop;
	if (k->state != CONTAINER_RUNNING || k->stop != STOP_NONE)
		return;
	if (k->pod->stage == STAGE_STOPPING)
		control_event(c, pod_object(k), false, "Killing", "kubelet",
			      "Stopping container %s", spec->name);
	k->stop = STOP_HOOK;
	k->killed_ns = control_now(c) + grace_ns;
	engine_cancel(c->engine, &k->timer);
	k->kill = engine_at(c->engine, k->killed_ns, kill_now, k);
	if (!spec->lifecycle.has_pre_stop) {
		container_hook_done(k);
	} else if (h->sleep.set) {
		timer_after(k, h->sleep.seconds * NS_PER_S, slept);
	} else {
		uint64_t call = call_begin(k, CONTROL_HOOK, h, grace_ns, NULL);
		if (!call)
			container_hook_done(k);
		else if (k->stop == STOP_HOOK)
			k->hook = call;
	}
}

/* ---- restarts -------------------------------------------------------------------- */

static bool restarts(const struct kubelet_container *k)
{
	const char *policy = text_or(k->pod->pod->spec.restart_policy, "Always");
	if (container_sidecar(k))
		policy = "Always";
	if (k->init && !container_sidecar(k))
		return k->exit_code && !kube_is(policy, "Never");
	return kube_is(policy, "Always") || (kube_is(policy, "OnFailure") && k->exit_code);
}

static void start_again(void *ctx)
{
	struct kubelet_container *k = ctx;
	if (!kubelet_works(k->pod->kubelet))
		return;
	k->backoff_ns = k->backoff_ns ? 2 * k->backoff_ns : BACKOFF_FIRST;
	if (k->backoff_ns > BACKOFF_LAST)
		k->backoff_ns = BACKOFF_LAST;
	k->state = CONTAINER_WAITING;
	containers_advance(k->pod);
	kubelet_pod_relist(k->pod);
	kubelet_pod_account(k->pod);
}

static void note_last(struct kubelet_container *k)
{
	k->has_last = true;
	k->last.reason = k->reason;
	k->last.exit_code = k->exit_code;
	k->last.finished_ns = k->finished_ns;
}

/* The first restart is immediate; later ones wait, counted from the end of the run. */
static void restart(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	note_last(k);
	if (k->finished_ns - k->started_ns > BACKOFF_RESET)
		k->backoff_ns = 0;
	int64_t left = k->finished_ns + k->backoff_ns - control_now(c);
	if (!k->backoff_ns || left <= 0) {
		start_again(k);
		return;
	}
	k->state = CONTAINER_BACKOFF;
	k->reason = "CrashLoopBackOff";
	control_event(c, pod_object(k), true, "BackOff", "kubelet",
		      "Back-off restarting failed container %s in pod %s_%s(%s)",
		      container_spec(k)->name, pod_object(k)->meta.name,
		      text_or(pod_object(k)->meta.namespace, "default"), pod_object(k)->meta.uid);
	timer_after(k, left, start_again);
}

bool containers_review(struct kubelet_pod *p)
{
	bool all = true, failed = false;
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		if (k->state == CONTAINER_PULL_BACKOFF)
			pull_backoff(k);
		if (k->state == CONTAINER_EXITED && restarts(k))
			restart(k);
		else if (k->state == CONTAINER_EXITED && k->init && k->exit_code)
			failed = true;
		if (!k->init)
			all = all && k->state == CONTAINER_EXITED;
	}
	if (!all && !failed)
		return false;
	for (uint32_t i = 0; i < p->init_count; i++)
		container_kill(&p->containers[i], 0); /* sidecars have nobody left to serve */
	return true;
}

void container_resume(struct kubelet_container *k)
{
	struct control *c = control_of(k);
	if (engine_pending(c->engine, k->timer))
		return;
	switch (k->state) {
	case CONTAINER_PULLING:
		timer_after(k, 0, pulled);
		break;
	case CONTAINER_CREATING:
		timer_after(k, 0, started);
		break;
	case CONTAINER_BACKOFF:
		timer_after(k, 0, start_again);
		break;
	case CONTAINER_RUNNING:
		if (!k->program)
			start_program(k);
		if (k->stop != STOP_NONE && !engine_pending(c->engine, k->kill))
			k->kill = engine_after(c->engine, 0, kill_now, k);
		probes_resume(k);
		break;
	default:
		break;
	}
}
