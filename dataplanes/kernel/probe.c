/* dataplanes/kernel/probe.c: what this machine's kernel can carry out, asked of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
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

/* All that is missing, each with what its tool said. */
static int ask(int ns, const struct question *q, size_t count, struct strbuf *missing)
{
	struct err said = { 0 };
	int code = 0;
	for (size_t i = 0; i < count; i++) {
		struct tool_run run = { .ns = ns, .argv = q[i].argv, .input = q[i].input,
					.input_length = q[i].input ? strlen(q[i].input) : 0 };
		if (!tool_run(&run, &said))
			continue;
		strbuf_printf(missing, "%s%s (%s)", code ? ", no " : "this kernel has no ", q[i].what, said.text);
		code = ENOTSUP;
	}
	return code;
}

static int ask_all(const char *mode, bool nft, int ns, struct strbuf *missing)
{
	int code = 0;
	if (strcmp(mode, "nftables") == 0)
		code = ask(ns, nftables, sizeof nftables / sizeof *nftables, missing);
	else if (nft)
		code = ask(ns, nft_xtables, sizeof nft_xtables / sizeof *nft_xtables, missing);
	else
		code = ask(ns, legacy, sizeof legacy / sizeof *legacy, missing);
	if (!code && strcmp(mode, "ipvs") == 0)
		code = ask(ns, ipvs, sizeof ipvs / sizeof *ipvs, missing);
	return code;
}

/* The kernel's answers do not change while this process lives: they stand in its private
 * /run, one file a mode, which holds what is missing. */
static int answered(const char *path, struct strbuf *missing)
{
	char buffer[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
		strbuf_add(missing, buffer, (size_t)n);
	close(fd);
	return 0;
}

int probe_mode(const char *mode, bool nft, struct err *why)
{
	struct strbuf missing = { 0 };
	char path[128];
	int code = namespace_prepare(why);
	if (code)
		return code;
	snprintf(path, sizeof path, "/run/svclab-%s-%s", mode, nft ? "nft" : "legacy");
	if (answered(path, &missing)) {
		int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		int ns = namespace_new(home);
		if (ns < 0) {
			close(home);
			return err_set(why, ENOTSUP, "no network namespace: %s", strerror(-ns));
		}
		ask_all(mode, nft, ns, &missing);
		close(ns);
		close(home);
		code = file_write(path, strbuf_text(&missing), missing.length, why);
	}
	if (!code && missing.length)
		code = err_set(why, ENOTSUP, "%s", strbuf_text(&missing));
	strbuf_free(&missing);
	return code;
}
