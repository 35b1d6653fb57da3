/* cli/shell.c: svclab shell: options, reading lines, the end. */
#include "cli/shell/shell.h"

#include <argp.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/shell/start.h"
#include "dns/master.h"

#define LINE_LIMIT (4u << 20) /* one command with its here-documents */
#define HISTORY_LINES 1000

enum { KEY_SEED = 0x400, KEY_UPSTREAM };

struct arguments {
	struct cluster_arguments cluster;
	const char *upstream;
	const char *command;
};

static const struct argp_option option_list[] = {
	CLUSTER_OPTIONS,
	{ "seed", KEY_SEED, "N", 0, "Seed of all random draws (default 1)", 0 },
	{ "upstream", KEY_UPSTREAM, "ZONEFILE", 0, "Master file that plays the servers outside", 0 },
	{ "command", 'c', "TEXT", 0, "Run this text instead of standard input", 0 },
	{ 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	if (cluster_option(&a->cluster, key, text, state))
		return 0;
	switch (key) {
	case KEY_SEED:
		a->cluster.seed = strtoull(text, &end, 10);
		if (!*text || *end || *text == '-')
			argp_error(state, "--seed %s: expected a number", text);
		return 0;
	case KEY_UPSTREAM:
		a->upstream = text;
		return 0;
	case 'c':
		a->command = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: commands are read from standard input, or given by -c", text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- Ctrl-C ------------------------------------------------------------------------------ */

/* A signal handler can reach nothing else. */
static volatile int interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	sigaction(SIGINT, &action, NULL);
}

/* ---- lines ---------------------------------------------------------------------------------- */

struct source { /* where lines come from */
	struct shell *shell;
	EditLine *edit;          /* NULL: no terminal */
	History *history;
	struct strbuf prompt;
	bool more;               /* in the middle of a command */
};

static char *show_prompt(EditLine *edit)
{
	struct source *from = NULL;
	el_get(edit, EL_CLIENTDATA, &from);
	strbuf_clear(&from->prompt);
	if (from->more)
		strbuf_puts(&from->prompt, "> ");
	else
		stand_prompt(from->shell, &from->prompt);
	return from->prompt.data;
}

/* Completes the first word by the names of commands. */
static unsigned char complete(EditLine *edit, int key)
{
	const LineInfo *line = el_line(edit);
	size_t n = (size_t)(line->cursor - line->buffer);
	const char *only = NULL;
	(void)key;
	if (!n || memchr(line->buffer, ' ', n))
		return CC_ERROR;
	for (const struct tool *const *t = shell_tool_tables(); *t; t++)
		for (const struct tool *tool = *t; tool->name; tool++)
			if (strncmp(tool->name, line->buffer, n) == 0) {
				if (only)
					return CC_REFRESH_BEEP;
				only = tool->name;
			}
	if (!only)
		return CC_ERROR;
	el_insertstr(edit, only + n);
	el_insertstr(edit, " ");
	return CC_REFRESH;
}

static void open_terminal(struct source *from)
{
	HistEvent event;
	from->edit = el_init("svclab", stdin, stdout, stderr);
	from->history = history_init();
	if (!from->edit || !from->history)
		return;
	history(from->history, &event, H_SETSIZE, HISTORY_LINES);
	el_set(from->edit, EL_CLIENTDATA, from);
	el_set(from->edit, EL_PROMPT, show_prompt);
	el_set(from->edit, EL_EDITOR, "emacs");
	el_set(from->edit, EL_HIST, history, from->history);
	el_set(from->edit, EL_ADDFN, "complete", "Complete a command", complete);
	el_set(from->edit, EL_BIND, "^I", "complete", NULL);
	el_set(from->edit, EL_SIGNAL, 1);
}

/* Appends one line; false at the end. */
static bool read_line(struct source *from, struct strbuf *text)
{
	HistEvent event;
	if (from->edit) {
		int n = 0;
		const char *line = el_gets(from->edit, &n);
		if (!line || n <= 0)
			return false;
		strbuf_puts(text, line);
		if (line[strspn(line, " \n")])
			history(from->history, &event, H_ENTER, line);
		return true;
	}
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);
	if (n > 0)
		strbuf_add(text, line, strnlen(line, (size_t)n));
	free(line);
	return n > 0;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static void run_one(struct shell *s, const struct node *n)
{
	struct io io = { .out = &s->top_out, .err = s->same_output ? &s->top_out : &s->top_err,
			 .terminal = true };
	interrupted = 0;
	s->breaks = 0;
	s->continues = s->returns = false;
	if (n)
		s->status = shell_run_node(s, n, &io);
	shell_flush(s);
	if (interrupted)
		s->status = 130;
}

static void say_bad(struct shell *s, uint32_t line, const struct err *err)
{
	struct strbuf *to = s->same_output ? &s->top_out : &s->top_err;
	if (s->interactive)
		strbuf_printf(to, "sh: %s\n", err->text);
	else
		strbuf_printf(to, "sh: line %u: %s\n", line, err->text);
	s->status = 2;
	shell_flush(s);
	if (!s->interactive)
		s->leaving = true;
}

static void say_line(struct shell *s, const char *text, size_t length)
{
	struct strbuf *to = s->same_output ? &s->top_out : &s->top_err;
	if (text[strspn(text, " \n")] != '#' && strspn(text, " \n") < length)
		stand_prompt(s, to);
	strbuf_add(to, text, length);
}

/* Runs complete commands of the text; keeps the rest. `whole`: nothing follows. */
static bool run_ready(struct shell *s, struct strbuf *text, bool whole)
{
	struct arena *a = arena_new();
	const char *at = strbuf_text(text);
	enum parse_result result = PARSE_OK;
	while (*at && !s->leaving && result == PARSE_OK) {
		const char *next;
		struct node *n;
		struct err err = { "" };
		result = shell_parse(a, at, whole, &n, &next, &err);
		if (result == PARSE_BAD) {
			say_bad(s, s->lines_done + shell_error_line(at, next), &err);
			at += strlen(at);
		} else if (result == PARSE_OK) {
			if (s->verbose) /* with the prompt: the output reads as a transcript */
				say_line(s, at, (size_t)(next - at));
			run_one(s, n);
			for (; at < next; at++)
				s->lines_done += *at == '\n';
		}
		arena_reset(a);
	}
	struct strbuf rest = { 0 };
	strbuf_puts(&rest, s->leaving ? "" : at);
	strbuf_free(text);
	*text = rest;
	arena_free(a);
	return result == PARSE_MORE;
}

static void run_lines(struct shell *s)
{
	struct source from = { .shell = s };
	struct strbuf text = { 0 };
	if (s->interactive)
		open_terminal(&from);
	while (!s->leaving && read_line(&from, &text)) {
		if (text.length > LINE_LIMIT) {
			struct err err = { "a command is over 4 MiB long" };
			say_bad(s, s->lines_done + 1, &err);
			break;
		}
		from.more = run_ready(s, &text, false);
	}
	if (!s->leaving)
		run_ready(s, &text, true);
	strbuf_free(&text);
	strbuf_free(&from.prompt);
	if (from.history)
		history_end(from.history);
	if (from.edit) {
		el_end(from.edit);
		if (!s->leaving)
			putchar('\n');
	}
}

static bool one_output(void)
{
	struct stat out, err;
	return fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
	       out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static int run_shell(const struct arguments *a, struct err *err)
{
	struct shell s = { .deadline_ns = INT64_MAX, .interrupted = &interrupted, .depth = 0 };
	struct dns_master *upstream = NULL;
	int code = upstream_open(a->upstream, &upstream, err);
	if (!code)
		code = live_cluster_open(&a->cluster, upstream, &s.warnings, &s.world, err);
	if (code) {
		fputs(strbuf_text(&s.warnings), stderr);
		strbuf_free(&s.warnings);
		dns_master_free(upstream);
		return code;
	}
	s.interactive = !a->command && isatty(STDIN_FILENO);
	s.same_output = one_output();
	s.arena = arena_new();
	table_init(&s.variables, TABLE_STRING_KEYS, sizeof(char *));
	table_init(&s.functions, TABLE_STRING_KEYS, sizeof(char *));
	table_init(&s.modules, TABLE_STRING_KEYS, sizeof(char *));
	kubectl_prepare(&s);
	const char *first = control_node_name(world_control(s.world), 0);
	char place[400];
	snprintf(place, sizeof place, "node/%s", first);
	code = stand_push(&s, place, NULL, err);
	if (!code) {
		catch_interrupts();
		shell_flush(&s);
		struct strbuf text = { 0 };
		strbuf_puts(&text, a->command ? a->command : "");
		if (a->command)
			run_ready(&s, &text, true);
		else
			run_lines(&s);
		strbuf_free(&text);
	}
	shell_flush(&s);
	shell_free_texts(&s.variables);
	shell_free_texts(&s.functions);
	shell_free_texts(&s.modules);
	arena_free(s.arena);
	world_free(s.world);
	dns_master_free(upstream);
	strbuf_free(&s.warnings);
	strbuf_free(&s.environment);
	strbuf_free(&s.top_out);
	strbuf_free(&s.top_err);
	return code ? code : -s.status;
}

int cmd_shell(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse,
		.doc = "Runs kubectl, curl, dig, ipvsadm, iptables-save and more on a simulated cluster.\v"
		       "Commands are read from standard input, with a prompt when it is a terminal; "
		       "`help` lists them. Time is the cluster's: `sleep 30` costs nothing. The first "
		       "place is the first node; `ssh NODE`, `pod NAME`, `exit` move.\n\n"
		       "  svclab shell -f web.yaml --mode ipvs <<'EOF'\n"
		       "  kubectl get svc,endpointslices -o wide\n"
		       "  for i in 1 2 3; do curl -s $(kubectl get svc web -o "
		       "jsonpath='{.spec.clusterIP}'); done\n"
		       "  ipvsadm -Ln\n"
		       "  EOF\n\n"
		       "The exit code is that of the last command; 2: a usage or load error."
	};
	struct arguments a = { .cluster.seed = 1 };
	struct err err = { "" };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int code = run_shell(&a, &err);
	cluster_arguments_free(&a.cluster);
	return code > 0 ? fail(argv[0], &err) : -code;
}
