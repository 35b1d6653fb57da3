/* kube/kubectl/output.c: -o yaml, json, name, jsonpath, custom-columns. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/jsonpath.h"
#include "kube/kubectl/internal.h"

bool output_is_table(const char *format)
{
	return !format || !*format || strcmp(format, "wide") == 0;
}

static bool has_argument(const char *format, const char *name, const char **argument)
{
	size_t n = strlen(name);
	if (strncmp(format, name, n) != 0 || (format[n] && format[n] != '='))
		return false;
	*argument = format[n] ? format + n + 1 : "";
	return true;
}

int output_check(struct call *c, const char *format)
{
	const char *argument;
	if (output_is_table(format) || strcmp(format, "yaml") == 0 || strcmp(format, "json") == 0 ||
	    strcmp(format, "name") == 0 || has_argument(format, "jsonpath", &argument) ||
	    has_argument(format, "jsonpath-as-json", &argument) ||
	    has_argument(format, "custom-columns", &argument))
		return 0;
	if (has_argument(format, "go-template", &argument) ||
	    has_argument(format, "template", &argument))
		return call_error(c, "go-template output is not part of the simulated cluster; use "
				     "jsonpath");
	return call_error(
	    c,
	    "unable to match a printer suitable for the output format \"%s\", allowed "
	    "formats are: custom-columns,custom-columns-file,go-template,"
	    "go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
	    "template,templatefile,wide,yaml",
	    format);
}

static void print_names(struct call *c, const struct kube_object *const *objects, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		name_print(objects[i], c->out);
		strbuf_putc(c->out, '\n');
	}
}

static int print_path(struct call *c, const char *template, const struct value *root)
{
	struct jsonpath *p;
	struct err err = { "" };
	if (!*template)
		return call_error(c, "template format specified but no template given");
	if (jsonpath_parse(template, &p, &err))
		return call_error(c, "%s", err.text);
	struct strbuf text = { 0 };
	const char *allow = call_flag(c, "allow-missing-template-keys");
	int code = jsonpath_print(p, root, allow && strcmp(allow, "false") == 0, &text, &err);
	if (code)
		call_error(c, "%s", err.text);
	else
		strbuf_add(c->out, strbuf_text(&text), text.length);
	strbuf_free(&text);
	jsonpath_free(p);
	return code ? 1 : 0;
}

/* ---- custom-columns -------------------------------------------------------------- */

struct custom {
	const char *header;
	struct jsonpath *path;
};

static int custom_parse(struct call *c, const char *spec, struct custom *out, uint32_t *count)
{
	*count = 0;
	while (*spec && *count < 32) {
		size_t n = strcspn(spec, ",");
		const char *one = arena_strndup(c->arena, spec, n), *colon = strchr(one, ':');
		struct err err = { "" };
		if (!colon)
			return call_error(c, "unexpected custom-columns spec: %s, expected "
					     "<header>:<json-path-expr>", one);
		const char *path = colon + 1;
		const char *text =
		    *path == '{' ? path
				 : arena_printf(c->arena, "{%s%s}", *path == '.' ? "" : ".", path);
		out[*count].header = arena_strndup(c->arena, one, (size_t)(colon - one));
		if (jsonpath_parse(text, &out[*count].path, &err))
			return call_error(c, "%s", err.text);
		++*count;
		spec += n + (spec[n] == ',');
	}
	return 0;
}

static int custom_columns(struct call *c, const char *spec,
			  const struct kube_object *const *objects, uint32_t count)
{
	struct custom columns[32];
	struct strbuf text = { 0 };
	uint32_t n = 0;
	if (!*spec)
		return call_error(c, "custom-columns format specified but no custom columns given");
	int code = custom_parse(c, spec, columns, &n);
	for (uint32_t i = 0; !code && i < n && !call_flag_on(c, "no-headers"); i++)
		strbuf_printf(&text, "%s%c", columns[i].header, i + 1 < n ? '\t' : '\n');
	for (uint32_t k = 0; !code && k < count; k++) {
		struct value *root = value_from_object(c->arena, objects[k]);
		for (uint32_t i = 0; i < n; i++) {
			struct strbuf value = { 0 };
			struct err err = { "" };
			jsonpath_print(columns[i].path, root, false, &value, &err);
			for (size_t j = 0; j < value.length; j++) /* results are joined by commas */
				if (value.data[j] == '\n')
					value.data[j] = ' ';
			strbuf_printf(&text, "%s%c", value.length ? strbuf_text(&value) : "<none>",
				      i + 1 < n ? '\t' : '\n');
			strbuf_free(&value);
		}
	}
	if (!code)
		tabs_print(strbuf_text(&text), 6, 3, NULL, c->out);
	for (uint32_t i = 0; i < n; i++)
		jsonpath_free(columns[i].path);
	strbuf_free(&text);
	return code;
}

int output_print(struct call *c, const char *format, const struct kube_object *const *objects,
		 uint32_t count, bool list)
{
	const char *argument;
	if (strcmp(format, "name") == 0) {
		print_names(c, objects, count);
		return 0;
	}
	if (has_argument(format, "custom-columns", &argument))
		return custom_columns(c, argument, objects, count);
	struct value *root = list || count != 1 ? value_from_list(c->arena, objects, count)
						: value_from_object(c->arena, objects[0]);
	if (strcmp(format, "yaml") == 0)
		value_print_yaml(root, c->out);
	else if (strcmp(format, "json") == 0)
		value_print_json(root, 4, c->out);
	else if (has_argument(format, "jsonpath", &argument) ||
		 has_argument(format, "jsonpath-as-json", &argument))
		return print_path(c, argument, root);
	return 0;
}
