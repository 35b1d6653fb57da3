/* cli/shell/sed.c: sed: addresses (N, $, /re/, a,b, !), s///gpI, d, p, q; -n -e -i -E. */
#include "cli/shell/sed.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"

#define SED_COMMANDS 32

struct address { long line; bool last, set; regex_t *re; };

struct sed_command {
	struct address from, to;
	bool inverted, inside, global, print;
	long nth;
	char kind;               /* s d p q */
	regex_t *re;
	char *with;
};

struct sed {
	struct arena *arena;
	struct strbuf *err;
	bool quiet, extended;
	struct sed_command commands[SED_COMMANDS];
	uint32_t count;
	regex_t *compiled[SED_COMMANDS * 3];
	uint32_t compiled_count;
};

static void *wrong(struct sed *s, const char *what, const char *script)
{
	strbuf_printf(s->err, "sed: %s: `%s'\n", what, script);
	return NULL;
}

/* Up to the delimiter; "\n" is a newline, an escaped delimiter the delimiter. */
static char *until(struct sed *s, const char **at, char delimiter)
{
	struct strbuf text = { 0 };
	for (; **at && **at != delimiter; (*at)++) {
		if (**at == '\\' && (*at)[1] == delimiter) {
			(*at)++;
		} else if (**at == '\\' && (*at)[1] == 'n') {
			(*at)++;
			strbuf_putc(&text, '\n');
			continue;
		} else if (**at == '\\' && (*at)[1]) {
			strbuf_putc(&text, *(*at)++);
		}
		strbuf_putc(&text, **at);
	}
	if (**at)
		(*at)++;
	char *copy = arena_strdup(s->arena, strbuf_text(&text));
	strbuf_free(&text);
	return copy;
}

static regex_t *compile(struct sed *s, const char *pattern, bool icase)
{
	regex_t *re = arena_alloc(s->arena, sizeof *re);
	if (s->compiled_count == SED_COMMANDS * 3 ||
	    regcomp(re, pattern, (s->extended ? REG_EXTENDED : 0) | (icase ? REG_ICASE : 0)) != 0)
		return wrong(s, "no regular expression", pattern);
	s->compiled[s->compiled_count++] = re;
	return re;
}

static bool read_address(struct sed *s, const char **at, struct address *a)
{
	char *end;
	*a = (struct address){ 0 };
	if (**at == '$') {
		a->last = a->set = true;
		(*at)++;
	} else if (**at >= '0' && **at <= '9') {
		a->line = strtol(*at, &end, 10);
		a->set = true;
		*at = end;
	} else if (**at == '/') {
		(*at)++;
		a->re = compile(s, until(s, at, '/'), false);
		a->set = true;
		return a->re != NULL;
	}
	return true;
}

static bool read_substitute(struct sed *s, const char **at, struct sed_command *c)
{
	char delimiter = **at;
	bool icase = false;
	if (!delimiter)
		return false;
	(*at)++;
	char *pattern = until(s, at, delimiter);
	c->with = until(s, at, delimiter);
	for (; **at && strchr("gpIi0123456789", **at); (*at)++) {
		c->global |= **at == 'g';
		c->print |= **at == 'p';
		icase |= **at == 'I' || **at == 'i';
		if (**at >= '1' && **at <= '9')
			c->nth = **at - '0';
	}
	c->re = compile(s, pattern, icase);
	return c->re != NULL;
}

static bool read_script(struct sed *s, const char *script)
{
	const char *at = script;
	while (*(at += strspn(at, " ;\n\t"))) {
		if (s->count == SED_COMMANDS)
			return wrong(s, "too many commands", script);
		struct sed_command *c = &s->commands[s->count];
		if (!read_address(s, &at, &c->from))
			return false;
		if (*at == ',') {
			at++;
			if (!read_address(s, &at, &c->to))
				return false;
		}
		at += strspn(at, " ");
		if (*at == '!') {
			c->inverted = true;
			at++;
		}
		c->kind = *at ? *at++ : '\0';
		if (c->kind == 's' ? !read_substitute(s, &at, c) : !c->kind || !strchr("dpq", c->kind))
			return wrong(s, "unknown command", script);
		s->count++;
	}
	return true;
}

/* ---- running ------------------------------------------------------------------------------ */

static bool meets(const struct address *a, const char *line, long number, bool last)
{
	if (a->re)
		return regexec(a->re, line, 0, NULL, 0) == 0;
	return a->last ? last : a->line == number;
}

static bool selected(struct sed_command *c, const char *line, long number, bool last)
{
	bool hit;
	if (!c->from.set) {
		hit = true;
	} else if (!c->to.set) {
		hit = meets(&c->from, line, number, last);
	} else if (c->inside) {
		hit = true;
		c->inside = !meets(&c->to, line, number, last) && !(c->to.line && number >= c->to.line);
	} else {
		hit = meets(&c->from, line, number, last);
		c->inside = hit && !(c->to.line && number >= c->to.line);
	}
	return hit != c->inverted;
}

static void add_replacement(struct strbuf *out, const char *with, const char *line,
			    const regmatch_t *m)
{
	for (; *with; with++) {
		int group = *with == '&' ? 0 : *with == '\\' && with[1] >= '0' && with[1] <= '9'
							   ? with[1] - '0' : -1;
		if (group >= 0) {
			if (m[group].rm_so >= 0)
				strbuf_add(out, line + m[group].rm_so, (size_t)(m[group].rm_eo - m[group].rm_so));
			with += *with == '\\';
		} else {
			with += *with == '\\' && with[1];
			strbuf_putc(out, *with);
		}
	}
}

static bool substitute(const struct sed_command *c, struct strbuf *line)
{
	struct strbuf out = { 0 };
	regmatch_t m[10];
	const char *at = strbuf_text(line);
	long found = 0;
	int flags = 0;
	bool done = false;
	while (!done && regexec(c->re, at, 10, m, flags) == 0) {
		found++;
		strbuf_add(&out, at, (size_t)m[0].rm_so);
		if (!c->nth || found == c->nth)
			add_replacement(&out, c->with, at, m);
		else
			strbuf_add(&out, at + m[0].rm_so, (size_t)(m[0].rm_eo - m[0].rm_so));
		done = c->nth ? found == c->nth : !c->global;
		at += m[0].rm_eo;
		flags = REG_NOTBOL;
		if (m[0].rm_eo == m[0].rm_so) { /* an empty match moves on by one */
			if (!*at)
				break;
			strbuf_putc(&out, *at++);
		}
	}
	strbuf_puts(&out, at);
	strbuf_free(line);
	*line = out;
	return c->nth ? found >= c->nth : found > 0;
}

/* False: q ended it. */
static bool run_line(struct sed *s, struct strbuf *line, long number, bool last, struct strbuf *out)
{
	bool gone = false, more = true;
	for (uint32_t i = 0; i < s->count && !gone && more; i++) {
		struct sed_command *c = &s->commands[i];
		if (!selected(c, strbuf_text(line), number, last))
			continue;
		if (c->kind == 'd')
			gone = true;
		else if (c->kind == 'q')
			more = false;
		else if (c->kind == 'p' || (substitute(c, line) && c->print))
			strbuf_printf(out, "%s\n", strbuf_text(line));
	}
	if (!gone && !s->quiet)
		strbuf_printf(out, "%s\n", strbuf_text(line));
	return more;
}

/* Reads options and the script; the index of the first file, or -1. */
static int prepare(struct sed *s, int argc, char **argv)
{
	bool script = false;
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++)
		s->extended |= strcmp(argv[i], "-E") == 0 || strcmp(argv[i], "-r") == 0;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		s->quiet |= strcmp(argv[i], "-n") == 0;
		if (strcmp(argv[i], "-e") == 0 && i + 1 < argc) {
			script = true;
			if (!read_script(s, argv[++i]))
				return -1;
		}
	}
	if (!script && i >= argc) {
		strbuf_puts(s->err, "sed: no script\n");
		return -1;
	}
	if (!script && !read_script(s, argv[i++]))
		return -1;
	return i;
}

static void finish(struct sed *s)
{
	for (uint32_t i = 0; i < s->compiled_count; i++)
		regfree(s->compiled[i]);
	arena_free(s->arena);
}

static void run_text(struct sed *s, const char *text, struct strbuf *out)
{
	bool more = true;
	for (long number = 1; *text && more; number++) {
		struct strbuf line = { 0 };
		size_t n = strcspn(text, "\n");
		strbuf_add(&line, text, n);
		text += n + (text[n] == '\n');
		more = run_line(s, &line, number, !*text, out);
		strbuf_free(&line);
	}
}

int sed_text(int argc, char **argv, const char *text, struct strbuf *out, struct strbuf *err)
{
	struct sed s = { .arena = arena_new(), .err = err };
	int first = prepare(&s, argc, argv);
	if (first >= 0)
		run_text(&s, text, out);
	finish(&s);
	return first < 0;
}

static int sed(struct call *c)
{
	struct sed s = { .arena = arena_new(), .err = c->err };
	bool in_place = false;
	int first = prepare(&s, c->argc, c->argv), status = first < 0;
	for (int i = 1; i < c->argc && c->argv[i][0] == '-'; i++)
		in_place |= c->argv[i][1] == 'i';
	for (int i = first; in_place && i >= 0 && i < c->argc; i++) {
		struct strbuf text = { 0 }, out = { 0 };
		if (shell_read_file(c->s, c->argv[i], &text))
			status = call_fail(c, 2, "can't read %s: No such file or directory", c->argv[i]);
		else
			run_text(&s, strbuf_text(&text), &out);
		if (!status)
			shell_write_file(c->s, c->argv[i], strbuf_text(&out), out.length, false);
		strbuf_free(&text);
		strbuf_free(&out);
	}
	if (!in_place && first >= 0) {
		struct strbuf text = { 0 };
		status = call_input(c, first, &text);
		run_text(&s, strbuf_text(&text), c->out);
		strbuf_free(&text);
	}
	finish(&s);
	return status;
}

const struct tool sed_tools[] = {
	{ "sed", sed, NULL },
	{ NULL, NULL, NULL },
};
