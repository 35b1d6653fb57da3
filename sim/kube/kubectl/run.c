/* kube/kubectl/run.c: run, exec and logs. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"
#include "kube/patch.h"

/* ---- pods by name ---------------------------------------------------------------- */

static const struct kube_selector *selector_of(const struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT:
		return &((const struct kube_deployment *)o)->spec.selector;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((const struct kube_replica_set *)o)->spec.selector;
	case KIND_STATEFUL_SET:
		return &((const struct kube_stateful_set *)o)->spec.selector;
	case KIND_DAEMON_SET:
		return &((const struct kube_daemon_set *)o)->spec.selector;
	default:
		return NULL;
	}
}

/* The first running pod that an object means. */
static const struct kube_pod *pod_behind(struct call *c, const struct kube_object *o)
{
	const struct kube_selector *s = selector_of(o);
	const struct kube_pod *best = NULL;
	const struct kube_object *p;
	for (uint32_t i = 0; (p = kube_store_next(c->k->store, KIND_POD, o->meta.namespace, &i));) {
		const struct kube_pod *pod = (const struct kube_pod *)p;
		bool ours =
		    s ? kube_selector_matches(s, &p->meta.labels)
		      : o->kind == KIND_SERVICE &&
			    kube_map_selects(&((const struct kube_service *)o)->spec.selector,
					     &p->meta.labels);
		if (!ours)
			continue;
		if (!best || (pod_ready(pod) && !pod_ready(best)))
			best = pod;
	}
	return best;
}

/* "pod", "pod/NAME", "deploy/NAME"; NULL: said. */
static const struct kube_pod *find_pod(struct call *c, const char *text, bool logs)
{
	const char *slash = strchr(text, '/');
	const struct kind_schema *s = kube_schema(KIND_POD);
	const char *name = slash ? slash + 1 : text;
	if (slash) {
		s = kind_find(c, arena_strndup(c->arena, text, (size_t)(slash - text)));
		if (!s)
			return NULL;
	}
	const struct kube_object *o =
	    kube_store_get(c->k->store, s->kind, s->namespaced ? call_namespace(c) : NULL, name);
	if (!o && logs) {
		call_error(c,
			   "error from server (NotFound): %s \"%s\" not found in namespace \"%s\"",
			   resource_word(c, s), name, call_namespace(c));
		return NULL;
	}
	if (!o) {
		call_not_found(c, s, name);
		return NULL;
	}
	if (s->kind == KIND_POD)
		return (const struct kube_pod *)o;
	const struct kube_pod *p = pod_behind(c, o);
	if (!p)
		call_error(c, "timed out waiting for the condition");
	return p;
}

static bool has_container(const struct kube_pod *p, const char *name)
{
	for (uint32_t i = 0; i < p->spec.containers.count; i++)
		if (kube_is(p->spec.containers.items[i].name, name))
			return true;
	for (uint32_t i = 0; i < p->spec.init_containers.count; i++)
		if (kube_is(p->spec.init_containers.items[i].name, name))
			return true;
	return false;
}

/* -c, else the default container's annotation, else the first, which is said when there are
 * several. NULL: said. */
static const char *choose_container(struct call *c, const struct kube_pod *p)
{
	const char *name = call_flag(c, "container");
	uint32_t n = p->spec.containers.count, init = p->spec.init_containers.count;
	if (name) {
		if (has_container(p, name))
			return name;
		call_error(c, "container %s is not valid for pod %s", name, p->object.meta.name);
		return NULL;
	}
	name = kube_map_get(&p->object.meta.annotations, "kubectl.kubernetes.io/default-container");
	if (name && has_container(p, name))
		return name;
	if (!n) {
		call_error(c, "pod %s has no containers", p->object.meta.name);
		return NULL;
	}
	name = p->spec.containers.items[0].name;
	if (n + init > 1 && !call_flag_on(c, "quiet")) {
		strbuf_printf(c->err, "Defaulted container \"%s\" out of: ", name);
		for (uint32_t i = 0; i < n; i++)
			strbuf_printf(c->err, "%s%s", i ? ", " : "",
				      p->spec.containers.items[i].name);
		for (uint32_t i = 0; i < init; i++)
			strbuf_printf(c->err, ", %s (init)", p->spec.init_containers.items[i].name);
		strbuf_putc(c->err, '\n');
	}
	return name;
}

/* ---- exec ------------------------------------------------------------------------ */

static int exec_in(struct call *c, const struct kube_pod *p, const char *container,
		   const char *const *argv, uint32_t argc)
{
	struct kubectl_exec e = {
		.pod = p,
		.container = container,
		.argc = (int)argc,
		.argv = (char *const *)argv,
		.input = call_flag_on(c, "stdin") ? c->input : NULL,
		.tty = call_flag_on(c, "tty"),
	};
	if (!c->k->host.exec)
		return call_error(
		    c, "there is no program to talk to: this cluster has no running pods");
	kube_ref(&p->object);
	int code = c->k->host.exec(c->k->host.ctx, &e, c->out, c->err);
	kube_unref((struct kube_object *)&p->object);
	if (code)
		strbuf_printf(c->err, "command terminated with exit code %d\n", code);
	return code;
}

int exec_run(struct call *c)
{
	if (!c->arg_count || c->dash == 0)
		return call_error(c, "pod, type/name or --filename must be specified");
	if (c->dash < 0 && c->arg_count > 1)
		return call_error(
		    c, "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
		       "[COMMAND] instead\nSee 'kubectl exec -h' for help and examples");
	if (c->arg_count < 2)
		return call_error(c, "you must specify at least one command for the container");
	const struct kube_pod *p = find_pod(c, c->args[0], false);
	if (!p)
		return 1;
	if (kube_is(p->status.phase, "Succeeded") || kube_is(p->status.phase, "Failed"))
		return call_error(
		    c,
		    "cannot exec into a container in a completed pod; current phase is "
		    "%s",
		    p->status.phase);
	const char *container = choose_container(c, p);
	if (!container)
		return 1;
	if (c->k->control && !control_container_id(c->k->control, p->object.meta.namespace,
						   p->object.meta.name, container)) {
		strbuf_printf(c->err,
			      "error: Internal error occurred: unable to upgrade connection: "
			      "container not found (\"%s\")\n",
			      container);
		return 1;
	}
	return exec_in(c, p, container, c->args + 1, c->arg_count - 1);
}

/* ---- logs ------------------------------------------------------------------------ */

static const char *last_lines(const char *text, long count)
{
	const char *p = text + strlen(text);
	if (p > text && p[-1] == '\n')
		p--;
	while (p > text) {
		if (p[-1] == '\n' && --count <= 0)
			return p;
		p--;
	}
	return text;
}

static int logs_of(struct call *c, const struct kube_pod *p, const char *container, bool prefix)
{
	struct strbuf text = { 0 };
	const char *tail = call_flag(c, "tail");
	if (!c->k->host.logs)
		return call_error(c,
				  "there is no program to read from: this cluster has no running "
				  "pods");
	int code =
	    c->k->host.logs(c->k->host.ctx, p, container, call_flag_on(c, "previous"), &text);
	const char *from = strbuf_text(&text);
	if (tail && strtol(tail, NULL, 10) >= 0)
		from = strtol(tail, NULL, 10) ? last_lines(from, strtol(tail, NULL, 10)) : "";
	while (!code && *from) {
		size_t n = strcspn(from, "\n");
		if (prefix)
			strbuf_printf(c->out, "[pod/%s/%s] ", p->object.meta.name, container);
		strbuf_printf(c->out, "%.*s\n", (int)n, from);
		from += n + (from[n] == '\n');
	}
	strbuf_free(&text);
	if (!code)
		return 0;
	return call_error(c, "container \"%s\" in pod \"%s\" is waiting to start: %s", container,
			  p->object.meta.name, pod_state(c, p));
}

static int logs_selected(struct call *c, const char *text)
{
	struct kube_selector labels;
	const struct kube_object *o;
	bool any = false;
	if (!selector_parse(c, text, &labels))
		return 1;
	for (uint32_t i = 0; (o = kube_store_next(c->k->store, KIND_POD, call_namespace(c), &i));) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		if (!kube_selector_matches(&labels, &o->meta.labels) || !p->spec.containers.count)
			continue;
		any = true;
		int code =
		    logs_of(c, p, p->spec.containers.items[0].name, call_flag_on(c, "prefix"));
		if (code)
			return code;
	}
	if (!any)
		strbuf_printf(c->err, "No resources found in %s namespace.\n", call_namespace(c));
	return 0;
}

int logs_run(struct call *c)
{
	if (call_flag(c, "selector"))
		return logs_selected(c, call_flag(c, "selector"));
	if (!c->arg_count)
		return call_error(
		    c, "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or "
		       "TYPE/NAME is a required argument for the logs command\nSee 'kubectl "
		       "logs -h' for help and examples");
	const struct kube_pod *p = find_pod(c, c->args[0], true);
	if (!p)
		return 1;
	if (call_flag_on(c, "all-containers")) {
		int code = 0;
		for (uint32_t i = 0; i < p->spec.containers.count && !code; i++)
			code = logs_of(c, p, p->spec.containers.items[i].name,
				       call_flag_on(c, "prefix"));
		return code;
	}
	const char *container = c->arg_count > 1 ? c->args[1] : choose_container(c, p);
	return container ? logs_of(c, p, container, call_flag_on(c, "prefix")) : 1;
}

/* ---- run ------------------------------------------------------------------------- */

static void put(struct call *c, struct value *to, const char *key, const char *text)
{
	value_set(c->arena, to, key, value_string(c->arena, text));
}

static struct value *under(struct call *c, struct value *to, const char *key, enum value_type type)
{
	struct value *v = value_new(c->arena, type);
	value_set(c->arena, to, key, v);
	return v;
}

static void put_labels(struct call *c, struct value *meta, const char *name)
{
	struct value *labels = under(c, meta, "labels", VALUE_MAP);
	const char *text = call_flag(c, "labels"), *key, *value;
	if (!text)
		put(c, labels, "run", name);
	while (text && *text) {
		size_t n = strcspn(text, ",");
		if (pair_parse(c, arena_strndup(c->arena, text, n), &key, &value))
			put(c, labels, key, value);
		text += n + (text[n] == ',');
	}
}

static void put_annotations(struct call *c, struct value *meta)
{
	struct value *notes = NULL;
	const char *text, *key, *value;
	for (uint32_t i = 0; (text = call_flag_nth(c, "annotations", i)); i++)
		if (pair_parse(c, text, &key, &value)) {
			notes = notes ? notes : under(c, meta, "annotations", VALUE_MAP);
			put(c, notes, key, value);
		}
}

static void put_container(struct call *c, struct value *spec, const char *name, bool hold)
{
	struct value *k = value_new(c->arena, VALUE_MAP);
	const char *text, *key, *value, *port = call_flag(c, "port");
	put(c, k, "name", name);
	put(c, k, "image", call_flag(c, "image"));
	if (call_flag(c, "image-pull-policy"))
		put(c, k, "imagePullPolicy", call_flag(c, "image-pull-policy"));
	if (port) {
		struct value *p = value_new(c->arena, VALUE_MAP);
		value_set(c->arena, p, "containerPort", value_int(c->arena, atoi(port)));
		value_push(c->arena, under(c, k, "ports", VALUE_LIST), p);
	}
	struct value *env = NULL;
	for (uint32_t i = 0; (text = call_flag_nth(c, "env", i)); i++) {
		if (!pair_parse(c, text, &key, &value))
			continue;
		env = env ? env : under(c, k, "env", VALUE_LIST);
		struct value *e = value_new(c->arena, VALUE_MAP);
		put(c, e, "name", key);
		put(c, e, "value", value);
		value_push(c->arena, env, e);
	}
	if (c->arg_count > 1 && !hold) {
		struct value *words =
			under(c, k, call_flag_on(c, "command") ? "command" : "args", VALUE_LIST);
		for (uint32_t i = 1; i < c->arg_count; i++)
			value_push(c->arena, words, value_string(c->arena, c->args[i]));
	}
	if (hold) { /* the command comes over the attached terminal */
		struct value *words = under(c, k, "command", VALUE_LIST);
		value_push(c->arena, words, value_string(c->arena, "sleep"));
		value_push(c->arena, words, value_string(c->arena, "infinity"));
	}
	value_push(c->arena, under(c, spec, "containers", VALUE_LIST), k);
}

struct pod_wait { struct call *c; const char *name; };

static bool running(void *arg)
{
	const struct pod_wait *w = arg;
	const struct kube_pod *p = (const struct kube_pod *)kube_store_get(
		w->c->k->store, KIND_POD, call_namespace(w->c), w->name);
	return !p || (kube_is(p->status.phase, "Running") && pod_ready(p)) ||
	       kube_is(p->status.phase, "Failed");
}

/* run -it --rm NAME -- CMD: the command runs in the pod, then the pod goes. */
static int run_attached(struct call *c, const char *name)
{
	struct pod_wait w = { c, name };
	struct selection s = { 0 };
	struct target t = { .schema = kube_schema(KIND_POD), .name = name };
	struct found f;
	int code = 1;
	call_wait(c, running, &w, call_now(c) + 60 * NS_PER_S);
	const struct kube_pod *p = (const struct kube_pod *)kube_store_get(
		c->k->store, KIND_POD, call_namespace(c), name);
	if (!p || !kube_is(p->status.phase, "Running"))
		call_error(c, "timed out waiting for the condition");
	else if (c->arg_count > 1)
		code = exec_in(c, p, name, c->args + 1, c->arg_count - 1);
	else
		code = exec_in(c, p, name, (const char *const[]){ "sh", NULL }, 1);
	if (!call_flag_on(c, "rm"))
		return code;
	s.items = &t;
	s.count = 1;
	if (!select_find(c, &s, &f))
		delete_objects(c, &f);
	found_free(&f);
	return code;
}

static int expose_pod(struct call *c, const char *name)
{
	struct value *o = value_new(c->arena, VALUE_MAP);
	const char *port = call_flag(c, "port");
	if (!port)
		return call_error(c, "--port must be set when exposing a service");
	put(c, o, "apiVersion", "v1");
	put(c, o, "kind", "Service");
	struct value *meta = under(c, o, "metadata", VALUE_MAP);
	put(c, meta, "name", name);
	put(c, meta, "namespace", call_namespace(c));
	struct value *spec = under(c, o, "spec", VALUE_MAP);
	put(c, under(c, spec, "selector", VALUE_MAP), "run", name);
	struct value *p = value_new(c->arena, VALUE_MAP);
	value_set(c->arena, p, "port", value_int(c->arena, atoi(port)));
	value_set(c->arena, p, "targetPort", value_int(c->arena, atoi(port)));
	value_push(c->arena, under(c, spec, "ports", VALUE_LIST), p);
	struct kube_object *service;
	struct err err = { "" };
	if (kube_from_value(o, "command line", &service, &err))
		return call_error(c, "%s", err.text);
	return create_object(c, service, NULL);
}

int run_run(struct call *c)
{
	bool attached = call_flag_on(c, "stdin") || call_flag_on(c, "tty") ||
			call_flag_on(c, "attach") || call_flag_on(c, "rm");
	if (!c->arg_count)
		return call_error(
		    c, "NAME is required for run\nSee 'kubectl run -h' for help and examples");
	if (!call_flag(c, "image"))
		return call_error(c, "required flag(s) \"image\" not set");
	const char *name = c->args[0], *restart = call_flag(c, "restart");
	struct value *o = value_new(c->arena, VALUE_MAP);
	put(c, o, "apiVersion", "v1");
	put(c, o, "kind", "Pod");
	struct value *meta = under(c, o, "metadata", VALUE_MAP);
	put(c, meta, "name", name);
	put(c, meta, "namespace", call_namespace(c));
	put_labels(c, meta, name);
	put_annotations(c, meta);
	struct value *spec = under(c, o, "spec", VALUE_MAP);
	put_container(c, spec, name, attached);
	put(c, spec, "restartPolicy", text_or(restart, "Always"));
	if (call_flag(c, "overrides")) {
		struct value *more;
		struct err parse = { "" };
		const char *text = call_flag(c, "overrides");
		if (value_parse(c->arena, text, strlen(text), "--overrides", &more, &parse))
			return call_error(c, "Invalid JSON Patch: %s", parse.text);
		patch_merge(c->arena, o, more);
	}
	struct kube_object *pod;
	struct err err = { "" };
	if (kube_from_value(o, "command line", &pod, &err))
		return call_error(c, "%s", err.text);
	if (call_flag_on(c, "expose") && expose_pod(c, name))
		return 1;
	if (!attached || call_dry_run(c) != DRY_NONE)
		return create_object(c, pod, NULL);
	struct kube_answer answer = { 0 };
	int code = kube_admit_create(c->k->admit, pod, &answer);
	if (code)
		code = call_refused(c, &answer, NULL);
	else
		code = run_attached(c, name);
	kube_answer_free(&answer);
	return code;
}
