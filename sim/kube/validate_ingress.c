/* kube/validate_ingress.c: Ingress: see validate.h. */
#include <string.h>

#include "kube/validate.h"
#include "kube/validate_meta.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

static bool given(const char *text)
{
	return text && *text;
}

static void check_backend(struct strbuf *errors, const struct field_path *at,
			  const struct kube_ingress_backend *b)
{
	bool service = b->service || b->port_name || b->port_number;
	const struct field_path *port = CHILD(CHILD(at, "service"), "port");
	if (!service) {
		field_invalid(errors, at, "", "resource or service backend is required");
		return;
	}
	if (!given(b->service))
		field_required(errors, CHILD(CHILD(at, "service"), "name"), NULL);
	else
		field_check(errors, CHILD(CHILD(at, "service"), "name"), b->service,
			    rule_label_1035);
	if (given(b->port_name) && b->port_number) {
		field_invalid(errors, at, "", "cannot set both port name & port number");
	} else if (given(b->port_name)) {
		field_check(errors, CHILD(port, "name"), b->port_name, rule_port_name);
	} else if (b->port_number) {
		field_check_port(errors, CHILD(port, "number"), b->port_number);
	} else {
		field_required(errors, at, "port name or number is required");
	}
}

static void check_path_text(struct strbuf *errors, const struct field_path *at, const char *path)
{
	static const char *const within[] = { "//", "/./", "/../", "%2f", "%2F", NULL };
	static const char *const last[] = { "/..", "/.", NULL };
	size_t length = strlen(path);
	if (*path != '/') {
		field_invalid(errors, at, path, "must be an absolute path");
		return;
	}
	for (int i = 0; within[i]; i++)
		if (strstr(path, within[i]))
			field_invalid(errors, at, path, "must not contain '%s'", within[i]);
	for (int i = 0; last[i]; i++) {
		size_t n = strlen(last[i]);
		if (length >= n && strcmp(path + length - n, last[i]) == 0)
			field_invalid(errors, at, path, "cannot end with '%s'", last[i]);
	}
}

static void check_path(struct strbuf *errors, const struct field_path *at,
		       const struct kube_ingress_path *p)
{
	static const char *const types[] = { "Exact", "ImplementationSpecific", "Prefix", NULL };
	if (!given(p->path_type)) {
		field_required(errors, CHILD(at, "pathType"), "pathType must be specified");
	} else if (!field_is_one_of(p->path_type, types)) {
		field_not_supported(errors, CHILD(at, "pathType"), p->path_type, types);
	} else if (kube_is(p->path_type, "ImplementationSpecific")) {
		if (given(p->path) && *p->path != '/')
			field_invalid(errors, CHILD(at, "path"), p->path,
				      "must be an absolute path");
	} else {
		check_path_text(errors, CHILD(at, "path"), p->path ? p->path : "");
	}
	check_backend(errors, CHILD(at, "backend"), &p->backend);
}

static void check_rule(struct strbuf *errors, const struct field_path *at,
		       const struct kube_ingress_rule *r)
{
	struct net_addr ip;
	const struct field_path *http = CHILD(at, "http");
	if (given(r->host)) {
		if (net_addr_parse(r->host, &ip))
			field_invalid(errors, CHILD(at, "host"), r->host,
				      "must be a DNS name, not an IP address");
		else
			field_check(errors, CHILD(at, "host"), r->host,
				    strchr(r->host, '*') ? rule_wildcard_subdomain
							 : rule_subdomain_1123);
	}
	if (!r->paths.count && r->has_http)
		field_required(errors, CHILD(http, "paths"), NULL);
	for (uint32_t i = 0; i < r->paths.count; i++)
		check_path(errors, ITEM(http, "paths", i), &r->paths.items[i]);
}

void kube_validate_ingress(const struct kube_object *o, const struct kube_object *before,
			   struct strbuf *errors)
{
	const struct kube_ingress *g = (const struct kube_ingress *)o;
	const char *class = kube_map_get(&o->meta.annotations, CLASS_ANNOTATION);
	validate_meta(errors, o, before, rule_subdomain_1123);
	if (!before && class && g->class_name && strcmp(class, g->class_name) != 0)
		field_invalid(errors, FIELD("annotations." CLASS_ANNOTATION), class,
			      "must match `ingressClassName` when both are specified");
	if (!g->rules.count && !g->default_backend.set)
		field_invalid_raw(errors, FIELD("spec"), "null",
				  "either `defaultBackend` or `rules` must be specified");
	for (uint32_t i = 0; i < g->rules.count; i++)
		check_rule(errors, ITEM(NULL, "spec.rules", i), &g->rules.items[i]);
	if (g->default_backend.set)
		check_backend(errors, FIELD("spec.defaultBackend"), &g->default_backend);
	if (given(g->class_name))
		field_check(errors, FIELD("spec.ingressClassName"), g->class_name,
			    rule_subdomain_1123);
}
