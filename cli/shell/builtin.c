/* cli/shell/builtin.c: what shells do themselves, and echo, printf, test, seq. */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

#define SEQ_MAX 1000000

int call_fail(struct call *c, int code, const char *fmt, ...)
{
	va_list ap;
	strbuf_printf(c->err, "%s: ", c->argv[0]);
	va_start(ap, fmt);
	strbuf_vprintf(c->err, fmt, ap);
	va_end(ap);
	strbuf_putc(c->err, '\n');
	return code;
}

/* ---- variables ------------------------------------------------------------------------- */

const char *shell_get(const struct shell *s, const char *name)
{
	char **value = table_find(&s->variables, name);
	return value ? *value : NULL;
}

void shell_set(struct shell *s, const char *name, const char *value)
{
	char *copy = mem_strdup(value);
	char **old = table_find(&s->variables, name);
	if (old) {
		free(*old);
		*old = copy;
		return;
	}
	*(char **)table_put(&s->variables, mem_strdup(name), NULL) = copy;
}

void shell_unset(struct shell *s, const char *name)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&s->variables, &i, &key, &value);)
		if (strcmp(key, name) == 0) {
			free(*(char **)value);
			table_remove(&s->variables, name);
			free((void *)(uintptr_t)key);
			return;
		}
}

bool shell_match(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

static int export(struct call *c)
{
	for (int i = 1; i < c->argc; i++) {
		char *equals = strchr(c->argv[i], '=');
		if (equals)
			shell_set(c->s, arena_strndup(c->arena, c->argv[i], (size_t)(equals - c->argv[i])),
				  equals + 1);
	}
	return 0;
}

static int unset(struct call *c)
{
	for (int i = 1; i < c->argc; i++)
		shell_unset(c->s, c->argv[i]);
	return 0;
}

static void set_arguments(struct call *c, int first)
{
	struct shell *s = c->s;
	s->argument_count = 0;
	s->arguments = arena_array(s->arena, (size_t)(c->argc - first) + 1, sizeof *s->arguments);
	for (int i = first; i < c->argc; i++)
		s->arguments[s->argument_count++] = arena_strdup(s->arena, c->argv[i]);
}

static int set(struct call *c)
{
	for (int i = 1; i < c->argc; i++) {
		bool on = c->argv[i][0] == '-';
		if (strcmp(c->argv[i], "--") == 0) {
			set_arguments(c, i + 1);
			return 0;
		}
		for (const char *flag = c->argv[i] + 1; on || c->argv[i][0] == '+'; flag++) {
			if (*flag == 'e')
				c->s->errexit = on;
			else if (*flag == 'x')
				c->s->trace = on;
			else if (*flag == 'v')
				c->s->verbose = on;
			else if (!*flag || *flag == 'o')
				break;
		}
	}
	return 0;
}

/* read [-r] [-p PROMPT] NAME...: one line; the last name takes the rest. */
static int read_line(struct call *c)
{
	int i = 1;
	while (i < c->argc && c->argv[i][0] == '-')
		i += strcmp(c->argv[i], "-p") == 0 ? 2 : 1;
	if (!c->io->in || !*c->io->in->at)
		return 1;
	size_t n = strcspn(c->io->in->at, "\n");
	char *line = arena_strndup(c->arena, c->io->in->at, n);
	c->io->in->at += n + (c->io->in->at[n] == '\n');
	if (i >= c->argc)
		shell_set(c->s, "REPLY", line);
	for (; i < c->argc; i++) {
		line += strspn(line, " \t");
		size_t length = i + 1 < c->argc ? strcspn(line, " \t") : strlen(line);
		while (i + 1 == c->argc && length && strchr(" \t", line[length - 1]))
			length--;
		shell_set(c->s, c->argv[i], arena_strndup(c->arena, line, length));
		line += length;
	}
	return 0;
}

/* ---- flow ---------------------------------------------------------------------------------- */

static int yes(struct call *c)
{
	(void)c;
	return 0;
}

static int no(struct call *c)
{
	(void)c;
	return 1;
}

static int leave_loops(struct call *c)
{
	uint32_t n = c->argc > 1 ? (uint32_t)atoi(c->argv[1]) : 1;
	if (!c->s->loops)
		return 0;
	c->s->breaks = n < 1 ? 1 : n > c->s->loops ? c->s->loops : n;
	c->s->continues = strcmp(c->argv[0], "continue") == 0;
	return 0;
}

static int return_now(struct call *c)
{
	int status = c->argc > 1 ? atoi(c->argv[1]) & 255 : c->s->status;
	c->s->returns = true;
	c->s->status = status;
	return status;
}

static int eval(struct call *c)
{
	struct strbuf text = { 0 };
	for (int i = 1; i < c->argc; i++)
		strbuf_printf(&text, "%s%s", i > 1 ? " " : "", c->argv[i]);
	int status = shell_run_text(c->s, strbuf_text(&text), c->io);
	strbuf_free(&text);
	return status;
}

/* source FILE, . FILE: in this shell. */
static int source(struct call *c)
{
	struct strbuf text = { 0 };
	if (c->argc < 2)
		return call_fail(c, 2, "filename argument required");
	int code = shell_read_file(c->s, c->argv[1], &text);
	int status = code ? call_fail(c, 1, "%s: %s", c->argv[1], strerror(code))
			  : shell_run_text(c->s, strbuf_text(&text), c->io);
	strbuf_free(&text);
	return status;
}

/* sh -c TEXT [NAME ARG...], sh FILE [ARG...], sh < TEXT, or a shell to type into. */
static int sh(struct call *c)
{
	struct strbuf text = { 0 };
	struct err err = { "" };
	const char **arguments = c->s->arguments;
	uint32_t count = c->s->argument_count;
	int i = 1, first;
	bool inline_text = false;
	for (; i < c->argc && (c->argv[i][0] == '-' || c->argv[i][0] == '+') && !inline_text; i++)
		inline_text = strchr(c->argv[i], 'c') && c->argv[i][1] != '-';
	const char *piped = i < c->argc ? NULL : io_take(c->io);
	first = inline_text ? i + 2 : i + 1;
	if (inline_text && i >= c->argc)
		return call_fail(c, 2, "-c requires an argument");
	if (i >= c->argc && !piped) {
		struct stand here = *shell_stand(c->s);
		return stand_push(c->s, here.place, here.container, &err) ? call_fail(c, 2, "%s", err.text)
									   : 0;
	}
	int code = 0;
	if (inline_text || piped)
		strbuf_puts(&text, inline_text ? c->argv[i] : piped);
	else
		code = shell_read_file(c->s, c->argv[i], &text);
	c->s->arguments = (const char **)(uintptr_t)(c->argv + (first < c->argc ? first : c->argc));
	c->s->argument_count = first < c->argc ? (uint32_t)(c->argc - first) : 0;
	code = code ? call_fail(c, 127, "%s: %s", c->argv[i], strerror(code))
		    : shell_run_sub(c->s, strbuf_text(&text), c->io);
	c->s->arguments = arguments;
	c->s->argument_count = count;
	strbuf_free(&text);
	return code;
}

static int prefixed(struct call *c)
{
	int i = 1;
	while (i < c->argc && c->argv[i][0] == '-')
		i++;
	return i < c->argc ? shell_command(c->s, c->argc - i, c->argv + i, c->io) : 0;
}

static int let(struct call *c)
{
	int64_t v = 0;
	for (int i = 1; i < c->argc; i++)
		v = shell_arithmetic(c->s, c->argv[i], c->io);
	return v == 0;
}

/* ---- output ----------------------------------------------------------------------------------- */

/* One character behind a backslash; the rest of the text. */
static const char *escaped(const char *at, struct strbuf *out)
{
	static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
	const char *found = *at ? strchr(from, *at) : NULL;
	if (*at == '0' || (*at >= '1' && *at <= '7')) {
		int value = 0, digits = 0;
		while (digits < 4 && *at >= '0' && *at <= '7') {
			value = value * 8 + (*at++ - '0');
			digits++;
		}
		if (value)
			strbuf_putc(out, (char)value);
		return at;
	}
	if (found) {
		strbuf_putc(out, to[found - from]);
		return at + 1;
	}
	strbuf_putc(out, '\\');
	return at;
}

static int echo(struct call *c)
{
	bool newline = true, escapes = false;
	int i = 1;
	for (; i < c->argc && c->argv[i][0] == '-' && c->argv[i][1] &&
	       !c->argv[i][1 + strspn(c->argv[i] + 1, "neE")]; i++) {
		newline &= !strchr(c->argv[i], 'n');
		escapes |= strchr(c->argv[i], 'e') != NULL;
	}
	for (int first = i; i < c->argc; i++) {
		if (i > first)
			strbuf_putc(c->out, ' ');
		for (const char *at = c->argv[i]; *at;) {
			if (escapes && *at == '\\')
				at = escaped(at + 1, c->out);
			else
				strbuf_putc(c->out, *at++);
		}
	}
	if (newline)
		strbuf_putc(c->out, '\n');
	return 0;
}

/* One conversion of printf; the rest of the format. */
static const char *conversion(struct call *c, const char *at, const char *arg)
{
	char spec[32];
	size_t n = 1 + strspn(at + 1, "-+ #0123456789.");
	if (at[n] == '%') {
		strbuf_putc(c->out, '%');
		return at + n + 1;
	}
	if (!at[n] || n > 10 || strspn(at + 1, "-+ #0") > 4 || !strchr("sdiuxXocb", at[n])) {
		strbuf_putc(c->out, '%');
		return at + 1;
	}
	long width = labs(strtol(at + 1 + strspn(at + 1, "-+ #0"), NULL, 10));
	if (width > 1000)
		return at + n + 1;
	if (strchr("diuxXo", at[n])) {
		snprintf(spec, sizeof spec, "%.*sll%c", (int)n, at, at[n]);
		char text[1100];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, spec, strtoll(arg, NULL, 0));
		strbuf_puts(c->out, text);
	} else {
		snprintf(spec, sizeof spec, "%.*ss", (int)n, at);
		strbuf_printf(c->out, spec, arg);
#pragma GCC diagnostic pop
	}
	return at + n + 1;
}

static int print(struct call *c)
{
	int arg = 2, before;
	if (c->argc < 2)
		return call_fail(c, 2, "usage: printf format [arguments]");
	do {
		before = arg;
		for (const char *at = c->argv[1]; *at;) {
			if (*at == '\\') {
				at = escaped(at + 1, c->out);
			} else if (*at == '%') {
				bool takes = at[1] != '%';
				at = conversion(c, at, takes && arg < c->argc ? c->argv[arg] : "");
				arg += takes;
			} else {
				strbuf_putc(c->out, *at++);
			}
		}
	} while (arg < c->argc && arg > before);
	return 0;
}

static int sequence(struct call *c)
{
	int i = 1;
	const char *separator = "\n";
	if (i + 1 < c->argc && strcmp(c->argv[i], "-s") == 0) {
		separator = c->argv[i + 1];
		i += 2;
	}
	int count = c->argc - i;
	if (count < 1 || count > 3)
		return call_fail(c, 1, "expected [FIRST [STEP]] LAST");
	long last = atol(c->argv[c->argc - 1]), first = count > 1 ? atol(c->argv[i]) : 1;
	long step = count > 2 ? atol(c->argv[i + 1]) : 1;
	if (!step)
		return call_fail(c, 1, "invalid Zero increment value: '0'");
	long rounds = 0;
	for (long v = first; step > 0 ? v <= last : v >= last; v += step) {
		if (++rounds > SEQ_MAX)
			return call_fail(c, 1, "more than %d numbers", SEQ_MAX);
		strbuf_printf(c->out, "%s%ld", v == first ? "" : separator, v);
	}
	if (rounds)
		strbuf_putc(c->out, '\n');
	return 0;
}

/* ---- test ---------------------------------------------------------------------------------------- */

struct test { struct call *c; int at, end; };

static bool test_or(struct test *t);

static bool file_there(struct call *c, const char *path, bool filled)
{
	struct strbuf text = { 0 };
	bool there = shell_read_file(c->s, path, &text) == 0 && (!filled || text.length);
	strbuf_free(&text);
	return there;
}

static bool test_unary(struct test *t, char op, const char *word)
{
	switch (op) {
	case 'n':
		return *word;
	case 'z':
		return !*word;
	case 's':
		return file_there(t->c, word, true);
	case 'd': {
		struct strbuf names = { 0 };
		bool there = shell_list_files(t->c->s, word, &names) == 0;
		strbuf_free(&names);
		return there;
	}
	default:
		return file_there(t->c, word, false);
	}
}

static bool test_binary(const char *a, const char *op, const char *b, bool *known)
{
	static const char *const numeric[] = { "-eq", "-ne", "-lt", "-le", "-gt", "-ge" };
	long long x = strtoll(a, NULL, 10), y = strtoll(b, NULL, 10);
	*known = true;
	if (strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
		return strcmp(a, b) == 0;
	if (strcmp(op, "!=") == 0)
		return strcmp(a, b) != 0;
	for (int i = 0; i < 6; i++)
		if (strcmp(op, numeric[i]) == 0)
			return i == 0 ? x == y : i == 1 ? x != y : i == 2 ? x < y : i == 3 ? x <= y
			       : i == 4 ? x > y : x >= y;
	*known = false;
	return false;
}

static bool test_primary(struct test *t)
{
	char **w = t->c->argv + t->at;
	int left = t->end - t->at;
	bool known;
	if (left >= 2 && strcmp(w[0], "!") == 0) {
		t->at++;
		return !test_primary(t);
	}
	if (left >= 3) {
		bool value = test_binary(w[0], w[1], w[2], &known);
		if (known) {
			t->at += 3;
			return value;
		}
	}
	if (left >= 2 && w[0][0] == '-' && w[0][1] && !w[0][2] && strchr("nzsdefrwx", w[0][1])) {
		t->at += 2;
		return test_unary(t, w[0][1], w[1]);
	}
	if (left >= 1) {
		t->at++;
		return *w[0];
	}
	return false;
}

static bool test_or(struct test *t)
{
	bool value = test_primary(t);
	while (t->at < t->end) {
		const char *op = t->c->argv[t->at];
		bool or = strcmp(op, "-o") == 0 || strcmp(op, "||") == 0;
		t->at++;
		bool right = test_primary(t);
		value = or ? value || right : value && right;
	}
	return value;
}

static int test(struct call *c)
{
	struct test t = { c, 1, c->argc };
	const char *close = strcmp(c->argv[0], "[") == 0 ? "]" : strcmp(c->argv[0], "[[") == 0 ? "]]" : NULL;
	if (close && strcmp(c->argv[c->argc - 1], close) != 0)
		return call_fail(c, 2, "missing `%s'", close);
	t.end -= close != NULL;
	return !test_or(&t);
}

const struct tool builtin_tools[] = {
	{ ".", source, NULL }, { ":", yes, NULL }, { "[", test, NULL }, { "[[", test, NULL },
	{ "ash", sh, NULL }, { "bash", sh, NULL }, { "break", leave_loops, NULL },
	{ "command", prefixed, NULL }, { "continue", leave_loops, NULL }, { "dash", sh, NULL },
	{ "echo", echo, NULL }, { "eval", eval, NULL }, { "exec", prefixed, NULL },
	{ "export", export, NULL }, { "false", no, NULL }, { "let", let, NULL },
	{ "local", export, NULL }, { "nohup", prefixed, NULL }, { "printf", print, NULL },
	{ "read", read_line, NULL }, { "return", return_now, NULL }, { "seq", sequence, NULL },
	{ "set", set, NULL }, { "sh", sh, NULL }, { "source", source, NULL }, { "sudo", prefixed, NULL },
	{ "test", test, NULL }, { "true", yes, NULL }, { "unset", unset, NULL },
	{ NULL, NULL, NULL },
};
