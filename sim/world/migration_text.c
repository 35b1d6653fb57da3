/* world/migration_text.c: the list of changes, for people and for programs. */
#include <string.h>

#include "kube/value.h"
#include "world/internal.h"
#include "world/migration.h"

static bool same_group(const struct migration_change *a, const struct migration_change *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->what, b->what) == 0 &&
	       strcmp(a->before, b->before) == 0 && strcmp(a->after, b->after) == 0;
}

void migration_text(const struct migration *m, bool color, struct strbuf *out)
{
	const char *bold = color ? "\033[1m" : "", *plain = color ? "\033[0m" : "";
	uint32_t groups = 0;
	for (uint32_t i = 0, end; i < m->count; i = end) {
		const struct migration_change *first = &m->changes[i];
		strbuf_printf(out, "%s%s%s  %s\n", bold, first->id, plain, first->what);
		for (end = i; end < m->count && same_group(first, &m->changes[end]); end++)
			if (*m->changes[end].service)
				strbuf_printf(out, "    %s\n", m->changes[end].service);
		strbuf_printf(out, "  %s -> %s\n  To do: %s\n\n", first->before, first->after,
			      first->advice);
		groups++;
	}
	if (groups)
		strbuf_printf(out, "%s to %s: %u %s\n", m->from, m->to, groups,
			      groups == 1 ? "change" : "changes");
	else
		strbuf_printf(out, "%s to %s: nothing changes for this cluster\n", m->from, m->to);
	for (const char *line = strbuf_text(&m->notes); *line;) {
		int length = (int)strcspn(line, "\n");
		strbuf_printf(out, "note: %.*s\n", length, line);
		line += length + (line[length] == '\n');
	}
}

static void set(struct arena *a, struct value *map, const char *key, const char *text)
{
	value_set(a, map, key, value_string(a, text));
}

void migration_json(const struct migration *m, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct value *top = value_new(a, VALUE_MAP), *changes = value_new(a, VALUE_LIST);
	struct value *notes = value_new(a, VALUE_LIST);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct migration_change *c = &m->changes[i];
		struct value *one = value_new(a, VALUE_MAP);
		set(a, one, "id", c->id);
		set(a, one, "service", c->service);
		set(a, one, "what", c->what);
		set(a, one, "before", c->before);
		set(a, one, "after", c->after);
		set(a, one, "advice", c->advice);
		value_push(a, changes, one);
	}
	for (const char *line = strbuf_text(&m->notes); *line;) {
		size_t length = strcspn(line, "\n");
		value_push(a, notes, value_string(a, arena_strndup(a, line, length)));
		line += length + (line[length] == '\n');
	}
	set(a, top, "from", m->from);
	set(a, top, "to", m->to);
	value_set(a, top, "changes", changes);
	value_set(a, top, "notes", notes);
	value_print_json(top, 2, out);
	arena_free(a);
}
