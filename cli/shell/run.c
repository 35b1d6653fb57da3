/* cli/shell/run.c: trees to commands.
 *
 * The commands of a pipe run one after the other, each on what the one before wrote.
 * A command behind & runs in the foreground: there is one clock.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

#define NOT_FOUND 127

/* ---- ends ------------------------------------------------------------------------------ */

bool shell_must_stop(const struct shell *s)
{
	return s->leaving || s->breaks || s->continues || s->returns || *s->interrupted ||
	       world_now(s->world) >= s->deadline_ns;
}

static void write_all(FILE *to, struct strbuf *b)
{
	fwrite(strbuf_text(b), 1, b->length, to);
	fflush(to);
	strbuf_clear(b);
}

void shell_flush(struct shell *s)
{
	if (s->warnings.length) {
		strbuf_puts(s->same_output ? &s->top_out : &s->top_err, strbuf_text(&s->warnings));
		strbuf_clear(&s->warnings);
	}
	if (s->top_out.length)
		write_all(stdout, &s->top_out);
	if (s->top_err.length)
		write_all(stderr, &s->top_err);
}

const char *io_take(const struct io *io)
{
	if (!io->in)
		return NULL;
	const char *all = io->in->at;
	io->in->at += strlen(all);
	return all;
}

/* ---- redirections ------------------------------------------------------------------------- */

struct output { /* a file that a command writes */
	struct output *next;
	const char *path;
	bool append;
	struct strbuf text;
};

struct redirected {
	struct arena *arena;
	struct io io;
	struct output *outputs;
	struct strbuf input;
	struct input in;
};

static struct strbuf *open_output(struct redirected *r, const char *path, bool append)
{
	struct output *o = arena_alloc(r->arena, sizeof *o);
	o->path = path;
	o->append = append;
	o->next = r->outputs;
	r->outputs = o;
	return &o->text;
}

static bool said(struct redirected *r, const char *path, int code)
{
	strbuf_printf(r->io.err, "sh: %s: %s\n", path, strerror(code));
	return false;
}

static bool reads(struct redirected *r)
{
	r->in.at = strbuf_text(&r->input);
	r->io.in = &r->in;
	return true;
}

static bool redirect_one(struct shell *s, struct redirected *r, const struct redirect *d)
{
	if (d->kind == 'h' || d->kind == 's') {
		strbuf_clear(&r->input);
		strbuf_puts(&r->input, d->quoted ? d->word
						: shell_expand_text(s, r->arena, d->word, d->kind == 'h',
								    &r->io));
		if (d->kind == 's')
			strbuf_putc(&r->input, '\n');
		return reads(r);
	}
	const char *word = shell_expand_text(s, r->arena, d->word, false, &r->io);
	if (d->kind == '&') {
		if (d->fd == 2 && strcmp(word, "1") == 0)
			r->io.err = r->io.out;
		else if (d->fd == 1 && strcmp(word, "2") == 0)
			r->io.out = r->io.err;
		return true;
	}
	if (d->kind == '<') {
		strbuf_clear(&r->input);
		int code = strcmp(word, "/dev/null") == 0 ? 0 : shell_read_file(s, word, &r->input);
		return code ? said(r, word, code) : reads(r);
	}
	int code = strcmp(word, "/dev/null") == 0
			   ? 0 : shell_write_file(s, word, "", 0, d->kind == 'a');
	if (code)
		return said(r, word, code);
	struct strbuf *to = open_output(r, word, d->kind == 'a');
	if (d->fd == 1 || d->both)
		r->io.out = to;
	if (d->fd == 2 || d->both)
		r->io.err = to;
	r->io.terminal = false;
	return true;
}

static void close_outputs(struct shell *s, struct redirected *r, const struct io *outer)
{
	for (struct output *o = r->outputs; o; o = o->next) {
		int code = 0;
		if (strcmp(o->path, "/dev/stderr") == 0)
			strbuf_puts(outer->err, strbuf_text(&o->text));
		else if (strcmp(o->path, "/dev/stdout") == 0)
			strbuf_puts(outer->out, strbuf_text(&o->text));
		else if (strcmp(o->path, "/dev/null") != 0)
			code = shell_write_file(s, o->path, strbuf_text(&o->text), o->text.length, o->append);
		if (code)
			strbuf_printf(outer->err, "sh: %s: %s\n", o->path, strerror(code));
		strbuf_free(&o->text);
	}
	strbuf_free(&r->input);
}

static int run_kind(struct shell *s, const struct node *n, const struct io *io, struct arena *a);

static int run_redirected(struct shell *s, const struct node *n, const struct io *io)
{
	struct arena *a = arena_new();
	struct redirected r = { .arena = a, .io = *io };
	bool ok = true;
	for (const struct redirect *d = n->redirects; d && ok; d = d->next)
		ok = redirect_one(s, &r, d);
	int status = ok ? run_kind(s, n, &r.io, a) : 1;
	close_outputs(s, &r, io);
	arena_free(a);
	return status;
}

/* ---- simple commands -------------------------------------------------------------------------- */

static bool is_assignment(const char *word)
{
	size_t n = 0;
	while (isalnum((unsigned char)word[n]) || word[n] == '_')
		n++;
	return n && !isdigit((unsigned char)*word) && word[n] == '=';
}

static void assign(struct shell *s, struct arena *a, const char *word, const struct io *io)
{
	const char *equals = strchr(word, '=');
	shell_set(s, arena_strndup(a, word, (size_t)(equals - word)),
		  shell_expand_text(s, a, equals + 1, false, io));
}

static int call_function(struct shell *s, const char *body, int argc, char **argv,
			 const struct io *io)
{
	const char **arguments = s->arguments;
	uint32_t count = s->argument_count, loops = s->loops;
	s->arguments = (const char **)(uintptr_t)(argv + 1);
	s->argument_count = (uint32_t)argc - 1;
	s->loops = 0;
	int status = shell_run_text(s, body, io);
	if (s->returns)
		status = s->status;
	s->returns = false;
	s->arguments = arguments;
	s->argument_count = count;
	s->loops = loops;
	return status;
}

/* ./script.sh, /root/script.sh */
static int run_script(struct shell *s, int argc, char **argv, const struct io *io)
{
	struct strbuf text = { 0 };
	int code = shell_read_file(s, argv[0], &text);
	if (code) {
		strbuf_printf(io->err, "sh: %s: %s\n", argv[0], strerror(code));
		strbuf_free(&text);
		return code == ENOENT ? NOT_FOUND : 126;
	}
	code = call_function(s, strbuf_text(&text), argc, argv, io);
	strbuf_free(&text);
	return code;
}

int shell_command(struct shell *s, int argc, char **argv, const struct io *io)
{
	char **body = table_find(&s->functions, argv[0]);
	const struct tool *tool = shell_tool(argv[0]);
	if (body && *body)
		return call_function(s, *body, argc, argv, io);
	if (!tool && strchr(argv[0], '/'))
		return run_script(s, argc, argv, io);
	if (!tool) {
		if (stand_is_node(s))
			strbuf_printf(io->err, "-bash: %s: command not found\n", argv[0]);
		else
			strbuf_printf(io->err, "sh: %s: not found\n", argv[0]);
		return NOT_FOUND;
	}
	struct arena *a = arena_new();
	struct call c = { .s = s, .argc = argc, .argv = argv, .arena = a, .io = io, .out = io->out,
			  .err = io->err };
	int status = tool->run(&c);
	arena_free(a);
	return status;
}

static void show_trace(const struct fields *f, const struct io *io)
{
	strbuf_putc(io->err, '+');
	for (uint32_t i = 0; i < f->count; i++)
		strbuf_printf(io->err, " %s", f->items[i]);
	strbuf_putc(io->err, '\n');
}

/* Assignments before a command hold while it runs. */
static int with_assignments(struct shell *s, const struct node *n, uint32_t count,
			    struct fields *f, const struct io *io, struct arena *a)
{
	char **names = arena_array(a, count + 1, sizeof *names);
	const char **old = arena_array(a, count + 1, sizeof *old);
	for (uint32_t i = 0; i < count; i++) {
		const char *word = n->words[i];
		names[i] = arena_strndup(a, word, strcspn(word, "="));
		old[i] = shell_get(s, names[i]) ? arena_strdup(a, shell_get(s, names[i])) : NULL;
		assign(s, a, word, io);
	}
	f->items[f->count] = NULL;
	int status = shell_command(s, (int)f->count, f->items, io);
	for (uint32_t i = count; i-- > 0;)
		if (old[i])
			shell_set(s, names[i], old[i]);
		else
			shell_unset(s, names[i]);
	return status;
}

static int simple(struct shell *s, const struct node *n, const struct io *io, struct arena *a)
{
	struct fields f = { .arena = a };
	uint32_t first = 0;
	s->substituted = false;
	while (first < n->word_count && is_assignment(n->words[first]))
		first++;
	for (uint32_t i = first; i < n->word_count; i++)
		shell_expand(s, n->words[i], io, &f);
	if (!f.count) {
		for (uint32_t i = 0; i < first; i++)
			assign(s, a, n->words[i], io);
		return s->substituted ? s->status : 0;
	}
	if (s->trace)
		show_trace(&f, io);
	fields_add(&f, ""); /* room for the NULL behind the last */
	f.count--;
	return with_assignments(s, n, first, &f, io, a);
}

/* ---- compound commands --------------------------------------------------------------------------- */

static int tested(struct shell *s, const struct node *n, const struct io *io)
{
	s->tested++;
	int status = shell_run_node(s, n, io);
	s->tested--;
	return status;
}

/* After a round: false when the loop ends. */
static bool next_round(struct shell *s, uint32_t *rounds, const struct io *io)
{
	if (s->breaks) { /* the loop is left, or with `continue` only the round */
		bool again = --s->breaks == 0 && s->continues;
		if (!s->breaks)
			s->continues = false;
		if (!again)
			return false;
	}
	if (shell_must_stop(s))
		return false;
	if (io->terminal)
		shell_flush(s);
	if (!s->interactive && ++*rounds > ROUNDS_MAX) {
		strbuf_printf(io->err, "sh: a loop was ended after %u rounds\n", ROUNDS_MAX);
		s->status = 1;
		return false;
	}
	if (io->out->length > OUTPUT_MAX) {
		strbuf_printf(io->err, "sh: a loop was ended: its output is over %u bytes\n", OUTPUT_MAX);
		return false;
	}
	return true;
}

static int while_loop(struct shell *s, const struct node *n, const struct io *io)
{
	uint32_t rounds = 0;
	int status = 0;
	s->loops++;
	do {
		bool true_now = tested(s, n->condition, io) == 0;
		if (shell_must_stop(s) || true_now == (n->kind == NODE_UNTIL))
			break;
		status = shell_run_node(s, n->body, io);
	} while (next_round(s, &rounds, io));
	s->loops--;
	return status;
}

static int for_loop(struct shell *s, const struct node *n, const struct io *io, struct arena *a)
{
	struct fields f = { .arena = a };
	uint32_t rounds = 0;
	int status = 0;
	if (n->has_in)
		for (uint32_t i = 0; i < n->word_count; i++)
			shell_expand(s, n->words[i], io, &f);
	else
		for (uint32_t i = 0; i < s->argument_count; i++)
			fields_add(&f, s->arguments[i]);
	s->loops++;
	for (uint32_t i = 0; i < f.count; i++) {
		shell_set(s, n->name, f.items[i]);
		status = shell_run_node(s, n->body, io);
		if (!next_round(s, &rounds, io))
			break;
	}
	s->loops--;
	return status;
}

static int case_command(struct shell *s, const struct node *n, const struct io *io, struct arena *a)
{
	const char *word = shell_expand_text(s, a, n->name, false, io);
	for (const struct node *item = n->children; item; item = item->next)
		for (uint32_t i = 0; i < item->word_count; i++)
			if (shell_match(shell_expand_text(s, a, item->words[i], false, io), word))
				return item->body ? shell_run_node(s, item->body, io) : 0;
	return 0;
}

static int pipeline(struct shell *s, const struct node *n, const struct io *io)
{
	struct strbuf before = { 0 };
	struct io part = *io;
	struct input in;
	struct scope kept;
	bool many = n->children && n->children->next; /* each is then a shell of its own */
	int status = 0;
	if (many)
		scope_begin(s, &kept);
	for (const struct node *c = n->children; c; c = c->next) {
		s->leaving = many ? false : s->leaving;
		struct strbuf out = { 0 };
		part.out = c->next ? &out : io->out;
		/* 2>&1 at the top writes errors into the pipe only where it is asked for. */
		part.terminal = c->next ? false : io->terminal;
		status = shell_run_node(s, c, &part);
		strbuf_free(&before);
		before = out;
		in.at = strbuf_text(&before);
		part.in = &in;
	}
	strbuf_free(&before);
	if (many)
		scope_end(s, &kept);
	return n->negated ? !status : status;
}

static int list(struct shell *s, const struct node *n, const struct io *io)
{
	for (const struct node *c = n->children; c; c = c->next) {
		bool skip = (c->op == OP_AND && s->status != 0) || (c->op == OP_OR && s->status == 0);
		bool joined = c->next && c->next->op != OP_THEN;
		if (skip)
			continue;
		s->tested += joined;
		s->status = shell_run_node(s, c, io);
		s->tested -= joined;
		if (io->terminal)
			shell_flush(s);
		if (s->status && s->errexit && !s->tested && !joined)
			s->leaving = true;
		if (shell_must_stop(s))
			break;
	}
	return s->status;
}

static void keep_function(struct shell *s, const struct node *n)
{
	bool added;
	char **old = table_find(&s->functions, n->name);
	if (old) {
		free(*old);
		*old = mem_strdup(n->words[0]);
		return;
	}
	*(char **)table_put(&s->functions, mem_strdup(n->name), &added) = mem_strdup(n->words[0]);
}

static int subshell(struct shell *s, const struct node *n, const struct io *io)
{
	struct scope kept;
	scope_begin(s, &kept);
	s->loops = 0;
	int status = shell_run_node(s, n->body, io);
	if (s->leaving)
		status = s->status;
	scope_end(s, &kept);
	return status;
}

static int run_kind(struct shell *s, const struct node *n, const struct io *io, struct arena *a)
{
	switch (n->kind) {
	case NODE_SIMPLE:
		return simple(s, n, io, a);
	case NODE_PIPE:
		return pipeline(s, n, io);
	case NODE_LIST:
		return list(s, n, io);
	case NODE_FOR:
		return for_loop(s, n, io, a);
	case NODE_WHILE:
	case NODE_UNTIL:
		return while_loop(s, n, io);
	case NODE_IF:
		if (tested(s, n->condition, io) == 0)
			return shell_must_stop(s) ? s->status : shell_run_node(s, n->body, io);
		return n->other && !shell_must_stop(s) ? shell_run_node(s, n->other, io) : 0;
	case NODE_SUBSHELL:
		return subshell(s, n, io);
	case NODE_CASE:
		return case_command(s, n, io, a);
	case NODE_FUNCTION:
		keep_function(s, n);
		return 0;
	default:
		return shell_run_node(s, n->body, io);
	}
}

int shell_run_node(struct shell *s, const struct node *n, const struct io *io)
{
	if (++s->nested > DEPTH_MAX) {
		strbuf_printf(io->err, "sh: commands are nested more than %d deep\n", DEPTH_MAX);
		s->nested--;
		s->leaving = true;
		return 2;
	}
	int status = run_redirected(s, n, io);
	s->nested--;
	return status;
}

int shell_run_text(struct shell *s, const char *text, const struct io *io)
{
	struct arena *a = arena_new();
	struct err err;
	int status = 0;
	uint32_t lines = 0;
	while (*text && !shell_must_stop(s)) {
		struct node *n;
		const char *next;
		if (shell_parse(a, text, true, &n, &next, &err) != PARSE_OK) {
			strbuf_printf(io->err, "sh: line %u: %s\n", lines + shell_error_line(text, next),
				      err.text);
			status = 2;
			break;
		}
		if (n)
			status = shell_run_node(s, n, io);
		s->status = status;
		arena_reset(a);
		for (; text < next; text++)
			lines += *text == '\n';
	}
	arena_free(a);
	return s->leaving || s->returns ? s->status : status;
}

int shell_run_sub(struct shell *s, const char *text, const struct io *io)
{
	struct scope kept;
	uint32_t floor = s->floor, tested = s->tested;
	scope_begin(s, &kept);
	s->leaving = s->errexit = false;
	s->loops = s->tested = 0;
	s->floor = s->depth - 1;
	int status = shell_run_text(s, text, io);
	scope_end(s, &kept);
	s->floor = floor;
	s->tested = tested;
	return status;
}
