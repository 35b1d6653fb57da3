/* dataplanes/kernel/dump.c: the tools' views, as they print them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplanes/kernel/internal.h"

static int show(struct kernel_place *p, const char *const *argv, struct strbuf *out, struct err *err)
{
	struct tool_run run = { .ns = p->ns, .argv = argv, .output = out };
	return tool_run(&run, err);
}

/* Lines that begin with '#' hold dates and versions. */
static void drop_comments(struct strbuf *b, size_t from)
{
	char *in = b->data + from, *out = in;
	while (b->length > from && *in) {
		size_t n = strcspn(in, "\n");
		n += in[n] == '\n';
		if (*in != '#') {
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	if (b->length > from) {
		*out = '\0';
		b->length = (size_t)(out - b->data);
	}
}

static int recent(struct kernel_place *p, const char *list, struct strbuf *out, struct err *err)
{
	char path[160];
	snprintf(path, sizeof path, "/proc/self/net/xt_recent/%s", list ? list : "");
	const char *const argv[] = { "cat", path, NULL };
	return show(p, argv, out, err);
}

int kernel_dump(struct executor *e, const char *place, enum dump_view view, const char *argument,
		struct strbuf *out, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place);
	bool nft = e->xtables_nft;
	const char *table = argument ? argument : "filter";
	const char *const save4[] = { nft ? "iptables-nft-save" : "iptables-legacy-save", "-c",
				      argument ? "-t" : NULL, table, NULL };
	const char *const save6[] = { nft ? "ip6tables-nft-save" : "ip6tables-legacy-save", "-c",
				      argument ? "-t" : NULL, table, NULL };
	const char *const addr[] = { "ip", "-o", "addr", "show", argument ? "dev" : NULL, argument, NULL };
	static const char *const counters[] = { "conntrack", "-S", NULL };
	static const char *const fixed[][6] = {
		[DUMP_NFT] = { "nft", "list", "ruleset" }, [DUMP_IPSET] = { "ipset", "save" },
		[DUMP_IPVSADM] = { "ipvsadm", "-Ln" },
		[DUMP_IPVSADM_CONNECTIONS] = { "ipvsadm", "-Lnc" },
		[DUMP_IPVSADM_STATS] = { "ipvsadm", "-Ln", "--stats" },
		[DUMP_CONNTRACK] = { "conntrack", "-L" }, [DUMP_ROUTE] = { "ip", "route", "show" },
		[DUMP_ROUTE_LOCAL] = { "ip", "route", "show", "table", "local" },
		[DUMP_SOCKETS] = { "ss", "-tuan" }, [DUMP_IPSET_LIST] = { "ipset", "list" },
		[DUMP_IPVSADM_SAVE] = { "ipvsadm", "-Sn" },
		[DUMP_IPVSADM_RATE] = { "ipvsadm", "-Ln", "--rate" },
		[DUMP_LINK] = { "ip", "-o", "link", "show" } };
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	clock_poll(e);
	size_t from = out->length;
	int code;
	switch (view) {
	case DUMP_IPTABLES_SAVE:
	case DUMP_IP6TABLES_SAVE:
		code = show(p, view == DUMP_IPTABLES_SAVE ? save4 : save6, out, err);
		drop_comments(out, from);
		return code;
	case DUMP_ADDR:
		return show(p, addr, out, err);
	case DUMP_CONNTRACK:
		return show(p, argument && strcmp(argument, "-S") == 0 ? counters : fixed[view], out,
			    err);
	case DUMP_RECENT:
		return recent(p, argument, out, err);
	case DUMP_SYSCTL:
		return tool_sysctl_read(p->ns, argument ? argument : "net.ipv4.ip_forward", out, err);
	case DUMP_UNKNOWN:
	case DUMP_IPTABLES_LOOK:
	case DUMP_IP6TABLES_LOOK:
		return err_set(err, ENOTSUP, "this view is not taken from real Linux");
	case DUMP_IPVSADM:
	case DUMP_IPVSADM_CONNECTIONS:
	case DUMP_IPVSADM_STATS:
	case DUMP_IPVSADM_SAVE:
	case DUMP_IPVSADM_RATE:
		code = show(p, fixed[view], out, err);
		return code && probe_mode("ipvs", e->xtables_nft, err) == ENOTSUP ? ENOSYS : code;
	default:
		return show(p, fixed[view], out, err);
	}
}
