/* cli/shell/expand.c: what words become when a command runs (POSIX shell, section 2.6).
 *
 * Done: quotes, variables with their operators, command substitution, arithmetic, field
 * splitting at blanks, and bash's braces ({a,b}, {1..3}). Not done: file name patterns.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

#define BRACE_MAX 10000 /* words that {1..N} may become */

struct builder { /* fields under construction */
	struct shell *s;
	const struct io *io;
	struct strbuf text;
	bool started;            /* a field is open, even if it is empty */
	bool split;              /* false: one string */
	struct fields *out;
};

void fields_add(struct fields *f, const char *text)
{
	if (f->count == f->capacity) {
		uint32_t capacity = f->capacity ? f->capacity * 2 : 8;
		char **grown = arena_array(f->arena, capacity, sizeof *grown);
		if (f->count)
			memcpy(grown, f->items, f->count * sizeof *grown);
		f->items = grown;
		f->capacity = capacity;
	}
	f->items[f->count++] = arena_strdup(f->arena, text);
}

static void end_field(struct builder *b)
{
	if (b->started)
		fields_add(b->out, strbuf_text(&b->text));
	strbuf_clear(&b->text);
	b->started = false;
}

static void add_value(struct builder *b, const char *value, bool quoted)
{
	if (quoted || !b->split) {
		strbuf_puts(&b->text, value);
		b->started |= quoted || *value;
		return;
	}
	while (*value) {
		size_t blanks = strspn(value, " \t\n");
		if (blanks)
			end_field(b);
		value += blanks;
		size_t n = strcspn(value, " \t\n");
		strbuf_add(&b->text, value, n);
		b->started |= n > 0;
		value += n;
	}
}

static const char *expand_part(struct builder *b, const char *at, bool quoted);

/* "$@" in quotes is one field an argument. */
static void add_arguments(struct builder *b, bool quoted)
{
	for (uint32_t i = 0; i < b->s->argument_count; i++) {
		if (i && b->split && quoted)
			end_field(b);
		else if (i)
			add_value(b, " ", false);
		add_value(b, b->s->arguments[i], quoted);
	}
}

/* ---- $(...) and `...` ------------------------------------------------------------------ */

static void substitute(struct builder *b, const char *text, bool quoted)
{
	struct strbuf out = { 0 };
	struct io io = { .out = &out, .err = b->io->err };
	b->s->status = shell_run_sub(b->s, text, &io);
	b->s->substituted = true;
	while (out.length && out.data[out.length - 1] == '\n')
		out.data[--out.length] = '\0';
	add_value(b, strbuf_text(&out), quoted);
	strbuf_free(&out);
}

static const char *backquotes(struct builder *b, const char *at, bool quoted)
{
	struct strbuf text = { 0 };
	for (at++; *at && *at != '`'; at++) {
		if (*at == '\\' && at[1] && strchr("$`\\", at[1]))
			at++;
		strbuf_putc(&text, *at);
	}
	substitute(b, strbuf_text(&text), quoted);
	strbuf_free(&text);
	return *at ? at + 1 : at;
}

/* ---- variables ----------------------------------------------------------------------------- */

static const char *special(struct shell *s, const char *name, char out[32])
{
	unsigned long n = isdigit((unsigned char)*name) ? strtoul(name, NULL, 10) : 0;
	out[0] = '\0';
	if (strcmp(name, "?") == 0)
		snprintf(out, 32, "%d", s->status);
	else if (strcmp(name, "#") == 0)
		snprintf(out, 32, "%u", s->argument_count);
	else if (strcmp(name, "$") == 0)
		snprintf(out, 32, "1000");
	else if (strcmp(name, "0") == 0)
		snprintf(out, 32, "sh");
	else if (strcmp(name, "SECONDS") == 0)
		snprintf(out, 32, "%lld", (long long)(world_now(s->world) / NS_PER_S));
	else if (strcmp(name, "RANDOM") == 0)
		snprintf(out, 32, "%llu", (unsigned long long)choice_uniform(world_choice(s->world),
									     "shell", 32768));
	else if (n)
		return n <= s->argument_count ? s->arguments[n - 1] : NULL;
	else
		return shell_get(s, name) ? shell_get(s, name) : stand_variable(s, name);
	return out;
}

/* %, %%, #, ##: the value without a matching end or start. */
static char *trimmed(struct arena *a, const char *value, const char *pattern, bool suffix, bool longest)
{
	size_t n = strlen(value);
	for (size_t i = 0; i <= n; i++) {
		size_t keep = longest == suffix ? i : n - i;
		char *part = suffix ? arena_strdup(a, value + keep) : arena_strndup(a, value, keep);
		if (shell_match(pattern, part))
			return suffix ? arena_strndup(a, value, keep) : arena_strdup(a, value + keep);
	}
	return arena_strdup(a, value);
}

static char *replaced(struct arena *a, const char *value, const char *pattern, const char *with,
		      bool all)
{
	struct strbuf out = { 0 };
	size_t n = strlen(pattern);
	while (n && *value) {
		const char *at = strstr(value, pattern);
		if (!at)
			break;
		strbuf_add(&out, value, (size_t)(at - value));
		strbuf_puts(&out, with);
		value = at + n;
		if (!all)
			break;
	}
	strbuf_puts(&out, value);
	char *text = arena_strdup(a, strbuf_text(&out));
	strbuf_free(&out);
	return text;
}

/* What follows the name in ${name...}; `value` NULL: not set. */
static void operate(struct builder *b, struct arena *a, const char *name, const char *value,
		    const char *op, bool quoted)
{
	bool colon = *op == ':';
	const char *rest = op + colon;
	bool empty = !value || (colon && !*value);
	char kind = *rest ? *rest++ : '\0';
	bool twice = kind && *rest == kind && strchr("%#/", kind);
	char *word = shell_expand_text(b->s, a, rest + twice, false, b->io);
	if (kind == '-' || kind == '=' || kind == '?') {
		if (kind == '=' && empty)
			shell_set(b->s, name, word);
		if (kind == '?' && empty)
			strbuf_printf(b->io->err, "sh: %s: %s\n", name,
				      *word ? word : "parameter null or not set");
		add_value(b, empty ? word : value, quoted);
	} else if (kind == '+') {
		add_value(b, empty ? "" : word, quoted);
	} else if (kind == '%' || kind == '#') {
		add_value(b, trimmed(a, value ? value : "", word, kind == '%', twice), quoted);
	} else if (kind == '/') {
		char *with = strchr(word, '/');
		if (with)
			*with++ = '\0';
		add_value(b, replaced(a, value ? value : "", word, with ? with : "", twice), quoted);
	} else if (colon && value) { /* ${name:start:length} */
		const char *second = strchr(op + 1, ':');
		size_t n = strlen(value), start = strtoul(op + 1, NULL, 10);
		size_t length = second ? strtoul(second + 1, NULL, 10) : n;
		start = start > n ? n : start;
		length = length > n - start ? n - start : length;
		add_value(b, arena_strndup(a, value + start, length), quoted);
	} else if (value) {
		add_value(b, value, quoted);
	}
}

static size_t name_length(const char *text)
{
	size_t n = 0;
	if (isalpha((unsigned char)*text) || *text == '_')
		while (isalnum((unsigned char)text[n]) || text[n] == '_')
			n++;
	else if (isdigit((unsigned char)*text) || (*text && strchr("?#@*$!", *text)))
		n = 1;
	return n;
}

static void braced(struct builder *b, const char *inside, bool quoted)
{
	char number[32];
	struct arena *a = arena_new();
	if (*inside == '#' && inside[1]) {
		const char *value = special(b->s, inside + 1, number);
		snprintf(number, sizeof number, "%zu", value ? strlen(value) : 0);
		add_value(b, number, quoted);
	} else {
		size_t n = name_length(inside);
		while (n && isdigit((unsigned char)inside[0]) && isdigit((unsigned char)inside[n]))
			n++;
		char *name = arena_strndup(a, inside, n);
		if (strcmp(name, "@") == 0 || strcmp(name, "*") == 0)
			add_arguments(b, quoted && *name == '@');
		else
			operate(b, a, name, special(b->s, name, number), inside + n, quoted);
	}
	arena_free(a);
}

static const char *dollar(struct builder *b, const char *at, bool quoted)
{
	const char *end = lex_closing(at);
	char number[32];
	if (!end)
		return at + strlen(at);
	if (strncmp(at, "$((", 3) == 0 && end[-2] == ')') {
		struct arena *a = arena_new();
		char *inside = arena_strndup(a, at + 3, (size_t)(end - at) - 5);
		char *text = shell_expand_text(b->s, a, inside, true, b->io);
		snprintf(number, sizeof number, "%lld", (long long)shell_arithmetic(b->s, text, b->io));
		add_value(b, number, quoted);
		arena_free(a);
		return end;
	}
	if (at[1] == '(' || at[1] == '{') {
		char *inside = mem_alloc((size_t)(end - at));
		memcpy(inside, at + 2, (size_t)(end - at) - 3);
		if (at[1] == '(')
			substitute(b, inside, quoted);
		else
			braced(b, inside, quoted);
		free(inside);
		return end;
	}
	size_t n = name_length(at + 1);
	if (!n) {
		add_value(b, "$", true);
		return at + 1;
	}
	if (at[1] == '@' || at[1] == '*') {
		add_arguments(b, quoted && at[1] == '@');
		return at + 2;
	}
	char *name = mem_alloc(n + 1);
	memcpy(name, at + 1, n);
	const char *value = special(b->s, name, number);
	add_value(b, value ? value : "", quoted);
	free(name);
	return at + 1 + n;
}

/* ---- words --------------------------------------------------------------------------------------- */

static const char *double_quoted(struct builder *b, const char *at)
{
	bool arguments = strncmp(at, "\"$@\"", 4) == 0;
	b->started |= !arguments;
	for (at++; *at && *at != '"';)
		at = expand_part(b, at, true);
	return *at ? at + 1 : at;
}

/* One character, quoted piece or expansion; behind it. */
static const char *expand_part(struct builder *b, const char *at, bool quoted)
{
	if (*at == '$')
		return dollar(b, at, quoted);
	if (*at == '`')
		return backquotes(b, at, quoted);
	if (*at == '\\' && at[1]) {
		if (quoted && !strchr("$`\"\\\n", at[1]))
			strbuf_putc(&b->text, '\\');
		if (at[1] != '\n')
			strbuf_putc(&b->text, at[1]);
		b->started |= at[1] != '\n';
		return at + 2;
	}
	strbuf_putc(&b->text, *at);
	b->started = true;
	return at + 1;
}

static void expand_word(struct builder *b, const char *at)
{
	if (*at == '~' && (!at[1] || at[1] == '/')) {
		add_value(b, "/root", true);
		at++;
	}
	while (*at) {
		if (*at == '\'') {
			const char *end = strchr(at + 1, '\'');
			size_t n = end ? (size_t)(end - at) - 1 : strlen(at + 1);
			strbuf_add(&b->text, at + 1, n);
			b->started = true;
			at += n + 1 + (end != NULL);
		} else if (*at == '"') {
			at = double_quoted(b, at);
		} else {
			at = expand_part(b, at, false);
		}
	}
}

static void expand_one(struct shell *s, const char *word, const struct io *io, struct fields *out)
{
	struct builder b = { .s = s, .io = io, .split = true, .out = out };
	expand_word(&b, word);
	end_field(&b);
	strbuf_free(&b.text);
}

/* ---- braces ----------------------------------------------------------------------------------------- */

/* The first unquoted {...} that has a comma or two dots; false: none. */
static bool find_braces(const char *word, const char **open, const char **close)
{
	for (const char *at = word; *at;) {
		if (*at == '\\' && at[1]) {
			at += 2;
		} else if (*at == '\'' || *at == '"' || *at == '$' || *at == '`') {
			const char *end = *at == '$' || *at == '`' ? lex_closing(at)
								    : strchr(at + 1, *at);
			if (!end)
				return false;
			at = *at == '$' || *at == '`' ? end : end + 1;
		} else if (*at == '{') {
			const char *end = strchr(at, '}');
			size_t n = end ? (size_t)(end - at) : 0;
			if (end && (memchr(at, ',', n) || memmem(at, n, "..", 2)) &&
			    !memchr(at, '$', n) && !memchr(at + 1, '{', n - 1)) {
				*open = at;
				*close = end;
				return true;
			}
			at++;
		} else {
			at++;
		}
	}
	return false;
}

void shell_expand(struct shell *s, const char *word, const struct io *io, struct fields *out)
{
	const char *open, *close, *dots;
	if (!find_braces(word, &open, &close)) {
		expand_one(s, word, io, out);
		return;
	}
	char *inside = arena_strndup(out->arena, open + 1, (size_t)(close - open) - 1);
	int before = (int)(open - word);
	if ((dots = strstr(inside, "..")) != NULL && !strchr(inside, ',')) {
		char *end;
		long from = strtol(inside, &end, 10), to = strtol(dots + 2, NULL, 10);
		if (end != dots || labs(to - from) > BRACE_MAX) {
			expand_one(s, word, io, out);
			return;
		}
		for (long i = from;; i += from <= to ? 1 : -1) {
			shell_expand(s, arena_printf(out->arena, "%.*s%ld%s", before, word, i, close + 1),
				     io, out);
			if (i == to)
				return;
		}
	}
	for (char *item = inside; item;) {
		char *comma = strchr(item, ',');
		if (comma)
			*comma++ = '\0';
		shell_expand(s, arena_printf(out->arena, "%.*s%s%s", before, word, item, close + 1), io,
			     out);
		item = comma;
	}
}

char *shell_expand_text(struct shell *s, struct arena *a, const char *word, bool document,
			const struct io *io)
{
	struct builder b = { .s = s, .io = io };
	if (document)
		while (*word)
			word = expand_part(&b, word, true);
	else
		expand_word(&b, word);
	char *text = arena_strdup(a, strbuf_text(&b.text));
	strbuf_free(&b.text);
	return text;
}
