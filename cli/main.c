/* cli/main.c: finds the subcommand and hands over. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/color.h"
#include "cli/commands.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "run", cmd_run, "run scenarios on dataplanes; TAP 13 on standard output" },
	{ "rules", cmd_rules, "the rules that kube-proxy writes on a node of a cluster" },
	{ "trace", cmd_trace, "what becomes of a packet, hook by hook, rule by rule" },
	{ "diff", cmd_diff, "behaviours of a cluster that another mode would change" },
	{ "dns", cmd_dns, "answer DNS queries as the cluster does, for dig, nslookup, dnsperf" },
	{ "resolve", cmd_resolve, "what a pod's resolver asks for a name, and what it gets" },
	{ "capture", cmd_capture, "take captures of scenarios from real Linux" },
	{ "compare", cmd_compare, "whether two captures tell the same story, packet by packet" },
	{ "shell", cmd_shell, "kubectl, curl, dig, ipvsadm and more on a running cluster" },
	{ "new", cmd_new, "begin a scenario" },
	{ "picture", cmd_picture, "the way of a packet through hooks and chains; SVG" },
	{ "scale", cmd_scale, "rules, bytes and rules passed as Services grow; TSV" },
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *out)
{
	fputs("Usage: svclab COMMAND [OPTION...]\n"
	      "What will this Service do, on this dataplane, in this cluster?\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\nOptions of every command:\n"
	      "  --color=auto|always|never   colours in text for people (NO_COLOR is obeyed)\n"
	      "  --help, --version\n\n"
	      "A first look, with the manifests of a cluster of yours:\n"
	      "  kubectl get no,svc,endpointslices,po -A -o yaml > cluster.yaml\n"
	      "  svclab trace -f cluster.yaml pod/default/client svc/default/web:80\n"
	      "  svclab rules -f cluster.yaml --mode nftables --node NODE\n\n"
	      "`svclab COMMAND --help` explains a command. Exit codes: 0 pass, 1 expectations failed\n"
	      "or differences found, 2 usage or load error, 3 internal error.\n", out);
}

/* --color is the same for all commands: it is taken out before they see it. */
static int take_color(int *argc, char **argv)
{
	int kept = 1;
	for (int i = 1; i < *argc; i++) {
		bool last = strcmp(argv[i], "--") == 0;
		if (!last && strncmp(argv[i], "--color", 7) == 0 &&
		    (argv[i][7] == '=' || !argv[i][7])) {
			const char *when = argv[i][7] ? argv[i] + 8 : "always";
			if (!color_choose(when)) {
				fprintf(stderr, "svclab: --color=%s: expected auto, always or never\n",
					when);
				return EXIT_USAGE;
			}
			continue;
		}
		argv[kept++] = argv[i];
		if (last) {
			while (++i < *argc)
				argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return EXIT_PASS;
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "svclab " SVCLAB_VERSION;
	int code = take_color(&argc, argv);
	if (code)
		return code;
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return EXIT_PASS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts(argp_program_version);
		return EXIT_PASS;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			char name[64];
			snprintf(name, sizeof name, "svclab %s", argv[1]);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "svclab: no command \"%s\"; svclab --help lists them\n", argv[1]);
	return EXIT_USAGE;
}
