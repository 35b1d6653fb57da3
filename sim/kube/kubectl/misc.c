/* kube/kubectl/misc.c: explain, events, api-resources, cluster-info, config, version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/explain.h"
#include "kube/kubectl/internal.h"

int explain_run(struct call *c)
{
	struct err err = { "" };
	if (c->arg_count != 1)
		return call_error(c, c->arg_count
					 ? "We accept only this format: explain RESOURCE"
					 : "You must specify the type of resource to explain. Use "
					   "\"kubectl api-resources\" for a complete list of "
					   "supported resources.");
	if (kube_explain(c->args[0], call_flag_on(c, "recursive"), c->out, &err)) {
		strbuf_printf(c->err, "%s%s\n", strncmp(err.text, "error", 5) ? "error: " : "",
			      err.text);
		return 1;
	}
	return 0;
}

/* ---- events ---------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct kube_event *p = *(const struct kube_event *const *)a;
	const struct kube_event *q = *(const struct kube_event *const *)b;
	if (p->last_ns != q->last_ns)
		return p->last_ns < q->last_ns ? -1 : 1;
	return p->object.meta.resource_version < q->object.meta.resource_version ? -1 : 1;
}

/* --for TYPE/NAME */
static bool about(struct call *c, const struct kube_event *e, const char *what)
{
	const char *slash = what ? strchr(what, '/') : NULL;
	if (!what)
		return true;
	if (!slash || !kube_is(e->involved.name, slash + 1))
		return false;
	const struct kind_schema *s =
		kube_schema_by_name(arena_strndup(c->arena, what, strcspn(what, "./")));
	return s && kube_is(e->involved.kind, s->name);
}

int events_run(struct call *c)
{
	const char *namespace = call_flag_on(c, "all-namespaces") ? NULL : call_namespace(c);
	const char *types = call_flag(c, "types"), *what = call_flag(c, "for");
	struct object_list l = { 0 };
	struct strbuf text = { 0 };
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(c->k->store, KIND_EVENT, namespace, &i));) {
		const struct kube_event *e = (const struct kube_event *)o;
		if (about(c, e, what) && (!types || strstr(types, text_or(e->type, ""))))
			object_list_add(&l, o);
	}
	if (!l.count) {
		if (namespace)
			strbuf_printf(c->err, "No events found in %s namespace.\n", namespace);
		else
			strbuf_puts(c->err, "No events found.\n");
		return 0;
	}
	qsort(l.items, l.count, sizeof *l.items, by_time);
	if (!call_flag_on(c, "no-headers"))
		strbuf_printf(&text, "%sLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
			      namespace ? "" : "NAMESPACE\t");
	for (uint32_t i = 0; i < l.count; i++) {
		const struct kube_event *e = (const struct kube_event *)l.items[i];
		if (!namespace)
			strbuf_printf(&text, "%s\t", e->object.meta.namespace);
		strbuf_puts(&text, age_of(c, e->last_ns));
		if (e->count > 1)
			strbuf_printf(&text, " (x%d over %s)", e->count, age_of(c, e->first_ns));
		strbuf_printf(&text, "\t%s\t%s\t%s/%s\t%s\n", e->type, e->reason, e->involved.kind,
			      e->involved.name, e->message);
	}
	tabs_print(strbuf_text(&text), 6, 3, NULL, c->out);
	strbuf_free(&text);
	object_list_free(&l);
	return 0;
}

/* ---- api-resources --------------------------------------------------------------- */

static int by_group(const void *a, const void *b)
{
	const struct kind_schema *p = *(const struct kind_schema *const *)a;
	const struct kind_schema *q = *(const struct kind_schema *const *)b;
	bool core_p = !strchr(p->group_version, '/'), core_q = !strchr(q->group_version, '/');
	if (core_p != core_q)
		return core_p ? -1 : 1;
	int d = strcmp(p->group_version, q->group_version);
	return d ? d : strcmp(p->plural, q->plural);
}

int api_resources_run(struct call *c)
{
	const struct kind_schema *l[KIND_COUNT];
	const char *scope = call_flag(c, "namespaced"), *group = call_flag(c, "api-group");
	struct strbuf text = { 0 };
	uint32_t n = 0;
	for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		const struct kind_schema *s = kube_schema(kind);
		if (!s || kind == KIND_KUBE_PROXY_CONFIGURATION ||
		    kind == KIND_CLUSTER_CONFIGURATION)
			continue; /* files, not resources */
		if (scope && (strcmp(scope, "true") == 0) != s->namespaced)
			continue;
		if (group && strncmp(s->group_version, group, strlen(group)) != 0)
			continue;
		l[n++] = s;
	}
	qsort(l, n, sizeof *l, by_group);
	if (!call_flag_on(c, "no-headers"))
		strbuf_puts(&text, "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND\n");
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s\t%s\t%s\t%s\t%s\n", l[i]->plural,
			      text_or(l[i]->short_names, ""), l[i]->group_version,
			      l[i]->namespaced ? "true" : "false", l[i]->name);
	tabs_print(strbuf_text(&text), 6, 3, NULL, c->out);
	strbuf_free(&text);
	return 0;
}

/* ---- the client itself ----------------------------------------------------------- */

static const char *server_address(struct call *c)
{
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next_created(c->k->store, KIND_NODE, &i));) {
		const struct kube_node *n = (const struct kube_node *)o;
		if (!kube_map_get(&o->meta.labels, "node-role.kubernetes.io/control-plane"))
			continue;
		for (uint32_t j = 0; j < n->status.addresses.count; j++)
			if (kube_is(n->status.addresses.items[j].type, "InternalIP"))
				return n->status.addresses.items[j].address;
	}
	return "127.0.0.1";
}

int cluster_info_run(struct call *c)
{
	const char *ip = server_address(c);
	strbuf_printf(c->out, "Kubernetes control plane is running at https://%s:6443\n", ip);
	if (kube_store_get(c->k->store, KIND_SERVICE, "kube-system", "kube-dns"))
		strbuf_printf(c->out,
			      "CoreDNS is running at https://%s:6443/api/v1/namespaces/kube-system/"
			      "services/kube-dns:dns/proxy\n",
			      ip);
	strbuf_puts(c->out,
		    "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info "
		    "dump'.\n");
	return 0;
}

static const char context[] = "kubernetes-admin@kubernetes";

int config_run(struct call *c)
{
	const char *what = c->arg_count ? c->args[0] : "", *namespace = call_flag(c, "namespace");
	if (!strcmp(what, "current-context")) {
		strbuf_printf(c->out, "%s\n", context);
	} else if (!strcmp(what, "set-context")) {
		if (namespace)
			snprintf(c->k->namespace, sizeof c->k->namespace, "%s", namespace);
		strbuf_printf(c->out, "Context \"%s\" modified.\n", context);
	} else if (!strcmp(what, "use-context")) {
		if (c->arg_count < 2 || strcmp(c->args[1], context) != 0)
			return call_error(c, "no context exists with the name: \"%s\"",
					  c->arg_count > 1 ? c->args[1] : "");
		strbuf_printf(c->out, "Switched to context \"%s\".\n", context);
	} else if (!strcmp(what, "get-contexts")) {
		struct strbuf text = { 0 };
		strbuf_printf(&text,
			      "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n*\t%s\tkubernetes\t"
			      "kubernetes-admin\t%s\n",
			      context, c->k->namespace);
		tabs_print(strbuf_text(&text), 6, 3, NULL, c->out);
		strbuf_free(&text);
	} else {
		return call_error(c, "kubectl config %s is not part of the simulated cluster",
				  what);
	}
	return 0;
}

int version_run(struct call *c)
{
	const struct kube_object *o;
	const char *server = "v1.34.1";
	uint32_t i = 0;
	if ((o = kube_store_next_created(c->k->store, KIND_NODE, &i)))
		server =
		    text_or(((const struct kube_node *)o)->status.info.kubelet_version, server);
	strbuf_puts(c->out, "Client Version: v1.34.1\nKustomize Version: v5.7.1\n");
	if (!call_flag_on(c, "client"))
		strbuf_printf(c->out, "Server Version: %s\n", server);
	return 0;
}
