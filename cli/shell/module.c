/* cli/shell/module.c: lsmod, modprobe, modinfo.
 *
 * The modules that containers and kube-proxy's modes need, with the sizes and uses that
 * /proc/modules of Debian's kernel 6.1.0-56-cloud-amd64 shows. The rest of a machine's
 * modules is not listed.
 */
#include <errno.h>
#include <string.h>

#include "cli/shell/shell.h"

static const struct module {
	const char *name;
	unsigned bytes;
	const char *uses;        /* those that it needs, in the order in which they are loaded */
	const char *folder;
} modules[] = {
	{ "overlay", 163840, "", "fs/overlayfs" },
	{ "llc", 16384, "", "net/llc" },
	{ "stp", 16384, "llc", "net/802" },
	{ "bridge", 294912, "llc,stp", "net/bridge" },
	{ "br_netfilter", 36864, "bridge", "net/bridge" },
	{ "libcrc32c", 16384, "", "lib" },
	{ "nf_defrag_ipv4", 16384, "", "net/ipv4/netfilter" },
	{ "nf_defrag_ipv6", 24576, "", "net/ipv6/netfilter" },
	{ "nf_conntrack", 188416, "libcrc32c,nf_defrag_ipv4,nf_defrag_ipv6", "net/netfilter" },
	{ "nf_nat", 57344, "libcrc32c,nf_conntrack", "net/netfilter" },
	{ "nfnetlink", 20480, "", "net/netfilter" },
	{ "nf_tables", 307200, "libcrc32c,nfnetlink", "net/netfilter" },
	{ "x_tables", 61440, "", "net/netfilter" },
	{ "ip_vs", 188416, "libcrc32c,nf_conntrack,nf_defrag_ipv6", "net/netfilter/ipvs" },
	{ "ip_vs_dh", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_fo", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_ftp", 16384, "ip_vs,nf_nat", "net/netfilter/ipvs" },
	{ "ip_vs_lblc", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_lblcr", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_lc", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_mh", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_nq", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_ovf", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "nf_conntrack_sip", 45056, "nf_conntrack", "net/netfilter" },
	{ "ip_vs_pe_sip", 16384, "ip_vs,nf_conntrack_sip", "net/netfilter/ipvs" },
	{ "ip_vs_rr", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_sed", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_sh", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_wlc", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_vs_wrr", 16384, "ip_vs", "net/netfilter/ipvs" },
	{ "ip_set", 61440, "nfnetlink", "net/netfilter/ipset" },
	{ "ip_set_hash_ip", 45056, "ip_set", "net/netfilter/ipset" },
	{ "ip_set_hash_ipport", 45056, "ip_set", "net/netfilter/ipset" },
	{ "ip_set_hash_ipportip", 49152, "ip_set", "net/netfilter/ipset" },
	{ "ip_set_hash_ipportnet", 53248, "ip_set", "net/netfilter/ipset" },
	{ "ip_set_bitmap_port", 16384, "ip_set", "net/netfilter/ipset" },
	{ "xt_set", 16384, "ip_set,x_tables", "net/netfilter" },
	{ "dummy", 16384, "", "drivers/net" },
};
#define MODULES (sizeof modules / sizeof *modules)

static const struct module *module_find(const char *name)
{
	for (size_t i = 0; i < MODULES; i++)
		if (strcmp(modules[i].name, name) == 0)
			return &modules[i];
	return NULL;
}

/* A word of a list with commas or blanks between. */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = list; (at = strstr(at, name)) != NULL; at += n)
		if ((at == list || strchr(", ", at[-1])) && (!at[n] || strchr(", ", at[n])))
			return true;
	return false;
}

static bool uses(const struct module *m, const char *name)
{
	return listed(m->uses, name);
}

/* Whether this machine's kernel was built without the module, or one that it needs. */
static bool lacks(struct shell *s, const struct module *m)
{
	const char *list = stand_is_node(s) ? world_missing_modules(s->world, stand_host(s)) : NULL;
	for (size_t i = 0; list && i < MODULES; i++)
		if ((m == &modules[i] || uses(m, modules[i].name)) && listed(list, modules[i].name))
			return true;
	return false;
}

/* ---- loading ------------------------------------------------------------------------------ */

/* A module comes after what it uses. */
static void load(struct call *c, const struct module *m)
{
	const char *key = arena_printf(c->arena, "%s %s", stand_host(c->s), m->name);
	if (table_find(&c->s->modules, key) || lacks(c->s, m))
		return;
	char *needs = arena_strdup(c->arena, m->uses), *save = NULL;
	for (char *name = strtok_r(needs, ",", &save); name; name = strtok_r(NULL, ",", &save))
		load(c, module_find(name));
	*(char **)table_put(&c->s->modules, mem_strdup(key), NULL) = NULL;
}

/* What the container runtime, the CNI and kube-proxy have loaded. */
static void load_standard(struct call *c)
{
	static const char *const always[] = { "overlay", "br_netfilter", "x_tables", "nf_nat", "nf_tables" };
	static const char *const ipvs[] = { "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "ip_set_hash_ipport",
					    "ip_set_hash_ipportip", "ip_set_hash_ipportnet",
					    "ip_set_bitmap_port", "xt_set", "dummy" };
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		load(c, module_find(always[i]));
	for (size_t i = 0; i < sizeof ipvs / sizeof *ipvs && strcmp(world_dataplane(c->s->world), "ipvs") == 0;
	     i++)
		load(c, module_find(ipvs[i]));
}

/* The modules of this machine, the last one first, as the kernel lists them. */
static uint32_t loaded(struct call *c, const struct module *out[MODULES])
{
	const void *key;
	uint32_t count = 0;
	size_t n = strlen(stand_host(c->s));
	for (uint32_t i = 0; table_next(&c->s->modules, &i, &key, NULL);)
		if (strncmp(key, stand_host(c->s), n) == 0 && ((const char *)key)[n] == ' ' && count < MODULES) {
			memmove(out + 1, out, count++ * sizeof *out);
			out[0] = module_find((const char *)key + n + 1);
		}
	return count;
}

/* ---- commands --------------------------------------------------------------------------------- */

static int lsmod(struct call *c)
{
	const struct module *have[MODULES];
	load_standard(c);
	uint32_t count = loaded(c, have);
	strbuf_puts(c->out, "Module                  Size  Used by\n");
	for (uint32_t i = 0; i < count; i++) {
		struct strbuf users = { 0 };
		unsigned used = 0;
		for (uint32_t k = 0; k < count; k++)
			if (uses(have[k], have[i]->name))
				strbuf_printf(&users, "%s%s", used++ ? "," : " ", have[k]->name);
		/* What registers with IPVS holds it twice. */
		if (strcmp(have[i]->name, "ip_vs") == 0)
			used *= 2;
		strbuf_printf(c->out, "%-19s %8u  %u%s\n", have[i]->name, have[i]->bytes, used,
			      strbuf_text(&users));
		strbuf_free(&users);
	}
	return 0;
}

/* "ip-vs" is "ip_vs". */
static const struct module *named(struct call *c, const char *text)
{
	char *name = arena_strdup(c->arena, text);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	return module_find(name);
}

static int modprobe(struct call *c)
{
	int status = 0;
	load_standard(c);
	for (int i = 1; i < c->argc; i++) {
		const struct module *m = named(c, c->argv[i]);
		if (c->argv[i][0] == '-')
			continue;
		if (m && !lacks(c->s, m))
			load(c, m);
		else
			status = call_fail(c, 1, "FATAL: Module %s not found in directory /lib/modules/" KERNEL_RELEASE,
					   c->argv[i]);
	}
	return status;
}

/* modinfo [-F filename] NAME */
static int modinfo(struct call *c)
{
	const struct module *m = c->argc > 1 ? named(c, c->argv[c->argc - 1]) : NULL;
	if (!m || lacks(c->s, m))
		return call_fail(c, 1, "ERROR: Module %s not found.", c->argc > 1 ? c->argv[c->argc - 1] : "");
	bool field = strcmp(c->argv[1], "-F") == 0;
	strbuf_printf(c->out, "%s/lib/modules/" KERNEL_RELEASE "/kernel/%s/%s.ko\n",
		      field ? "" : "filename:       ", m->folder, m->name);
	if (!field)
		strbuf_printf(c->out, "depends:        %s\nname:           %s\n", m->uses, m->name);
	return 0;
}

int module_files(struct shell *s, const char *folder, struct strbuf *out)
{
	const char *kernel = strstr(folder, "/kernel/");
	size_t before = out->length;
	for (size_t i = 0; kernel && i < MODULES; i++)
		if (strcmp(modules[i].folder, kernel + 8) == 0 && !lacks(s, &modules[i]))
			strbuf_printf(out, "%s.ko\n", modules[i].name);
	return out->length > before ? 0 : ENOENT;
}

const struct tool module_tools[] = {
	{ "lsmod", lsmod, "kernel modules of the node" }, { "modprobe", modprobe, NULL },
	{ "modinfo", modinfo, NULL }, { NULL, NULL, NULL },
};
