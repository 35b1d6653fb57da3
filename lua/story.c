/* lua/story.c: see story.h. */
#include "lua/story.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/picture.h"
#include "report/trace_text.h"

#define STORY_WIDTH 440 /* of pictures: a telephone shows it whole, at four fifths */

static void set(json_t *line, const char *name, const char *text)
{
	json_t *value = json_string(text);
	json_object_set_new(line, name, value ? value : json_string("(not UTF-8)"));
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* An operation's trace has all of its packets. The first one's way ends at a socket, or
 * where the same packet sets out again. */
static uint32_t first_way(const struct trace *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct trace_step *s = &t->steps[i];
		if (i && same(s->node, t->steps->node) && same(s->hook, t->steps->hook) &&
		    same(s->text, t->steps->text))
			return i;
		if (same(s->hook, "socket"))
			return i + 1;
	}
	return t->count;
}

static void add_packet(json_t *line, const struct traced *last)
{
	struct strbuf text = { 0 };
	struct trace first = *last->trace;
	first.count = first_way(last->trace);
	set(line, "about", last->about);
	trace_text(&first, &text);
	set(line, "trace", strbuf_text(&text));
	strbuf_clear(&text);
	picture_packet(&first, last->about, NULL, STORY_WIDTH, &text);
	set(line, "picture", strbuf_text(&text));
	strbuf_free(&text);
}

static json_t *golden_of(const struct script *s)
{
	json_t *names = json_array();
	for (const char *name = strbuf_text(&s->golden); *name; name += strlen(name) + 1)
		json_array_append_new(names, json_string(name));
	return names;
}

void story_add(const struct script *s, const char *sentence)
{
	if (!s->options->story)
		return;
	json_t *line = json_object();
	set(line, "file", s->file);
	set(line, "dataplane", s->dataplane);
	set(line, "test", sentence);
	json_object_set_new(line, "golden", golden_of(s));
	if (s->last && s->last->trace && s->last->trace->count)
		add_packet(line, s->last);
	char *text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
	if (text)
		fprintf(s->options->story, "%s\n", text);
	free(text);
	json_decref(line);
}
