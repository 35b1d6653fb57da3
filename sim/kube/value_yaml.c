/* kube/value_yaml.c: YAML as sigs.k8s.io/yaml (go-yaml v2) writes it.
 *
 * Which of the styles a string gets, and where a long one is folded, follows the
 * emitter that go-yaml shares with libyaml: plain where it reads back as the same
 * string; a literal block for several lines; double quotes where a plain text would
 * be of another type or has characters that need escapes; single quotes for the
 * rest. Lines are folded at a blank beyond column 80. */
#include <string.h>

#include "kube/scalar.h"
#include "kube/value.h"

#define WIDTH 80

struct printer {
	struct strbuf *out;
	size_t line; /* offset where the current line begins */
};

struct features { /* of a string: what forbids which style */
	bool multiline, special, plain_ok, single_ok, block_ok;
};

/* ---- what a string is like ------------------------------------------------------- */

/* Dates, and numbers of base 60, which older parsers take for something else. */
static bool like_date(const char *s)
{
	int dashes = 0;
	for (int i = 0; i < 4; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	if (s[4] != '-')
		return false;
	for (const char *p = s + 4; *p; p++) {
		if (*p == '-')
			dashes++;
		else if (!strchr("0123456789Tt: .Zz+", *p))
			return false;
	}
	return dashes >= 2;
}

static bool like_base60(const char *s)
{
	if (*s == '-' || *s == '+')
		s++;
	if (*s < '0' || *s > '9' || !strchr(s, ':'))
		return false;
	for (; *s; s++)
		if (!strchr("0123456789_:.", *s))
			return false;
	return true;
}

static bool reads_as_string(const char *s)
{
	return scalar_resolve(s, strlen(s)).type == SCALAR_STRING && !like_date(s) &&
	       !like_base60(s);
}

/* Length of a printable character at `p`; 0: it needs an escape. */
static int printable(const unsigned char *p)
{
	if (*p < 0x80)
		return (*p >= 0x20 && *p < 0x7f) || *p == '\n';
	int length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
	for (int i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (length == 4 || (p[0] == 0xc2 && p[1] < 0xa0) ||
	    (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf))
		return 0;
	return length;
}

static bool blank_or_end(char c)
{
	return c == ' ' || c == '\0' || c == '\n';
}

/* Characters that mean something else in a block context. */
static bool has_indicators(const char *s)
{
	if (strncmp(s, "---", 3) == 0 || strncmp(s, "...", 3) == 0 ||
	    strchr("#,[]{}&*!|>'\"%@`", *s))
		return true;
	if ((*s == '-' || *s == '?' || *s == ':') && blank_or_end(s[1]))
		return true;
	for (const char *p = s + 1; *p; p++)
		if ((*p == ':' && blank_or_end(p[1])) || (*p == '#' && blank_or_end(p[-1])))
			return true;
	return false;
}

static struct features analyse(const char *s)
{
	struct features f = { .plain_ok = true, .single_ok = true, .block_ok = true };
	size_t length = strlen(s);
	if (!length) {
		f.plain_ok = f.block_ok = false;
		return f;
	}
	bool break_space = false, space_break = false, separator = false;
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		int n = printable(p);
		f.special |= n == 0;
		f.multiline |= *p == '\n';
		separator |= p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
		break_space |= *p == '\n' && p[1] == ' ';
		space_break |= *p == ' ' && p[1] == '\n';
		p += n ? n : 1;
	}
	bool leading = s[0] == ' ' || s[0] == '\n';
	bool trailing = s[length - 1] == ' ' || s[length - 1] == '\n';
	if (leading || trailing || separator || f.multiline || has_indicators(s))
		f.plain_ok = false;
	if (s[length - 1] == ' ')
		f.block_ok = false;
	if (break_space)
		f.plain_ok = f.single_ok = false;
	if (space_break || f.special)
		f.plain_ok = f.single_ok = f.block_ok = false;
	return f;
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_break(struct printer *p, int indent)
{
	strbuf_putc(p->out, '\n');
	p->line = p->out->length;
	strbuf_fill(p->out, ' ', indent);
}

static size_t column(const struct printer *p)
{
	size_t n = 0;
	for (size_t i = p->line; i < p->out->length; i++)
		n += ((unsigned char)p->out->data[i] & 0xc0) != 0x80;
	return n;
}

/* Plain and single-quoted text: folded at single blanks. */
static void put_folded(struct printer *p, const char *s, int indent, bool quoted, bool foldable)
{
	for (const char *c = s; *c; c++) {
		bool alone = *c == ' ' && (c == s || c[-1] != ' ') && c[1] != ' ';
		bool inside = !quoted || (c > s && c[1]);
		if (foldable && alone && inside && column(p) > WIDTH) {
			put_break(p, indent);
		} else {
			if (quoted && *c == '\'')
				strbuf_putc(p->out, '\'');
			strbuf_putc(p->out, *c);
		}
	}
}

static void put_escape(struct strbuf *out, const unsigned char *p, int *length)
{
	static const char plain[] = "\a\b\t\n\v\f\r\x1b\"\\", names[] = "abtnvfre\"\\";
	const char *at = strchr(plain, *p);
	*length = 1;
	if (*p && at) {
		strbuf_printf(out, "\\%c", names[at - plain]);
		return;
	}
	unsigned code = *p;
	if (*p >= 0xc2) {
		*length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
		code = *p & (0xffu >> (*length + 1));
		for (int i = 1; i < *length; i++) {
			if ((p[i] & 0xc0) != 0x80) { /* no UTF-8: the byte by itself */
				*length = 1;
				code = *p;
				break;
			}
			code = code << 6 | (p[i] & 0x3fu);
		}
	}
	if (code <= 0xff)
		strbuf_printf(out, "\\x%02X", code);
	else
		strbuf_printf(out, code <= 0xffff ? "\\u%04X" : "\\U%08X", code);
}

static void put_double(struct printer *p, const char *s, int indent, bool foldable)
{
	const unsigned char *start = (const unsigned char *)s, *c = start;
	bool spaces = false;
	strbuf_putc(p->out, '"');
	while (*c) {
		int n = printable(c);
		if (n == 0 || *c == '"' || *c == '\\' || *c == '\n') {
			put_escape(p->out, c, &n);
			spaces = false;
		} else if (*c == ' ') {
			if (foldable && !spaces && column(p) > WIDTH && c > start && c[1]) {
				put_break(p, indent);
				if (c[1] == ' ')
					strbuf_putc(p->out, '\\');
			} else {
				strbuf_putc(p->out, ' ');
			}
			spaces = true;
		} else {
			strbuf_add(p->out, c, (size_t)n);
			spaces = false;
		}
		c += n;
	}
	strbuf_putc(p->out, '"');
}

static void put_literal(struct printer *p, const char *s, int indent)
{
	size_t length = strlen(s);
	strbuf_putc(p->out, '|');
	if (*s == ' ' || *s == '\n')
		strbuf_printf(p->out, "%d", 2);
	if (s[length - 1] != '\n')
		strbuf_putc(p->out, '-');
	else if (length == 1 || s[length - 2] == '\n')
		strbuf_putc(p->out, '+');
	for (const char *line = s; *line;) {
		size_t n = strcspn(line, "\n");
		put_break(p, n ? indent : 0);
		strbuf_add(p->out, line, n);
		line += n + (line[n] == '\n');
	}
}

/* `indent`: of the lines after the first. */
static void put_string(struct printer *p, const char *s, int indent, bool key)
{
	struct features f = analyse(s);
	bool plain = reads_as_string(s);
	bool short_key = !key || (strlen(s) <= 128 && !f.multiline);
	if (f.multiline && f.block_ok && !key) {
		put_literal(p, s, indent);
	} else if (plain && f.plain_ok && !f.multiline && short_key) {
		put_folded(p, s, indent, false, !key);
	} else if (plain && f.single_ok && !f.multiline) {
		strbuf_putc(p->out, '\'');
		put_folded(p, s, indent, true, !key);
		strbuf_putc(p->out, '\'');
	} else {
		put_double(p, s, indent, !key);
	}
}

static void put_value(struct printer *p, const struct value *v, int indent);

/* Members of a map, the first where the line stands. */
static void put_map(struct printer *p, const struct value *v, int indent)
{
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *item = v->members[i].value;
		if (i)
			put_break(p, indent);
		put_string(p, v->members[i].key, indent + 2, true);
		strbuf_putc(p->out, ':');
		if (item->type == VALUE_MAP && item->count) {
			put_break(p, indent + 2);
			put_map(p, item, indent + 2);
		} else if (item->type == VALUE_LIST && item->count) {
			put_break(p, indent);
			put_value(p, item, indent);
		} else {
			strbuf_putc(p->out, ' ');
			put_value(p, item, indent + 2);
		}
	}
}

static void put_value(struct printer *p, const struct value *v, int indent)
{
	switch (v->type) {
	case VALUE_NULL: strbuf_puts(p->out, "null"); break;
	case VALUE_BOOL: strbuf_puts(p->out, v->truth ? "true" : "false"); break;
	case VALUE_INT: strbuf_printf(p->out, "%lld", (long long)v->number); break;
	case VALUE_FLOAT: strbuf_puts(p->out, v->text); break;
	case VALUE_STRING: put_string(p, v->text, indent, false); break;
	case VALUE_MAP:
		if (v->count)
			put_map(p, v, indent);
		else
			strbuf_puts(p->out, "{}");
		break;
	case VALUE_LIST:
		if (!v->count)
			strbuf_puts(p->out, "[]");
		for (uint32_t i = 0; i < v->count; i++) {
			if (i)
				put_break(p, indent);
			strbuf_puts(p->out, "- ");
			put_value(p, v->members[i].value, indent + 2);
		}
		break;
	}
}

void value_print_yaml(const struct value *v, struct strbuf *out)
{
	struct printer p = { out, out->length };
	put_value(&p, v, 0);
	strbuf_putc(out, '\n');
}
