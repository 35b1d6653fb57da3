/* cli/diff.c: svclab diff: what would change for a cluster in another mode. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cluster.h"
#include "cli/color.h"
#include "cli/commands.h"
#include "core/arena.h"
#include "core/file.h"
#include "world/migration.h"

enum { KEY_FROM = 0x200, KEY_TO, KEY_RULES };

struct arguments {
	struct cluster_arguments cluster;
	const char *from, *to;
	const char **dumps;
	uint32_t dump_count;
	bool json, taking_rules;
};

static const struct argp_option option_list[] = {
	{ "file", KEY_FILE, "FILE", 0, "Kubernetes YAML, several times; - is standard input", 0 },
	{ "from", KEY_FROM, "MODE", 0, "iptables, ipvs, nftables or userspace: what runs now", 0 },
	{ "to", KEY_TO, "MODE", 0, "What is to run", 0 },
	{ "rules", KEY_RULES, "DUMP...", 0,
	  "Firewalls of nodes: what iptables-save or nft list ruleset printed", 0 },
	{ "kube-version", KEY_KUBE_VERSION, "V", 0, "1.20, 1.25, 1.30 or 1.34 (the default)", 0 },
	{ "output", 'o', "text|json", 0, "Form of the output", 0 },
	{ 0 }
};

static void add_dump(struct arguments *a, const char *file)
{
	a->dumps = mem_grow(a->dumps, a->dump_count, a->dump_count + 1, sizeof *a->dumps);
	a->dumps[a->dump_count++] = file;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	if (key != ARGP_KEY_ARG && key != KEY_RULES)
		a->taking_rules = false;
	if (key != KEY_MODE && cluster_option(&a->cluster, key, text, state))
		return 0;
	switch (key) {
	case KEY_FROM:
		a->from = text;
		return 0;
	case KEY_TO:
		a->to = text;
		return 0;
	case KEY_RULES:
		a->taking_rules = true;
		add_dump(a, text);
		return 0;
	case 'o':
		if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0)
			argp_error(state, "-o %s: expected text or json", text);
		a->json = *text == 'j';
		return 0;
	case ARGP_KEY_ARG:
		if (!a->taking_rules)
			argp_error(state, "%s: files are named with -f", text);
		add_dump(a, text);
		return 0;
	case ARGP_KEY_END:
		if (!a->cluster.file_count)
			argp_error(state, "-f FILE is missing");
		if (!a->from || !a->to)
			argp_error(state, "--from MODE and --to MODE are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Both worlds read the files, and standard input can be read once: it is kept in a file
 * without a name of its own. */
static int keep_input(struct cluster_arguments *c, FILE **kept, char name[32], struct err *err)
{
	struct strbuf text = { 0 };
	for (uint32_t i = 0; i < c->file_count; i++) {
		if (strcmp(c->files[i], "-") != 0)
			continue;
		int code = file_read("-", &text, err);
		*kept = code ? NULL : tmpfile();
		if (*kept) {
			fwrite(strbuf_text(&text), 1, text.length, *kept);
			fflush(*kept);
			snprintf(name, 32, "/dev/fd/%d", fileno(*kept));
			c->files[i] = name;
		}
		strbuf_free(&text);
		if (!*kept && !code)
			code = err_set(err, EXIT_USAGE, "standard input: no room to keep it");
		return code;
	}
	return 0;
}

/* Without --kube-version each mode is the newest release's that has it: to leave userspace
 * is to upgrade. */
static int open_both(struct arguments *a, struct world *worlds[2], struct err *err)
{
	const char *modes[] = { a->from, a->to };
	for (int i = 0; i < 2; i++) {
		a->cluster.mode = modes[i];
		a->cluster.quiet = i == 1;
		int code = cluster_open(&a->cluster, &worlds[i], err);
		if (code)
			return code;
	}
	return 0;
}

int cmd_diff(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse,
		.args_doc = "-f FILE... --from MODE --to MODE",
		.doc = "Says which behaviours of this cluster would change with kube-proxy's mode, for "
		       "which Services, and what to do.\v"
		       "Packets are sent through both modes; what is about time follows from the "
		       "objects. Examples:\n\n"
		       "  svclab diff -f cluster.yaml --from ipvs --to nftables\n"
		       "  svclab diff -f cluster.yaml --from iptables --to nftables --rules node.save\n\n"
		       "Exit codes: 0 nothing changes, 1 something does, 2 usage or load error." };
	struct arguments a = { .cluster.seed = 1 };
	struct world *worlds[2] = { NULL, NULL };
	struct migration m = { 0 };
	struct strbuf out = { 0 };
	struct err err = { "" };
	FILE *kept = NULL;
	char name[32];
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a);
	int code = keep_input(&a.cluster, &kept, name, &err);
	if (!code)
		code = open_both(&a, worlds, &err);
	if (!code)
		code = migration_compare(worlds[0], worlds[1], a.dumps, a.dump_count, &m, &err);
	if (!code && a.json)
		migration_json(&m, &out);
	else if (!code)
		migration_text(&m, color_wanted(), &out);
	fwrite(strbuf_text(&out), 1, out.length, stdout);
	bool changes = m.count > 0;
	migration_free(&m);
	strbuf_free(&out);
	world_free(worlds[0]);
	world_free(worlds[1]);
	if (kept)
		fclose(kept);
	free(a.dumps);
	cluster_arguments_free(&a.cluster);
	if (code)
		return fail(argv[0], &err);
	return changes ? EXIT_DIFFERENT : EXIT_PASS;
}
