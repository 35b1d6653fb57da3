/* cli/shell_install.c: what tutorials do to machines before they begin.
 *
 * All tools are there and all images can be pulled, so installing changes nothing; each
 * command says so in one line. Kernel modules can be loaded and are listed.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/shell.h"

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

/* ---- kernel modules ------------------------------------------------------------------- */

/* Those that kube-proxy's modes need, and what each of them uses. */
static const struct module { const char *name, *uses; } modules[] = {
	{ "ip_vs", "nf_conntrack,nf_defrag_ipv6,libcrc32c" }, { "ip_vs_dh", "ip_vs" },
	{ "ip_vs_fo", "ip_vs" }, { "ip_vs_ftp", "ip_vs,nf_nat" }, { "ip_vs_lblc", "ip_vs" },
	{ "ip_vs_lblcr", "ip_vs" }, { "ip_vs_lc", "ip_vs" }, { "ip_vs_mh", "ip_vs" },
	{ "ip_vs_nq", "ip_vs" }, { "ip_vs_ovf", "ip_vs" }, { "ip_vs_rr", "ip_vs" },
	{ "ip_vs_sed", "ip_vs" }, { "ip_vs_sh", "ip_vs" }, { "ip_vs_wlc", "ip_vs" },
	{ "ip_vs_wrr", "ip_vs" }, { "nf_conntrack", "nf_defrag_ipv4,nf_defrag_ipv6,libcrc32c" },
	{ "nf_nat", "nf_conntrack,libcrc32c" }, { "nf_defrag_ipv4", "" }, { "nf_defrag_ipv6", "" },
	{ "nf_tables", "libcrc32c" }, { "libcrc32c", "" }, { "ip_set", "" }, { "ip_set_hash_ip", "ip_set" },
	{ "ip_set_hash_ipport", "ip_set" }, { "ip_set_hash_ipportip", "ip_set" },
	{ "ip_set_hash_ipportnet", "ip_set" }, { "ip_set_bitmap_port", "ip_set" }, { "xt_set", "ip_set" },
	{ "br_netfilter", "bridge" }, { "bridge", "" }, { "overlay", "" }, { "dummy", "" },
};
#define MODULES (sizeof modules / sizeof *modules)

static const struct module *module_find(const char *name)
{
	for (size_t i = 0; i < MODULES; i++)
		if (strcmp(modules[i].name, name) == 0)
			return &modules[i];
	return NULL;
}

static const char *module_key(struct call *c, const char *name)
{
	return arena_printf(c->arena, "%s %s", stand_host(c->s), name);
}

/* A module comes with what it uses. */
static void load(struct call *c, const struct module *m)
{
	const char *key = module_key(c, m->name);
	bool added;
	if (table_find(&c->s->modules, key))
		return;
	*(char **)table_put(&c->s->modules, mem_strdup(key), &added) = NULL;
	char *uses = arena_strdup(c->arena, m->uses), *save = NULL;
	for (char *name = strtok_r(uses, ",", &save); name; name = strtok_r(NULL, ",", &save))
		if (module_find(name))
			load(c, module_find(name));
}

/* What the node's kube-proxy and network need are loaded from the start. */
static void load_standard(struct call *c)
{
	static const char *const always[] = { "overlay", "br_netfilter", "nf_nat", "nf_tables" };
	static const char *const ipvs[] = { "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "ip_set_hash_ipport",
					    "ip_set_hash_ipportip", "ip_set_hash_ipportnet",
					    "ip_set_bitmap_port", "xt_set", "dummy" };
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		load(c, module_find(always[i]));
	if (strcmp(world_dataplane(c->s->world), "ipvs") == 0)
		for (size_t i = 0; i < sizeof ipvs / sizeof *ipvs; i++)
			load(c, module_find(ipvs[i]));
}

static bool uses(const struct module *m, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = m->uses; (at = strstr(at, name)) != NULL; at += n)
		if ((at == m->uses || at[-1] == ',') && (at[n] == ',' || !at[n]))
			return true;
	return false;
}

/* Without the column of sizes: code here has none. */
static int lsmod(struct call *c)
{
	load_standard(c);
	strbuf_printf(c->out, "%-23s Used by\n", "Module");
	for (size_t i = 0; i < MODULES; i++) {
		struct strbuf users = { 0 };
		unsigned count = 0;
		if (!table_find(&c->s->modules, module_key(c, modules[i].name)))
			continue;
		for (size_t k = 0; k < MODULES; k++)
			if (uses(&modules[k], modules[i].name) &&
			    table_find(&c->s->modules, module_key(c, modules[k].name)))
				strbuf_printf(&users, "%s%s", count++ ? "," : " ", modules[k].name);
		strbuf_printf(c->out, "%-23s %u%s\n", modules[i].name, count, strbuf_text(&users));
		strbuf_free(&users);
	}
	return 0;
}

static int modprobe(struct call *c)
{
	int status = 0;
	bool separators = false;
	for (int i = 1; i < c->argc; i++) {
		if (c->argv[i][0] == '-') {
			separators |= strcmp(c->argv[i], "--") == 0;
			continue;
		}
		char *name = arena_strdup(c->arena, c->argv[i]);
		for (char *at = name; *at; at++)
			*at = *at == '-' ? '_' : *at;
		const struct module *m = module_find(name);
		if (m)
			load(c, m);
		else
			status = call_fail(c, 1, "FATAL: Module %s not found in directory /lib/modules/6.1.0-40-amd64",
					   c->argv[i]);
	}
	return status;
}

static int modinfo(struct call *c)
{
	const struct module *m = c->argc > 1 ? module_find(c->argv[c->argc - 1]) : NULL;
	if (!m)
		return call_fail(c, 1, "ERROR: Module %s not found.", c->argc > 1 ? c->argv[c->argc - 1] : "");
	strbuf_printf(c->out, "/lib/modules/6.1.0-40-amd64/kernel/net/netfilter/%s%s.ko\n",
		      strncmp(m->name, "ip_vs", 5) == 0 ? "ipvs/" : "", m->name);
	return 0;
}

static int uname(struct call *c)
{
	bool all = c->argc > 1 && strcmp(c->argv[1], "-a") == 0;
	if (all)
		strbuf_printf(c->out, "Linux %s 6.1.0-40-amd64 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n",
			      stand_host(c->s));
	else
		strbuf_puts(c->out, c->argc > 1 && strcmp(c->argv[1], "-r") == 0 ? "6.1.0-40-amd64\n" : "Linux\n");
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
	{ "lsmod", lsmod, "kernel modules of the node" }, { "modprobe", modprobe, NULL },
	{ "modinfo", modinfo, NULL }, { "uname", uname, NULL },
	{ "env", env, "variables of a container" }, { "printenv", printenv, NULL },
	{ "yum", install, NULL }, { "dnf", install, NULL }, { "apt", install, NULL },
	{ "apt-get", install, NULL }, { "apk", install, NULL }, { "rpm", install, NULL },
	{ "docker", images, NULL }, { "ctr", images, NULL }, { "crictl", images, NULL },
	{ "nerdctl", images, NULL }, { "systemctl", service, NULL }, { "scp", service, NULL },
	{ "rsync", service, NULL }, { "swapoff", service, NULL }, { "setenforce", service, NULL },
	{ "alias", service, NULL }, { "clear", service, NULL }, { NULL, NULL, NULL },
};
