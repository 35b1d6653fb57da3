/* cli/shell/awk.c: as much of awk as pipes behind kubectl use.
 *
 * [-F SEPARATOR] [-v NAME=VALUE] 'PATTERN { STATEMENTS } ...'. Patterns: /re/, BEGIN, END,
 * an expression. Statements: print, printf, assignments (= += -= ++), next. Expressions:
 * fields, NR, NF, variables, numbers, strings, joined by blanks, + - * / %, comparisons, ~,
 * !~, ! && ||, length(). No arrays, loops or functions: those are said to be unknown.
 */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

#define AWK_DEPTH 40

struct awk {
	struct call *c;
	struct arena *arena;     /* of the current line */
	const char *program, *at;
	const char *wrong;       /* NULL: nothing */
	const char *separator;
	char *line;
	struct fields fields;
	long number;
	struct table variables;  /* name -> char * */
	bool skip;               /* parse without doing */
	bool next;
	int depth;
};

static char *expression(struct awk *a, int level);

static void blanks(struct awk *a)
{
	a->at += strspn(a->at, " \t\n");
}

static bool take(struct awk *a, const char *text)
{
	a->at += strspn(a->at, " \t");
	size_t n = strlen(text);
	if (strncmp(a->at, text, n) != 0)
		return false;
	a->at += n;
	return true;
}

static char *number_text(struct awk *a, double v)
{
	if (v == (double)(long long)v)
		return arena_printf(a->arena, "%lld", (long long)v);
	return arena_printf(a->arena, "%.6g", v);
}

static bool truth(const char *text)
{
	char *end;
	double v = strtod(text, &end);
	return *text && (*end || end == text ? true : v != 0);
}

static void set_variable(struct awk *a, const char *name, const char *value)
{
	char **old = table_find(&a->variables, name);
	if (old) {
		free(*old);
		*old = mem_strdup(value);
	} else {
		*(char **)table_put(&a->variables, arena_strdup(a->c->arena, name), NULL) = mem_strdup(value);
	}
}

static void split(struct awk *a)
{
	a->fields = (struct fields){ .arena = a->arena };
	const char *s = a->separator;
	for (const char *at = a->line; *at;) {
		size_t n;
		if (!s) {
			at += strspn(at, " \t");
			n = strcspn(at, " \t");
			if (!n)
				break;
		} else {
			const char *end = strstr(at, s);
			n = end ? (size_t)(end - at) : strlen(at);
		}
		fields_add(&a->fields, arena_strndup(a->arena, at, n));
		at += n;
		if (s && *at)
			at += strlen(s);
	}
}

static char *field(struct awk *a, long n)
{
	if (n == 0)
		return a->line;
	return n > 0 && (uint64_t)n <= a->fields.count ? a->fields.items[n - 1] : (char *)(uintptr_t)"";
}

/* "..." with its escapes. */
static char *string(struct awk *a)
{
	struct strbuf text = { 0 };
	for (a->at++; *a->at && *a->at != '"'; a->at++) {
		if (*a->at == '\\' && a->at[1]) {
			a->at++;
			strbuf_putc(&text, *a->at == 'n' ? '\n' : *a->at == 't' ? '\t' : *a->at);
		} else {
			strbuf_putc(&text, *a->at);
		}
	}
	a->at += *a->at == '"';
	char *copy = arena_strdup(a->arena, strbuf_text(&text));
	strbuf_free(&text);
	return copy;
}

static char *regular(struct awk *a)
{
	struct strbuf text = { 0 };
	for (a->at++; *a->at && *a->at != '/'; a->at++) {
		if (*a->at == '\\' && a->at[1] == '/')
			a->at++;
		strbuf_putc(&text, *a->at);
	}
	a->at += *a->at == '/';
	char *copy = arena_strdup(a->arena, strbuf_text(&text));
	strbuf_free(&text);
	return copy;
}

static bool matches(struct awk *a, const char *text, const char *pattern)
{
	regex_t re;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		a->wrong = "no regular expression";
		return false;
	}
	bool hit = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return hit;
}

static char *variable(struct awk *a)
{
	size_t n = 0;
	while (isalnum((unsigned char)a->at[n]) || a->at[n] == '_')
		n++;
	char *name = arena_strndup(a->arena, a->at, n);
	a->at += n;
	char **have = table_find(&a->variables, name);
	char *old = have ? arena_strdup(a->arena, *have) : (char *)(uintptr_t)"";
	if (strcmp(name, "NR") == 0 || strcmp(name, "FNR") == 0)
		return number_text(a, (double)a->number);
	if (strcmp(name, "NF") == 0)
		return number_text(a, a->fields.count);
	if (strcmp(name, "length") == 0) {
		char *of = take(a, "(") ? expression(a, 0) : a->line;
		take(a, ")");
		return number_text(a, (double)strlen(of));
	}
	if (*a->at == '(' || *a->at == '[') {
		a->wrong = "functions and arrays are not part of this awk";
		return old;
	}
	double v = strtod(old, NULL);
	char *value = NULL;
	if (take(a, "++"))
		value = number_text(a, v + 1);
	else if (take(a, "+="))
		value = number_text(a, v + strtod(expression(a, 0), NULL));
	else if (take(a, "-="))
		value = number_text(a, v - strtod(expression(a, 0), NULL));
	else if (a->at[strspn(a->at, " \t")] == '=' && a->at[strspn(a->at, " \t") + 1] != '=' && take(a, "="))
		value = expression(a, 0);
	if (value && !a->skip)
		set_variable(a, name, value);
	return value ? value : old;
}

static char *primary(struct awk *a)
{
	char *value = (char *)(uintptr_t)"";
	blanks(a);
	if (++a->depth > AWK_DEPTH) {
		a->wrong = "too deep";
	} else if (*a->at == '"') {
		value = string(a);
	} else if (*a->at == '/') {
		value = number_text(a, matches(a, a->line, regular(a)));
	} else if (*a->at == '$') {
		a->at++;
		value = field(a, strtol(primary(a), NULL, 10));
	} else if (*a->at == '(') {
		a->at++;
		value = expression(a, 0);
		if (!take(a, ")"))
			a->wrong = "missing )";
	} else if (*a->at == '!' && a->at[1] != '~' && a->at[1] != '=') {
		a->at++;
		value = number_text(a, !truth(primary(a)));
	} else if (*a->at == '-') {
		a->at++;
		value = number_text(a, -strtod(primary(a), NULL));
	} else if (isdigit((unsigned char)*a->at) || *a->at == '.') {
		char *end;
		double v = strtod(a->at, &end);
		a->at = end;
		value = number_text(a, v);
	} else if (isalpha((unsigned char)*a->at) || *a->at == '_') {
		value = variable(a);
	} else {
		a->wrong = "syntax error";
	}
	a->depth--;
	return value;
}

static const struct { const char *text; int level; } operators[] = {
	{ "||", 1 }, { "&&", 2 }, { "!~", 3 }, { "~", 3 }, { "==", 4 }, { "!=", 4 }, { "<=", 4 },
	{ ">=", 4 }, { "<", 4 }, { ">", 4 }, { "+", 6 }, { "-", 6 }, { "*", 7 }, { "/", 7 }, { "%", 7 },
};
#define JOIN_LEVEL 5

static int compare(const char *x, const char *y)
{
	char *end_x, *end_y;
	double a = strtod(x, &end_x), b = strtod(y, &end_y);
	if (*x && *y && !*end_x && !*end_y)
		return a < b ? -1 : a > b;
	int order = strcmp(x, y);
	return order < 0 ? -1 : order > 0;
}

static char *apply(struct awk *a, const char *op, char *x, char *y)
{
	double v = strtod(x, NULL), w = strtod(y, NULL);
	if (strcmp(op, "||") == 0)
		return number_text(a, truth(x) || truth(y));
	if (strcmp(op, "&&") == 0)
		return number_text(a, truth(x) && truth(y));
	if (strchr(op, '~'))
		return number_text(a, matches(a, x, y) != (*op == '!'));
	if (strchr("=!<>", *op)) {
		int order = compare(x, y);
		bool equal = op[1] == '=' && *op != '!';
		return number_text(a, *op == '!' ? order != 0 : (equal && !order) || (*op == '<' && order < 0) ||
								(*op == '>' && order > 0));
	}
	if ((*op == '/' || *op == '%') && (long long)w == 0 && !(*op == '/' && w != 0)) {
		a->wrong = "division by zero";
		return x;
	}
	return number_text(a, *op == '+' ? v + w : *op == '-' ? v - w : *op == '*' ? v * w
			      : *op == '/' ? v / w : (double)((long long)v % (long long)w));
}

/* Whether another operand follows: then the two are joined. */
static bool joins(const struct awk *a)
{
	char ch = a->at[strspn(a->at, " \t")];
	return ch == '"' || ch == '$' || ch == '(' || isalnum((unsigned char)ch) || ch == '_';
}

static char *expression(struct awk *a, int level)
{
	char *value = primary(a);
	while (!a->wrong) {
		size_t i = 0;
		a->at += strspn(a->at, " \t");
		for (; i < sizeof operators / sizeof *operators; i++)
			if (strncmp(a->at, operators[i].text, strlen(operators[i].text)) == 0)
				break;
		if (i == sizeof operators / sizeof *operators) {
			if (!joins(a) || level >= JOIN_LEVEL)
				return value;
			value = arena_printf(a->arena, "%s%s", value, expression(a, JOIN_LEVEL));
			continue;
		}
		if (operators[i].level <= level)
			return value;
		a->at += strlen(operators[i].text);
		/* A pattern behind ~ is itself, not a match of the line. */
		blanks(a);
		char *right = strchr(operators[i].text, '~') && *a->at == '/' ? regular(a)
									     : expression(a, operators[i].level);
		value = apply(a, operators[i].text, value, right);
	}
	return value;
}

/* ---- statements ----------------------------------------------------------------------------- */

static void print(struct awk *a, bool formatted)
{
	struct fields words = { .arena = a->arena };
	bool bracket = take(a, "(");
	for (;;) {
		a->at += strspn(a->at, " \t");
		if (!*a->at || strchr(";}\n", *a->at) || a->wrong)
			break;
		fields_add(&words, expression(a, 0));
		if (!take(a, ","))
			break;
	}
	if (bracket)
		take(a, ")");
	if (a->skip || a->wrong)
		return;
	if (formatted && words.count) {
		fields_add(&words, "");
		words.items[--words.count] = NULL;
		char **argv = arena_array(a->arena, words.count + 2, sizeof *argv);
		argv[0] = (char *)(uintptr_t)"printf";
		memcpy(argv + 1, words.items, words.count * sizeof *argv);
		shell_command(a->c->s, (int)words.count + 1, argv, a->c->io);
		return;
	}
	if (!words.count)
		fields_add(&words, a->line);
	for (uint32_t i = 0; i < words.count; i++)
		strbuf_printf(a->c->out, "%s%s", i ? " " : "", words.items[i]);
	strbuf_putc(a->c->out, '\n');
}

static bool word(struct awk *a, const char *name)
{
	size_t n = strlen(name);
	blanks(a);
	if (strncmp(a->at, name, n) != 0 || isalnum((unsigned char)a->at[n]) || a->at[n] == '_')
		return false;
	a->at += n;
	return true;
}

/* Behind the opening brace, to behind the closing one. */
static void action(struct awk *a)
{
	for (;;) {
		a->at += strspn(a->at, " \t\n;");
		if (a->wrong || !*a->at || take(a, "}"))
			return;
		if (word(a, "printf"))
			print(a, true);
		else if (word(a, "print"))
			print(a, false);
		else if (word(a, "next")) {
			if (!a->skip)
				a->next = a->skip = true;
		} else {
			expression(a, 0);
		}
	}
}

/* All rules once: for a line, or for BEGIN or END. */
static void run_rules(struct awk *a, const char *special)
{
	a->at = a->program;
	a->next = false;
	while (!a->wrong && !a->next) {
		bool hit = !special;
		a->at += strspn(a->at, " \t\n;");
		if (!*a->at)
			return;
		if (word(a, "BEGIN"))
			hit = special && strcmp(special, "BEGIN") == 0;
		else if (word(a, "END"))
			hit = special && strcmp(special, "END") == 0;
		else if (*a->at != '{')
			hit = truth(expression(a, 0)) && !special;
		a->skip = !hit;
		if (take(a, "{"))
			action(a);
		else if (hit)
			strbuf_printf(a->c->out, "%s\n", a->line);
		a->skip = false;
	}
}

static int awk(struct call *c)
{
	struct awk a = { .c = c, .arena = arena_new(), .line = (char *)(uintptr_t)"" };
	struct strbuf text = { 0 };
	int i = 1;
	table_init(&a.variables, TABLE_STRING_KEYS, sizeof(char *));
	for (; i < c->argc && c->argv[i][0] == '-'; i++) {
		char letter = c->argv[i][1];
		const char *value = c->argv[i][2] ? c->argv[i] + 2 : i + 1 < c->argc ? c->argv[++i] : "";
		const char *equals = strchr(value, '=');
		if (letter == 'F')
			a.separator = strcmp(value, "\\t") == 0 ? "\t" : *value && strcmp(value, " ") ? value : NULL;
		else if (letter == 'v' && equals)
			set_variable(&a, arena_strndup(c->arena, value, (size_t)(equals - value)), equals + 1);
	}
	a.program = i < c->argc ? c->argv[i] : NULL;
	int status = a.program ? call_input(c, i + 1, &text) : call_fail(c, 2, "expected a program");
	if (a.program) {
		run_rules(&a, "BEGIN");
		for (const char *at = strbuf_text(&text); *at && !a.wrong;) {
			size_t n = strcspn(at, "\n");
			arena_reset(a.arena);
			a.line = arena_strndup(a.arena, at, n);
			a.number++;
			split(&a);
			run_rules(&a, NULL);
			at += n + (at[n] == '\n');
		}
		if (!a.wrong)
			run_rules(&a, "END");
	}
	if (a.wrong)
		status = call_fail(c, 2, "%s near \"%.20s\"", a.wrong, a.at);
	void *value;
	for (uint32_t k = 0; table_next(&a.variables, &k, NULL, &value);)
		free(*(char **)value);
	table_free(&a.variables);
	strbuf_free(&text);
	arena_free(a.arena);
	return status;
}

const struct tool awk_tools[] = {
	{ "awk", awk, NULL }, { "gawk", awk, NULL },
	{ NULL, NULL, NULL },
};
