/* cli/shell/text.c: filters: grep, head, tail, wc, sort, uniq, cut, tr, xargs. */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

/* Calls fn with each line, without its newline. */
static void each_line(struct call *c, const char *text, void *ctx,
		      void (*fn)(struct call *c, void *ctx, char *line, uint32_t number))
{
	for (uint32_t number = 1; *text; number++) {
		size_t n = strcspn(text, "\n");
		fn(c, ctx, arena_strndup(c->arena, text, n), number);
		text += n + (text[n] == '\n');
	}
}

/* Options in one word ("-nv") or apart; returns the index behind them. `valued`: letters
 * whose value follows. */
struct letters { const char *known, *valued; bool on[128]; const char *value[128]; };

static int take_letters(struct call *c, struct letters *l)
{
	int i = 1;
	for (; i < c->argc && c->argv[i][0] == '-' && c->argv[i][1]; i++) {
		if (strcmp(c->argv[i], "--") == 0)
			return i + 1;
		if (strncmp(c->argv[i], "--", 2) == 0)
			continue; /* --color=auto and the like */
		for (const char *f = c->argv[i] + 1; *f; f++) {
			unsigned char letter = (unsigned char)*f & 127;
			l->on[letter] = true;
			if (!strchr(l->valued, *f)) {
				if (!strchr(l->known, *f))
					return -call_fail(c, 2, "invalid option -- '%c'", *f);
				continue;
			}
			l->value[letter] = f[1] ? f + 1 : i + 1 < c->argc ? c->argv[++i] : "";
			break;
		}
	}
	return i;
}

/* ---- grep ------------------------------------------------------------------------------- */

struct grep {
	const struct letters *l;
	regex_t *patterns;
	uint32_t pattern_count;
	long before, after, last_shown, left, found;
	char **lines;            /* those before, for -B */
	uint32_t line_count;
};

static bool matches(const struct grep *g, const char *line, regmatch_t *m)
{
	for (uint32_t i = 0; i < g->pattern_count; i++)
		if (regexec(&g->patterns[i], line, 1, m, 0) == 0)
			return true;
	return false;
}

static void show_line(struct call *c, struct grep *g, uint32_t number, char mark)
{
	if (g->l->on['n'])
		strbuf_printf(c->out, "%u%c", number, mark);
	strbuf_printf(c->out, "%s\n", g->lines[number - 1]);
	g->last_shown = number;
}

static void grep_line(struct call *c, void *ctx, char *line, uint32_t number)
{
	struct grep *g = ctx;
	regmatch_t m = { 0, 0 };
	g->lines = mem_grow(g->lines, g->line_count, g->line_count + 1, sizeof *g->lines);
	g->lines[g->line_count++] = line;
	bool hit = matches(g, line, &m) != g->l->on['v'];
	g->found += hit;
	if (g->l->on['c'] || g->l->on['q'] || (g->l->value['m'] && g->found > atol(g->l->value['m'])))
		return;
	if (!hit) {
		if (g->left-- > 0)
			show_line(c, g, number, '-');
		return;
	}
	if (g->l->on['o']) {
		for (const char *at = line; *at && matches(g, at, &m); at += m.rm_eo ? m.rm_eo : 1)
			if (m.rm_eo > m.rm_so)
				strbuf_printf(c->out, "%.*s\n", (int)(m.rm_eo - m.rm_so), at + m.rm_so);
		return;
	}
	long from = (long)number - g->before;
	from = from > g->last_shown ? from : g->last_shown + 1;
	if ((g->before || g->after) && g->last_shown && from > g->last_shown + 1)
		strbuf_puts(c->out, "--\n");
	for (long i = from < 1 ? 1 : from; i < number; i++)
		show_line(c, g, (uint32_t)i, '-');
	show_line(c, g, number, ':');
	g->left = g->after;
}

/* -F: every special character quoted. -w: between non-words. */
static char *grep_pattern(struct call *c, const struct letters *l, const char *text)
{
	struct strbuf out = { 0 };
	for (const char *at = text; l->on['F'] && *at; at++) {
		if (strchr(".[]*^$\\", *at))
			strbuf_putc(&out, '\\');
		strbuf_putc(&out, *at);
	}
	const char *pattern = l->on['F'] ? strbuf_text(&out) : text;
	char *copy = l->on['w'] ? arena_printf(c->arena, "\\b%s\\b", pattern)
		     : l->on['x'] ? arena_printf(c->arena, "^%s$", pattern)
				  : arena_strdup(c->arena, pattern);
	strbuf_free(&out);
	return copy;
}

static int grep(struct call *c)
{
	struct letters l = { .known = "EFPivnocqwxhHsrl", .valued = "eABCm" };
	int first = take_letters(c, &l);
	struct strbuf text = { 0 };
	regex_t pattern;
	if (first < 0)
		return -first;
	l.on['E'] |= strcmp(c->argv[0], "egrep") == 0 || l.on['P'];
	l.on['F'] |= strcmp(c->argv[0], "fgrep") == 0;
	const char *given = l.value['e'] ? l.value['e'] : first < c->argc ? c->argv[first++] : NULL;
	if (!given)
		return call_fail(c, 2, "expected PATTERN [FILE...]");
	int flags = (l.on['E'] && !l.on['F'] ? REG_EXTENDED : 0) | (l.on['i'] ? REG_ICASE : 0);
	if (regcomp(&pattern, grep_pattern(c, &l, given), flags) != 0)
		return call_fail(c, 2, "%s: no regular expression", given);
	const char *around = l.value['C'];
	struct grep g = { .l = &l, .patterns = &pattern, .pattern_count = 1 };
	g.before = l.value['B'] || around ? atol(l.value['B'] ? l.value['B'] : around) : 0;
	g.after = l.value['A'] || around ? atol(l.value['A'] ? l.value['A'] : around) : 0;
	int status = call_input(c, first, &text) ? 2 : 0;
	each_line(c, strbuf_text(&text), &g, grep_line);
	if (l.on['c'])
		strbuf_printf(c->out, "%ld\n", g.found);
	regfree(&pattern);
	free(g.lines);
	strbuf_free(&text);
	return status ? status : !g.found;
}

/* ---- head, tail, wc ------------------------------------------------------------------------- */

static int head(struct call *c)
{
	struct letters l = { .known = "q0123456789", .valued = "nc" };
	struct strbuf text = { 0 };
	long count = 10;
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	if (c->argc > 1 && c->argv[1][0] == '-' && isdigit((unsigned char)c->argv[1][1]))
		count = atol(c->argv[1] + 1);
	if (l.value['n'])
		count = atol(l.value['n']);
	int status = call_input(c, first, &text);
	const char *at = strbuf_text(&text);
	if (l.value['c']) {
		size_t n = strtoul(l.value['c'], NULL, 10);
		strbuf_add(c->out, at, n < text.length ? n : text.length);
		count = 0;
	}
	long lines = 0;
	for (const char *p = at; *p; p++)
		lines += *p == '\n' || !p[1];
	if (count < 0)
		count = lines + count;
	for (; count > 0 && *at; count--) {
		size_t n = strcspn(at, "\n");
		n += at[n] == '\n';
		strbuf_add(c->out, at, n);
		at += n;
	}
	strbuf_free(&text);
	return status;
}

static int tail(struct call *c)
{
	struct letters l = { .known = "qfF0123456789", .valued = "n" };
	struct strbuf text = { 0 };
	const char *wanted = "10";
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	if (c->argc > 1 && c->argv[1][0] == '-' && isdigit((unsigned char)c->argv[1][1]))
		wanted = c->argv[1] + 1;
	if (l.value['n'])
		wanted = l.value['n'];
	int status = call_input(c, first, &text);
	const char *at = strbuf_text(&text), *from = at + text.length;
	if (*wanted == '+') {
		long skip = atol(wanted + 1) - 1;
		for (from = at; skip > 0 && *from; skip--) {
			size_t n = strcspn(from, "\n");
			from += n + (from[n] == '\n');
		}
	} else {
		long count = labs(atol(wanted));
		for (; count > 0 && from > at; count--) {
			from--;
			while (from > at && from[-1] != '\n')
				from--;
		}
	}
	strbuf_puts(c->out, from);
	strbuf_free(&text);
	return status;
}

static int wc(struct call *c)
{
	struct letters l = { .known = "lwcm", .valued = "" };
	struct strbuf text = { 0 };
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	int status = call_input(c, first, &text);
	unsigned long lines = 0, words = 0, bytes = text.length;
	bool inside = false, all = !l.on['l'] && !l.on['w'] && !l.on['c'] && !l.on['m'];
	for (const char *p = strbuf_text(&text); *p; p++) {
		bool blank = isspace((unsigned char)*p);
		lines += *p == '\n';
		words += !blank && !inside;
		inside = !blank;
	}
	const char *name = first < c->argc ? c->argv[first] : "";
	if (all) {
		strbuf_printf(c->out, "%7lu %7lu %7lu%s%s\n", lines, words, bytes, *name ? " " : "", name);
	} else {
		const char *gap = "";
		if (l.on['l']) {
			strbuf_printf(c->out, "%lu", lines);
			gap = " ";
		}
		if (l.on['w']) {
			strbuf_printf(c->out, "%s%lu", gap, words);
			gap = " ";
		}
		if (l.on['c'] || l.on['m'])
			strbuf_printf(c->out, "%s%lu", gap, bytes);
		strbuf_printf(c->out, "%s%s\n", *name ? " " : "", name);
	}
	strbuf_free(&text);
	return status;
}

/* ---- sort, uniq ---------------------------------------------------------------------------------- */

struct sorted { char *line; const char *key; uint32_t number; };
struct sorting { struct sorted *items; uint32_t count; const struct letters *l; };

/* qsort passes no context: the order is in each item's place in this one comparison. */
static int by_text(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int order = strcmp(a->key, b->key);
	if (!order)
		order = strcmp(a->line, b->line);
	return order ? order : a->number < b->number ? -1 : 1;
}

static int by_number(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	double x = strtod(a->key, NULL), y = strtod(b->key, NULL);
	return x < y ? -1 : x > y ? 1 : by_text(left, right);
}

static int by_version(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int order = strverscmp(a->key, b->key);
	return order ? order : by_text(left, right);
}

static const char *key_of(const struct letters *l, const char *line)
{
	long field = l->value['k'] ? strtol(l->value['k'], NULL, 10) : 1;
	char separator = l->value['t'] ? *l->value['t'] : '\0';
	for (; field > 1 && *line; field--) {
		if (separator) {
			line += strcspn(line, (char[]){ separator, '\0' });
			line += *line != '\0';
		} else {
			line += strspn(line, " \t");
			line += strcspn(line, " \t");
		}
	}
	return line + (separator ? 0 : strspn(line, " \t"));
}

static void sort_line(struct call *c, void *ctx, char *line, uint32_t number)
{
	struct sorting *s = ctx;
	(void)c;
	s->items = mem_grow(s->items, s->count, s->count + 1, sizeof *s->items);
	s->items[s->count++] = (struct sorted){ line, s->l->value['k'] ? key_of(s->l, line) : line, number };
}

static int sort(struct call *c)
{
	struct letters l = { .known = "nruVhfb", .valued = "kt" };
	struct strbuf text = { 0 };
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	const char *key = l.value['k'];
	struct sorting s = { .l = &l };
	int status = call_input(c, first, &text);
	each_line(c, strbuf_text(&text), &s, sort_line);
	bool numeric = l.on['n'] || l.on['h'] || (key && strchr(key, 'n'));
	bool reverse = l.on['r'] || (key && strchr(key, 'r'));
	if (s.count)
		qsort(s.items, s.count, sizeof *s.items,
		      numeric ? by_number : l.on['V'] ? by_version : by_text);
	for (uint32_t i = 0; i < s.count; i++) {
		const struct sorted *now = &s.items[reverse ? s.count - 1 - i : i];
		const struct sorted *before = i ? &s.items[reverse ? s.count - i : i - 1] : NULL;
		if (!(l.on['u'] && before && strcmp(before->line, now->line) == 0))
			strbuf_printf(c->out, "%s\n", now->line);
	}
	free(s.items);
	strbuf_free(&text);
	return status;
}

struct uniq { const struct letters *l; char *line; uint32_t count; };

static void uniq_end(struct call *c, struct uniq *u)
{
	if (!u->line || (u->l->on['d'] && u->count < 2) || (u->l->on['u'] && u->count > 1))
		return;
	if (u->l->on['c'])
		strbuf_printf(c->out, "%7u ", u->count);
	strbuf_printf(c->out, "%s\n", u->line);
}

static void uniq_line(struct call *c, void *ctx, char *line, uint32_t number)
{
	struct uniq *u = ctx;
	(void)number;
	if (u->line && strcmp(u->line, line) == 0) {
		u->count++;
		return;
	}
	uniq_end(c, u);
	u->line = line;
	u->count = 1;
}

static int uniq(struct call *c)
{
	struct letters l = { .known = "cdu", .valued = "" };
	struct strbuf text = { 0 };
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	struct uniq u = { .l = &l };
	int status = call_input(c, first, &text);
	each_line(c, strbuf_text(&text), &u, uniq_line);
	uniq_end(c, &u);
	strbuf_free(&text);
	return status;
}

/* ---- cut, tr, xargs ------------------------------------------------------------------------------- */

static bool in_list(const char *list, long n)
{
	while (*list) {
		char *end;
		long from = *list == '-' ? 1 : strtol(list, &end, 10), to = from;
		if (*list == '-')
			end = (char *)(uintptr_t)list;
		if (*end == '-')
			to = end[1] >= '0' && end[1] <= '9' ? strtol(end + 1, &end, 10) : (end++, 1000000);
		if (n >= from && n <= to)
			return true;
		list = *end == ',' ? end + 1 : "";
	}
	return false;
}

static void cut_line(struct call *c, void *ctx, char *line, uint32_t number)
{
	const struct letters *l = ctx;
	char separator[2] = { l->value['d'] ? *l->value['d'] : '\t', '\0' };
	bool any = false;
	(void)number;
	if (l->value['c']) {
		for (long i = 0; line[i]; i++)
			if (in_list(l->value['c'], i + 1))
				strbuf_putc(c->out, line[i]);
	} else if (!strchr(line, separator[0])) {
		strbuf_puts(c->out, line);
	} else {
		for (long field = 1; line; field++) {
			size_t n = strcspn(line, separator);
			if (in_list(l->value['f'], field)) {
				strbuf_printf(c->out, "%s%.*s", any ? separator : "", (int)n, line);
				any = true;
			}
			line = line[n] ? line + n + 1 : NULL;
		}
	}
	strbuf_putc(c->out, '\n');
}

static int cut(struct call *c)
{
	struct letters l = { .known = "s", .valued = "dfcb" };
	struct strbuf text = { 0 };
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	if (l.value['b'])
		l.value['c'] = l.value['b'];
	if (!l.value['f'] && !l.value['c'])
		return call_fail(c, 1, "you must specify a list of bytes, characters, or fields");
	int status = call_input(c, first, &text);
	each_line(c, strbuf_text(&text), &l, cut_line);
	strbuf_free(&text);
	return status;
}

/* "a-z\n[:space:]" to its characters. */
static void char_set(const char *text, struct strbuf *out)
{
	static const struct { const char *name, *from, *to; } classes[] = {
		{ "[:lower:]", "a", "z" }, { "[:upper:]", "A", "Z" }, { "[:digit:]", "0", "9" },
	};
	for (; *text; text++) {
		char low = *text, high = *text;
		for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
			if (strncmp(text, classes[i].name, 9) == 0) {
				low = *classes[i].from;
				high = *classes[i].to;
				text += 8;
			}
		if (low == '[' && strncmp(text, "[:space:]", 9) == 0) {
			strbuf_puts(out, " \t\n");
			text += 8;
			continue;
		}
		if (low == '\\' && text[1]) {
			text++;
			low = high = *text == 'n' ? '\n' : *text == 't' ? '\t' : *text;
		} else if (low == high && text[1] == '-' && text[2]) {
			high = text[2];
			text += 2;
		}
		for (int ch = (unsigned char)low; ch <= (unsigned char)high; ch++)
			strbuf_putc(out, (char)ch);
	}
}

static int tr(struct call *c)
{
	struct letters l = { .known = "dsc", .valued = "" };
	struct strbuf from = { 0 }, to = { 0 };
	int first = take_letters(c, &l);
	if (first < 0)
		return -first;
	if (first >= c->argc)
		return call_fail(c, 1, "missing operand");
	char_set(c->argv[first], &from);
	if (first + 1 < c->argc)
		char_set(c->argv[first + 1], &to);
	const char *text = io_take(c->io);
	char before = '\0';
	for (; text && *text; text++) {
		const char *at = strchr(strbuf_text(&from), *text);
		bool hit = (at != NULL) != l.on['c'];
		size_t index = at ? (size_t)(at - from.data) : from.length;
		char put = *text;
		if (hit && l.on['d'])
			continue;
		if (hit && to.length)
			put = to.data[index < to.length ? index : to.length - 1];
		if (!(hit && l.on['s'] && put == before))
			strbuf_putc(c->out, put);
		before = hit ? put : '\0';
	}
	strbuf_free(&from);
	strbuf_free(&to);
	return 0;
}

static int xargs(struct call *c)
{
	struct letters l = { .known = "rt0", .valued = "nIiP" };
	int first = take_letters(c, &l), status = 0;
	if (first < 0)
		return -first;
	const char *text = io_take(c->io);
	struct fields words = { .arena = c->arena };
	char *copy = arena_strdup(c->arena, text ? text : ""), *save = NULL;
	for (char *w = strtok_r(copy, l.value['I'] ? "\n" : " \t\n", &save); w;
	     w = strtok_r(NULL, l.value['I'] ? "\n" : " \t\n", &save))
		fields_add(&words, w);
	uint32_t group = l.value['I'] ? 1 : l.value['n'] ? (uint32_t)atoi(l.value['n']) : words.count;
	for (uint32_t i = 0; i < words.count && group && !shell_must_stop(c->s); i += group) {
		struct fields line = { .arena = c->arena };
		for (int k = first; k < c->argc; k++)
			fields_add(&line, l.value['I'] && strcmp(c->argv[k], l.value['I']) == 0
						  ? words.items[i] : c->argv[k]);
		if (first >= c->argc)
			fields_add(&line, "echo");
		for (uint32_t k = i; !l.value['I'] && k < words.count && k < i + group; k++)
			fields_add(&line, words.items[k]);
		fields_add(&line, "");
		line.items[--line.count] = NULL;
		struct io io = { .out = c->out, .err = c->err };
		if (shell_command(c->s, (int)line.count, line.items, &io) != 0)
			status = 123;
	}
	return status;
}

const struct tool text_tools[] = {
	{ "cut", cut, NULL }, { "egrep", grep, NULL }, { "fgrep", grep, NULL }, { "grep", grep, NULL },
	{ "head", head, NULL }, { "sort", sort, NULL }, { "tail", tail, NULL }, { "tr", tr, NULL },
	{ "uniq", uniq, NULL }, { "wc", wc, NULL }, { "xargs", xargs, NULL }, { NULL, NULL, NULL },
};
