/* cli/shell/world.c: time, kube-proxy's mode, faults, captures, help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/shell/shell.h"
#include "kube/control/control.h"
#include "net/capture.h"

#define SETTLE_NS (600 * NS_PER_S)

/* ---- time -------------------------------------------------------------------------------- */

static bool stopped(void *ctx)
{
	const struct shell *s = ctx;
	return *s->interrupted;
}

bool shell_pass(struct shell *s, int64_t ns)
{
	int64_t until = world_now(s->world) + ns;
	bool cut = until > s->deadline_ns;
	world_run_while_not(s->world, stopped, s, cut ? s->deadline_ns : until);
	return !cut && !*s->interrupted;
}

struct op_wait { struct shell *s; struct op *op; };

static bool op_or_stopped(void *ctx)
{
	const struct op_wait *w = ctx;
	return op_done(w->op) || *w->s->interrupted;
}

void call_wait_op(struct call *c, struct op *op)
{
	struct op_wait w = { c->s, op };
	if (c->s->deadline_ns == INT64_MAX && !c->s->interactive)
		world_run_op(c->s->world, op);
	else
		world_run_while_not(c->s->world, op_or_stopped, &w,
				    c->s->deadline_ns == INT64_MAX ? world_now(c->s->world) + 3600 * NS_PER_S
								   : c->s->deadline_ns);
}

int64_t shell_duration(const char *text)
{
	char *end;
	int64_t ns;
	double n = strtod(text, &end);
	if (end != text && (!*end || strcmp(end, "d") == 0) && n >= 0 && n < 1e6)
		return (int64_t)(n * (*end ? 86400.0 : 1.0) * (double)NS_PER_S);
	return kube_duration_parse(text, &ns) && ns >= 0 ? ns : -1;
}

static bool settled(void *ctx)
{
	const struct shell *s = ctx;
	return *s->interrupted || (control_converged(world_control(s->world)) &&
				   control_endpoints_settled(world_control(s->world)) &&
				   world_synced(s->world));
}

/* sleep N...; wait [N]: without a time until nothing is left to do. */
static int let_pass(struct call *c)
{
	int64_t sum = 0;
	if (c->argc == 1 && strcmp(c->argv[0], "wait") == 0)
		return !world_run_while_not(c->s->world, settled, c->s,
					    world_now(c->s->world) + SETTLE_NS);
	if (c->argc == 1)
		return call_fail(c, 1, "missing operand");
	for (int i = 1; i < c->argc; i++) {
		int64_t ns = shell_duration(c->argv[i]);
		if (ns < 0)
			return call_fail(c, 1, "invalid time interval '%s'", c->argv[i]);
		sum += ns;
	}
	shell_pass(c->s, sum);
	return 0;
}

static int timeout(struct call *c)
{
	struct shell *s = c->s;
	int i = 1;
	while (i < c->argc && c->argv[i][0] == '-')
		i += strcmp(c->argv[i], "-k") == 0 || strcmp(c->argv[i], "-s") == 0 ? 2 : 1;
	int64_t ns = i < c->argc ? shell_duration(c->argv[i]) : -1;
	if (ns < 0 || i + 1 >= c->argc)
		return call_fail(c, 125, "expected DURATION COMMAND");
	int64_t before = s->deadline_ns, end = world_now(s->world) + ns;
	if (end < before)
		s->deadline_ns = end;
	int status = shell_command(s, c->argc - i - 1, c->argv + i + 1, c->io);
	bool late = world_now(s->world) >= end;
	s->deadline_ns = before;
	return late ? 124 : status;
}

/* time CMD: the cluster's time. */
static int timed(struct call *c)
{
	int64_t start = world_now(c->s->world);
	int status = c->argc > 1 ? shell_command(c->s, c->argc - 1, c->argv + 1, c->io) : 0;
	int64_t ms = (world_now(c->s->world) - start) / NS_PER_MS;
	strbuf_printf(c->err, "\nreal\t%lldm%lld.%03llds\nuser\t0m0.000s\nsys\t0m0.000s\n",
		      (long long)(ms / 60000), (long long)(ms / 1000 % 60), (long long)(ms % 1000));
	return status;
}

static int clock_now(struct call *c)
{
	int64_t ns = world_now(c->s->world);
	strbuf_printf(c->out, "%lld.%03lld s\n", (long long)(ns / NS_PER_S),
		      (long long)(ns % NS_PER_S / NS_PER_MS));
	return 0;
}

/* watch [-n S] CMD: some rounds, one below the other. */
static int watch(struct call *c)
{
	int64_t interval = 2 * NS_PER_S;
	int i = 1;
	for (; i < c->argc && c->argv[i][0] == '-'; i++)
		if (strcmp(c->argv[i], "-n") == 0 && i + 1 < c->argc)
			interval = shell_duration(c->argv[++i]);
	if (i >= c->argc || interval <= 0)
		return call_fail(c, 1, "expected [-n SECONDS] COMMAND");
	int status = 0;
	for (int round = 0; round < 10 && !shell_must_stop(c->s); round++) {
		status = shell_command(c->s, c->argc - i, c->argv + i, c->io);
		if (c->io->terminal)
			shell_flush(c->s);
		shell_pass(c->s, interval);
	}
	return status;
}

static int date(struct call *c)
{
	time_t now = (time_t)(CAPTURE_EPOCH_S + world_now(c->s->world) / NS_PER_S);
	struct tm utc;
	char text[256] = "";
	const char *format = c->argc > 1 && c->argv[c->argc - 1][0] == '+' ? c->argv[c->argc - 1] + 1
									  : "%a %b %e %H:%M:%S UTC %Y";
	gmtime_r(&now, &utc);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	strftime(text, sizeof text, format, &utc);
#pragma GCC diagnostic pop
	strbuf_printf(c->out, "%s\n", text);
	return 0;
}

/* ---- kube-proxy, faults, captures ------------------------------------------------------------ */

static int mode(struct call *c)
{
	struct err err = { "" };
	if (c->argc < 2) {
		strbuf_printf(c->out, "%s\n", world_dataplane(c->s->world));
		return 0;
	}
	if (world_switch_mode(c->s->world, c->argv[1], &err))
		return call_fail(c, 1, "%s", err.text);
	return !world_run_while_not(c->s->world, settled, c->s, world_now(c->s->world) + SETTLE_NS);
}

static int fault(struct call *c)
{
	struct err err = { "" };
	if (c->argc != 3)
		return call_fail(c, 2, "expected PLACE down|up|loss=PPM|delay=NS|partition=PLACE|heal|"
				       "sync-fails=N");
	struct place *p = world_place(c->s->world, c->argv[1], &err);
	if (!p || world_fault(c->s->world, p, c->argv[2], &err))
		return call_fail(c, 1, "%s", err.text);
	return 0;
}

/* pcap start FOLDER | stop: real files, for wireshark. */
static int pcap(struct call *c)
{
	struct err err = { "" };
	bool start = c->argc == 3 && strcmp(c->argv[1], "start") == 0;
	if (!start && !(c->argc == 2 && strcmp(c->argv[1], "stop") == 0))
		return call_fail(c, 2, "expected start FOLDER, or stop");
	if (start ? world_capture_start(c->s->world, c->argv[2], &err)
		  : world_capture_end(c->s->world, &err))
		return call_fail(c, 1, "%s", err.text);
	return 0;
}

/* ---- tables of commands ------------------------------------------------------------------------ */

static int help(struct call *c)
{
	strbuf_puts(c->out, "Besides the usual words of a shell (for, while, if, |, >, <<, $(...), cat, grep, "
			    "sed, awk, ...):\n\n");
	for (const struct tool *const *t = shell_tool_tables(); *t; t++)
		for (const struct tool *tool = *t; tool->name; tool++)
			if (tool->help)
				strbuf_printf(c->out, "  %-14s %s\n", tool->name, tool->help);
	return 0;
}

static int has(struct call *c)
{
	int status = 0;
	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] == '-')
			continue;
		else if (shell_tool(c->argv[i]))
			strbuf_printf(c->out, "/usr/bin/%s\n", c->argv[i]);
		else
			status = 1;
	return status;
}

const struct tool *const *shell_tool_tables(void)
{
	static const struct tool *const tables[] = { kubectl_tools, place_tools, http_tools, dns_tools,
						     link_tools, kernel_tools, world_tools, module_tools,
						     install_tools,
						     builtin_tools, file_tools, text_tools, sed_tools,
						     awk_tools, NULL };
	return tables;
}

/* By name, or by a path to where programs lie. */
const struct tool *shell_tool(const char *name)
{
	static const char *const folders[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/",
					       "/usr/local/bin/" };
	for (size_t i = 0; *name == '/' && i < sizeof folders / sizeof *folders; i++)
		if (strncmp(name, folders[i], strlen(folders[i])) == 0) {
			name += strlen(folders[i]);
			break;
		}
	for (const struct tool *const *t = shell_tool_tables(); *t; t++)
		for (const struct tool *tool = *t; tool->name; tool++)
			if (strcmp(tool->name, name) == 0)
				return tool;
	return NULL;
}

const struct tool world_tools[] = {
	{ "wait", let_pass, "[30s]: let time pass; without a time until the cluster has settled" },
	{ "sleep", let_pass, NULL },
	{ "timeout", timeout, "DURATION COMMAND" },
	{ "time", timed, NULL }, { "watch", watch, NULL }, { "date", date, NULL },
	{ "clock", clock_now, "seconds since the cluster's start" },
	{ "mode", mode, "[iptables|ipvs|nftables|...]: kube-proxy's mode" },
	{ "fault", fault, "PLACE down|up|loss=PPM|delay=NS|partition=PLACE|heal" },
	{ "pcap", pcap, "start FOLDER | stop: packets at all interfaces" },
	{ "help", help, "this list" },
	{ "which", has, NULL }, { "type", has, NULL },
	{ NULL, NULL, NULL },
};
