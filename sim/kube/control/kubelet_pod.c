/* kube/control/kubelet_pod.c: stages of a pod on its node. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"
#include "kube/podfiles.h"

#define SYNC_BACKOFF (10 * NS_PER_S)  /* after a failed sandbox */
#define VOLUME_RETRY (2 * NS_PER_S)
#define LEAST_STOP (2 * NS_PER_S)     /* StopContainer gets at least that */

static struct control *control_of(const struct kubelet_pod *p)
{
	return p->kubelet->c;
}

static void step_after(struct kubelet_pod *p, int64_t delay_ns, event_fn *fn)
{
	struct control *c = control_of(p);
	engine_cancel(c->engine, &p->step);
	p->step = engine_after(c->engine, delay_ns, fn, p);
}

/* ---- making ---------------------------------------------------------------------- */

static void containers_init(struct kubelet_pod *p)
{
	const struct kube_pod_spec *s = &p->pod->spec;
	p->init_count = s->init_containers.count;
	p->container_count = p->init_count + s->containers.count;
	p->containers = mem_array(p->container_count + 1, sizeof *p->containers);
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		k->pod = p;
		k->init = i < p->init_count;
		k->index = k->init ? i : i - p->init_count;
		for (int kind = 0; kind < 3; kind++) {
			k->probes[kind].container = k;
			k->probes[kind].kind = kind;
		}
	}
}

/* A pod that runs already (a cluster read from a file): addresses and counts are kept. */
static void adopt(struct kubelet_pod *p)
{
	const struct kube_pod *pod = p->pod;
	if (!kube_is(pod->status.phase, "Running") || !pod->status.pod_ip)
		return;
	const struct kube_strings *ips = &pod->status.pod_ips;
	for (uint32_t i = 0; i < ips->count && p->ip_count < 2; i++)
		p->ip_count += net_addr_parse(ips->items[i], &p->ips[p->ip_count]);
	if (!ips->count)
		p->ip_count += net_addr_parse(pod->status.pod_ip, &p->ips[0]);
	if (!p->ip_count)
		return;
	addresses_keep(p);
	p->adopted = p->as_given = true;
	for (uint32_t i = p->init_count; i < p->container_count; i++) {
		uint32_t n = i - p->init_count;
		if (n < pod->status.containers.count)
			p->containers[i].restarts = pod->status.containers.items[n].restart_count;
	}
}

struct kubelet_pod *kubelet_pod_new(struct kubelet *k, const struct kube_pod *pod)
{
	struct kubelet_pod *p = mem_alloc(sizeof *p);
	p->kubelet = k;
	p->pod = (const struct kube_pod *)kube_ref(&pod->object);
	p->uid = mem_strdup(pod->object.meta.uid);
	TAILQ_INSERT_TAIL(&k->pods, p, link);
	containers_init(p);
	adopt(p);
	return p;
}

/* ---- volumes --------------------------------------------------------------------- */

static bool volumes_mounted(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	const struct kube_object *pod = &p->pod->object;
	for (uint32_t i = 0; i < p->pod->spec.volumes.count; i++) {
		const struct kube_volume *v = &p->pod->spec.volumes.items[i];
		if (v->config_map && !kube_store_get(c->store, KIND_CONFIG_MAP,
						     pod->meta.namespace, v->config_map)) {
			control_event(
			    c, pod, true, "FailedMount", "kubelet",
			    "MountVolume.SetUp failed for volume \"%s\" : configmap \"%s\" "
			    "not found",
			    v->name, v->config_map);
			return false;
		}
		if (v->claim_name &&
		    claim_state(c, pod->meta.namespace, v->claim_name) != CLAIM_BOUND)
			return false;
	}
	return true;
}

static void make_sandbox(void *ctx);

static void mount_volumes(void *ctx)
{
	struct kubelet_pod *p = ctx;
	struct control *c = control_of(p);
	if (!kubelet_works(p->kubelet))
		return;
	if (!volumes_mounted(p)) {
		step_after(p, VOLUME_RETRY, mount_volumes);
		return;
	}
	p->stage = STAGE_SANDBOX;
	step_after(p, control_span(c, c->options.sandbox, 4 * c->options.sandbox), make_sandbox);
}

/* ---- sandbox --------------------------------------------------------------------- */

static int attach(struct kubelet_pod *p, struct err *err)
{
	struct control *c = control_of(p);
	struct strbuf resolv = { 0 }, hosts = { 0 }, name = { 0 };
	char text[2][NET_ADDR_TEXT];
	const char *ips[2] = { text[0], text[1] };
	if (!c->host.attach)
		return 0;
	for (uint32_t i = 0; i < p->ip_count; i++)
		net_addr_text(&p->ips[i], text[i]);
	struct kube_dns_settings dns = { c->options.cluster_domain, c->options.cluster_dns, NULL };
	kube_resolv_conf(p->pod, &dns, &resolv);
	kube_hosts_file(p->pod, ips, p->ip_count, dns.cluster_domain, NULL, &hosts);
	kube_pod_hostname(p->pod, text_or(p->pod->spec.node_name, ""), dns.cluster_domain, &name);
	struct control_sandbox s = {
		.pod = p->pod, .node = kubelet_node(p->kubelet), .ips = p->ips,
		.ip_count = p->ip_count,
		.host_network = p->pod->spec.host_network == TRI_TRUE,
		.resolv_conf = strbuf_text(&resolv), .hosts = strbuf_text(&hosts),
		.hostname = strbuf_text(&name),
	};
	int error = c->host.attach(c->host.ctx, &s, err);
	strbuf_free(&resolv);
	strbuf_free(&hosts);
	strbuf_free(&name);
	return error;
}

static void make_sandbox(void *ctx)
{
	struct kubelet_pod *p = ctx;
	struct control *c = control_of(p);
	struct err err = { "" };
	if (!kubelet_works(p->kubelet) || !kubelet_node(p->kubelet))
		return;
	int error = p->adopted ? 0 : addresses_take(p, &err);
	if (!error)
		error = attach(p, &err);
	if (error) {
		control_event(c, &p->pod->object, true, "FailedCreatePodSandBox", "kubelet",
			      "Failed to create pod sandbox: %s", err.text);
		addresses_release(p);
		p->adopted = false;
		step_after(p, SYNC_BACKOFF, make_sandbox);
		return;
	}
	p->sandbox = true;
	p->stage = STAGE_CONTAINERS;
	kubelet_pod_relist(p);
	containers_advance(p);
	kubelet_pod_account(p);
}

void kubelet_pod_lose_sandbox(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	engine_cancel(c->engine, &p->step);
	if (!p->sandbox)
		return;
	p->sandbox = false;
	if (c->host.detach)
		c->host.detach(c->host.ctx, p->pod);
	addresses_release(p);
}

void kubelet_pod_boot(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	p->adopted = false;
	if (p->stage == STAGE_STOPPED)
		return;
	if (p->pod->object.meta.deletion_ns || p->removed) {
		kubelet_pod_stopped(p);
		return;
	}
	if (p->stage < STAGE_CONTAINERS) {
		kubelet_pod_sync(p);
		return;
	}
	control_event(c, &p->pod->object, false, "SandboxChanged", "kubelet",
		      "Pod sandbox changed, it will be killed and re-created.");
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		k->backoff_ns = 0; /* not their fault: no back-off */
		container_clear(k);
		k->state = CONTAINER_WAITING;
	}
	p->stage = STAGE_SANDBOX;
	step_after(p, control_span(c, c->options.sandbox, 4 * c->options.sandbox), make_sandbox);
	kubelet_pod_relist(p);
}

/* ---- admission and sync ---------------------------------------------------------- */

static void admit(void *ctx)
{
	struct kubelet_pod *p = ctx;
	struct control *c = control_of(p);
	if (!kubelet_works(p->kubelet))
		return;
	p->synced_ns = control_now(c);
	p->stage = STAGE_VOLUMES;
	if (p->adopted) {
		make_sandbox(p);
		return;
	}
	step_after(p, control_span(c, c->options.volumes, 3 * c->options.volumes), mount_volumes);
	kubelet_status_write(p);
	kubelet_pod_account(p);
}

static void resume(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	switch (p->stage) {
	case STAGE_NEW:
		step_after(p, c->options.watch + c->options.sync, admit);
		break;
	case STAGE_VOLUMES:
		step_after(p, 0, mount_volumes);
		break;
	case STAGE_SANDBOX:
		step_after(p, 0, make_sandbox);
		break;
	default:
		for (uint32_t i = 0; i < p->container_count; i++)
			container_resume(&p->containers[i]);
		kubelet_pod_relist(p);
		break;
	}
}

static void end(void *ctx)
{
	struct kubelet_pod *p = ctx;
	if (kubelet_connected(p->kubelet) && p->stage < STAGE_STOPPING)
		kubelet_pod_terminate(p);
}

void kubelet_pod_sync(struct kubelet_pod *p)
{
	if (!kubelet_works(p->kubelet))
		return;
	bool deleted = p->removed || p->pod->object.meta.deletion_ns;
	if (deleted && p->stage < STAGE_STOPPING && kubelet_connected(p->kubelet)) {
		step_after(p, control_of(p)->options.watch + control_of(p)->options.sync, end);
		return;
	}
	if (deleted && p->stage == STAGE_STOPPED) {
		kubelet_pod_relist(p);
		return;
	}
	bool timed = engine_pending(control_of(p)->engine, p->step);
	if (!timed || p->stage >= STAGE_CONTAINERS)
		resume(p);
	kubelet_pod_account(p);
}

/* ---- relist ---------------------------------------------------------------------- */

static void finish(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	if (!kubelet_connected(p->kubelet))
		return;
	kubelet_status_write(p);
	if (p->removed) {
		kubelet_pod_free(p);
		return;
	}
	kubelet_pod_account(p);
	if (!p->pod->object.meta.deletion_ns)
		return;
	/* The status is final: the kubelet deletes the object with grace 0. The kubelet_pod
	 * is freed by that (kubelets_pod_removed). */
	const struct kube_object *o = &p->pod->object;
	const struct kube_object *now =
		kube_store_get(c->store, KIND_POD, o->meta.namespace, o->meta.name);
	if (now && kube_is(now->meta.uid, p->uid) && !now->meta.finalizers.count)
		control_remove(c, now);
}

static void relist(void *ctx)
{
	struct kubelet_pod *p = ctx;
	p->relist = (struct event_id){ 0 };
	p->dirty = false;
	if (!kubelet_works(p->kubelet)) {
		kubelet_pod_account(p);
		return;
	}
	if (p->stage == STAGE_STOPPED) {
		finish(p);
		return;
	}
	for (uint32_t i = 0; i < p->container_count; i++)
		p->containers[i].seen = p->containers[i].state == CONTAINER_RUNNING;
	bool done = p->stage == STAGE_CONTAINERS && containers_review(p);
	if (p->stage == STAGE_CONTAINERS && !done)
		containers_advance(p);
	kubelet_status_write(p);
	for (uint32_t i = 0; i < p->container_count; i++)
		probes_trigger(&p->containers[i]);
	if (done)
		kubelet_pod_stopped(p);
	else
		kubelet_pod_account(p);
}

void kubelet_pod_relist(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	p->dirty = true;
	if (engine_pending(c->engine, p->relist))
		return;
	int64_t period = c->options.relist, now = control_now(c);
	int64_t when = now;
	if (period > 0) {
		int64_t phase = p->kubelet->relist_phase_ns;
		when = phase + (now - phase + period) / period * period;
	}
	p->relist = engine_at(c->engine, when, relist, p);
}

/* ---- the end --------------------------------------------------------------------- */

void kubelet_pod_stopped(struct kubelet_pod *p)
{
	kubelet_pod_lose_sandbox(p);
	p->stage = STAGE_STOPPED;
	kubelet_pod_relist(p);
	kubelet_pod_account(p);
}

/* Main containers in parallel; sidecars when those are down, the last one first. */
static void stop_next(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	int64_t left = p->kill_at_ns - control_now(c);
	if (left < LEAST_STOP)
		left = LEAST_STOP;
	bool main_down = true;
	for (uint32_t i = p->init_count; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		if (k->state != CONTAINER_RUNNING)
			continue;
		main_down = false;
		container_stop(k, left);
	}
	for (uint32_t i = p->init_count; main_down && i-- > 0;) {
		if (p->containers[i].state != CONTAINER_RUNNING)
			continue;
		container_stop(&p->containers[i], left);
		return;
	}
	if (main_down)
		kubelet_pod_stopped(p);
}

void kubelet_pod_terminate(struct kubelet_pod *p)
{
	struct control *c = control_of(p);
	const struct kube_meta *m = &p->pod->object.meta;
	int64_t grace_s =
	    p->pod->spec.termination_grace_s.set ? p->pod->spec.termination_grace_s.value : 30;
	if (m->deletion_ns && m->deletion_grace_s.set)
		grace_s = m->deletion_grace_s.value;
	engine_cancel(c->engine, &p->step);
	p->stage = STAGE_STOPPING;
	p->kill_at_ns = control_now(c) + grace_s * NS_PER_S;
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		if (k->state == CONTAINER_RUNNING)
			continue;
		container_clear(k);
		if (k->state != CONTAINER_EXITED)
			k->state = CONTAINER_WAITING;
	}
	stop_next(p);
	kubelet_pod_account(p);
}

void kubelet_pod_container_down(struct kubelet_pod *p)
{
	p->as_given = false;
	if (p->stage == STAGE_STOPPING)
		stop_next(p);
	else
		kubelet_pod_relist(p);
	kubelet_pod_account(p);
}
