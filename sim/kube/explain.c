/* kube/explain.c: see explain.h. */
#include "kube/explain.h"

#include <errno.h>
#include <string.h>

#include "kube/explain_types.h"
#include "kube/schema.h"

#define WIDTH 76 /* of texts, without their indentation */

static const struct field version_row = {
	.json = "apiVersion", .type = FIELD_STRING, .set_offset = NO_SET,
	.doc = "Version of the schema that the object is written in.",
};
static const struct field kind_row = {
	.json = "kind", .type = FIELD_STRING, .set_offset = NO_SET,
	.doc = "Kind of the object.",
};

/* ---- texts ----------------------------------------------------------------------------- */

/* Lines of at most WIDTH characters, each indented by four blanks. */
static void put_text(struct strbuf *out, const char *text)
{
	size_t column = 0;
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " ");
		if (column && column + 1 + n > WIDTH) {
			strbuf_putc(out, '\n');
			column = 0;
		}
		strbuf_fill(out, ' ', column ? 1 : 4);
		strbuf_add(out, p, n);
		column += (column > 0) + n;
		p += n + (p[n] == ' ');
	}
	strbuf_putc(out, '\n');
}

static void put_choices(struct strbuf *out, const char *choices, const char *before,
			const char *between)
{
	for (const char *p = choices; *p;) {
		size_t n = strcspn(p, ",");
		strbuf_printf(out, "%s%.*s", p == choices ? before : between, (int)n, p);
		p += n + (p[n] == ',');
	}
	strbuf_putc(out, '\n');
}

static void put_type(struct strbuf *out, const struct kind_schema *s, const struct field *above,
		     const struct field *f)
{
	static const char *const plain[] = {
		[FIELD_STRING] = "string", [FIELD_TIME] = "string", [FIELD_VERSION] = "string",
		[FIELD_INT32] = "integer", [FIELD_INT64] = "integer", [FIELD_OPT_INT] = "integer",
		[FIELD_TRI] = "boolean", [FIELD_BOOL] = "boolean",
		[FIELD_INT_OR_STRING] = "IntOrString", [FIELD_MAP] = "map[string]string",
		[FIELD_QUANTITY_MAP] = "map[string]Quantity", [FIELD_STRINGS] = "[]string",
		[FIELD_IGNORED] = "Object",
	};
	bool object = f->type == FIELD_OBJECT || f->type == FIELD_CASE || f->type == FIELD_LIST;
	strbuf_printf(out, "<%s%s>", f->type == FIELD_LIST ? "[]" : "",
		      object ? explain_type(s, above, f) : plain[f->type]);
}

/* ---- lists of fields ---------------------------------------------------------------------- */

/* The table of a kind has no rows for apiVersion and kind. */
struct listing {
	const struct kind_schema *schema;
	const struct field *above, *next;
	bool document, version_done, kind_done;
};

static bool shown(const struct field *f)
{
	return f->doc && !f->hidden;
}

/* The next field in order of name. */
static const struct field *list_next(struct listing *l)
{
	while (l->next->json && !shown(l->next))
		l->next++;
	const struct field *f = l->next->json ? l->next : NULL;
	if (l->document && !l->version_done && (!f || strcmp(f->json, "apiVersion") > 0)) {
		l->version_done = true;
		return &version_row;
	}
	if (l->document && !l->kind_done && (!f || strcmp(f->json, "kind") > 0)) {
		l->kind_done = true;
		return &kind_row;
	}
	if (f)
		l->next++;
	return f;
}

static void put_fields(struct strbuf *out, struct listing l)
{
	for (const struct field *f; (f = list_next(&l));) {
		strbuf_printf(out, "  %s\t", f->json);
		put_type(out, l.schema, l.above, f);
		strbuf_puts(out, f->required ? " -required-\n" : "\n");
		if (f->choices)
			put_choices(out, f->choices, "  enum: ", ", ");
		put_text(out, f->doc);
		strbuf_putc(out, '\n');
	}
}

static void put_tree(struct strbuf *out, struct listing l, int depth)
{
	for (const struct field *f; (f = list_next(&l));) {
		strbuf_fill(out, ' ', 2 * depth);
		strbuf_printf(out, "%s\t", f->json);
		put_type(out, l.schema, l.above, f);
		strbuf_puts(out, f->required ? " -required-\n" : "\n");
		if (f->choices) {
			strbuf_fill(out, ' ', 2 * depth);
			put_choices(out, f->choices, "enum: ", ", ");
		}
		if (f->sub) {
			struct listing below = { .schema = l.schema, .above = f, .next = f->sub };
			put_tree(out, below, depth + 1);
		}
	}
}

/* ---- one explanation ---------------------------------------------------------------------------
 */

static void put_header(struct strbuf *out, const struct kind_schema *s)
{
	const char *slash = strchr(s->group_version, '/');
	if (slash)
		strbuf_printf(out, "GROUP:      %.*s\n", (int)(slash - s->group_version),
			      s->group_version);
	strbuf_printf(out, "KIND:       %s\nVERSION:    %s\n\n", s->name,
		      slash ? slash + 1 : s->group_version);
}

static const struct field *find_field(const struct field *table, bool document, const char *name,
				      size_t length)
{
	if (document && length == 10 && strncmp(name, version_row.json, length) == 0)
		return &version_row;
	if (document && length == 4 && strncmp(name, kind_row.json, length) == 0)
		return &kind_row;
	for (const struct field *f = table; f && f->json; f++)
		if (shown(f) && strlen(f->json) == length && strncmp(f->json, name, length) == 0)
			return f;
	return NULL;
}

static void put_field(struct strbuf *out, const struct kind_schema *s, const struct field *above,
		      const struct field *f)
{
	strbuf_printf(out, "FIELD: %s ", f->json);
	put_type(out, s, above, f);
	strbuf_putc(out, '\n');
	if (f->choices) {
		strbuf_puts(out, "ENUM:\n");
		put_choices(out, f->choices, "    ", "\n    ");
	} else {
		strbuf_putc(out, '\n');
	}
	strbuf_putc(out, '\n');
}

int kube_explain(const char *path, bool recursive, struct strbuf *out, struct err *err)
{
	char name[128];
	size_t n = strcspn(path, ".");
	if (n >= sizeof name)
		return err_set(err, ENOENT, "the server doesn't have a resource type \"%.60s...\"",
			       path);
	memcpy(name, path, n);
	name[n] = '\0';
	const struct kind_schema *s = kube_schema_by_name(name);
	if (!s)
		return err_set(err, ENOENT, "the server doesn't have a resource type \"%s\"", name);
	const struct field *table = s->fields, *above = NULL, *f = NULL;
	put_header(out, s);
	for (const char *p = path + n; *p;) {
		p++;
		n = strcspn(p, ".");
		const struct field *found = find_field(table, !f, p, n);
		if (!found)
			return err_set(err, ENOENT, "field \"%.*s\" does not exist",
				       (int)(n < 200 ? n : 200), p);
		above = f;
		f = found;
		table = f->sub;
		p += n;
	}
	if (f)
		put_field(out, s, above, f);
	strbuf_puts(out, "DESCRIPTION:\n");
	put_text(out, f ? f->doc : s->doc);
	strbuf_puts(out, "    \n");
	struct listing l = { .schema = s, .above = f, .next = table, .document = !f };
	if (table) {
		strbuf_puts(out, "FIELDS:\n");
		if (recursive)
			put_tree(out, l, 1);
		else
			put_fields(out, l);
	}
	strbuf_putc(out, '\n');
	return 0;
}
