/* cli/shell/kubectl.c: kubectl: files, exec in pods, editors, waiting. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/sed.h"
#include "cli/shell/words.h"
#include "world/files.h"

#define WAIT_NS (600 * NS_PER_S)  /* a command that waits without --timeout */
#define WATCH_NS (60 * NS_PER_S)  /* get -w that nobody can stop */

/* ---- what kubectl asks for --------------------------------------------------------------- */

struct kubectl_wait { struct shell *s; bool (*done)(void *arg); void *arg; };

static bool done_or_stopped(void *ctx)
{
	const struct kubectl_wait *w = ctx;
	return w->done(w->arg) || *w->s->interrupted;
}

static bool wait_for(void *ctx, bool (*done)(void *arg), void *arg, int64_t until_ns)
{
	struct shell *s = ctx;
	struct kubectl_wait w = { s, done, arg };
	int64_t limit = world_now(s->world) + (s->watching ? WATCH_NS : WAIT_NS);
	if (until_ns == INT64_MAX)
		until_ns = limit;
	if (until_ns > s->deadline_ns)
		until_ns = s->deadline_ns;
	world_run_while_not(s->world, done_or_stopped, &w, until_ns);
	return done(arg);
}

static int read_file(void *ctx, const char *path, struct strbuf *out)
{
	return shell_read_file(ctx, path, out);
}

/* A shell without a script: what comes on its input runs, or commands go there from now. */
static int exec_shell(struct shell *s, const struct kubectl_exec *e, const char *place,
		      struct strbuf *out, struct strbuf *err)
{
	struct err why = { "" };
	struct io io = { .out = out, .err = err };
	uint32_t depth = s->depth;
	if (stand_push(s, place, e->container, &why)) {
		strbuf_printf(err, "%s\n", why.text);
		return 1;
	}
	if (!e->input)
		return 0;
	int status = shell_run_sub(s, e->input, &io);
	s->depth = depth;
	return status;
}

static bool is_shell(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	return strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 || strcmp(name, "ash") == 0;
}

static int exec(void *ctx, const struct kubectl_exec *e, struct strbuf *out, struct strbuf *err)
{
	struct shell *s = ctx;
	struct err why = { "" };
	struct input in = { e->input };
	struct io io = { .in = e->input ? &in : NULL, .out = out, .err = err };
	uint32_t depth = s->depth, floor = s->floor;
	char place[400];
	snprintf(place, sizeof place, "pod/%s/%s", e->pod->object.meta.namespace, e->pod->object.meta.name);
	if (e->argc == 1 && is_shell(e->argv[0]))
		return e->tty || e->input ? exec_shell(s, e, place, out, err) : 0;
	if (!shell_tool(e->argv[0])) {
		strbuf_printf(err,
			      "error: Internal error occurred: error executing command in container: failed to "
			      "exec in container: failed to start exec: OCI runtime exec failed: exec failed: "
			      "unable to start container process: exec: \"%s\": executable file not found in "
			      "$PATH: unknown\n", e->argv[0]);
		return 127;
	}
	if (stand_push(s, place, e->container, &why)) {
		strbuf_printf(err, "%s\n", why.text);
		return 1;
	}
	s->floor = s->depth - 1;
	int status = shell_command(s, e->argc, (char **)(uintptr_t)e->argv, &io);
	s->depth = depth;
	s->floor = floor;
	return status;
}

static int logs(void *ctx, const struct kube_pod *pod, const char *container, bool previous,
		struct strbuf *out)
{
	struct shell *s = ctx;
	struct err why = { "" };
	char place[400];
	if (previous)
		return ENOENT;
	snprintf(place, sizeof place, "pod/%s/%s", pod->object.meta.namespace, pod->object.meta.name);
	struct place *p = world_place(s->world, place, &why);
	return p ? world_logs(s->world, p, container, out) : ENOENT;
}

void kubectl_prepare(struct shell *s)
{
	s->kubectl = (struct kubectl){ .store = world_store(s->world), .admit = world_admit(s->world),
				       .control = world_control(s->world),
				       .host = { .ctx = s, .wait = wait_for, .exec = exec, .logs = logs,
						 .read = read_file } };
}

/* ---- edit ------------------------------------------------------------------------------------ */

static bool has_word(const struct call *c, const char *word)
{
	for (int i = 1; i < c->argc; i++)
		if (strncmp(c->argv[i], word, strlen(word)) == 0)
			return true;
	return false;
}

/* The editor of the environment is run on the object's YAML when it is a sed script, as
 * scripts do it on real clusters: KUBE_EDITOR="sed -i s/a/b/" kubectl edit ... */
static const char *edited(struct call *c)
{
	const char *editor = shell_get(c->s, "KUBE_EDITOR");
	struct strbuf yaml = { 0 }, text = { 0 };
	struct fields get = { .arena = c->arena }, words = { .arena = c->arena };
	if (!editor)
		editor = shell_get(c->s, "EDITOR");
	if (!editor || strncmp(editor, "sed ", 4) != 0)
		return NULL;
	struct node *n;
	const char *next;
	struct err err;
	if (shell_parse(c->arena, editor, true, &n, &next, &err) != PARSE_OK || !n ||
	    n->children->kind != NODE_SIMPLE)
		return NULL;
	for (uint32_t i = 0; i < n->children->word_count; i++)
		shell_expand(c->s, n->children->words[i], c->io, &words);
	for (int i = 0; i < c->argc; i++)
		fields_add(&get, strcmp(c->argv[i], "edit") == 0 ? "get" : c->argv[i]);
	fields_add(&get, "-o");
	fields_add(&get, "yaml");
	if (kubectl_run(&c->s->kubectl, (int)get.count, get.items, NULL, &yaml, c->err) == 0)
		sed_text((int)words.count, words.items, strbuf_text(&yaml), &text, c->err);
	const char *copy = arena_strdup(c->arena, strbuf_text(&text));
	strbuf_free(&yaml);
	strbuf_free(&text);
	return copy;
}

static int edit(struct call *c, const char **input)
{
	if (has_word(c, "--patch-file"))
		return 0;
	const char *text = edited(c);
	if (text) {
		*input = text;
		return 0;
	}
	if (*input)
		return 0;
	strbuf_puts(c->err, "error: there is no editor here: set KUBE_EDITOR=\"sed -i 's/old/new/'\", pipe the "
			    "edited object, or give --patch-file FILE\n");
	return 1;
}

/* ---- the command --------------------------------------------------------------------------------- */

static const char *verb_of(const struct call *c)
{
	for (int i = 1; i < c->argc; i++) {
		if (c->argv[i][0] != '-')
			return c->argv[i];
		i += strcmp(c->argv[i], "-n") == 0 || strcmp(c->argv[i], "--namespace") == 0;
	}
	return "";
}

/* Only what reads it takes the input: exec -i, -f -, edit. */
static bool takes_input(const struct call *c, const char *verb)
{
	if (strcmp(verb, "edit") == 0)
		return true;
	for (int i = 1; i < c->argc; i++)
		if (strcmp(c->argv[i], "-") == 0 || strcmp(c->argv[i], "-f-") == 0 ||
		    strcmp(c->argv[i], "--filename=-") == 0 || strcmp(c->argv[i], "-i") == 0 ||
		    strcmp(c->argv[i], "-it") == 0 || strcmp(c->argv[i], "-ti") == 0 ||
		    strcmp(c->argv[i], "--stdin") == 0)
			return true;
	return false;
}

int kubectl_command(struct call *c)
{
	struct shell *s = c->s;
	const char *verb = verb_of(c);
	const char *input = takes_input(c, verb) ? io_take(c->io) : NULL;
	int code = strcmp(verb, "edit") == 0 ? edit(c, &input) : 0;
	if (code)
		return code;
	s->watching = has_word(c, "-w") || has_word(c, "--watch");
	code = kubectl_run(&s->kubectl, c->argc - 1, c->argv + 1, input, c->out, c->err);
	s->watching = false;
	shell_pass(s, KUBECTL_NS);
	return code;
}

const struct tool kubectl_tools[] = {
	{ "kubectl", kubectl_command, "as on a real cluster" },
	{ "k", kubectl_command, NULL },
	{ NULL, NULL, NULL },
};
