/* net/compare_text.c: a comparison for people; see compare.h. */
#include <stdlib.h>
#include <string.h>

#include "net/compare_internal.h"

void comparison_free(struct comparison *c)
{
	struct comparison_memory *m = (struct comparison_memory *)c;
	if (!c)
		return;
	arena_free(m->memory);
	free(c->differences);
	free(m);
}

static void print_headline(const struct compare_difference *d, struct strbuf *out)
{
	strbuf_printf(out, "%s, flow %s: ", d->interface, d->flow);
	switch (d->kind) {
	case COMPARE_FIELD:
		strbuf_printf(out, "%s differs: %s / %s\n", d->field, d->a, d->b);
		break;
	case COMPARE_MISSING:
		strbuf_puts(out, "packet missing in the second capture\n");
		break;
	case COMPARE_EXTRA:
		strbuf_puts(out, "packet missing in the first capture\n");
		break;
	case COMPARE_ORDER:
		strbuf_puts(out, "packet at another place of its flow\n");
		break;
	case COMPARE_INTERFACE:
		strbuf_printf(out, "only one capture has packets of this interface: %s / %s; "
				   "the first:\n", d->a, d->b);
		break;
	}
}

static void print_packet(const char *file, int width, uint32_t number, const char *line,
			 struct strbuf *out)
{
	if (line)
		strbuf_printf(out, "  %-*s #%-4u %s\n", width, file, number, line);
	else
		strbuf_printf(out, "  %-*s (none)\n", width, file);
}

static void print_trace(const char *file, const char *trace, struct strbuf *out)
{
	if (*trace)
		strbuf_printf(out, "  what decided in %s:\n", file);
	while (*trace) {
		int length = (int)strcspn(trace, "\n");
		strbuf_printf(out, "    %.*s\n", length, trace);
		trace += length + (trace[length] == '\n');
	}
}

void comparison_print(const struct comparison *c, const char *a_name, const char *b_name,
		      uint32_t limit, struct strbuf *out)
{
	int a_width = (int)strlen(a_name), b_width = (int)strlen(b_name);
	int width = a_width > b_width ? a_width : b_width;
	const char *told = "";
	for (uint32_t i = 0; i < c->count && (!limit || i < limit); i++) {
		const struct compare_difference *d = &c->differences[i];
		print_headline(d, out);
		print_packet(a_name, width, d->a_number, d->a_line, out);
		print_packet(b_name, width, d->b_number, d->b_line, out);
		if (strcmp(d->trace, told) != 0)
			print_trace(b_name, d->trace, out);
		told = d->trace;
	}
	if (limit && c->count > limit)
		strbuf_printf(out, "... and %u more\n", c->count - limit);
	strbuf_printf(out, "%u packets compared, %u difference%s", c->compared, c->count,
		      c->count == 1 ? "" : "s");
	if (c->left_out)
		strbuf_printf(out, " (%u frames of ARP, neighbour discovery and the like left out)",
			      c->left_out);
	strbuf_putc(out, '\n');
}
