/* tests/unit/control_fixture.h: a control plane over a store, with a host that pretends.
 *
 * Nodes n1..nN (podCIDR 10.244.N.0/24, InternalIP 192.168.0.10+N), manifests as text,
 * and a log of what the kubelets asked of the host.
 */
#ifndef TESTS_CONTROL_FIXTURE_H
#define TESTS_CONTROL_FIXTURE_H

#include <stdlib.h>

#include "check.h"
#include "kube/admit.h"
#include "kube/control/control.h"
#include "kube/manifest.h"
#include "kube/schema.h"

struct fixture {
	struct engine *engine;
	struct choice *choice;
	struct kube_store *store;
	struct kube_admit *admit;
	struct control *control;
	struct strbuf log;
	bool keep_running;    /* SIGTERM is ignored */
	bool probes_fail;
	uint32_t started, attached;
};

static int fixture_attach(void *ctx, const struct control_sandbox *s, struct err *err)
{
	struct fixture *f = ctx;
	char ip[NET_ADDR_TEXT] = "-";
	(void)err;
	if (s->ip_count)
		net_addr_text(&s->ips[0], ip);
	strbuf_printf(&f->log, "attach %s %s\n", s->pod->object.meta.name, ip);
	f->attached++;
	return 0;
}

static void fixture_detach(void *ctx, const struct kube_pod *pod)
{
	struct fixture *f = ctx;
	strbuf_printf(&f->log, "detach %s\n", pod->object.meta.name);
}

static int fixture_start(void *ctx, const struct control_container *c, struct err *err)
{
	struct fixture *f = ctx;
	(void)err;
	f->started++;
	strbuf_printf(&f->log, "start %s/%s\n", c->pod->object.meta.name, c->container->name);
	return 0;
}

static void fixture_signal(void *ctx, uint64_t container, enum control_signal signal)
{
	struct fixture *f = ctx;
	strbuf_printf(&f->log, "%s at %lld\n", signal == CONTROL_SIGTERM ? "TERM" : "KILL",
		      (long long)(engine_now(f->engine) / NS_PER_S));
	if (signal == CONTROL_SIGTERM && !f->keep_running)
		control_container_exited(f->control, container, 0);
}

static void fixture_call(void *ctx, const struct control_call *call)
{
	struct fixture *f = ctx;
	control_call_done(f->control, call->id, !f->probes_fail,
			  f->probes_fail ? "HTTP probe failed with statuscode: 503" : NULL);
}

/* As a client's apply: through the API server's door. */
static int fixture_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct fixture *f = ctx;
	struct kube_answer answer = { 0 };
	struct strbuf text = { 0 };
	const struct kube_object *old =
		kube_store_get(f->store, o->kind, o->meta.namespace, o->meta.name);
	int code = old ? kube_admit_update(f->admit, o, &answer)
		       : kube_admit_create(f->admit, o, &answer);
	if (code) {
		kube_answer_text(&answer, NULL, true, &text);
		err_set(err, code, "%s", strbuf_text(&text));
	}
	strbuf_free(&text);
	kube_answer_free(&answer);
	return code;
}

static inline void fixture_apply(struct fixture *f, const char *yaml)
{
	struct manifest_options options = { .defaults = true };
	struct err err = { "" };
	int code =
	    manifest_read(yaml, strlen(yaml), "test.yaml", &options, fixture_object, f, &err);
	check_note(code == 0, __FILE__, __LINE__, "manifest: %s", err.text);
}

static inline void fixture_nodes(struct fixture *f, int count)
{
	for (int i = 1; i <= count; i++) {
		char text[600];
		snprintf(text, sizeof text,
			 "apiVersion: v1\nkind: Node\nmetadata: {name: n%d, labels: "
			 "{kubernetes.io/hostname: n%d}}\nspec: {podCIDR: 10.244.%d.0/24}\n"
			 "status: {addresses: [{type: InternalIP, address: 192.168.0.%d}]}\n",
			 i, i, i, 10 + i);
		fixture_apply(f, text);
	}
}

static inline struct fixture *fixture_new(int nodes)
{
	struct fixture *f = mem_alloc(sizeof *f);
	f->engine = engine_new();
	f->choice = choice_new(7);
	f->store = kube_store_new(f->engine, f->choice);
	f->admit = kube_admit_new(f->store, NULL);
	fixture_apply(f, "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
	fixture_nodes(f, nodes);
	return f;
}

static inline void fixture_start_control(struct fixture *f, const struct control_options *options)
{
	struct control_host host = { f, fixture_attach, fixture_detach, fixture_start,
				     fixture_signal, fixture_call, NULL };
	f->control = control_new(f->store, f->engine, f->choice, options, &host);
	control_start(f->control);
}

static inline void fixture_free(struct fixture *f)
{
	control_free(f->control);
	kube_admit_free(f->admit);
	kube_store_free(f->store);
	choice_free(f->choice);
	engine_free(f->engine);
	strbuf_free(&f->log);
	free(f);
}

/* Runs until the control plane has nothing to do, at most `seconds`; whether it came to that. */
static inline bool fixture_settle(struct fixture *f, int64_t seconds)
{
	int64_t end = engine_now(f->engine) + seconds * NS_PER_S;
	while (!control_converged(f->control)) {
		if (engine_next(f->engine) > end)
			return false;
		engine_step(f->engine);
	}
	return true;
}

static inline void fixture_run(struct fixture *f, double seconds)
{
	engine_run_until(f->engine, engine_now(f->engine) + (int64_t)(seconds * 1e9));
}

static inline const struct kube_pod *fixture_pod(const struct fixture *f, const char *name)
{
	return (const struct kube_pod *)kube_store_get(f->store, KIND_POD, "default", name);
}

static inline uint32_t fixture_ready(const struct fixture *f, const char *label, const char *value)
{
	const struct kube_object *o;
	uint32_t n = 0;
	for (uint32_t i = 0; (o = kube_store_next(f->store, KIND_POD, "default", &i));)
		n += kube_is(kube_map_get(&o->meta.labels, label), value) &&
		     kube_condition_true(&((const struct kube_pod *)o)->status.conditions, "Ready");
	return n;
}

#endif
