/* tests/unit/kube_jsonpath.c: templates print what the real kubectl v1.32.4 printed. */
#include <stdlib.h>

#include "check.h"
#include "core/file.h"
#include "kube/jsonpath.h"

#define FOLDER "tests/golden/jsonpath/"

static struct value *load(struct arena *a, const char *path)
{
	struct strbuf text = { 0 };
	struct value *root = NULL;
	struct err err = { "" };
	if (file_read(path, &text, &err) ||
	    value_parse(a, strbuf_text(&text), text.length, path, &root, &err))
		check_note(false, path, 0, "%s", err.text);
	strbuf_free(&text);
	return root;
}

/* The output, or the error's text. */
static char *print(const char *template, const struct value *root)
{
	struct jsonpath *p = NULL;
	struct strbuf out = { 0 };
	struct err err = { "" };
	if (jsonpath_parse(template, &p, &err) || jsonpath_print(p, root, false, &out, &err)) {
		strbuf_clear(&out);
		strbuf_puts(&out, err.text);
	}
	jsonpath_free(p);
	return strbuf_steal(&out);
}

static void as_kubectl(void)
{
	struct arena *a = arena_new();
	struct strbuf text = { 0 };
	struct value *root = load(a, FOLDER "object.yaml");
	struct err err = { "" };
	int line = 0;
	if (file_read(FOLDER "cases.txt", &text, &err))
		check_note(false, FOLDER, 0, "%s", err.text);
	for (char *p = text.data, *save; p && *p;) {
		struct strbuf expected = { 0 };
		char *template = p;
		int at = ++line;
		save = strchr(p, '\n');
		*save = '\0';
		for (p = save + 1; *p == '='; p = save + 1, line++) {
			save = strchr(p, '\n');
			strbuf_add(&expected, p + 1, (size_t)(save - p)); /* with the newline */
		}
		expected.data[--expected.length] = '\0'; /* that of the last line is the file's */
		char *actual = print(template, root);
		check_note(strcmp(actual, expected.data) == 0, FOLDER "cases.txt", at,
			   "%s\n  expected: %s\n  actual:   %s", template, expected.data, actual);
		free(actual);
		strbuf_free(&expected);
	}
	strbuf_free(&text);
	arena_free(a);
}

/* Texts of client-go's parser and of the executor (k8s.io/client-go/util/jsonpath). */
static void errors(void)
{
	static const char *const cases[][2] = {
		{ "{.spec", "error parsing jsonpath {.spec, unclosed action" },
		{ "{range .items[*]}x",
		  "error parsing jsonpath {range .items[*]}x, unclosed range action" },
		{ "{end}", "error parsing jsonpath {end}, not in range, nothing to end" },
		{ "{.items[?(@.a==\"b\"]}",
		  "error parsing jsonpath {.items[?(@.a==\"b\"]}, unterminated filter" },
		{ "{.items[5].metadata}", "error executing jsonpath \"{.items[5].metadata}\": "
					  "Error executing template: array "
					  "index out of bounds: index 5, length 3." },
		{ "{\"abc}", "error parsing jsonpath {\"abc}, unterminated quoted string" },
		{ "{.items[0:2:0]}", "error parsing jsonpath {.items[0:2:0]}, step must be > 0" },
	};
	struct arena *a = arena_new();
	struct value *root = load(a, FOLDER "object.yaml");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *actual = print(cases[i][0], root);
		CHECK_TEXT(actual, cases[i][1]);
		free(actual);
	}
	arena_free(a);
}

static void strict(void)
{
	struct arena *a = arena_new();
	struct value *root = load(a, FOLDER "object.yaml");
	struct jsonpath *p = NULL;
	struct strbuf out = { 0 };
	struct err err = { "" };
	CHECK_INT(jsonpath_parse("{.items[0].nothing}", &p, &err), 0);
	CHECK(jsonpath_print(p, root, true, &out, &err) != 0);
	CHECK(strstr(err.text, "nothing is not found") != NULL);
	CHECK(jsonpath_first(p, root) == NULL);
	jsonpath_free(p);
	CHECK_INT(jsonpath_parse("{.items[1].metadata.name}", &p, &err), 0);
	CHECK_TEXT(jsonpath_first(p, root)->text, "web-1");
	jsonpath_free(p);
	strbuf_free(&out);
	arena_free(a);
}

static const struct check tests[] = {
	{ "templates print what kubectl printed", as_kubectl },
	{ "a bad template or index is refused with kubectl's words", errors },
	{ "a missing field is an error when it is asked for strictly", strict },
};

CHECK_MAIN(tests)
