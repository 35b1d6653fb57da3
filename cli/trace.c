/* cli/trace.c: svclab trace: a packet through a cluster of manifests, or through dumps. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cluster.h"
#include "cli/color.h"
#include "cli/commands.h"
#include "core/arena.h"
#include "dataplanes/registry.h"
#include "world/dumps.h"
#include "world/tracing.h"

enum { KEY_EXHAUSTIVE = 'x', KEY_ENTER = 0x200, KEY_RULES, KEY_ROUTES, KEY_NODE_IP, KEY_IN };

struct arguments {
	struct cluster_arguments cluster;
	struct trace_query query;
	const char *enter, *in;
	bool json;
	struct dump_node *nodes;
	uint32_t node_count;
	struct dump_node open;      /* before its --node-ip */
	const char **rules;         /* of the open one */
	bool taking_rules;
};

static const struct argp_option option_list[] = {
	CLUSTER_OPTIONS,
	{ "proto", 'p', "PROTO", 0, "tcp (the default), udp, sctp or icmp", 0 },
	{ "exhaustive", KEY_EXHAUSTIVE, NULL, 0, "All outcomes of the backend choice, with probabilities", 0 },
	{ "enter", KEY_ENTER, "NODE", 0,
	  "Where traffic from outside enters when no node owns its destination (default: the first)", 0 },
	{ "output", 'o', "text|json", 0, "Form of the output", 0 },
	{ "seed", 's', "N", 0, "Seed of the random draws (default 1)", 0 },
	{ NULL, 0, NULL, 0, "Dumps of real nodes instead of manifests:", 1 },
	{ "rules", KEY_RULES, "DUMP...", 0,
	  "What iptables-save, ip6tables-save, nft list ruleset, ipset save, ipvsadm -Sn printed", 1 },
	{ "routes", KEY_ROUTES, "FILE", 0, "What ip route printed", 1 },
	{ "node-ip", KEY_NODE_IP, "IP", 0, "Closes a node's group of --rules and --routes", 1 },
	{ "in", KEY_IN, "IFACE", 0, "Interface by which the packet comes in", 1 },
	{ 0 }
};

static void add_rules(struct arguments *a, const char *file)
{
	uint32_t n = a->open.rule_count;
	a->rules = mem_grow(a->rules, n, n + 1, sizeof *a->rules);
	a->rules[n] = file;
	a->open.rule_count++;
}

static void close_node(struct arguments *a, const char *ip)
{
	a->open.ip = ip;
	a->open.rules = a->rules;
	a->nodes = mem_grow(a->nodes, a->node_count, a->node_count + 1, sizeof *a->nodes);
	a->nodes[a->node_count++] = a->open;
	a->open = (struct dump_node){ 0 };
	a->rules = NULL;
	a->taking_rules = false;
}

static void positional(struct arguments *a, char *text, struct argp_state *state)
{
	if (a->taking_rules)
		add_rules(a, text);
	else if (!a->query.from)
		a->query.from = text;
	else if (!a->query.to)
		a->query.to = text;
	else
		argp_error(state, "%s: expected FROM and TO only", text);
}

static void check(const struct arguments *a, struct argp_state *state)
{
	if (a->open.rule_count || a->open.routes)
		argp_error(state, "--rules and --routes need a --node-ip behind them");
	if (a->node_count && a->cluster.file_count)
		argp_error(state, "-f and --rules exclude each other");
	if (!a->node_count && !a->cluster.file_count)
		argp_error(state, "-f FILE or --rules DUMP --node-ip IP is missing");
	if (!a->query.from || !a->query.to)
		argp_error(state, "expected FROM and TO[:PORT]");
}

static error_t parse_dump(struct arguments *a, int key, char *text)
{
	switch (key) {
	case KEY_RULES:
		add_rules(a, text);
		a->taking_rules = true;
		return 0;
	case KEY_ROUTES:
		a->open.routes = text;
		a->taking_rules = false;
		return 0;
	case KEY_NODE_IP:
		close_node(a, text);
		return 0;
	case KEY_IN:
		a->in = text;
		a->taking_rules = false;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	if (cluster_option(&a->cluster, key, text, state) || parse_dump(a, key, text) == 0)
		return 0;
	switch (key) {
	case 'p':
		a->query.proto = proto_number(text);
		if (!a->query.proto || a->query.proto == PROTO_ICMP6)
			argp_error(state, "--proto %s: expected tcp, udp, sctp or icmp", text);
		return 0;
	case KEY_EXHAUSTIVE:
		a->query.exhaustive = true;
		return 0;
	case KEY_ENTER:
		a->enter = text;
		return 0;
	case 'o':
		if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0)
			argp_error(state, "-o %s: expected text or json", text);
		a->json = *text == 'j';
		return 0;
	case 's':
		a->cluster.seed = strtoull(text, &end, 10);
		if (!*text || *end || *text == '-')
			argp_error(state, "--seed %s: expected a number", text);
		return 0;
	case ARGP_KEY_ARG:
		positional(a, text, state);
		return 0;
	case ARGP_KEY_END:
		check(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int trace_dumps(const struct arguments *a, struct world **w, struct trace_report *report,
		       struct err *err)
{
	struct world_options options = { .registry = &dataplanes, .dataplane = "dump",
					 .seed = a->cluster.seed, .snapshot = true };
	int code = world_new(&options, w, err);
	if (!code)
		code = world_load_dumps(*w, a->nodes, a->node_count, err);
	return code ? code : world_trace_dumps(*w, &a->query, a->in, report, err);
}

static int trace_cluster(const struct arguments *a, struct world **w, struct trace_report *report,
			 struct err *err)
{
	int code = cluster_open(&a->cluster, w, err);
	if (!code && a->enter)
		code = world_enter(*w, a->enter, err);
	return code ? code : world_trace(*w, &a->query, report, err);
}

static void arguments_free(struct arguments *a)
{
	for (uint32_t i = 0; i < a->node_count; i++)
		free((void *)a->nodes[i].rules);
	free(a->nodes);
	cluster_arguments_free(&a->cluster);
}

int cmd_trace(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse,
		.args_doc = "-f FILE... FROM TO[:PORT]\n"
			    "--rules DUMP... --node-ip IP [...] FROM TO:PORT",
		.doc = "Sends one packet and says what becomes of it: every hook, table, chain and rule.\v"
		       "FROM: pod/[NS/]NAME, node/NAME, outside/IP or an address. TO: an address, "
		       "svc/[NS/]NAME, pod/[NS/]NAME, node/NAME or a DNS name, which the client resolves; "
		       "a port number or the name of a port.\n\n"
		       "  svclab trace -f cluster.yaml pod/default/cli svc/web:80 --exhaustive\n"
		       "  svclab trace -f cluster.yaml outside/203.0.113.9 node/a:30080 -o json\n"
		       "  svclab trace --rules a.save a.ipset --routes a.routes \\\n"
		       "         --node-ip 192.168.0.1 10.244.1.9 10.96.0.10:80\n\n"
		       "Verdicts: delivered, rejected (an ICMP error or RST comes back), dropped (by a "
		       "rule), no-route, unanswered. The exit code is 0 for any of them.\n" };
	struct arguments a = { .cluster.seed = 1, .query.proto = PROTO_TCP };
	struct trace_report report = { 0 };
	struct strbuf out = { 0 };
	struct world *w = NULL;
	struct err err = { "" };
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a);
	int code = a.node_count ? trace_dumps(&a, &w, &report, &err)
				: trace_cluster(&a, &w, &report, &err);
	if (!code && a.json)
		trace_report_json(&report, &out);
	else if (!code)
		trace_report_text(&report, color_wanted(), &out);
	fwrite(strbuf_text(&out), 1, out.length, stdout);
	trace_report_free(&report);
	strbuf_free(&out);
	world_free(w);
	arguments_free(&a);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
