/* kube/value_json.c: JSON as Go's encoding/json writes it: <, >, & and the line
 * separators U+2028 and U+2029 are escaped. */
#include "kube/value.h"

static void print_string(const char *s, struct strbuf *out)
{
	strbuf_putc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		switch (c) {
		case '"': strbuf_puts(out, "\\\""); break;
		case '\\': strbuf_puts(out, "\\\\"); break;
		case '\n': strbuf_puts(out, "\\n"); break;
		case '\r': strbuf_puts(out, "\\r"); break;
		case '\t': strbuf_puts(out, "\\t"); break;
		case '\b': strbuf_puts(out, "\\b"); break;
		case '\f': strbuf_puts(out, "\\f"); break;
		default:
			if (c < 0x20 || c == '<' || c == '>' || c == '&')
				strbuf_printf(out, "\\u%04x", c);
			else if (c == 0xe2 && (unsigned char)s[1] == 0x80 &&
				 ((unsigned char)s[2] & 0xfe) == 0xa8)
				strbuf_printf(out, "\\u20%02x", (unsigned char)*(s += 2) - 0x80u);
			else
				strbuf_putc(out, (char)c);
		}
	}
	strbuf_putc(out, '"');
}

static void new_line(int indent, int level, struct strbuf *out)
{
	if (!indent)
		return;
	strbuf_putc(out, '\n');
	strbuf_fill(out, ' ', indent * level);
}

static void print(const struct value *v, int indent, int level, struct strbuf *out)
{
	bool map = v->type == VALUE_MAP;
	switch (v->type) {
	case VALUE_NULL: strbuf_puts(out, "null"); return;
	case VALUE_BOOL: strbuf_puts(out, v->truth ? "true" : "false"); return;
	case VALUE_INT: strbuf_printf(out, "%lld", (long long)v->number); return;
	case VALUE_FLOAT: strbuf_puts(out, v->text); return;
	case VALUE_STRING: print_string(v->text, out); return;
	default: break;
	}
	strbuf_putc(out, map ? '{' : '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			strbuf_putc(out, ',');
		new_line(indent, level + 1, out);
		if (map) {
			print_string(v->members[i].key, out);
			strbuf_puts(out, indent ? ": " : ":");
		}
		print(v->members[i].value, indent, level + 1, out);
	}
	if (v->count)
		new_line(indent, level, out);
	strbuf_putc(out, map ? '}' : ']');
}

void value_print_json(const struct value *v, int indent, struct strbuf *out)
{
	print(v, indent, 0, out);
	if (indent)
		strbuf_putc(out, '\n');
}
