/* kube/kubectl/get.c: kubectl get: tables, lists of several kinds, watching. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/jsonpath.h"
#include "kube/kubectl/internal.h"

#define LEAST_WIDTH 6u
#define PADDING 3u

/* ---- tables ---------------------------------------------------------------------- */

/* A cell ends at its first line break; escape characters become visible. */
static void cell_text(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (*text == '\n' || *text == '\r' || *text == '\f') {
			strbuf_puts(out, "...");
			return;
		}
		if (*text == '\x1b')
			strbuf_puts(out, "^[");
		else
			strbuf_putc(out, *text == '\t' ? ' ' : *text);
	}
}

static void line_cell(struct strbuf *line, bool *first, const char *text)
{
	if (!*first)
		strbuf_putc(line, '\t');
	*first = false;
	cell_text(text, line);
}

static uint32_t names_split(struct call *c, const char *text, const char **out)
{
	uint32_t n = 0;
	while (*text && n < 24) {
		size_t k = strcspn(text, "|");
		out[n++] = arena_strndup(c->arena, text, k);
		text += k + (text[k] == '|');
	}
	return n;
}

/* Which cells are shown, in order. */
static uint32_t chosen_cells(struct call *c, const struct columns *columns, bool wide,
			     const char **names, uint32_t *cells)
{
	const char *all[24];
	uint32_t total = names_split(c, columns->names, all);
	if (!wide || !columns->wide) {
		uint32_t n = wide ? total : columns->normal;
		for (uint32_t i = 0; i < n; i++) {
			names[i] = all[i];
			cells[i] = i;
		}
		return n;
	}
	uint32_t n = names_split(c, columns->wide, names);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < total; j++)
			if (strcmp(all[j], names[i]) == 0)
				cells[i] = j;
	return n;
}

static const char *label_header(struct call *c, const char *label)
{
	const char *slash = strrchr(label, '/');
	char *text = arena_strdup(c->arena, slash ? slash + 1 : label);
	for (char *p = text; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p += 'A' - 'a';
	return text;
}

static void header(struct call *c, const struct table_style *style, const char **names, uint32_t n,
		   struct strbuf *text)
{
	bool first = true;
	if (style->namespaces)
		line_cell(text, &first, "NAMESPACE");
	for (uint32_t i = 0; i < n; i++)
		line_cell(text, &first, names[i]);
	for (uint32_t i = 0; i < style->label_count; i++)
		line_cell(text, &first, label_header(c, style->label_columns[i]));
	if (style->show_labels)
		line_cell(text, &first, "LABELS");
	strbuf_putc(text, '\n');
}

static void line(struct call *c, const struct table_style *style, const struct columns *columns,
		 const struct kube_object *o, const uint32_t *cells, uint32_t n,
		 struct strbuf *text)
{
	struct row row = { .count = 0 };
	bool first = true;
	columns->fill(c, o, &row);
	if (style->namespaces)
		line_cell(text, &first, text_or(o->meta.namespace, ""));
	for (uint32_t i = 0; i < n; i++) {
		const char *value = cells[i] < row.count ? row.cells[cells[i]] : "";
		if (i == 0 && style->prefix)
			value = arena_printf(c->arena, "%s/%s", kind_word(c, kube_schema(o->kind)),
					     value);
		line_cell(text, &first, value);
	}
	for (uint32_t i = 0; i < style->label_count; i++)
		line_cell(text, &first, text_or(kube_map_get(&o->meta.labels,
							     style->label_columns[i]), ""));
	if (style->show_labels)
		line_cell(text, &first, pairs_text(c, &o->meta.labels, "<none>"));
	strbuf_putc(text, '\n');
}

void table_print(struct call *c, const struct group *g, const struct table_style *style)
{
	const struct columns *columns = columns_find(g->schema->kind);
	const char *names[24];
	uint32_t cells[24];
	uint32_t n = chosen_cells(c, columns, style->wide, names, cells);
	struct strbuf text = { 0 };
	if (!style->no_headers)
		header(c, style, names, n, &text);
	for (uint32_t i = 0; i < g->count; i++)
		line(c, style, columns, g->items[i], cells, n, &text);
	tabs_print(strbuf_text(&text), LEAST_WIDTH, PADDING, style->memory, c->out);
	strbuf_free(&text);
}

/* ---- one get --------------------------------------------------------------------- */

static void nothing_found(struct call *c, const struct found *f)
{
	bool namespaced = true;
	for (uint32_t i = 0; i < f->group_count; i++)
		namespaced = namespaced && f->groups[i].schema->namespaced;
	if (call_flag_on(c, "all-namespaces") || !namespaced)
		strbuf_puts(c->err, "No resources found\n");
	else
		strbuf_printf(c->err, "No resources found in %s namespace.\n", call_namespace(c));
}

static uint32_t total(const struct found *f)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->group_count; i++)
		n += f->groups[i].count;
	return n;
}

/* How rows are shown; `several` kinds were asked for. */
static struct table_style style_of(struct call *c, bool several)
{
	const char *output = call_flag(c, "output");
	struct table_style s = {
		.wide = output && strcmp(output, "wide") == 0,
		.no_headers = call_flag_on(c, "no-headers"),
		.show_labels = call_flag_on(c, "show-labels"),
		.namespaces = call_flag_on(c, "all-namespaces"),
		.prefix = several || call_flag_on(c, "show-kind"),
	};
	uint32_t count = 0;
	s.label_columns = arena_array(c->arena, 64, sizeof *s.label_columns);
	const char *list;
	for (uint32_t i = 0; (list = call_flag_nth(c, "label-columns", i)); i++)
		while (*list && count < 64) {
			size_t n = strcspn(list, ",");
			s.label_columns[count++] = arena_strndup(c->arena, list, n);
			list += n + (list[n] == ',');
		}
	s.label_count = count;
	return s;
}

static void print_tables(struct call *c, const struct found *f, bool several)
{
	struct table_style style = style_of(c, several);
	bool first = true;
	for (uint32_t i = 0; i < f->group_count; i++) {
		if (!f->groups[i].count)
			continue;
		if (!first && !style.no_headers)
			strbuf_putc(c->out, '\n');
		first = false;
		table_print(c, &f->groups[i], &style);
	}
}

/* ---- --sort-by ------------------------------------------------------------------- */

struct keyed {
	const struct kube_object *object;
	const struct value *key;
	uint32_t place;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *p = a, *q = b;
	int d = (p->key != NULL) - (q->key != NULL); /* missing values come first */
	if (!d && p->key && p->key->type == VALUE_INT && q->key->type == VALUE_INT)
		d = (p->key->number > q->key->number) - (p->key->number < q->key->number);
	else if (!d && p->key && p->key->type == VALUE_STRING && q->key->type == VALUE_STRING)
		d = strcmp(p->key->text, q->key->text);
	return d ? d : (p->place > q->place) - (p->place < q->place);
}

static int sort_group(struct call *c, struct group *g, const char *path)
{
	struct jsonpath *p;
	struct err err = { "" };
	const char *braces = *path == '{' ? "%s" : *path == '.' ? "{%s}" : "{.%s}";
	char *text = *braces == '%'
			 ? arena_strdup(c->arena, path)
			 : arena_printf(c->arena, "{%s%s}", *path == '.' ? "" : ".", path);
	if (jsonpath_parse(text, &p, &err))
		return call_error(c, "%s", err.text);
	struct keyed *l = arena_array(c->arena, g->count + 1, sizeof *l);
	for (uint32_t i = 0; i < g->count; i++)
		l[i] = (struct keyed){ g->items[i],
				       jsonpath_first(p, value_from_object(c->arena, g->items[i])),
				       i };
	qsort(l, g->count, sizeof *l, by_key);
	for (uint32_t i = 0; i < g->count; i++)
		g->items[i] = l[i].object;
	jsonpath_free(p);
	return 0;
}

/* ---- watching -------------------------------------------------------------------- */

struct watching {
	struct call *c;
	const struct selection *selection;
	const struct kube_selector *labels;
	struct tabs_memory memory;
	struct table_style style;
	bool any; /* the header has been printed */
};

static bool watched(const struct watching *w, const struct kube_object *o)
{
	const struct target *t = &w->selection->items[0];
	if (o->kind != t->schema->kind)
		return false;
	if (t->schema->namespaced && !call_flag_on(w->c, "all-namespaces") &&
	    strcmp(text_or(o->meta.namespace, ""), call_namespace(w->c)) != 0)
		return false;
	if (w->labels && !kube_selector_matches(w->labels, &o->meta.labels))
		return false;
	for (uint32_t i = 0; i < w->selection->count; i++)
		if (!w->selection->items[i].name ||
		    strcmp(w->selection->items[i].name, o->meta.name) == 0)
			return true;
	return false;
}

static void watch_event(void *ctx, enum kube_change change, const struct kube_object *old,
			const struct kube_object *now)
{
	static const char *const words[] = { "ADDED   ", "MODIFIED", "DELETED " };
	struct watching *w = ctx;
	const struct kube_object *o = now ? now : old;
	if (!watched(w, o))
		return;
	const char *format = call_flag(w->c, "output");
	if (!output_is_table(format)) {
		strbuf_puts(w->c->out, w->any && strcmp(format, "yaml") == 0 ? "---\n" : "");
		w->any = true;
		output_print(w->c, format, &o, 1, false);
		return;
	}
	struct group one = { kube_schema(o->kind), &o, 1, 1 };
	w->style.no_headers = w->any || call_flag_on(w->c, "no-headers");
	w->any = true;
	if (call_flag_on(w->c, "output-watch-events"))
		strbuf_printf(w->c->out, "%s   ", words[change]);
	table_print(w->c, &one, &w->style);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static int watch(struct call *c, const struct selection *s, const struct found *f)
{
	if (f->group_count > 1 || s->count == 0)
		return call_error(c, "watch is only supported on individual resources and resource "
				     "collections - more than 1 resource was found");
	struct watching w = { .c = c, .selection = s, .style = style_of(c, false) };
	struct kube_selector labels;
	const char *text = call_flag(c, "selector");
	w.style.memory = &w.memory;
	if (text && selector_parse(c, text, &labels))
		w.labels = &labels;
	if (!call_flag_on(c, "watch-only"))
		for (uint32_t i = 0; i < f->groups[0].count; i++)
			watch_event(&w, KUBE_ADDED, NULL, f->groups[0].items[i]);
	const char *limit = call_flag(c, "request-timeout");
	int64_t ns, until = INT64_MAX;
	if (limit && kube_duration_parse(limit, &ns) && ns > 0)
		until = call_now(c) + ns;
	uint32_t number = kube_watch(c->k->store, s->items[0].schema->kind, 0, watch_event, &w);
	call_wait(c, never, NULL, until);
	kube_unwatch(c->k->store, number);
	return 0;
}

/* ---- the verb -------------------------------------------------------------------- */

static int required(struct call *c)
{
	strbuf_puts(
	    c->err,
	    "You must specify the type of resource to get. Use \"kubectl api-resources\" for a "
	    "complete list of supported resources.\n\nerror: Required resource not specified.\n"
	    "Use \"kubectl explain <resource>\" for a detailed description of that resource "
	    "(e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples\n");
	return 1;
}

/* -f: the objects of the files as they are in the cluster. */
static int from_files(struct call *c, struct selection *s)
{
	const char *path;
	for (uint32_t i = 0; (path = call_flag_nth(c, "filename", i)); i++) {
		const char *text = call_file(c, path);
		if (!text || files_targets(c, path, text, s))
			return 1;
	}
	return 0;
}

static int print_found(struct call *c, const struct selection *s, struct found *f)
{
	const char *format = call_flag(c, "output"), *sort = call_flag(c, "sort-by");
	bool several = f->group_count > 1;
	for (uint32_t i = 0; sort && i < f->group_count; i++)
		if (sort_group(c, &f->groups[i], sort))
			return 1;
	if (call_flag_on(c, "watch") || call_flag_on(c, "watch-only"))
		return watch(c, s, f);
	if (!output_is_table(format)) {
		const struct kube_object **all = arena_array(c->arena, total(f) + 1, sizeof *all);
		uint32_t n = 0;
		for (uint32_t i = 0; i < f->group_count; i++)
			for (uint32_t j = 0; j < f->groups[i].count; j++)
				all[n++] = f->groups[i].items[j];
		bool one = s->count == 1 && s->items[0].name;
		if (f->missing && one)
			return 0;
		return output_print(c, format, all, n, !one);
	}
	print_tables(c, f, several);
	if (!total(f) && !f->missing)
		nothing_found(c, f);
	return 0;
}

int get_run(struct call *c)
{
	struct selection s = { 0 };
	struct found f = { 0 };
	if (output_check(c, call_flag(c, "output")))
		return 1;
	if (call_flag(c, "filename") ? from_files(c, &s) : select_parse(c, 0, &s))
		return 1;
	if (!s.count)
		return call_flag(c, "filename") ? call_error(c, "no objects passed to get")
						: required(c);
	if (call_flag_on(c, "all-namespaces"))
		for (uint32_t i = 0; i < s.count; i++)
			if (s.items[i].name)
				return call_error(
				    c, "a resource cannot be retrieved by name across all "
				       "namespaces");
	if (select_find(c, &s, &f)) {
		found_free(&f);
		return 1;
	}
	int code = print_found(c, &s, &f);
	if (f.missing && !call_flag_on(c, "ignore-not-found")) {
		strbuf_puts(c->err, strbuf_text(&f.said));
		code = 1;
	}
	found_free(&f);
	return code;
}
