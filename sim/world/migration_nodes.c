/* world/migration_nodes.c: what the nodes' kernels and firewalls mean for a mode. */
#include "world/migration_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"

/* kube-proxy's nftables mode asks for this kernel; pkg/proxy/nftables/supported.go. */
enum { NFT_KERNEL_MAJOR = 5, NFT_KERNEL_MINOR = 13 };

static void compare_kernels(struct comparison *c)
{
	const struct kube_object *o;
	struct strbuf old = { 0 };
	uint32_t cursor = 0, unknown = 0;
	while ((o = kube_store_next_created(c->worlds[0]->store, KIND_NODE, &cursor)) != NULL) {
		const char *version = ((const struct kube_node *)o)->status.info.kernel_version;
		unsigned major, minor;
		if (!version || sscanf(version, "%u.%u", &major, &minor) != 2)
			unknown++;
		else if (major < NFT_KERNEL_MAJOR ||
			 (major == NFT_KERNEL_MAJOR && minor < NFT_KERNEL_MINOR))
			strbuf_printf(&old, "%s%s (%s)", old.length ? ", " : "", o->meta.name, version);
	}
	if (old.length)
		migration_add(c, "SYN-11", "", "What kube-proxy does on nodes with a kernel before 5.13.",
			      "it runs",
			      arena_printf(c->out->memory, "it refuses to start: %s", strbuf_text(&old)),
			      "Upgrade these nodes' kernels before the change.");
	if (unknown)
		migration_note(c, "a Node does not say its kernel (status.nodeInfo): nftables mode needs "
				  "5.13 or newer");
	migration_note(c, "manifests do not say the version of nft: nftables mode needs 1.0.1 or newer");
	strbuf_free(&old);
}

static void compare_detection(struct comparison *c)
{
	const struct kube_proxy_configuration *p = c->configuration;
	if (p && kube_is(p->detect_local_mode, "InterfaceNamePrefix"))
		migration_add(c, "SYN-13", "", "detectLocalMode InterfaceNamePrefix.",
			      "pods are recognised by their interfaces",
			      "nft refuses the rule that names a prefix: no Service works",
			      "Use ClusterCIDR, NodeCIDR or BridgeInterface with nftables mode.");
}

void nodes_compare(struct comparison *c)
{
	if (c->modes[1] != MODE_NFTABLES)
		return;
	compare_kernels(c);
	compare_detection(c);
}

/* ---- dumps -------------------------------------------------------------------------- */

struct firewall {
	bool known;           /* a dump of rules, whatever they do */
	bool forward, input;  /* what no rule accepts is dropped there */
};

/* nft list ruleset writes hook and policy in one line of the chain. */
static bool closes(const char *line, const char *chain, const char *hook)
{
	char start[32];
	snprintf(start, sizeof start, ":%s DROP", chain);
	if (strncmp(line, start, strlen(start)) == 0)
		return true;
	snprintf(start, sizeof start, "-A %s -j ", chain);
	if (strncmp(line, start, strlen(start)) == 0)
		return strncmp(line + strlen(start), "DROP", 4) == 0 ||
		       strncmp(line + strlen(start), "REJECT", 6) == 0;
	snprintf(start, sizeof start, "hook %s ", hook);
	return strstr(line, start) && strstr(line, "policy drop");
}

static void read_firewall(char *text, struct firewall *f)
{
	bool filter = true;
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (*line == '*')
			filter = strcmp(line, "*filter") == 0;
		f->known |= *line == '*' || strncmp(line, "table ", 6) == 0;
		f->forward |= filter && closes(line, "FORWARD", "forward");
		f->input |= filter && closes(line, "INPUT", "input");
	}
}

/* Whether any Service is reached from outside. */
static const char *exposed(const struct comparison *c, bool health)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(c->worlds[0]->store, KIND_SERVICE, NULL, &cursor)) != NULL) {
		const struct kube_service *s = (const void *)o;
		if (health && s->spec.health_check_node_port)
			return o->meta.name;
		for (uint32_t i = 0; !health && i < s->spec.ports.count; i++)
			if (s->spec.ports.items[i].node_port || s->spec.external_ips.count)
				return o->meta.name;
	}
	return NULL;
}

static void compare_firewall(struct comparison *c, const struct firewall *f)
{
	bool before = c->modes[0] != MODE_NFTABLES, after = c->modes[1] != MODE_NFTABLES;
	static const char *const forward[] = { "dropped by the host's firewall",
					       "accepted by KUBE-FORWARD" };
	static const char *const health[] = { "dropped by the host's firewall",
					      "accepted by a rule of kube-proxy" };
	bool proxied = c->modes[0] == MODE_USERSPACE || c->modes[1] == MODE_USERSPACE;
	if (before == after || proxied) /* a proxy's traffic is not forwarded */
		return;
	if (f->forward && exposed(c, false))
		migration_add(c, "MSQ-07", "",
			      "NodePort and external traffic where the host's FORWARD drops by default.",
			      forward[before], forward[after],
			      "nftables mode accepts nothing: let the host's firewall forward the pods' "
			      "traffic.");
	if (f->input && exposed(c, true))
		migration_add(c, "HCK-01", "",
			      "Health check node ports where the host's INPUT drops by default.",
			      health[before], health[after],
			      "nftables mode accepts nothing: open the health check node ports yourself.");
}

int dumps_compare(struct comparison *c, const char *const *files, uint32_t count, struct err *err)
{
	struct firewall f = { 0 };
	for (uint32_t i = 0; i < count; i++) {
		struct strbuf text = { 0 };
		int code = file_read(files[i], &text, err);
		f.known = false;
		if (!code && text.length)
			read_firewall(text.data, &f);
		strbuf_free(&text);
		if (!code && !f.known)
			code = err_at(err, EINVAL, files[i], 1, 1,
				      "no firewall: expected iptables-save or nft list ruleset text");
		if (code)
			return code;
	}
	if (count)
		compare_firewall(c, &f);
	else if ((c->modes[0] == MODE_NFTABLES) != (c->modes[1] == MODE_NFTABLES))
		migration_note(c, "the nodes' own firewalls are not known: give iptables-save or nft list "
				  "ruleset text with --rules");
	return 0;
}
