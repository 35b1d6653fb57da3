/* lua/difference.c: a unified difference of two small texts. */
#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"

#define CONTEXT 3
#define TABLE_CELLS 4000000 /* above it the middle is shown as replaced */

struct lines { const char **text; int *length; int count; };

static struct lines split(const char *text)
{
	struct lines l = { 0 };
	int capacity = 0;
	while (*text) {
		if (l.count == capacity) {
			int more = capacity ? capacity * 2 : 64;
			l.text = mem_grow(l.text, (size_t)capacity, (size_t)more, sizeof *l.text);
			l.length = mem_grow(l.length, (size_t)capacity, (size_t)more, sizeof *l.length);
			capacity = more;
		}
		size_t n = strcspn(text, "\n");
		l.text[l.count] = text;
		l.length[l.count++] = (int)n;
		text += n + (text[n] == '\n');
	}
	return l;
}

static bool same(const struct lines *a, int i, const struct lines *b, int j)
{
	return a->length[i] == b->length[j] && memcmp(a->text[i], b->text[j], (size_t)a->length[i]) == 0;
}

/* Edit script: 2 per kept pair of lines, 0 a removed one, 1 an added one. */
static char *script_of_edit(const struct lines *a, const struct lines *b, int *count)
{
	int n = a->count, m = b->count, head = 0, tail = 0, k = 0;
	while (head < n && head < m && same(a, head, b, head))
		head++;
	while (tail < n - head && tail < m - head && same(a, n - 1 - tail, b, m - 1 - tail))
		tail++;
	int rows = n - head - tail, columns = m - head - tail;
	char *edit = mem_alloc((size_t)(n + m) + 1);
	memset(edit, 2, (size_t)head);
	k = head;
	bool small = (int64_t)(rows + 1) * (columns + 1) <= TABLE_CELLS;
	int *common = small ? mem_array((size_t)(rows + 1) * (size_t)(columns + 1), sizeof *common) : NULL;
	for (int i = rows - 1; small && i >= 0; i--)
		for (int j = columns - 1; j >= 0; j--) {
			int *cell = &common[i * (columns + 1) + j];
			int down = cell[columns + 1], right = cell[1];
			*cell = same(a, head + i, b, head + j) ? cell[columns + 2] + 1
				: down >= right ? down : right;
		}
	int i = 0, j = 0;
	while (i < rows || j < columns) {
		const int *cell = small ? &common[i * (columns + 1) + j] : NULL;
		if (i < rows && j < columns && same(a, head + i, b, head + j))
			edit[k++] = 2, i++, j++;
		else if (i < rows && (j == columns || !small || cell[columns + 1] >= cell[1]))
			edit[k++] = 0, i++;
		else
			edit[k++] = 1, j++;
	}
	memset(edit + k, 2, (size_t)tail);
	free(common);
	*count = k + tail;
	return edit;
}

static void hunk(const struct lines *a, const struct lines *b, const char *edit, int from, int to,
		 int i, int j, struct strbuf *out)
{
	int removed = 0, added = 0;
	for (int k = from; k < to; k++) {
		removed += edit[k] != 1;
		added += edit[k] != 0;
	}
	strbuf_printf(out, "@@ -%d,%d +%d,%d @@\n", removed ? i + 1 : i, removed, added ? j + 1 : j,
		      added);
	for (int k = from; k < to; k++) {
		if (edit[k] == 1)
			strbuf_printf(out, "+%.*s\n", b->length[j], b->text[j]);
		else
			strbuf_printf(out, "%c%.*s\n", edit[k] ? ' ' : '-', a->length[i], a->text[i]);
		i += edit[k] != 1;
		j += edit[k] != 0;
	}
}

void unified_difference(const char *from_name, const char *from, const char *to_name,
			const char *to, struct strbuf *out)
{
	struct lines a = split(from), b = split(to);
	int count, i = 0, j = 0, at = 0;
	char *edit = script_of_edit(&a, &b, &count);
	strbuf_printf(out, "--- %s\n+++ %s\n", from_name, to_name);
	for (int k = 0; k < count; k++) {
		if (edit[k] == 2)
			continue;
		int begin = k - CONTEXT > at ? k - CONTEXT : at, end = k + 1, kept = 0;
		for (int e = k + 1; e < count && kept <= 2 * CONTEXT; e++) {
			kept = edit[e] == 2 ? kept + 1 : 0;
			end = edit[e] == 2 ? end : e + 1;
		}
		end = end + CONTEXT < count ? end + CONTEXT : count;
		for (; at < begin; at++) {
			i += edit[at] != 1;
			j += edit[at] != 0;
		}
		hunk(&a, &b, edit, begin, end, i, j, out);
		for (; at < end; at++) {
			i += edit[at] != 1;
			j += edit[at] != 0;
		}
		k = end - 1;
	}
	free(edit);
	free(a.text);
	free(a.length);
	free(b.text);
	free(b.length);
}
