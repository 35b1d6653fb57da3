/* cli/shell/place.c: where commands run: ssh, node, pod, outside, exit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"

struct stand *shell_stand(struct shell *s)
{
	return &s->stack[s->depth - 1];
}

static const struct stand *stand_of(const struct shell *s)
{
	return &s->stack[s->depth - 1];
}

struct place *shell_place(struct shell *s, const struct io *io)
{
	struct err err = { "" };
	struct place *p = world_place(s->world, shell_stand(s)->place, &err);
	if (!p)
		strbuf_printf(io->err, "%s is gone: exit comes back\n", shell_stand(s)->place);
	return p;
}

const char *shell_view(struct call *c, enum dump_view which, const char *argument)
{
	struct strbuf text = { 0 };
	struct err err = { "" };
	struct place *p = shell_place(c->s, c->io);
	if (!p)
		return NULL;
	int code = world_dump(c->s->world, p, which, argument, &text, &err);
	const char *copy = code ? NULL : arena_strdup(c->arena, strbuf_text(&text));
	strbuf_free(&text);
	if (code)
		call_fail(c, 1, "%s", err.text);
	return copy;
}

bool stand_is_node(const struct shell *s)
{
	return strncmp(stand_of(s)->place, "pod/", 4) != 0;
}

const char *stand_host(const struct shell *s)
{
	const char *place = stand_of(s)->place, *slash = strrchr(place, '/');
	return strncmp(place, "outside/", 8) == 0 ? "client" : slash + 1;
}

const struct kube_pod *stand_pod(struct shell *s)
{
	char namespace[256];
	const char *place = shell_stand(s)->place, *name = strrchr(place, '/');
	if (stand_is_node(s) || name < place + 4)
		return NULL;
	snprintf(namespace, sizeof namespace, "%.*s", (int)(name - place - 4), place + 4);
	return (const void *)kube_store_get(world_store(s->world), KIND_POD, namespace, name + 1);
}

const char *stand_image(struct shell *s)
{
	const struct kube_pod *pod = stand_pod(s);
	const char *container = shell_stand(s)->container;
	for (uint32_t i = 0; pod && i < pod->spec.containers.count; i++) {
		const struct kube_container *c = &pod->spec.containers.items[i];
		if (c->image && (!*container || kube_is(c->name, container)))
			return c->image;
	}
	return "";
}

bool stand_busybox(struct shell *s)
{
	const char *image = stand_image(s);
	return strstr(image, "busybox") || strstr(image, "alpine") || strstr(image, "ikubernetes/myapp");
}

int stand_push(struct shell *s, const char *place, const char *container, struct err *err)
{
	if (s->depth == STAND_MAX)
		return err_set(err, ENOSPC, "shells are nested more than %d deep", STAND_MAX);
	struct place *p = world_place(s->world, place, err);
	if (!p)
		return EINVAL;
	struct stand *to = &s->stack[s->depth++];
	*to = (struct stand){ .cwd = "/root" };
	snprintf(to->place, sizeof to->place, "%s", place_name(p));
	snprintf(to->container, sizeof to->container, "%s", container ? container : "");
	if (place_kind_of(p) == PLACE_POD)
		strcpy(to->cwd, "/");
	return 0;
}

/* As the shells of the images show it. */
void stand_prompt(struct shell *s, struct strbuf *out)
{
	const struct stand *at = shell_stand(s);
	const char *cwd = strcmp(at->cwd, "/root") == 0 ? "~" : at->cwd;
	if (stand_is_node(s))
		strbuf_printf(out, "[root@%s %s]# ", stand_host(s), cwd);
	else if (stand_busybox(s))
		strbuf_printf(out, "%s # ", cwd);
	else
		strbuf_printf(out, "root@%s:%s# ", stand_host(s), cwd);
}

/* ---- ssh ------------------------------------------------------------------------------------ */

/* "root@NODE": the name, its first label, or an address of the node. */
static const char *find_node(struct shell *s, const char *text)
{
	const char *at = strchr(text, '@');
	const struct kube_object *o;
	size_t n;
	text = at ? at + 1 : text;
	n = strlen(text);
	for (uint32_t i = 0; (o = kube_store_next(world_store(s->world), KIND_NODE, NULL, &i));) {
		const struct kube_node *node = (const void *)o;
		if (strcmp(o->meta.name, text) == 0 ||
		    (strncmp(o->meta.name, text, n) == 0 && o->meta.name[n] == '.'))
			return o->meta.name;
		for (uint32_t k = 0; k < node->status.addresses.count; k++)
			if (kube_is(node->status.addresses.items[k].address, text))
				return o->meta.name;
	}
	return NULL;
}

/* One command at another place. */
static int run_there(struct call *c, const char *place, const char *container, char **words,
		     int count)
{
	struct strbuf line = { 0 };
	struct err err = { "" };
	struct shell *s = c->s;
	uint32_t depth = s->depth;
	if (stand_push(s, place, container, &err))
		return call_fail(c, 255, "%s", err.text);
	for (int i = 0; i < count; i++)
		strbuf_printf(&line, "%s%s", i ? " " : "", words[i]);
	int status = shell_run_sub(s, strbuf_text(&line), c->io);
	s->depth = depth;
	strbuf_free(&line);
	return status;
}

static int ssh(struct call *c)
{
	int i = 1;
	while (i < c->argc && c->argv[i][0] == '-')
		i += strlen(c->argv[i]) == 2 && strchr("bceFiIJlLmoOpQRSwW", c->argv[i][1]) ? 2 : 1;
	if (i >= c->argc)
		return call_fail(c, 255, "expected NODE [COMMAND]");
	const char *node = find_node(c->s, c->argv[i]);
	if (!node) {
		strbuf_printf(c->err, "ssh: Could not resolve hostname %s: Name or service not known\n",
			      c->argv[i]);
		return 255;
	}
	struct err err = { "" };
	const char *place = arena_printf(c->arena, "node/%s", node);
	if (i + 1 < c->argc)
		return run_there(c, place, NULL, c->argv + i + 1, c->argc - i - 1);
	const char *script = io_take(c->io);
	if (script) /* ssh NODE < script */
		return run_there(c, place, NULL, (char *[]){ arena_strdup(c->arena, script) }, 1);
	return stand_push(c->s, place, NULL, &err) ? call_fail(c, 255, "%s", err.text) : 0;
}

/* scp [-p] FILE NODE:PATH */
static int scp(struct call *c)
{
	struct strbuf text = { 0 };
	struct err err = { "" };
	struct shell *s = c->s;
	uint32_t depth = s->depth;
	char *colon = c->argc > 2 ? strchr(c->argv[c->argc - 1], ':') : NULL;
	if (!colon)
		return call_fail(c, 1, "expected FILE NODE:PATH");
	*colon = '\0';
	const char *from = c->argv[c->argc - 2], *to = colon[1] ? colon + 1 : from;
	const char *name = find_node(s, c->argv[c->argc - 1]);
	int code = name ? shell_read_file(s, from, &text) : 0;
	if (!name) {
		strbuf_printf(c->err, "ssh: Could not resolve hostname %s: Name or service not known\n"
				      "scp: Connection closed\n", c->argv[c->argc - 1]);
		return 255;
	}
	if (!code && stand_push(s, arena_printf(c->arena, "node/%s", name), NULL, &err) == 0)
		code = shell_write_file(s, to, strbuf_text(&text), text.length, false);
	s->depth = depth;
	strbuf_free(&text);
	return code ? call_fail(c, 1, "%s: %s", from, strerror(code)) : 0;
}

static int node(struct call *c)
{
	struct err err = { "" };
	const char *name = c->argc > 1 ? find_node(c->s, c->argv[1]) : NULL;
	if (!name)
		return call_fail(c, c->argc > 1 ? 1 : 2, c->argc > 1 ? "no node \"%s\"" : "expected NAME",
				 c->argv[1]);
	const char *place = arena_printf(c->arena, "node/%s", name);
	if (c->argc > 2)
		return run_there(c, place, NULL, c->argv + 2, c->argc - 2);
	return stand_push(c->s, place, NULL, &err) ? call_fail(c, 1, "%s", err.text) : 0;
}

static int pod(struct call *c)
{
	struct err err = { "" };
	if (c->argc < 2)
		return call_fail(c, 2, "expected [NAMESPACE/]NAME [COMMAND]");
	const char *ns = *c->s->kubectl.namespace ? c->s->kubectl.namespace : "default";
	const char *place = strchr(c->argv[1], '/')
				    ? arena_printf(c->arena, "pod/%s", c->argv[1])
				    : arena_printf(c->arena, "pod/%s/%s", ns, c->argv[1]);
	if (c->argc > 2)
		return run_there(c, place, NULL, c->argv + 2, c->argc - 2);
	return stand_push(c->s, place, NULL, &err) ? call_fail(c, 1, "%s", err.text) : 0;
}

static int outside(struct call *c)
{
	struct err err = { "" };
	const char *address = c->argc > 1 ? c->argv[1] : "198.51.100.1";
	const char *place = arena_printf(c->arena, "outside/%s", address);
	if (c->argc > 2)
		return run_there(c, place, NULL, c->argv + 2, c->argc - 2);
	return stand_push(c->s, place, NULL, &err) ? call_fail(c, 1, "%s", err.text) : 0;
}

static int leave(struct call *c)
{
	struct shell *s = c->s;
	int status = c->argc > 1 ? atoi(c->argv[1]) & 255 : s->status;
	if (s->depth > s->floor + 1) {
		s->depth--;
		return status;
	}
	s->leaving = true;
	s->status = status;
	return status;
}

static int where(struct call *c)
{
	strbuf_printf(c->out, "%s\n", shell_stand(c->s)->place);
	return 0;
}

static int hostname(struct call *c)
{
	struct net_addr a = { 0 };
	char text[NET_ADDR_TEXT];
	struct place *p = shell_place(c->s, c->io);
	if (!p)
		return 1;
	if (c->argc > 1 && (strcmp(c->argv[1], "-i") == 0 || strcmp(c->argv[1], "-I") == 0)) {
		a = place_addr(p, NET_V4);
		if (a.family == NET_NONE)
			a = place_addr(p, NET_V6);
		strbuf_printf(c->out, "%s%s\n", net_addr_text(&a, text),
			      c->argv[1][1] == 'I' ? " " : "");
		return 0;
	}
	if (c->argc > 1 && strcmp(c->argv[1], "-f") == 0 && !stand_is_node(c->s)) {
		const struct kube_pod *pod = stand_pod(c->s);
		const char *subdomain = pod ? pod->spec.subdomain : NULL;
		if (subdomain && *subdomain) {
			strbuf_printf(c->out, "%s.%s.%s.svc.cluster.local\n", stand_host(c->s), subdomain,
				      pod->object.meta.namespace);
			return 0;
		}
	}
	strbuf_printf(c->out, "%s\n", stand_host(c->s));
	return 0;
}

static int whoami(struct call *c)
{
	strbuf_puts(c->out, "root\n");
	return 0;
}

const struct tool place_tools[] = {
	{ "ssh", ssh, "NODE [COMMAND]: go to a node, or run one command there" },
	{ "scp", scp, NULL },
	{ "node", node, "NAME [COMMAND]: the same" },
	{ "pod", pod, "[NAMESPACE/]NAME [COMMAND]: the same in a pod" },
	{ "outside", outside, "[ADDRESS] [COMMAND]: the same at a host outside the cluster" },
	{ "exit", leave, "come back; at the first place end the shell" },
	{ "logout", leave, NULL },
	{ "where", where, "the place where commands run" },
	{ "hostname", hostname, NULL },
	{ "whoami", whoami, NULL },
	{ NULL, NULL, NULL },
};
