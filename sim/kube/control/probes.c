/* kube/control/probes.c: readiness, liveness and startup probes.
 *
 * One worker a container and kind. Its ticks lie at the pod's sync time + n periods,
 * wherever the container began; readiness is tried besides at every status computation
 * until it succeeds once. initialDelay is looked at only at those moments. A result
 * changes after `threshold` equal answers in a row.
 */
#include <stdio.h>
#include <string.h>

#include "kube/control/kubelet.h"

static struct control *control_of(const struct probe_worker *w)
{
	return w->container->pod->kubelet->c;
}

static const char *const names[] = { "Readiness", "Liveness", "Startup" };

const struct kube_probe *probe_spec(const struct probe_worker *w)
{
	const struct kube_container *spec = container_spec(w->container);
	switch (w->kind) {
	case PROBE_READINESS:
		return &spec->readiness;
	case PROBE_LIVENESS:
		return &spec->liveness;
	default:
		return &spec->startup;
	}
}

static int64_t seconds(const struct opt_int *v, int64_t otherwise)
{
	return v->set ? v->value : otherwise;
}

/* A forced probe works even where the container has none. */
static bool active(const struct probe_worker *w)
{
	return probe_spec(w)->set || w->forced != FORCE_NONE;
}

/* ---- calls ----------------------------------------------------------------------- */

static uint16_t port_of(const struct kube_container *spec, const struct int_or_string *port)
{
	if (port->kind != 's')
		return (uint16_t)port->number;
	for (uint32_t i = 0; i < spec->ports.count; i++)
		if (kube_is(spec->ports.items[i].name, port->string))
			return (uint16_t)spec->ports.items[i].container_port;
	return 0;
}

static void where(const struct kubelet_container *k, const struct kube_probe_handler *h,
		  struct control_call *call)
{
	const char *host = NULL;
	if (h->http_get.set) {
		call->port = port_of(call->spec, &h->http_get.port);
		host = h->http_get.host;
	} else if (h->tcp_socket.set) {
		call->port = port_of(call->spec, &h->tcp_socket.port);
		host = h->tcp_socket.host;
	} else if (h->grpc.set) {
		call->port = (uint16_t)h->grpc.port;
	}
	if (!host || !net_addr_parse(host, &call->address))
		call->address = k->pod->ips[0];
}

uint64_t call_begin(struct kubelet_container *k, enum control_call_kind kind,
		    const struct kube_probe_handler *h, int64_t timeout_ns,
		    struct probe_worker *worker)
{
	struct control *c = k->pod->kubelet->c;
	if (!c->host.call)
		return 0;
	struct control_call call = {
		.id = ++c->kubelets->next_call, .kind = kind, .container = k->run,
		.pod = k->pod->pod, .spec = container_spec(k), .handler = h,
		.timeout_ns = timeout_ns ? timeout_ns : 30 * NS_PER_S,
	};
	struct call_target *t = table_put(&c->kubelets->calls, &call.id, NULL);
	*t = (struct call_target){ k, worker };
	where(k, h, &call);
	if (worker)
		worker->call = call.id;
	c->host.call(c->host.ctx, &call);
	return call.id;
}

void call_forget(struct control *c, uint64_t call)
{
	table_remove(&c->kubelets->calls, &call);
}

void control_call_done(struct control *c, uint64_t call, bool ok, const char *text)
{
	struct call_target *t = table_find(&c->kubelets->calls, &call);
	if (!t)
		return;
	struct call_target to = *t;
	call_forget(c, call);
	if (to.worker)
		probe_answer(to.worker, ok, text);
	else
		container_hook_done(to.container);
}

/* ---- ticks ----------------------------------------------------------------------- */

static void tick(void *ctx);

static int64_t period(const struct probe_worker *w)
{
	int64_t s = seconds(&probe_spec(w)->period_s, 10);
	return (s > 0 ? s : 10) * NS_PER_S;
}

static void schedule(struct probe_worker *w)
{
	struct control *c = control_of(w);
	if (engine_pending(c->engine, w->tick) || w->container->state != CONTAINER_RUNNING)
		return;
	int64_t base = w->container->pod->synced_ns, now = control_now(c), p = period(w);
	w->tick = engine_at(c->engine, base + ((now - base) / p + 1) * p, tick, w);
}

/* Without a host every probe succeeds: then nothing can change any more. */
static bool settled(const struct probe_worker *w)
{
	return !control_of(w)->host.call && w->forced == FORCE_NONE && w->result == RESULT_SUCCESS;
}

static void timed_out(void *ctx)
{
	struct probe_worker *w = ctx;
	const struct kube_probe_handler *h = &probe_spec(w)->handler;
	char text[200], ip[NET_ADDR_TEXT];
	if (!kubelet_works(w->container->pod->kubelet))
		return;
	net_addr_text(&w->container->pod->ips[0], ip);
	if (h->http_get.set)
		snprintf(text, sizeof text, "Get \"http://%s:%u%s\": context deadline exceeded "
			 "(Client.Timeout exceeded while awaiting headers)", ip,
			 port_of(container_spec(w->container), &h->http_get.port),
			 text_or(h->http_get.path, "/"));
	else if (h->tcp_socket.set)
		snprintf(text, sizeof text, "dial tcp %s:%u: i/o timeout", ip,
			 port_of(container_spec(w->container), &h->tcp_socket.port));
	else
		snprintf(text, sizeof text, "command timed out");
	call_forget(control_of(w), w->call);
	probe_answer(w, false, text);
}

static void probe_now(struct probe_worker *w)
{
	struct control *c = control_of(w);
	const struct kube_probe *spec = probe_spec(w);
	struct kubelet_container *k = w->container;
	if (w->call || k->state != CONTAINER_RUNNING || (k->stop != STOP_NONE && w->kind))
		return;
	if (w->kind != PROBE_STARTUP && !k->started)
		return;
	if (k->pod->stage == STAGE_STOPPING && w->kind != PROBE_READINESS)
		return;
	int64_t age_s = (control_now(c) - k->started_ns) / NS_PER_S;
	if (age_s < seconds(&spec->initial_delay_s, 0))
		return;
	if (w->forced != FORCE_NONE) {
		probe_answer(w, w->forced == FORCE_PASS, "HTTP probe failed with statuscode: 503");
		return;
	}
	int64_t timeout = seconds(&spec->timeout_s, 1) * NS_PER_S;
	uint64_t next = c->kubelets->next_call + 1;
	if (!call_begin(k, CONTROL_PROBE, &spec->handler, timeout, w))
		probe_answer(w, true, NULL);
	else if (w->call == next)
		w->timeout = engine_after(c->engine, timeout, timed_out, w);
}

static void tick(void *ctx)
{
	struct probe_worker *w = ctx;
	w->tick = (struct event_id){ 0 };
	if (!kubelet_works(w->container->pod->kubelet) || !active(w))
		return;
	if (!settled(w))
		schedule(w);
	probe_now(w);
}

/* ---- life of a worker ------------------------------------------------------------ */

static void worker_reset(struct probe_worker *w)
{
	static const enum probe_result first[] = { RESULT_FAILURE, RESULT_SUCCESS, RESULT_UNKNOWN };
	struct control *c = control_of(w);
	engine_cancel(c->engine, &w->tick);
	engine_cancel(c->engine, &w->timeout);
	if (w->call)
		call_forget(c, w->call);
	w->call = 0;
	w->result = first[w->kind];
	w->last = RESULT_UNKNOWN;
	w->in_row = 0;
	w->asked = false;
}

void probes_start(struct kubelet_container *k)
{
	for (int kind = 0; kind < 3; kind++) {
		struct probe_worker *w = &k->probes[kind];
		worker_reset(w);
		if (active(w))
			schedule(w);
	}
	k->started = !active(&k->probes[PROBE_STARTUP]);
	const struct kube_pod *pod = k->pod->pod;
	if (k->pod->adopted && pod_ready(pod)) {
		k->started = true;
		k->probes[PROBE_READINESS].result = RESULT_SUCCESS;
		k->probes[PROBE_READINESS].asked = true;
	}
}

void probes_stop(struct kubelet_container *k)
{
	for (int kind = 0; kind < 3; kind++)
		worker_reset(&k->probes[kind]);
}

void probes_resume(struct kubelet_container *k)
{
	for (int kind = 0; kind < 3; kind++)
		if (active(&k->probes[kind]) && !settled(&k->probes[kind]))
			schedule(&k->probes[kind]);
}

void probes_trigger(struct kubelet_container *k)
{
	struct probe_worker *w = &k->probes[PROBE_READINESS];
	if (k->state != CONTAINER_RUNNING || !active(w) || w->result == RESULT_SUCCESS)
		return;
	if (k->pod->stage != STAGE_STOPPING)
		probe_now(w);
}

bool container_ready(const struct kubelet_container *k)
{
	const struct probe_worker *w = &k->probes[PROBE_READINESS];
	if (k->state != CONTAINER_RUNNING || !k->started || !k->seen)
		return false;
	return active(w) ? w->result == RESULT_SUCCESS : true;
}

/* Whether an answer that may come soon could still change the pod. */
bool probes_undecided(const struct kubelet_container *k)
{
	const struct probe_worker *startup = &k->probes[PROBE_STARTUP];
	const struct probe_worker *ready = &k->probes[PROBE_READINESS];
	if (active(startup) && !k->started)
		return !startup->asked || startup->last == RESULT_SUCCESS;
	if (!active(ready) || k->pod->stage == STAGE_STOPPING)
		return false;
	if (!ready->asked)
		return true;
	return ready->last != ready->result && ready->last != RESULT_UNKNOWN;
}

/* ---- results --------------------------------------------------------------------- */

static void say_unhealthy(struct probe_worker *w, const char *text)
{
	const struct kubelet_container *k = w->container;
	control_event(control_of(w), &k->pod->pod->object, true, "Unhealthy", "kubelet",
		      "%s probe failed: %s", names[w->kind], text_or(text, ""));
}

static void restart_for(struct probe_worker *w)
{
	struct kubelet_container *k = w->container;
	const struct kube_probe *spec = probe_spec(w);
	const struct kube_pod_spec *pod = &k->pod->pod->spec;
	int64_t grace = seconds(&pod->termination_grace_s, 30);
	if (spec->termination_grace_s.set)
		grace = spec->termination_grace_s.value;
	control_event(control_of(w), &k->pod->pod->object, false, "Killing", "kubelet",
		      "Container %s failed %s probe, will be restarted", container_spec(k)->name,
		      w->kind == PROBE_LIVENESS ? "liveness" : "startup");
	container_stop(k, grace * NS_PER_S);
}

static void act(struct probe_worker *w)
{
	struct kubelet_container *k = w->container;
	struct kubelet_pod *p = k->pod;
	if (w->kind == PROBE_READINESS) {
		kubelet_status_write(p);
		return;
	}
	if (w->result == RESULT_FAILURE) {
		restart_for(w);
	} else if (w->kind == PROBE_STARTUP) {
		k->started = true;
		kubelet_status_write(p);
		probes_trigger(k);
		containers_advance(p);
	}
}

void probe_answer(struct probe_worker *w, bool ok, const char *text)
{
	struct kubelet_container *k = w->container;
	const struct kube_probe *spec = probe_spec(w);
	enum probe_result result = ok ? RESULT_SUCCESS : RESULT_FAILURE;
	engine_cancel(control_of(w)->engine, &w->timeout);
	w->call = 0;
	if (k->state != CONTAINER_RUNNING || !kubelet_works(k->pod->kubelet))
		return;
	if (!ok)
		say_unhealthy(w, text);
	w->in_row = w->last == result ? w->in_row + 1 : 1;
	w->last = result;
	w->asked = true;
	int64_t threshold = ok ? seconds(&spec->success_threshold, 1)
			       : seconds(&spec->failure_threshold, 3);
	if (w->in_row >= threshold && w->result != result) {
		w->result = result;
		act(w);
	}
	kubelet_pod_account(k->pod);
}

void probe_force(struct probe_worker *w, enum control_forced forced)
{
	bool was_active = active(w);
	w->forced = forced;
	if (w->container->state != CONTAINER_RUNNING)
		return;
	if (!active(w)) {
		engine_cancel(control_of(w)->engine, &w->tick);
		if (w->kind == PROBE_READINESS)
			kubelet_status_write(w->container->pod);
		return;
	}
	if (!was_active) /* such a container was ready without being asked */
		w->result = RESULT_SUCCESS;
	schedule(w);
}
