/* cli/rules.c: svclab rules. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cluster.h"
#include "cli/commands.h"

enum { KEY_FORMAT = 0x200, KEY_VIEW };

struct arguments {
	struct cluster_arguments cluster;
	const char *node;
	enum rules_format format;
	enum rules_view view;
};

static const struct argp_option option_list[] = {
	CLUSTER_OPTIONS,
	{ "node", 'n', "NAME", 0, "Whose kube-proxy", 0 },
	{ "format", KEY_FORMAT, "write|list", 0,
	  "What kube-proxy feeds to the tools (the default), or the whole state that results, as the "
	  "tools print it", 0 },
	{ "view", KEY_VIEW, "VIEW", 0,
	  "iptables, ipvsadm, ipset, addr or nft (default: all, each under a # title)", 0 },
	{ 0 }
};

static bool parse_view(const char *text, enum rules_view *out)
{
	static const char *const names[] = {
		[VIEW_ALL] = "all", [VIEW_IPTABLES] = "iptables", [VIEW_IPVSADM] = "ipvsadm",
		[VIEW_IPSET] = "ipset", [VIEW_ADDR] = "addr", [VIEW_NFT] = "nft",
	};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = i;
			return true;
		}
	return false;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	if (cluster_option(&a->cluster, key, text, state))
		return 0;
	switch (key) {
	case 'n':
		a->node = text;
		return 0;
	case KEY_FORMAT:
		if (strcmp(text, "write") != 0 && strcmp(text, "list") != 0)
			argp_error(state, "--format %s: expected write or list", text);
		a->format = *text == 'l' ? FORMAT_LIST : FORMAT_WRITE;
		return 0;
	case KEY_VIEW:
		if (!parse_view(text, &a->view))
			argp_error(state, "--view %s: expected iptables, ipvsadm, ipset, addr or nft",
				   text);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: files are named with -f", text);
		return 0;
	case ARGP_KEY_END:
		if (!a->cluster.file_count)
			argp_error(state, "-f FILE is missing");
		if (!a->node)
			argp_error(state, "--node NAME is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_rules(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "",
		.doc = "Prints the rules that kube-proxy in MODE writes on a node for this cluster.\v"
		       "The files are taken as they are; nothing is allocated or added. Examples:\n\n"
		       "  svclab rules -f cluster.yaml --node a | iptables-restore --test\n"
		       "  svclab rules -f cluster.yaml --node a --mode ipvs --format list\n"
		       "  kubectl get no,svc,endpointslices -A -o yaml |\n"
		       "         svclab rules -f - --node a --mode nftables\n" };
	struct arguments a = { .cluster.seed = 1 };
	struct world *w = NULL;
	struct strbuf out = { 0 };
	struct err err = { "" };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int code = cluster_open(&a.cluster, &w, &err);
	if (!code)
		code = world_rules(w, a.node, a.format, a.view, &out, &err);
	if (!code)
		fwrite(strbuf_text(&out), 1, out.length, stdout);
	world_free(w);
	strbuf_free(&out);
	cluster_arguments_free(&a.cluster);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
