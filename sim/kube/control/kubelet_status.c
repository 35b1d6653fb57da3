/* kube/control/kubelet_status.c: what the kubelet tells the API of a pod and of its node. */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"

/* ---- containers ------------------------------------------------------------------ */

/* Appends a made-up digest that is the same for the same text: 64 hexadecimal digits. */
static const char *digest(struct kube_object *o, const char *prefix, const char *text,
			  uint64_t number)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(prefix), length = strlen(text);
	char *out = arena_alloc(o->arena, n + 65);
	memcpy(out, prefix, n);
	for (int i = 0; i < 4; i++) {
		uint64_t h = hash_bytes(text, length, number * 4 + (uint64_t)i);
		for (int j = 0; j < 16; j++, h >>= 4)
			out[n++] = digits[h & 15];
	}
	return out;
}

/* What identifies the run and the image, as containerd writes them. */
static void put_ids(struct kube_pod *pod, struct kube_container_status *s,
		    const struct kubelet_container *k)
{
	struct kube_object *o = &pod->object;
	const char *image = text_or(container_spec(k)->image, "");
	size_t name = strcspn(image, "@");
	const char *last = strrchr(image, '/') ? strrchr(image, '/') : image;
	if (strchr(last, ':'))
		name = (size_t)(strchr(last, ':') - image);
	const char *library = strchr(image, '/') ? "" : "docker.io/library/";
	s->container_id = digest(o, "containerd://", k->pod->uid,
				  (uint64_t)k->started_ns + k->index);
	s->image_id = digest(o, arena_printf(o->arena, "%s%.*s@sha256:", library, (int)name, image),
			     image, 7);
}

static void put_container(struct kube_pod *pod, struct kube_container_status *s,
			  const struct kubelet_container *k)
{
	const struct kube_container *spec = container_spec(k);
	const struct kubelet_pod *p = k->pod;
	struct kube_object *o = &pod->object;
	s->name = kube_string(o, spec->name);
	s->image = kube_string(o, spec->image);
	s->restart_count = k->restarts;
	bool running = k->state == CONTAINER_RUNNING && k->seen;
	if (running) {
		s->state = "running";
		s->started_ns = k->started_ns;
	} else if (k->state == CONTAINER_EXITED) {
		s->state = "terminated";
		s->reason = k->reason;
		s->exit_code = k->exit_code;
		s->started_ns = k->started_ns;
		s->finished_ns = k->finished_ns;
	} else {
		bool before = p->init_count > 0 && !k->init;
		s->state = "waiting";
		s->reason = k->reason && (k->state == CONTAINER_BACKOFF ||
					  k->state == CONTAINER_PULL_BACKOFF)
				    ? k->reason
				    : before ? "PodInitializing" : "ContainerCreating";
		if (k->state == CONTAINER_BACKOFF)
			s->message = arena_printf(
			    o->arena, "back-off %llds restarting failed container=%s pod=%s_%s(%s)",
			    (long long)(k->backoff_ns / NS_PER_S), spec->name, o->meta.name,
			    text_or(o->meta.namespace, "default"), p->uid);
	}
	if (k->ever)
		put_ids(pod, s, k);
	s->started = running && k->started ? TRI_TRUE : TRI_FALSE;
	s->ready = container_ready(k) ? TRI_TRUE : TRI_FALSE;
	if (k->init && !container_sidecar(k))
		s->ready = k->state == CONTAINER_EXITED && !k->exit_code ? TRI_TRUE : TRI_FALSE;
	if (k->has_last) {
		s->last.set = true;
		s->last.reason = k->last.reason;
		s->last.exit_code = k->last.exit_code;
		s->last.finished_ns = k->last.finished_ns;
	}
}

static void put_containers(struct kube_pod *pod, const struct kubelet_pod *p)
{
	uint32_t main_count = p->container_count - p->init_count;
	pod->status.init_containers.count = p->init_count;
	pod->status.init_containers.items =
		arena_array(pod->object.arena, p->init_count + 1,
			    sizeof *pod->status.init_containers.items);
	pod->status.containers.count = main_count;
	pod->status.containers.items = arena_array(pod->object.arena, main_count + 1,
						   sizeof *pod->status.containers.items);
	for (uint32_t i = 0; i < p->container_count; i++)
		put_container(pod,
			      i < p->init_count ? &pod->status.init_containers.items[i]
						: &pod->status.containers.items[i - p->init_count],
			      &p->containers[i]);
}

/* ---- phase and conditions -------------------------------------------------------- */

static bool initialized(const struct kubelet_pod *p)
{
	for (uint32_t i = 0; i < p->init_count; i++) {
		const struct kubelet_container *k = &p->containers[i];
		if (container_sidecar(k) ? !k->started && k->state != CONTAINER_EXITED
					 : k->state != CONTAINER_EXITED || k->exit_code)
			return false;
	}
	return true;
}

static const char *phase(const struct kubelet_pod *p)
{
	bool began = true, alive = false, failed = false;
	for (uint32_t i = p->init_count; i < p->container_count; i++) {
		const struct kubelet_container *k = &p->containers[i];
		began = began && k->ever && (k->seen || k->state != CONTAINER_RUNNING);
		alive = alive || k->state != CONTAINER_EXITED;
		failed = failed || (k->state == CONTAINER_EXITED && k->exit_code);
	}
	bool over = p->stage == STAGE_STOPPED;
	if (over)
		return failed || !initialized(p) || alive ? "Failed" : "Succeeded";
	if (p->stage == STAGE_STOPPING)
		return text_or(p->pod->status.phase, "Pending");
	/* A pod that ran once stays Running while containers start again. */
	if (began || kube_is(p->pod->status.phase, "Running"))
		return "Running";
	return "Pending";
}

static void unready_list(const struct kubelet_pod *p, bool init, struct strbuf *out)
{
	bool any = false;
	for (uint32_t i = 0; i < p->container_count; i++) {
		const struct kubelet_container *k = &p->containers[i];
		bool bad = init ? k->init && !container_sidecar(k) &&
					  !(k->state == CONTAINER_EXITED && !k->exit_code)
				: (!k->init || container_sidecar(k)) && !container_ready(k);
		if (!bad)
			continue;
		strbuf_printf(out, "%s%s", any ? " " : "", container_spec(k)->name);
		any = true;
	}
}

static bool all_ready(const struct kubelet_pod *p)
{
	for (uint32_t i = 0; i < p->container_count; i++) {
		const struct kubelet_container *k = &p->containers[i];
		if ((!k->init || container_sidecar(k)) && !container_ready(k))
			return false;
	}
	return p->stage < STAGE_STOPPED;
}

static const char *missing_gate(const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < pod->spec.readiness_gates.count; i++)
		if (!kube_condition_true(&pod->status.conditions,
					 pod->spec.readiness_gates.items[i]))
			return pod->spec.readiness_gates.items[i];
	return NULL;
}

static void put(struct kube_pod *pod, const char *type, bool yes, const char *reason,
		const char *message, int64_t now_ns)
{
	condition_set(&pod->object, &pod->status.conditions, type, yes ? "True" : "False",
		      yes ? NULL : reason, yes ? NULL : message, now_ns);
}

static void put_conditions(struct kube_pod *pod, const struct kubelet_pod *p, int64_t now_ns)
{
	struct strbuf init = { 0 }, unready = { 0 };
	bool over = kube_is(pod->status.phase, "Succeeded"), init_done = initialized(p);
	const char *gate = missing_gate(pod);
	strbuf_puts(&init, "containers with incomplete status: [");
	unready_list(p, true, &init);
	strbuf_puts(&init, "]");
	strbuf_puts(&unready, "containers with unready status: [");
	unready_list(p, false, &unready);
	strbuf_puts(&unready, "]");
	const char *why = over ? "PodCompleted" : "ContainersNotReady";
	const char *text = over ? NULL : strbuf_text(&unready);
	bool ready = all_ready(p);
	put(pod, "PodReadyToStartContainers", p->sandbox, NULL, NULL, now_ns);
	put(pod, "Initialized", init_done, "ContainersNotInitialized", strbuf_text(&init), now_ns);
	if (ready && gate) {
		struct strbuf message = { 0 };
		strbuf_printf(&message,
			      "corresponding condition of pod readiness gate \"%s\" does not "
			      "exist.",
			      gate);
		put(pod, "Ready", false, "ReadinessGatesNotReady", strbuf_text(&message), now_ns);
		strbuf_free(&message);
	} else {
		put(pod, "Ready", ready, why, text, now_ns);
	}
	put(pod, "ContainersReady", ready, why, text, now_ns);
	put(pod, "PodScheduled", true, NULL, NULL, now_ns);
	strbuf_free(&init);
	strbuf_free(&unready);
}

/* The API's order of conditions, whatever the order in which they came. */
static void sort_conditions(struct kube_pod *pod)
{
	static const char *const order[] = { "PodReadyToStartContainers", "Initialized", "Ready",
					     "ContainersReady", "PodScheduled" };
	struct kube_conditions *l = &pod->status.conditions;
	struct kube_conditions sorted = { 0 };
	sorted.items = arena_array(pod->object.arena, l->count + 1, sizeof *sorted.items);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const struct kube_condition *c = condition_find(l, order[i]);
		if (c)
			sorted.items[sorted.count++] = *c;
	}
	for (uint32_t i = 0; i < l->count; i++)
		if (!condition_find(&sorted, l->items[i].type))
			sorted.items[sorted.count++] = l->items[i];
	*l = sorted;
}

/* ---- addresses ------------------------------------------------------------------- */

static void put_addresses(struct kube_pod *pod, const struct kubelet_pod *p)
{
	const struct kube_node *node = kubelet_node(p->kubelet);
	struct kube_object *o = &pod->object;
	char text[NET_ADDR_TEXT];
	if (node && !pod->status.host_ips.count)
		for (uint32_t i = 0; i < node->status.addresses.count; i++)
			if (kube_is(node->status.addresses.items[i].type, "InternalIP"))
				strings_add(o, &pod->status.host_ips,
					    node->status.addresses.items[i].address);
	if (pod->status.host_ips.count)
		pod->status.host_ip = pod->status.host_ips.items[0];
	if (!p->ip_count || !p->sandbox)
		return;
	pod->status.pod_ips = (struct kube_strings){ 0 };
	for (uint32_t i = 0; i < p->ip_count; i++)
		strings_add(o, &pod->status.pod_ips, net_addr_text(&p->ips[i], text));
	pod->status.pod_ip = pod->status.pod_ips.items[0];
}

static const char *qos_class(const struct kube_pod *pod)
{
	bool any = false, guaranteed = true;
	for (uint32_t i = 0; i < pod->spec.containers.count; i++) {
		const struct kube_container *k = &pod->spec.containers.items[i];
		const struct kube_map *l = &k->resources.limits, *r = &k->resources.requests;
		any = any || l->count || r->count;
		guaranteed = guaranteed && kube_map_get(l, "cpu") && kube_map_get(l, "memory") &&
			     (!r->count || maps_equal(l, r));
	}
	if (!any)
		return "BestEffort";
	return guaranteed ? "Guaranteed" : "Burstable";
}

/* ---- comparison ------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_container(const struct kube_container_status *a,
			   const struct kube_container_status *b)
{
	return same_text(a->state, b->state) && same_text(a->reason, b->reason) &&
	       same_text(a->message, b->message) && a->ready == b->ready &&
	       a->started == b->started && a->restart_count == b->restart_count &&
	       a->exit_code == b->exit_code && a->started_ns == b->started_ns &&
	       a->finished_ns == b->finished_ns && a->last.set == b->last.set &&
	       a->last.finished_ns == b->last.finished_ns;
}

static bool same_status(const struct kube_pod_status *a, const struct kube_pod_status *b)
{
	if (!same_text(a->phase, b->phase) || !same_text(a->pod_ip, b->pod_ip) ||
	    !same_text(a->host_ip, b->host_ip) || a->conditions.count != b->conditions.count ||
	    a->containers.count != b->containers.count ||
	    a->init_containers.count != b->init_containers.count)
		return false;
	for (uint32_t i = 0; i < a->conditions.count; i++) {
		const struct kube_condition *x = &a->conditions.items[i],
					    *y = &b->conditions.items[i];
		if (!same_text(x->type, y->type) || !same_text(x->status, y->status) ||
		    !same_text(x->reason, y->reason) || !same_text(x->message, y->message))
			return false;
	}
	for (uint32_t i = 0; i < a->containers.count; i++)
		if (!same_container(&a->containers.items[i], &b->containers.items[i]))
			return false;
	for (uint32_t i = 0; i < a->init_containers.count; i++)
		if (!same_container(&a->init_containers.items[i], &b->init_containers.items[i]))
			return false;
	return true;
}

void kubelet_status_write(struct kubelet_pod *p)
{
	struct control *c = p->kubelet->c;
	if (p->removed || !kubelet_connected(p->kubelet))
		return;
	const struct kube_object *o = kube_store_get(c->store, KIND_POD,
						     p->pod->object.meta.namespace,
						     p->pod->object.meta.name);
	if (!o || !kube_is(o->meta.uid, p->uid))
		return;
	const struct kube_pod *now = (const struct kube_pod *)o;
	p->as_given = p->as_given && all_ready(p) == pod_ready(now) && p->sandbox;
	if (p->as_given && p->stage <= STAGE_CONTAINERS)
		return;
	struct kube_pod *pod = pod_touch(now);
	pod->status.phase = phase(p);
	pod->status.qos_class = qos_class(now);
	if (!pod->status.start_ns)
		pod->status.start_ns = control_now(c);
	put_addresses(pod, p);
	put_containers(pod, p);
	put_conditions(pod, p, control_now(c));
	sort_conditions(pod);
	if (same_status(&now->status, &pod->status))
		kube_unref(&pod->object);
	else
		control_update(c, &pod->object, false);
}

/* ---- node ------------------------------------------------------------------------ */

static void put_resource(struct kube_node *n, const char *name, const char *value)
{
	kube_map_set(&n->object, &n->status.capacity, name, value);
	kube_map_set(&n->object, &n->status.allocatable, name, value);
}

void kubelet_node_status(struct kubelet *k)
{
	struct control *c = k->c;
	struct kube_node *n = (struct kube_node *)kube_copy(k->node->record.now);
	int64_t now = control_now(c);
	char pods[16];
	snprintf(pods, sizeof pods, "%u", c->options.max_pods);
	if (!n->status.capacity.count && !n->status.allocatable.count) {
		put_resource(n, "cpu", "4");
		put_resource(n, "memory", "8145532Ki");
		put_resource(n, "pods", pods);
	}
	condition_set(&n->object, &n->status.conditions, "MemoryPressure", "False",
		      "KubeletHasSufficientMemory", "kubelet has sufficient memory available", now);
	condition_set(&n->object, &n->status.conditions, "DiskPressure", "False",
		      "KubeletHasNoDiskPressure", "kubelet has no disk pressure", now);
	condition_set(&n->object, &n->status.conditions, "PIDPressure", "False",
		      "KubeletHasSufficientPID", "kubelet has sufficient PID available", now);
	condition_set(&n->object, &n->status.conditions, "Ready", "True", "KubeletReady",
		      "kubelet is posting ready status", now);
	control_update(c, &n->object, false);
}
