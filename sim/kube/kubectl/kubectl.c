/* kube/kubectl/kubectl.c: a command line to its verb, and what verbs share. */
#include "kube/kubectl/kubectl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/file.h"
#include "kube/kubectl/internal.h"

struct verb {
	const char *name;
	int (*run)(struct call *c);
};

static const struct verb verbs[] = {
	{ "annotate", annotate_run },
	{ "api-resources", api_resources_run },
	{ "apply", apply_run },
	{ "cluster-info", cluster_info_run },
	{ "config", config_run },
	{ "cordon", cordon_run },
	{ "create", create_run },
	{ "delete", delete_run },
	{ "describe", describe_run },
	{ "drain", drain_run },
	{ "edit", edit_run },
	{ "events", events_run },
	{ "exec", exec_run },
	{ "explain", explain_run },
	{ "expose", expose_run },
	{ "get", get_run },
	{ "label", label_run },
	{ "logs", logs_run },
	{ "patch", patch_run },
	{ "replace", replace_run },
	{ "rollout", rollout_run },
	{ "run", run_run },
	{ "scale", scale_run },
	{ "set", set_run },
	{ "taint", taint_run },
	{ "uncordon", uncordon_run },
	{ "version", version_run },
	{ "wait", wait_run },
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* Verbs of kubectl that have no meaning here or no model. */
static const char *const others[] = { "attach",	    "auth",	   "autoscale",	   "certificate",
				      "completion", "cp",	   "debug",	   "diff",
				      "kustomize",  "plugin",	   "port-forward", "proxy",
				      "top",	    "api-versions" };

/* ---- what is said ---------------------------------------------------------------- */

int call_error(struct call *c, const char *fmt, ...)
{
	va_list ap;
	strbuf_puts(c->err, "error: ");
	va_start(ap, fmt);
	strbuf_vprintf(c->err, fmt, ap);
	va_end(ap);
	strbuf_putc(c->err, '\n');
	return 1;
}

int call_not_found(struct call *c, const struct kind_schema *s, const char *name)
{
	strbuf_printf(c->err, "Error from server (NotFound): %s \"%s\" not found\n",
		      resource_word(c, s), name);
	return 1;
}

void call_warn(struct call *c, const char *text)
{
	const char *line = arena_printf(c->arena, "Warning: %s\n", text);
	if (c->warned && strstr(c->warned, line))
		return;
	c->warned = arena_printf(c->arena, "%s%s", c->warned ? c->warned : "", line);
	strbuf_puts(c->err, line);
}

void call_warnings(struct call *c, const struct kube_answer *answer)
{
	const char *p = strbuf_text(&answer->warnings);
	while (*p) {
		size_t n = strcspn(p, "\n");
		call_warn(c, arena_strndup(c->arena, p, n));
		p += n + (p[n] == '\n');
	}
}

int call_refused(struct call *c, struct kube_answer *answer, const char *doing)
{
	call_warnings(c, answer);
	kube_answer_text(answer, doing, true, c->err);
	return 1;
}

/* ---- what is asked of the surroundings ------------------------------------------- */

int64_t call_now(const struct call *c)
{
	const struct engine *e = kube_store_engine(c->k->store);
	return e ? engine_now(e) : 0;
}

const char *call_namespace(const struct call *c)
{
	const char *n = call_flag(c, "namespace");
	if (n && *n)
		return n;
	return *c->k->namespace ? c->k->namespace : "default";
}

bool call_wait(struct call *c, bool (*done)(void *arg), void *arg, int64_t until_ns)
{
	if (done(arg))
		return true;
	if (!c->k->host.wait)
		return false;
	return c->k->host.wait(c->k->host.ctx, done, arg, until_ns);
}

int64_t call_deadline(struct call *c)
{
	const char *text = call_flag(c, "timeout");
	int64_t ns;
	if (!text || !kube_duration_parse(text, &ns) || ns <= 0)
		return INT64_MAX;
	return call_now(c) + ns;
}

enum dry_run call_dry_run(struct call *c)
{
	const char *text = call_flag(c, "dry-run");
	if (!text || strcmp(text, "none") == 0 || strcmp(text, "false") == 0)
		return DRY_NONE;
	if (strcmp(text, "server") == 0)
		return DRY_SERVER;
	if (strcmp(text, "unchanged") == 0)
		strbuf_puts(c->err, "W0101 00:00:00.000000       1 helpers.go:703] --dry-run is "
				    "deprecated and can be replaced with --dry-run=client.\n");
	return DRY_CLIENT;
}

const char *call_file(struct call *c, const char *path)
{
	struct strbuf text = { 0 };
	int code;
	if (strcmp(path, "-") == 0) {
		return c->input ? c->input : "";
	} else if (c->k->host.read) {
		code = c->k->host.read(c->k->host.ctx, path, &text);
	} else {
		code = file_read(path, &text, NULL);
	}
	if (code) {
		strbuf_free(&text);
		if (code == ENOENT)
			call_error(c, "the path \"%s\" does not exist", path);
		else
			call_error(c, "the path \"%s\" cannot be accessed: %s", path,
				   strerror(code));
		return NULL;
	}
	const char *copy = arena_strndup(c->arena, strbuf_text(&text), text.length);
	strbuf_free(&text);
	return copy;
}

/* ---- verbs ----------------------------------------------------------------------- */

static int help(struct call *c)
{
	strbuf_puts(c->out, "kubectl controls the Kubernetes cluster manager.\n\n"
			    "Verbs of the simulated cluster:\n");
	for (size_t i = 0; i < VERBS; i++)
		strbuf_printf(c->out, "  %s\n", verbs[i].name);
	return 0;
}

/* Levenshtein distance, as cobra suggests names by it. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);
	if (n + 1 > sizeof row / sizeof *row)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = before + (a[i - 1] != b[j - 1]);
			before = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int unknown_verb(struct call *c, const char *name)
{
	bool any = false;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i], name) == 0)
			return call_error(c, "kubectl %s is not part of the simulated cluster",
					  name);
	strbuf_printf(c->err, "error: unknown command \"%s\" for \"kubectl\"\n", name);
	for (size_t i = 0; i < VERBS; i++) {
		if (distance(name, verbs[i].name) > 2 &&
		    strncmp(verbs[i].name, name, strlen(name)) != 0)
			continue;
		if (!any)
			strbuf_puts(c->err, "\nDid you mean this?\n");
		any = true;
		strbuf_printf(c->err, "\t%s\n", verbs[i].name);
	}
	return 1;
}

/* Flags that stand before the verb (kubectl -n x get ...) come after it for the parser. */
static int find_verb(int argc, char *const *argv)
{
	static const char *const with_value[] = { "-n", "--namespace", "--context", "--kubeconfig",
						  "-s", "--server", "--cluster", "--user", "-v" };
	for (int i = 0; i < argc; i++) {
		bool value = false;
		if (argv[i][0] != '-')
			return i;
		for (size_t j = 0; j < sizeof with_value / sizeof *with_value; j++)
			value = value || strcmp(argv[i], with_value[j]) == 0;
		i += value;
	}
	return argc;
}

int kubectl_run(struct kubectl *k, int argc, char *const *argv, const char *input,
		struct strbuf *out, struct strbuf *err)
{
	struct call c = { .k = k, .arena = arena_new(), .out = out, .err = err, .input = input };
	int code = 0;
	if (argc && strcmp(argv[0], "kubectl") == 0) {
		argc--;
		argv++;
	}
	int at = find_verb(argc, argv);
	const struct verb *verb = NULL;
	for (size_t i = 0; i < VERBS && at < argc; i++)
		if (strcmp(verbs[i].name, argv[at]) == 0)
			verb = &verbs[i];
	if (at == argc || strcmp(argv[at], "help") == 0) {
		code = help(&c);
	} else if (!verb) {
		code = unknown_verb(&c, argv[at]);
	} else {
		char **rest = arena_array(c.arena, (size_t)argc + 1, sizeof *rest);
		int n = 0;
		for (int i = 0; i < argc; i++)
			if (i != at)
				rest[n++] = argv[i];
		c.verb = verb->name;
		code = flags_parse(&c, n, rest);
		if (!code)
			code = verb->run(&c);
	}
	arena_free(c.arena);
	return code;
}
