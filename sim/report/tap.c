/* report/tap.c: see tap.h. */
#include "report/tap.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/table.h"

struct tap {
	FILE *out;
	unsigned planned, run, failed;
	bool bailed, repeated;
	struct table names;
	struct arena *arena;
};

struct tap *tap_new(FILE *out, unsigned planned)
{
	struct tap *t = mem_alloc(sizeof *t);
	t->out = out;
	t->planned = planned;
	t->arena = arena_new();
	table_init(&t->names, TABLE_STRING_KEYS, sizeof(unsigned));
	fprintf(out, "TAP version 13\n1..%u\n", planned);
	return t;
}

/* '#' would start a directive and a line break a new line. */
static void print_name(struct tap *t, const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p == '#')
			fputs("\\#", t->out);
		else
			fputc(*p == '\n' ? ' ' : *p, t->out);
	}
	bool added;
	unsigned *times = table_put(&t->names, arena_strdup(t->arena, name), &added);
	if (++*times > 1) {
		fprintf(t->out, " (%u)", *times);
		t->repeated = true;
	}
}

static void line(struct tap *t, bool ok, const char *name, const char *directive,
		 const char *reason)
{
	fprintf(t->out, "%s %u - ", ok ? "ok" : "not ok", ++t->run);
	print_name(t, name);
	if (directive)
		fprintf(t->out, " # %s %s", directive, reason);
	fputc('\n', t->out);
	fflush(t->out);
}

bool tap_result(struct tap *t, bool ok, const char *name)
{
	line(t, ok, name, NULL, NULL);
	t->failed += !ok;
	return ok;
}

void tap_skip(struct tap *t, const char *name, const char *reason)
{
	line(t, true, name, "SKIP", reason);
}

void tap_todo(struct tap *t, bool ok, const char *name, const char *reason)
{
	line(t, ok, name, "TODO", reason);
}

void tap_diagnose(struct tap *t, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		fprintf(t->out, "# %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
	fflush(t->out);
}

void tap_bail(struct tap *t, const char *reason)
{
	fprintf(t->out, "Bail out! %s\n", reason);
	fflush(t->out);
	t->bailed = true;
}

unsigned tap_failures(const struct tap *t)
{
	return t->failed;
}

bool tap_end(struct tap *t)
{
	bool good = !t->failed && !t->bailed && !t->repeated && t->run == t->planned;
	if (t->run != t->planned && !t->bailed)
		fprintf(t->out, "# planned %u tests, ran %u\n", t->planned, t->run);
	if (t->repeated)
		fprintf(t->out, "# test names are not unique\n");
	fflush(t->out);
	table_free(&t->names);
	arena_free(t->arena);
	free(t);
	return good;
}
