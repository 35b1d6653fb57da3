/* dataplanes/kernel/probe.c: what this machine's kernel can carry out, asked of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

struct question {
	const char *what;          /* said when the answer is no */
	const char *argv[12];
	const char *input;
};

static const struct question legacy[] = {
	{ "iptables-legacy", { "iptables-legacy", "-t", "nat", "-S", NULL }, NULL },
	{ "xt_recent", { "iptables-legacy-restore", NULL },
	  "*filter\n-A INPUT -m recent --name svclab --rcheck --seconds 1 --reap -j ACCEPT\nCOMMIT\n" },
	{ "xt_statistic", { "iptables-legacy-restore", NULL },
	  "*filter\n-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT\nCOMMIT\n" } };
static const struct question nft_xtables[] = {
	{ "iptables-nft", { "iptables-nft", "-t", "nat", "-S", NULL }, NULL },
	{ "xt_recent", { "iptables-nft-restore", NULL },
	  "*filter\n-A INPUT -m recent --name svclab --rcheck --seconds 1 --reap -j ACCEPT\nCOMMIT\n" } };
static const struct question nftables[] = {
	{ "nf_tables", { "nft", "-f", "-", NULL },
	  /* nft 1.0.6 wants the ends of lines. */
	  "table ip svclab {\nchain nat {\ntype nat hook prerouting priority -100;\n"
	  "numgen random mod 2 vmap { 0 : accept, 1 : accept }\n}\n}\n" } };
static const struct question ipvs[] = {
	{ "IPVS", { "ipvsadm", "-A", "-t", "10.0.0.1:80", "-s", "rr", NULL }, NULL },
	{ "ipset", { "ipset", "create", "svclab", "hash:ip,port", NULL }, NULL } };

static int ask(int ns, const struct question *q, size_t count, struct err *why)
{
	struct err said = { 0 };
	for (size_t i = 0; i < count; i++) {
		struct tool_run run = { .ns = ns, .argv = q[i].argv, .input = q[i].input,
					.input_length = q[i].input ? strlen(q[i].input) : 0 };
		if (tool_run(&run, &said))
			return err_set(why, ENOTSUP, "this kernel has no %s (%s)", q[i].what, said.text);
	}
	return 0;
}

int probe_mode(const char *mode, bool nft, struct err *why)
{
	int code = namespace_prepare(why);
	if (code)
		return code;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ns = namespace_new(home);
	if (ns < 0) {
		close(home);
		return err_set(why, ENOTSUP, "no network namespace: %s", strerror(-ns));
	}
	bool xtables = strcmp(mode, "nftables") != 0;
	if (xtables)
		code = nft ? ask(ns, nft_xtables, sizeof nft_xtables / sizeof *nft_xtables, why)
			   : ask(ns, legacy, sizeof legacy / sizeof *legacy, why);
	else
		code = ask(ns, nftables, sizeof nftables / sizeof *nftables, why);
	if (!code && strcmp(mode, "ipvs") == 0)
		code = ask(ns, ipvs, sizeof ipvs / sizeof *ipvs, why);
	close(ns);
	close(home);
	return code;
}
