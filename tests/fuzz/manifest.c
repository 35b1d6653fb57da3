/* tests/fuzz/manifest.c: any bytes as a manifest, a patch and a JSONPath template.
 *
 * What can be read must print, read back, validate, patch and be walked. */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kube/admit.h"
#include "kube/jsonpath.h"
#include "kube/manifest.h"
#include "kube/patch.h"
#include "kube/schema.h"

struct run {
	struct kube_admit *admit;
	const char *text;
	size_t length;
	unsigned objects;
};

static void use_tree(const struct kube_object *o, const char *template)
{
	struct arena *a = arena_new();
	struct value *v = value_from_object(a, o);
	struct strbuf out = { 0 };
	struct jsonpath *p;
	value_print_json(v, 4, &out);
	if (!jsonpath_parse(template, &p, NULL))
		jsonpath_print(p, v, false, &out, NULL);
	jsonpath_free(p);
	strbuf_free(&out);
	arena_free(a);
}

static int use(void *ctx, struct kube_object *o, struct err *err)
{
	struct run *r = ctx;
	struct strbuf out = { 0 };
	struct kube_object *changed;
	char template[256];
	(void)err;
	snprintf(template, sizeof template, "{%.*s}", (int)(r->length < 200 ? r->length : 200),
		 r->text);
	kube_print_yaml(o, &out);
	use_tree(o, template);
	for (int type = PATCH_STRATEGIC; type <= PATCH_JSON; type++)
		if (!kube_patch(o, type, r->text, r->length, "patch", &changed, NULL))
			kube_unref(changed);
	struct kube_object *copy = kube_copy(o);
	assert(kube_spec_equal(o, copy));
	kube_unref(copy);
	strbuf_free(&out);
	if (r->objects++ < 100 && !kube_kind_is_config(o->kind))
		kube_admit_create(r->admit, o, NULL);
	else
		kube_unref(o);
	return 0;
}

FUZZ_TARGET(bytes, length)
{
	struct choice *choice = choice_new(1);
	struct kube_store *s = kube_store_new(NULL, choice);
	struct kube_admit_options options = { .choice = choice };
	struct strbuf warnings = { 0 };
	struct run r = { kube_admit_new(s, &options), (const char *)bytes, length, 0 };
	for (int defaults = 0; defaults < 2; defaults++) {
		struct manifest_options read = { .defaults = defaults, .warnings = &warnings,
						 .namespace = "default" };
		struct err err;
		manifest_read((const char *)bytes, length, "fuzz", &read, use, &r, &err);
	}
	strbuf_free(&warnings);
	kube_admit_free(r.admit);
	kube_store_free(s);
	choice_free(choice);
}
