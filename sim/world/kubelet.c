/* world/kubelet.c: what kubelets ask of the world: namespaces, programs, signals.
 *
 * A container is one of: kube-proxy (the pods of the DaemonSet; their planner starts and
 * stops with them), CoreDNS (dns/), or a program of program.c behind its ports.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/coredns.h"
#include "apps/ingress.h"
#include "world/command.h"
#include "world/live.h"

#define STOP_NS (20 * NS_PER_MS)   /* a program that heeds SIGTERM */
#define DNS_PORT 53
#define DNS_SYNC_NS (200 * NS_PER_MS) /* CoreDNS lists the API */
#define DNS_ANSWER_NS (100 * NS_PER_US)

struct container {
	struct world *world;
	struct container *next, **back;
	uint64_t id;
	struct place *place;
	struct kube_object *pod;       /* a reference */
	struct coredns *coredns;       /* NULL: another program */
	struct ingress *ingress;       /* NULL: another program */
	const char *name;              /* in the pod */
	bool kube_proxy, ignores_term;
	int exit_code;
	struct event_id end;
};

static struct container *container_find(const struct world *w, uint64_t id)
{
	for (struct container *c = w->containers; c; c = c->next)
		if (c->id == id)
			return c;
	return NULL;
}

static struct place *pod_place(const struct world *w, const struct kube_pod *pod)
{
	char name[400];
	snprintf(name, sizeof name, "pod/%s/%s", pod->object.meta.namespace, pod->object.meta.name);
	return place_find(w, name);
}

static void container_free(struct container *c, bool reset)
{
	struct world *w = c->world;
	engine_cancel(w->engine, &c->end);
	if (c->coredns)
		coredns_stop(c->coredns, reset);
	if (c->ingress)
		ingress_stop(c->ingress, reset);
	if (c->kube_proxy) {
		struct place *node = place_of_node(w, c->place->node);
		if (node && node->proxy)
			proxy_stop(node->proxy);
	}
	if (c->place->undeclared == c->id)
		c->place->undeclared = 0;
	programs_stop(c->place, c->id, reset);
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	kube_unref(c->pod);
	free(c);
}

static void containers_of_gone(struct world *w, const struct place *p)
{
	for (struct container *c = w->containers, *next; c; c = next) {
		next = c->next;
		if (c->place == p)
			container_free(c, true);
	}
}

void containers_free(struct world *w)
{
	while (w->containers)
		container_free(w->containers, true);
}

/* ---- sandboxes ---------------------------------------------------------------------------- */

static int attach(void *ctx, const struct control_sandbox *s, struct err *err)
{
	struct world *w = ctx;
	const struct kube_meta *m = &s->pod->object.meta;
	char name[400], label[400];
	struct place *p = NULL;
	snprintf(name, sizeof name, "pod/%s/%s", m->namespace, m->name);
	snprintf(label, sizeof label, "%s/%s", m->namespace, m->name);
	struct place_wish wish = { .kind = PLACE_POD, .name = name, .label = label,
				   .node = s->node->object.meta.name,
				   .host_network = s->host_network };
	for (uint32_t i = 0; i < s->ip_count && i < 2; i++)
		wish.addrs[i] = s->ips[i];
	int code = place_add(w, &wish, &p, err);
	if (code)
		return code;
	p->resolv_conf = s->resolv_conf ? mem_strdup(s->resolv_conf) : NULL;
	p->hosts = s->hosts ? mem_strdup(s->hosts) : NULL;
	return 0;
}

static void detach(void *ctx, const struct kube_pod *pod)
{
	struct world *w = ctx;
	struct place *p = pod_place(w, pod);
	if (!p)
		return;
	containers_of_gone(w, p);
	place_remove(p);
}

/* ---- containers ------------------------------------------------------------------------------ */

static bool system_pod(const struct kube_pod *pod, const char *app)
{
	return kube_is(pod->object.meta.namespace, "kube-system") &&
	       kube_is(kube_map_get(&pod->object.meta.labels, "k8s-app"), app);
}

static int start_coredns(struct container *c, const struct kube_container *spec,
			 struct err *err)
{
	struct world *w = c->world;
	struct place *p = c->place;
	struct coredns_config config = {
		.sockets = place_sockets(p), .engine = w->engine, .choice = w->choice,
		.store = w->store, .watch_delay_ns = control_settings(w->control)->watch,
		.sync_delay_ns = DNS_SYNC_NS, .upstream = w->upstream, .local = p->addrs,
		.local_count = p->addrs[1].family != NET_NONE ? 2 : 1, .domain = world_domain(w),
		.epoch_s = WORLD_EPOCH_S, .answer_ns = DNS_ANSWER_NS,
		.warnings = w->options.warnings,
	};
	int code = coredns_start(&config, &c->coredns, err);
	/* What it has besides (metrics) answers as any program. */
	for (uint32_t i = 0; i < spec->ports.count && !code; i++)
		if (spec->ports.items[i].container_port != DNS_PORT)
			program_add(p, c->id, PROTO_TCP, (uint16_t)spec->ports.items[i].container_port,
				    NULL);
	return code;
}

static int start_ingress(struct container *c, const struct kube_container *spec, struct err *err)
{
	struct world *w = c->world;
	struct ingress_config config = {
		.sockets = place_sockets(c->place), .engine = w->engine, .choice = w->choice,
		.store = w->store, .admit = w->admit, .pod = (const struct kube_pod *)c->pod,
		.container = spec, .watch_delay_ns = control_settings(w->control)->watch,
		.epoch_s = WORLD_EPOCH_S,
	};
	int code = ingress_start(&config, &c->ingress);
	return code ? err_set(err, code, "%s: cannot listen: %s", c->place->name, strerror(code)) : 0;
}

void containers_log(struct world *w, const struct place *p, const char *container,
		    struct strbuf *out)
{
	for (struct container *c = w->containers; c; c = c->next)
		if (c->place == p && c->ingress && (!container || kube_is(c->name, container)))
			strbuf_puts(out, ingress_log(c->ingress));
}

static void ended(void *ctx)
{
	struct container *c = ctx;
	struct world *w = c->world;
	uint64_t id = c->id;
	int exit_code = c->exit_code;
	container_free(c, false);
	control_container_exited(w->control, id, exit_code);
}

static int start_program(struct container *c, const struct control_container *start, struct err *err)
{
	struct command_plan plan;
	files_forget_layer(c->place, start->container->name);
	command_plan(start->pod, start->container, start->init, &plan);
	c->ignores_term = plan.ignores_term;
	c->exit_code = plan.exit_code;
	if (plan.run_ns >= 0)
		c->end = engine_after(c->world->engine, plan.run_ns, ended, c);
	int code = container_listen(c->place, start->pod, start->container, c->id);
	return code ? err_set(err, code, "%s: cannot listen: %s", c->place->name, strerror(code)) : 0;
}

/* A kube-proxy that cannot do its mode ends with an error. */
static int start_kube_proxy(struct container *c, struct proxy *x, struct err *err)
{
	int code = proxy_start(x, err);
	if (code != ENOTSUP)
		return code;
	world_warn(c->world, "%s", err->text);
	c->exit_code = 1;
	c->end = engine_after(c->world->engine, STOP_NS, ended, c);
	return 0;
}

static int start(void *ctx, const struct control_container *s, struct err *err)
{
	struct world *w = ctx;
	struct place *p = pod_place(w, s->pod);
	if (!p)
		return err_set(err, ENOENT, "pod %s/%s has no sandbox", s->pod->object.meta.namespace,
			       s->pod->object.meta.name);
	struct container *c = mem_alloc(sizeof *c);
	c->world = w;
	c->id = s->id;
	c->place = p;
	c->pod = kube_ref(&s->pod->object);
	c->name = s->container->name;
	c->next = w->containers;
	c->back = &w->containers;
	if (c->next)
		c->next->back = &c->next;
	w->containers = c;
	int code;
	if (system_pod(s->pod, "kube-proxy")) {
		struct place *node = place_of_node(w, p->node);
		c->kube_proxy = true;
		code = node && node->proxy ? start_kube_proxy(c, node->proxy, err) : 0;
	} else if (system_pod(s->pod, "kube-dns")) {
		code = start_coredns(c, s->container, err);
	} else if (ingress_image(s->container->image)) {
		code = start_ingress(c, s->container, err);
	} else {
		code = start_program(c, s, err);
	}
	if (code)
		container_free(c, true);
	return code;
}

/* How long after SIGTERM it is there; new connections are refused from the start. */
static int64_t stop_delay(const struct container *c)
{
	const char *text = kube_map_get(&c->pod->meta.annotations, "svclab.dev/stop-delay");
	int64_t delay = STOP_NS;
	if (text)
		kube_duration_parse(text, &delay);
	return delay;
}

static void on_signal(void *ctx, uint64_t id, enum control_signal signal)
{
	struct world *w = ctx;
	struct container *c = container_find(w, id);
	if (!c)
		return;
	if (signal == CONTROL_SIGKILL) {
		container_free(c, true);
		return;
	}
	if (c->ignores_term)
		return;
	engine_cancel(w->engine, &c->end);
	c->exit_code = 0;
	if (c->coredns)
		coredns_drain(c->coredns);
	else if (c->ingress)
		ingress_drain(c->ingress);
	else if (!c->kube_proxy)
		programs_drain(c->place, id);
	int64_t delay = c->coredns ? 5 * NS_PER_S + STOP_NS : stop_delay(c);
	c->end = engine_after(w->engine, delay, ended, c);
}

static void call(void *ctx, const struct control_call *what)
{
	run_handler(ctx, what);
}

struct control_host kubelet_host(struct world *w)
{
	return (struct control_host){ .ctx = w, .attach = attach, .detach = detach, .start = start,
				      .signal = on_signal, .call = call };
}
