/* kube/jsonpath.h: kubectl's JSONPath templates.
 *
 * Text outside braces is copied; inside: fields (.a.b, ['a.b','c'], escapes "\."),
 * indexes and slices [0] [-1] [1:3] [::2], unions [0,2], wildcards [*] .*, recursive
 * descent ..name, filters [?(@.a=="b")] with == != < <= > >= and existence, strings
 * {"\n"}, {range ...}...{end}. Several results are joined by one blank. Maps and lists
 * print as compact JSON, strings as they are. A missing field prints nothing, an
 * index out of bounds is an error. Source: client-go's util/jsonpath.
 */
#ifndef KUBE_JSONPATH_H
#define KUBE_JSONPATH_H

#include "core/err.h"
#include "core/strbuf.h"
#include "kube/value.h"

struct jsonpath;

/* EINVAL with kubectl's message: "error parsing jsonpath {.spec, unclosed action". */
int jsonpath_parse(const char *text, struct jsonpath **out, struct err *err);
void jsonpath_free(struct jsonpath *p);
/* `strict`: a missing field is an error ("foo is not found"). */
int jsonpath_print(const struct jsonpath *p, const struct value *root, bool strict,
		   struct strbuf *out, struct err *err);
/* The first value that a template of one expression finds; NULL: none. For custom
 * columns and --sort-by. */
struct value *jsonpath_first(const struct jsonpath *p, const struct value *root);

#endif
