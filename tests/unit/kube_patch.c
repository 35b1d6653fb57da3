/* tests/unit/kube_patch.c: patches and apply give what the real kubectl gave. */
#include <stdlib.h>

#include "check.h"
#include "core/file.h"
#include "kube/patch.h"
#include "kube/schema.h"
#include "kube/store.h"

#define FOLDER "tests/golden/patch/"

struct part { const char *text; size_t length; };

/* A case: "=== title", an object, "--- name", ..., "--- expected", ... */
static unsigned split(char *text, size_t length, struct part *parts, unsigned most)
{
	unsigned count = 0;
	for (char *p = text; p && count < most;) {
		char *next = strstr(p, "\n--- ");
		parts[count++] = (struct part){ p, next ? (size_t)(next + 1 - p) :
							  (size_t)(text + length - p) };
		p = next ? strchr(next + 1, '\n') + 1 : NULL;
	}
	return count;
}

typedef void case_fn(const char *title, const struct part *parts, const char *place, int line);

static void each_case(const char *file, case_fn *fn)
{
	struct strbuf text = { 0 };
	struct err err = { "" };
	int line = 1;
	if (file_read(file, &text, &err))
		check_note(false, file, 0, "%s", err.text);
	for (char *p = text.data; p && *p;) {
		struct part parts[3];
		char *body = strchr(p, '\n') + 1, *next = strstr(body, "\n=== ");
		char *end = next ? next + 1 : text.data + text.length;
		struct arena *a = arena_new();
		char *title = arena_strndup(a, p + 4, (size_t)(body - p - 5));
		char *copy = arena_strndup(a, body, (size_t)(end - body));
		CHECK_INT(split(copy, (size_t)(end - body), parts, 3), 3);
		fn(title, parts, file, line);
		arena_free(a);
		for (; p < end; p++)
			line += *p == '\n';
	}
	strbuf_free(&text);
}

static struct value *parse(struct arena *a, const struct part *part, const char *place)
{
	struct value *v = NULL;
	struct err err = { "" };
	int code = value_parse(a, part->text, part->length, place, &v, &err);
	check_note(code == 0, place, 0, "%s", err.text);
	return v;
}

static void one_patch(const char *title, const struct part *parts, const char *place, int line)
{
	struct arena *a = arena_new();
	struct value *object = parse(a, &parts[0], title), *patch = parse(a, &parts[1], title);
	const struct kind_schema *s = kube_schema_find(value_get(object, "apiVersion")->text,
						       value_get(object, "kind")->text);
	struct strbuf out = { 0 }, expected = { 0 };
	struct err err = { "" };
	if (strncmp(title, "strategic", 9) == 0)
		patch_strategic(a, s->kind, object, patch);
	else if (strncmp(title, "merge", 5) == 0)
		patch_merge(a, object, patch);
	else
		CHECK_INT(patch_json(a, &object, patch, &err), 0);
	value_print_yaml(object, &out);
	strbuf_add(&expected, parts[2].text, parts[2].length);
	check_note(strcmp(out.data, expected.data) == 0, place, line,
		   "%s\n  expected: %s\n  actual: %s", title, expected.data, out.data);
	strbuf_free(&out);
	strbuf_free(&expected);
	arena_free(a);
}

static struct kube_object *typed(struct arena *a, const struct part *part, const char *place)
{
	struct kube_object *o = NULL;
	struct err err = { "" };
	int code = kube_from_value(parse(a, part, place), place, &o, &err);
	check_note(code == 0, place, 0, "%s", err.text);
	return o;
}

static void one_apply(const char *title, const struct part *parts, const char *place, int line)
{
	struct arena *a = arena_new();
	struct kube_object *current = typed(a, &parts[0], title),
			   *given = typed(a, &parts[1], title);
	struct kube_object *expected = typed(a, &parts[2], title), *out = NULL;
	struct strbuf is = { 0 }, should = { 0 };
	struct err err = { "" };
	bool unannotated;
	CHECK_INT(kube_apply(current, given, &out, &unannotated, &err), 0);
	check_note(unannotated == (strstr(title, "without apply") != NULL), place, line,
		   "%s: annotated", title);
	kube_print_yaml(out, &is);
	kube_print_yaml(expected, &should);
	check_note(strcmp(is.data, should.data) == 0, place, line,
		   "%s\n  expected: %s\n  actual: %s", title, should.data, is.data);
	strbuf_free(&is);
	strbuf_free(&should);
	kube_unref(current);
	kube_unref(given);
	kube_unref(expected);
	kube_unref(out);
	arena_free(a);
}

static void patches(void) { each_case(FOLDER "patches.txt", one_patch); }
static void applies(void) { each_case(FOLDER "applies.txt", one_apply); }

static void new_object(void)
{
	static const char text[] =
	    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: y z}}";
	struct arena *a = arena_new();
	struct part part = { text, strlen(text) };
	struct kube_object *given = typed(a, &part, "new"), *out = NULL;
	struct err err = { "" };
	bool unannotated;
	CHECK_INT(kube_apply(NULL, given, &out, &unannotated, &err), 0);
	CHECK_TEXT(
	    kube_map_get(&out->meta.annotations, LAST_APPLIED),
	    "{\"apiVersion\":\"v1\",\"data\":{\"x\":\"y z\"},\"kind\":\"ConfigMap\",\"metadata\":"
	    "{\"annotations\":{},\"name\":\"a\"}}\n");
	kube_unref(given);
	kube_unref(out);
	arena_free(a);
}

static void refusals(void)
{
	static const struct { enum patch_type type; const char *text, *error;
	} cases[] = {
		{ PATCH_JSON, "[{op: remove, path: /data/none}]",
		  "remove operation does not apply: /data/none: missing key" },
		{ PATCH_JSON, "[{op: fly, path: /spec}]",
		  "unexpected kind of operation: fly, expected add, remove, replace, move, copy or "
		  "test" },
		{ PATCH_JSON, "{a: b}", "a JSON patch is no list, expected a list of operations" },
		{ PATCH_STRATEGIC, "[1]", "p: the patch is no mapping, expected one" },
		{ PATCH_MERGE, "{kind: Pod}", "p: the patch changes the kind, expected ConfigMap" },
		{ PATCH_MERGE, "{metadata: {name: b}}",
		  "p: the patch changes metadata.name, expected \"a\"" },
		{ PATCH_MERGE, "{data: {x: 1}}",
		  "p:4:14: data.x is an integer (1), expected a string (in quotes)" },
	};
	static const char text[] =
	    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: z}}";
	struct arena *a = arena_new();
	struct part part = { text, strlen(text) };
	struct kube_object *o = typed(a, &part, "object"), *out = NULL;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { "" };
		CHECK(kube_patch(o, cases[i].type, cases[i].text, strlen(cases[i].text), "p", &out,
				 &err));
		CHECK(out == NULL);
		CHECK_TEXT(err.text, cases[i].error);
	}
	kube_unref(o);
	arena_free(a);
}

static const struct check tests[] = {
	{ "strategic, merge and JSON patches give what kubectl patch gave", patches },
	{ "apply merges three ways as kubectl does", applies },
	{ "a new object gets its manifest as an annotation", new_object },
	{ "a patch that cannot be done is refused in one line", refusals },
};

CHECK_MAIN(tests)
