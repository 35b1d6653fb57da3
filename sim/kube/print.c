/* kube/print.c: objects as kubectl get -o yaml, json and name print them. */
#include <ctype.h>
#include <string.h>

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

/* Everything but what the server keeps for itself. */
static struct value *wanted_state(struct arena *a, const struct kube_object *o)
{
	struct value *v = value_from_object(a, o);
	value_remove(v, "metadata");
	value_remove(v, "status");
	return v;
}

bool kube_spec_equal(const struct kube_object *a, const struct kube_object *b)
{
	struct arena *arena = arena_new();
	bool equal = value_equal(wanted_state(arena, a), wanted_state(arena, b));
	arena_free(arena);
	return equal;
}
