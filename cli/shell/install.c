/* cli/shell/install.c: what tutorials do to machines before they begin.
 *
 * All tools are there and all images can be pulled, so installing changes nothing; each
 * command says so in one line.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"

static int install(struct call *c)
{
	strbuf_printf(c->out, "%s: nothing to do: the tools are there\n", c->argv[0]);
	return 0;
}

static int images(struct call *c)
{
	const char *verb = c->argc > 1 ? c->argv[1] : "";
	if (strcmp(verb, "load") == 0 || strcmp(verb, "pull") == 0 || strcmp(verb, "import") == 0 ||
	    strcmp(verb, "images") == 0 || strcmp(verb, "tag") == 0)
		strbuf_printf(c->out, "%s %s: nothing to do: images are pulled when pods start\n",
			      c->argv[0], verb);
	else
		return call_fail(c, 1, "%s is not part of the simulated machine", verb);
	return 0;
}

static int service(struct call *c)
{
	(void)c;
	return 0;
}

static int uname(struct call *c)
{
	bool all = c->argc > 1 && strcmp(c->argv[1], "-a") == 0;
	if (all)
		strbuf_printf(c->out, "Linux %s " KERNEL_RELEASE " #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n",
			      stand_host(c->s));
	else
		strbuf_puts(c->out, c->argc > 1 && strcmp(c->argv[1], "-r") == 0 ? KERNEL_RELEASE "\n"
										    : "Linux\n");
	return 0;
}

/* NAME=value lines of a container, as its program got them. */
static void environment(struct shell *s, struct strbuf *out)
{
	const struct kube_pod *pod = stand_pod(s);
	const char *container = shell_stand(s)->container;
	strbuf_puts(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
	strbuf_printf(out, "HOSTNAME=%s\n", stand_host(s));
	if (pod) {
		struct control *control = world_control(s->world);
		uint64_t id = control_container_id(control, pod->object.meta.namespace,
						   pod->object.meta.name, *container ? container : NULL);
		if (id)
			control_container_env(control, id, out);
	}
	strbuf_puts(out, "HOME=/root\n");
}

const char *stand_variable(struct shell *s, const char *name)
{
	size_t n = strlen(name);
	strbuf_clear(&s->environment);
	environment(s, &s->environment);
	for (char *line = s->environment.data; line && *line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		if (strncmp(line, name, n) == 0 && line[n] == '=')
			return line + n + 1;
		line = end ? end + 1 : NULL;
	}
	return NULL;
}

static int env(struct call *c)
{
	int i = 1;
	for (; i < c->argc && strchr(c->argv[i], '='); i++) {
		char *equals = strchr(c->argv[i], '=');
		shell_set(c->s, arena_strndup(c->arena, c->argv[i], (size_t)(equals - c->argv[i])), equals + 1);
	}
	if (i < c->argc)
		return shell_command(c->s, c->argc - i, c->argv + i, c->io);
	environment(c->s, c->out);
	return 0;
}

static int printenv(struct call *c)
{
	const char *value = c->argc > 1 ? stand_variable(c->s, c->argv[1]) : NULL;
	if (c->argc < 2)
		return env(c);
	if (value)
		strbuf_printf(c->out, "%s\n", value);
	return !value;
}

const struct tool install_tools[] = {
	{ "uname", uname, NULL },
	{ "env", env, "variables of a container" }, { "printenv", printenv, NULL },
	{ "yum", install, NULL }, { "dnf", install, NULL }, { "apt", install, NULL },
	{ "apt-get", install, NULL }, { "apk", install, NULL }, { "rpm", install, NULL },
	{ "docker", images, NULL }, { "ctr", images, NULL }, { "crictl", images, NULL },
	{ "nerdctl", images, NULL }, { "systemctl", service, NULL },
	{ "swapoff", service, NULL }, { "setenforce", service, NULL },
	{ "alias", service, NULL }, { "clear", service, NULL }, { NULL, NULL, NULL },
};
