/* kube/kubectl/create.c: kubectl create's generators, run and expose.
 *
 * The object is written as the manifest that kubectl would send and read back by the
 * schema tables, so that it meets the same checks.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"
#include "kube/patch.h"

static struct value *map(struct call *c)
{
	return value_new(c->arena, VALUE_MAP);
}

static void put(struct call *c, struct value *to, const char *key, const char *text)
{
	value_set(c->arena, to, key, value_string(c->arena, text));
}

static struct value *child(struct call *c, struct value *to, const char *key)
{
	struct value *m = map(c);
	value_set(c->arena, to, key, m);
	return m;
}

static struct value *list(struct call *c, struct value *to, const char *key)
{
	struct value *l = value_new(c->arena, VALUE_LIST);
	value_set(c->arena, to, key, l);
	return l;
}

static struct value *item(struct call *c, struct value *l)
{
	struct value *m = map(c);
	value_push(c->arena, l, m);
	return m;
}

/* An object with apiVersion, kind, name and namespace. */
static struct value *object(struct call *c, enum kube_kind kind, const char *name)
{
	const struct kind_schema *s = kube_schema(kind);
	struct value *o = map(c);
	put(c, o, "apiVersion", s->group_version);
	put(c, o, "kind", s->name);
	struct value *meta = child(c, o, "metadata");
	put(c, meta, "name", name);
	/* A dry run on the client's side says only what it was told. */
	if (s->namespaced && (call_flag(c, "namespace") || call_dry_run(c) != DRY_CLIENT))
		put(c, meta, "namespace", call_namespace(c));
	return o;
}

static int send(struct call *c, const struct value *v, const char *doing)
{
	struct kube_object *o;
	struct err err = { "" };
	if (kube_from_value(v, "command line", &o, &err))
		return call_error(c, "%s", err.text);
	return create_object(c, o, doing);
}

/* A generator's refusal: "error: failed to create deployment: deployments.apps "x" already
 * exists". */
static int send_as(struct call *c, const struct value *v, const char *what)
{
	struct kube_object *o;
	struct err err = { "" };
	struct kube_answer answer = { 0 };
	if (kube_from_value(v, "command line", &o, &err))
		return call_error(c, "%s", err.text);
	if (call_dry_run(c) != DRY_NONE)
		return create_object(c, o, NULL);
	struct kube_object *named = kube_ref(o);
	int code = kube_admit_create(c->k->admit, o, &answer);
	if (code && !kube_is(answer.reason, "Invalid")) {
		call_error(c, "failed to create %s: %s", what, strbuf_text(&answer.message));
	} else if (code) {
		call_refused(c, &answer, NULL);
	} else {
		call_warnings(c, &answer);
		say_done(c, named, "created");
	}
	kube_answer_free(&answer);
	kube_unref(named);
	return code ? 1 : 0;
}

/* ---- create deployment, service, ... --------------------------------------------- */

static const char *image_name(struct call *c, const char *image)
{
	const char *last = strrchr(image, '/') ? strrchr(image, '/') + 1 : image;
	return arena_strndup(c->arena, last, strcspn(last, ":@"));
}

static void containers(struct call *c, struct value *spec, uint32_t first_word)
{
	struct value *l = list(c, spec, "containers");
	const char *image, *port = call_flag(c, "port");
	for (uint32_t i = 0; (image = call_flag_nth(c, "image", i)); i++) {
		struct value *k = item(c, l);
		put(c, k, "image", image);
		put(c, k, "name", image_name(c, image));
		if (port) {
			struct value *p = item(c, list(c, k, "ports"));
			value_set(c->arena, p, "containerPort", value_int(c->arena, atoi(port)));
		}
		if (c->dash >= 0 && first_word < c->arg_count) {
			struct value *words = list(c, k, "command");
			for (uint32_t j = first_word; j < c->arg_count; j++)
				value_push(c->arena, words, value_string(c->arena, c->args[j]));
		}
	}
}

static int create_deployment(struct call *c, const char *name)
{
	const char *replicas = call_flag(c, "replicas");
	if (!call_flag(c, "image"))
		return call_error(c, "required flag(s) \"image\" not set");
	struct value *o = object(c, KIND_DEPLOYMENT, name);
	put(c, child(c, value_get(o, "metadata"), "labels"), "app", name);
	struct value *spec = child(c, o, "spec");
	value_set(c->arena, spec, "replicas", value_int(c->arena, replicas ? atoi(replicas) : 1));
	put(c, child(c, child(c, spec, "selector"), "matchLabels"), "app", name);
	struct value *template = child(c, spec, "template");
	put(c, child(c, child(c, template, "metadata"), "labels"), "app", name);
	containers(c, child(c, template, "spec"), (uint32_t)(c->dash >= 0 ? c->dash : 0));
	return send_as(c, o, "deployment");
}

static int service_ports(struct call *c, struct value *spec)
{
	const char *pair, *node_port = call_flag(c, "node-port");
	struct value *l = NULL;
	for (uint32_t i = 0; (pair = call_flag_nth(c, "tcp", i)); i++) {
		const char *colon = strchr(pair, ':');
		int port = atoi(pair);
		if (port < 1)
			return call_error(c, "invalid port format: %s", pair);
		if (!l)
			l = list(c, spec, "ports");
		struct value *p = item(c, l);
		if (colon)
			put(c, p, "name", arena_printf(c->arena, "%d-%s", port, colon + 1));
		else
			put(c, p, "name", arena_printf(c->arena, "%d", port));
		value_set(c->arena, p, "port", value_int(c->arena, port));
		put(c, p, "protocol", "TCP");
		int target = colon ? atoi(colon + 1) : port;
		value_set(c->arena, p, "targetPort",
			  target ? value_int(c->arena, target) : value_string(c->arena, colon + 1));
		if (node_port)
			value_set(c->arena, p, "nodePort", value_int(c->arena, atoi(node_port)));
	}
	return 0;
}

static int create_service(struct call *c, const char *type, const char *name)
{
	static const char *const types[][2] = { { "clusterip", "ClusterIP" },
						{ "nodeport", "NodePort" },
						{ "loadbalancer", "LoadBalancer" },
						{ "externalname", "ExternalName" } };
	const char *full = NULL, *ip = call_flag(c, "clusterip"),
		   *external = call_flag(c, "external-name");
	for (size_t i = 0; i < 4; i++)
		if (strcmp(types[i][0], type) == 0)
			full = types[i][1];
	if (!full)
		return call_error(c, "unknown service type \"%s\", expected clusterip, nodeport, "
				     "loadbalancer or externalname", type);
	struct value *o = object(c, KIND_SERVICE, name);
	put(c, child(c, value_get(o, "metadata"), "labels"), "app", name);
	struct value *spec = child(c, o, "spec");
	put(c, spec, "type", full);
	put(c, child(c, spec, "selector"), "app", name);
	if (external)
		put(c, spec, "externalName", external);
	if (ip)
		put(c, spec, "clusterIP", ip);
	if (service_ports(c, spec))
		return 1;
	if (!call_flag(c, "tcp") && !external && !kube_is(ip, "None"))
		return call_error(c, "at least one tcp port specifier must be provided");
	return send_as(c, o, arena_printf(c->arena, "%s service", full));
}

static int create_config_map(struct call *c, const char *name)
{
	struct value *o = object(c, KIND_CONFIG_MAP, name), *data = child(c, o, "data");
	const char *text, *key, *value;
	for (uint32_t i = 0; (text = call_flag_nth(c, "from-literal", i)); i++) {
		if (!pair_parse(c, text, &key, &value))
			return call_error(c, "invalid literal source %s, expected key=value", text);
		put(c, data, key, value);
	}
	for (uint32_t i = 0; (text = call_flag_nth(c, "from-file", i)); i++) {
		const char *path = text;
		if (pair_parse(c, text, &key, &value))
			path = value;
		else
			key = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
		const char *body = call_file(c, path);
		if (!body)
			return 1;
		put(c, data, key, body);
	}
	return send_as(c, o, "configmap");
}

/* --rule=host/path*=service:port */
static int ingress_rule(struct call *c, struct value *rules, const char *text)
{
	const char *eq = strchr(text, '='), *slash = strchr(text, '/');
	const char *colon = eq ? strchr(eq, ':') : NULL;
	if (!eq || !slash || slash > eq || !colon)
		return call_error(
		    c,
		    "rule %s is invalid and should be in format host/path=svcname:svcport"
		    "[,tls[=secret]]",
		    text);
	struct value *rule = item(c, rules);
	if (slash > text)
		put(c, rule, "host", arena_strndup(c->arena, text, (size_t)(slash - text)));
	struct value *path = item(c, list(c, child(c, rule, "http"), "paths"));
	bool prefix = eq[-1] == '*';
	put(c, path, "path",
	    arena_strndup(c->arena, slash, (size_t)(eq - slash) - (prefix ? 1 : 0)));
	put(c, path, "pathType", prefix ? "Prefix" : "Exact");
	struct value *service = child(c, child(c, path, "backend"), "service");
	put(c, service, "name", arena_strndup(c->arena, eq + 1, (size_t)(colon - eq - 1)));
	size_t n = strcspn(colon + 1, ",");
	const char *port = arena_strndup(c->arena, colon + 1, n);
	struct value *p = child(c, service, "port");
	if (atoi(port))
		value_set(c->arena, p, "number", value_int(c->arena, atoi(port)));
	else
		put(c, p, "name", port);
	return 0;
}

static int create_ingress(struct call *c, const char *name)
{
	struct value *o = object(c, KIND_INGRESS, name), *spec = child(c, o, "spec");
	const char *text;
	if (call_flag(c, "class"))
		put(c, spec, "ingressClassName", call_flag(c, "class"));
	struct value *rules = list(c, spec, "rules");
	for (uint32_t i = 0; (text = call_flag_nth(c, "rule", i)); i++)
		if (ingress_rule(c, rules, text))
			return 1;
	return send_as(c, o, "ingress");
}

int create_run(struct call *c)
{
	const char *what = c->arg_count ? c->args[0] : "";
	const char *name = c->arg_count > 1 ? c->args[1] : NULL;
	if (call_flag(c, "filename"))
		return files_each(c, create_from_file);
	if (!c->arg_count)
		return call_error(c, "must specify one of -f and -k");
	if ((!strcmp(what, "service") || !strcmp(what, "svc")) && c->arg_count > 2)
		return create_service(c, c->args[1], c->args[2]);
	if (!name || !strcmp(what, "service") || !strcmp(what, "svc"))
		return call_error(
		    c,
		    "exactly one NAME is required, got 0\nSee 'kubectl create %s -h' for "
		    "help and examples",
		    what);
	if (!strcmp(what, "deployment") || !strcmp(what, "deploy"))
		return create_deployment(c, name);
	if (!strcmp(what, "namespace") || !strcmp(what, "ns"))
		return send(c, object(c, KIND_NAMESPACE, name), NULL);
	if (!strcmp(what, "configmap") || !strcmp(what, "cm"))
		return create_config_map(c, name);
	if (!strcmp(what, "ingress") || !strcmp(what, "ing"))
		return create_ingress(c, name);
	return call_error(c, "kubectl create %s is not part of the simulated cluster", what);
}

/* ---- expose ---------------------------------------------------------------------- */

static void copy_pairs(struct call *c, struct value *to, const struct kube_map *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		put(c, to, from->items[i].key, from->items[i].value);
}

/* Labels that select the pods of an object. */
static const struct kube_map *pod_labels(const struct kube_object *o)
{
	switch (o->kind) {
	case KIND_SERVICE:
		return &((const struct kube_service *)o)->spec.selector;
	case KIND_POD:
		return &o->meta.labels;
	case KIND_DEPLOYMENT:
		return &((const struct kube_deployment *)o)->spec.selector.match_labels;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((const struct kube_replica_set *)o)->spec.selector.match_labels;
	default:
		return NULL;
	}
}

static const struct kube_containers *containers_of(const struct kube_object *o)
{
	const struct kube_template *t = template_of((struct kube_object *)o);
	if (o->kind == KIND_POD)
		return &((const struct kube_pod *)o)->spec.containers;
	return t ? &t->spec.containers : NULL;
}

static void port_item(struct call *c, struct value *l, int port, const char *protocol,
		      const char *name)
{
	const char *target = call_flag(c, "target-port");
	struct value *p = item(c, l);
	if (name)
		put(c, p, "name", name);
	value_set(c->arena, p, "port", value_int(c->arena, port));
	put(c, p, "protocol", protocol);
	if (!target)
		value_set(c->arena, p, "targetPort", value_int(c->arena, port));
	else
		value_set(c->arena, p, "targetPort",
			  atoi(target) ? value_int(c->arena, atoi(target))
				       : value_string(c->arena, target));
}

/* --port, or the ports that the object declares; how many. */
static uint32_t expose_ports(struct call *c, struct value *spec, const struct kube_object *o)
{
	const char *port = call_flag(c, "port"),
		   *protocol = text_or(call_flag(c, "protocol"), "TCP");
	struct value *l = list(c, spec, "ports");
	const struct kube_containers *k = containers_of(o);
	uint32_t count = 0, n = 0;
	if (port) {
		uint32_t many = strchr(port, ',') != NULL;
		for (; *port; port += strcspn(port, ",") + (port[strcspn(port, ",")] == ','))
			port_item(c, l, atoi(port), protocol,
				  many ? arena_printf(c->arena, "port-%u", ++count) : NULL);
		return 1;
	}
	if (o->kind == KIND_SERVICE) {
		const struct kube_service *s = (const struct kube_service *)o;
		for (uint32_t i = 0; i < s->spec.ports.count; i++)
			port_item(c, l, s->spec.ports.items[i].port,
				  text_or(s->spec.ports.items[i].protocol, "TCP"),
				  s->spec.ports.count > 1
					  ? arena_printf(c->arena, "port-%u", i + 1) : NULL);
		return s->spec.ports.count;
	}
	for (uint32_t i = 0; k && i < k->count; i++)
		count += k->items[i].ports.count;
	for (uint32_t i = 0; k && i < k->count; i++)
		for (uint32_t j = 0; j < k->items[i].ports.count; j++) {
			const struct kube_container_port *p = &k->items[i].ports.items[j];
			port_item(c, l, p->container_port, text_or(p->protocol, protocol),
				  count > 1 ? arena_printf(c->arena, "port-%u", ++n) : NULL);
		}
	return count;
}

static int expose_object(struct call *c, const struct kube_object *o)
{
	const struct kube_map *labels = pod_labels(o);
	const char *text = call_flag(c, "selector"), *ip;
	if (!labels || (!labels->count && !text))
		return call_error(c, "cannot expose a %s", kube_schema(o->kind)->name);
	struct value *v = object(c, KIND_SERVICE, text_or(call_flag(c, "name"), o->meta.name));
	if (o->meta.labels.count)
		copy_pairs(c, child(c, value_get(v, "metadata"), "labels"), &o->meta.labels);
	struct value *spec = child(c, v, "spec"), *selector = child(c, spec, "selector");
	if (!text)
		copy_pairs(c, selector, labels);
	while (text && *text) {
		const char *key, *value;
		size_t n = strcspn(text, ",");
		if (pair_parse(c, arena_strndup(c->arena, text, n), &key, &value))
			put(c, selector, key, value);
		text += n + (text[n] == ',');
	}
	if (!expose_ports(c, spec, o))
		return call_error(
		    c, "couldn't find port via --port flag or introspection\nSee 'kubectl "
		       "expose -h' for help and examples");
	if (call_flag(c, "type"))
		put(c, spec, "type", call_flag(c, "type"));
	if (call_flag(c, "cluster-ip"))
		put(c, spec, "clusterIP", call_flag(c, "cluster-ip"));
	if (call_flag(c, "session-affinity"))
		put(c, spec, "sessionAffinity", call_flag(c, "session-affinity"));
	if (call_flag(c, "load-balancer-ip"))
		put(c, spec, "loadBalancerIP", call_flag(c, "load-balancer-ip"));
	if ((ip = call_flag(c, "external-ip")))
		value_push(c->arena, list(c, spec, "externalIPs"), value_string(c->arena, ip));
	struct kube_object *service;
	struct err err = { "" };
	if (kube_from_value(v, "command line", &service, &err))
		return call_error(c, "%s", err.text);
	struct kube_answer answer = { 0 };
	struct kube_object *named = kube_ref(service);
	int code = 0;
	if (call_dry_run(c) != DRY_NONE)
		kube_unref(service);
	else
		code = kube_admit_create(c->k->admit, service, &answer);
	if (code)
		call_refused(c, &answer, NULL);
	else
		say_done(c, named, "exposed");
	kube_answer_free(&answer);
	kube_unref(named);
	return code ? 1 : 0;
}

int expose_run(struct call *c)
{
	struct selection s;
	struct found f;
	if (select_parse(c, 0, &s))
		return 1;
	if (!s.count || !s.items[0].name)
		return nothing_given(c);
	const char *selector = call_flag(c, "selector");
	uint32_t flags = c->flag_count;
	c->flag_count = 0; /* --selector is the Service's here, not a filter */
	struct flag_value *all = c->flags, *kept = arena_array(c->arena, flags + 1, sizeof *kept);
	for (uint32_t i = 0; i < flags; i++)
		if (strcmp(all[i].name, "selector") != 0)
			kept[c->flag_count++] = all[i];
	c->flags = kept;
	int code = select_find(c, &s, &f);
	c->flags = all;
	c->flag_count = flags;
	(void)selector;
	if (!code && f.missing) {
		strbuf_puts(c->err, strbuf_text(&f.said));
		code = 1;
	} else if (!code) {
		code = expose_object(c, f.groups[0].items[0]);
	}
	found_free(&f);
	return code;
}
