/* world/command.c: see command.h. */
#include "world/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"
#include "core/strbuf.h"

#define INIT_NS NS_PER_S          /* an init container that says nothing else */
#define JOB_NS (5 * NS_PER_S)     /* a Job's program */
#define SHORT_NS (100 * NS_PER_MS) /* a script without sleeps */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_shell(const char *name)
{
	return strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 || strcmp(name, "ash") == 0 ||
	       strcmp(name, "dash") == 0;
}

/* "5", "1.5", "2m", "1h", "1d"; -1: for ever. */
static int64_t sleep_time(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || n > 1e9)
		return -1; /* infinity */
	switch (*end) {
	case 'm':
		n *= 60;
		break;
	case 'h':
		n *= 3600;
		break;
	case 'd':
		n *= 86400;
		break;
	default:
		break;
	}
	return (int64_t)(n * (double)NS_PER_S);
}

static void script_plan(const char *script, struct command_plan *out)
{
	static const char *const endless[] = { "while ", "while:", "until ", "for ((", "tail -f",
					       "nginx", "httpd", "http.server", "-l -p", "exec " };
	out->run_ns = SHORT_NS;
	for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
		if (strstr(script, endless[i]))
			out->run_ns = -1;
	for (const char *at = script; out->run_ns >= 0 && (at = strstr(at, "sleep ")) != NULL; at += 6) {
		int64_t t = sleep_time(at + 6);
		out->run_ns = t < 0 ? -1 : out->run_ns + t;
	}
	const char *exit_at = NULL;
	for (const char *at = script; (at = strstr(at, "exit ")) != NULL; at += 5)
		exit_at = at;
	if (exit_at)
		out->exit_code = atoi(exit_at + 5) & 255;
	else if (strcmp(script, "false") == 0)
		out->exit_code = 1;
}

/* Programs of these images are shells: without a terminal they end at once. */
static bool shell_image(const char *image)
{
	static const char *const names[] = { "busybox", "alpine", "debian", "ubuntu", "centos" };
	const char *name = base_name(image);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);
		if (strncmp(name, names[i], n) == 0 && (name[n] == ':' || name[n] == '@' || !name[n]))
			return true;
	}
	return false;
}

static const char *word(const struct kube_container *c, uint32_t i)
{
	if (i < c->command.count)
		return c->command.items[i];
	i -= c->command.count;
	return i < c->args.count ? c->args.items[i] : NULL;
}

static void command_line(const struct kube_container *c, struct command_plan *out)
{
	const char *first = word(c, 0);
	if (!first) {
		if (c->image && shell_image(c->image))
			out->run_ns = SHORT_NS;
		return;
	}
	const char *name = base_name(first);
	if (strcmp(name, "sleep") == 0) {
		out->run_ns = word(c, 1) ? sleep_time(word(c, 1)) : SHORT_NS;
		out->ignores_term = true;
	} else if (is_shell(name)) {
		uint32_t i = 1;
		while (word(c, i) && word(c, i)[0] == '-' && !strchr(word(c, i), 'c'))
			i++;
		out->ignores_term = true;
		if (word(c, i) && word(c, i)[0] == '-' && word(c, i + 1))
			script_plan(word(c, i + 1), out);
		else if (!word(c, i))
			out->run_ns = SHORT_NS;
	} else if (strcmp(name, "true") == 0 || strcmp(name, "echo") == 0) {
		out->run_ns = SHORT_NS;
	} else if (strcmp(name, "false") == 0) {
		out->run_ns = SHORT_NS;
		out->exit_code = 1;
	} else if (strcmp(name, "tail") == 0) {
		out->ignores_term = true;
	}
}

static bool of_job(const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < pod->object.meta.owners.count; i++)
		if (kube_is(pod->object.meta.owners.items[i].kind, "Job"))
			return true;
	return false;
}

void command_plan(const struct kube_pod *pod, const struct kube_container *c, bool init,
		  struct command_plan *out)
{
	const struct kube_map *notes = &pod->object.meta.annotations;
	const char *run_for = kube_map_get(notes, "svclab.dev/run-for");
	const char *exit_code = kube_map_get(notes, "svclab.dev/exit-code");
	*out = (struct command_plan){ .run_ns = -1 };
	command_line(c, out);
	if (out->run_ns < 0 && init && !kube_is(c->restart_policy, "Always"))
		out->run_ns = INIT_NS;
	if (out->run_ns < 0 && !init && of_job(pod))
		out->run_ns = JOB_NS;
	if (run_for && !init)
		kube_duration_parse(run_for, &out->run_ns);
	if (exit_code && !init)
		out->exit_code = atoi(exit_code);
}
