/* kube/kubectl/tabs.c: elastic tab stops as Go's text/tabwriter lays them out. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

struct tab_cell {
	const char *text;
	uint32_t bytes, width;
};

struct tab_line {
	struct tab_cell *cells;
	uint32_t count; /* at least 1; the last is not part of a column */
};

struct tabs {
	struct arena *arena;
	struct tab_line *lines;
	uint32_t line_count, least, padding;
	uint32_t *widths;
	uint32_t width_count, width_capacity;
	struct tabs_memory *memory;
	struct strbuf *out;
};

/* Characters, not bytes. */
static uint32_t width_of(const char *text, uint32_t bytes)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < bytes; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void split_line(struct tabs *t, struct tab_line *line, const char *text, uint32_t length)
{
	line->count = 1;
	for (uint32_t i = 0; i < length; i++)
		line->count += text[i] == '\t';
	line->cells = arena_array(t->arena, line->count, sizeof *line->cells);
	for (uint32_t i = 0; i < line->count; i++) {
		uint32_t n = 0;
		while (n < length && text[n] != '\t')
			n++;
		line->cells[i] = (struct tab_cell){ text, n, width_of(text, n) };
		text += n + (n < length);
		length -= n + (n < length);
	}
}

/* Whether the text ended in a newline is kept by an empty last line. */
static void split(struct tabs *t, const char *text)
{
	uint32_t count = 1;
	for (const char *p = text; *p; p++)
		count += *p == '\n';
	t->lines = arena_array(t->arena, count, sizeof *t->lines);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = (uint32_t)strcspn(text, "\n");
		split_line(t, &t->lines[i], text, n);
		text += n + (text[n] == '\n');
	}
	t->line_count = count;
}

static void write_lines(struct tabs *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct tab_line *line = &t->lines[i];
		for (uint32_t j = 0; j < line->count; j++) {
			strbuf_add(t->out, line->cells[j].text, line->cells[j].bytes);
			if (j + 1 < line->count && j < t->width_count)
				strbuf_fill(t->out, ' ',
					    (int)(t->widths[j] - line->cells[j].width));
		}
		if (i + 1 < t->line_count)
			strbuf_putc(t->out, '\n');
	}
}

static void push_width(struct tabs *t, uint32_t width)
{
	if (t->width_count == t->width_capacity) {
		uint32_t capacity = t->width_capacity ? 2 * t->width_capacity : 16;
		t->widths = mem_grow(t->widths, t->width_capacity, capacity, sizeof *t->widths);
		t->width_capacity = capacity;
	}
	t->widths[t->width_count++] = width;
}

/* Lays out lines from..to, whose columns before the current one are known. */
static void format(struct tabs *t, uint32_t from, uint32_t to)
{
	uint32_t column = t->width_count;
	for (uint32_t i = from; i < to; i++) {
		if (column + 1 >= t->lines[i].count)
			continue;
		write_lines(t, from, i);
		from = i;
		uint32_t width = t->least;
		for (; i < to && column + 1 < t->lines[i].count; i++) {
			uint32_t w = t->lines[i].cells[column].width + t->padding;
			if (w > width)
				width = w;
		}
		if (t->memory && column < sizeof t->memory->widths / sizeof *t->memory->widths) {
			if (width < t->memory->widths[column])
				width = t->memory->widths[column];
			t->memory->widths[column] = width;
		}
		push_width(t, width);
		format(t, from, i);
		t->width_count--;
		from = i;
		i--;
	}
	write_lines(t, from, to);
}

void tabs_print(const char *text, uint32_t least, uint32_t padding, struct tabs_memory *memory,
		struct strbuf *out)
{
	struct tabs t = { .arena = arena_new(), .least = least, .padding = padding,
			  .memory = memory, .out = out };
	split(&t, text);
	format(&t, 0, t.line_count);
	free(t.widths);
	arena_free(t.arena);
}
