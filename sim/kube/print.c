/* kube/print.c: objects as kubectl get -o yaml, json and name print them. */
#include <ctype.h>
#include <string.h>

#include "kube/copy.h"
#include "kube/schema.h"
#include "kube/value.h"

void kube_print_yaml(const struct kube_object *o, struct strbuf *out)
{
	struct arena *a = arena_new();
	value_print_yaml(value_from_object(a, o), out);
	arena_free(a);
}

void kube_print_json(const struct kube_object *o, struct strbuf *out)
{
	struct arena *a = arena_new();
	value_print_json(value_from_object(a, o), 4, out);
	arena_free(a);
}

void kube_print_name(const struct kube_object *o, struct strbuf *out)
{
	const struct kind_schema *s = kube_schema(o->kind);
	const char *slash = strchr(s->group_version, '/');
	for (const char *p = s->name; *p; p++)
		strbuf_putc(out, (char)tolower((unsigned char)*p));
	if (slash) {
		strbuf_putc(out, '.');
		strbuf_add(out, s->group_version, (size_t)(slash - s->group_version));
	}
	strbuf_printf(out, "/%s", o->meta.name ? o->meta.name : "");
}

/* All rows but metadata and status, which the server keeps for itself. */
bool kube_spec_equal(const struct kube_object *a, const struct kube_object *b)
{
	if (a->kind != b->kind)
		return false;
	for (const struct field *f = kube_schema(a->kind)->fields; f->json; f++) {
		const struct field row[] = { *f, { .json = NULL } };
		if (strcmp(f->json, "metadata") != 0 && strcmp(f->json, "status") != 0 &&
		    !kube_fields_equal(row, a, b))
			return false;
	}
	return true;
}
