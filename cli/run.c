/* cli/run.c: svclab run. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/vm.h"
#include "cli/watch.h"
#include "core/arena.h"
#include "dataplanes/exec/exec.h"
#include "dataplanes/registry.h"
#include "lua/scenario.h"

enum { KEY_STORY = 0x100, KEY_WATCH };

struct arguments {
	struct scenario_options options;
	struct scenario_param *params;
	const char **files;
	const char *story;
	bool watch;
	uint32_t file_count;
};

static const struct argp_option option_list[] = {
	{ "dataplane", 'd', "D[,D]|all", 0, "Dataplanes to run on (default: all that a scenario names); exec:PROGRAM, alone, is a planner of your own (dataplanes/README.md)", 0 },
	{ "on", 'o', "sim|netns|vm", 0, "What carries the rules out: the Linux model (default), network namespaces of "
	  "this kernel, or a VM with virtual time (netns-nft, vm-nft: with iptables-nft)", 0 },
	{ "seed", 's', "N", 0, "Seed of all random draws (default 1)", 0 },
	{ "pcap", 'w', "DIR", 0, "Write captures to DIR/SCENARIO-DATAPLANE: a pcap an interface, all.pcapng", 0 },
	{ "replay", 'r', "CAPTURE", 0, "Repeat a capture of real Linux: its random choices, then packet by packet", 0 },
	{ "story", KEY_STORY, "FILE", 0, "Write a line of JSON a test: the trace and picture of its last packet, and the expected outputs it was compared with (simulator only)", 0 },
	{ "param", 'p', "KEY=VALUE", 0, "Set a parameter of the scenario", 0 },
	{ "watch", KEY_WATCH, NULL, 0, "Run again whenever a scenario or a file that it reads changes, until Ctrl-C", 0 },
	{ "update", 'u', NULL, 0, "Rewrite the expected outputs in tests/golden", 0 },
	{ 0 }
};

static void add_param(struct arguments *a, char *text, struct argp_state *state)
{
	char *equals = strchr(text, '=');
	if (!equals || equals == text)
		argp_error(state, "-p %s: expected KEY=VALUE", text);
	uint32_t count = a->options.param_count;
	a->params = mem_grow(a->params, count, count + 1, sizeof *a->params);
	*equals = '\0';
	a->params[count] = (struct scenario_param){ text, equals + 1 };
	a->options.param_count = count + 1;
}

static bool known_place(const char *text)
{
	static const char *const known[] = { "sim", "netns", "netns-nft", "vm", "vm-nft" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i], text) == 0)
			return true;
	return false;
}

static bool on_vm(const struct arguments *a)
{
	return a->options.on && strncmp(a->options.on, "vm", 2) == 0;
}

static void check(const struct arguments *a, struct argp_state *state)
{
	if (!a->file_count)
		argp_error(state, "expected one or more scenario files");
	if (a->story && (a->options.on || a->options.replay || a->watch))
		argp_error(state, "--story: on the simulator only, not with --replay or --watch");
	if (a->watch && (on_vm(a) || a->options.update))
		argp_error(state, "--watch: not in the VM, not with --update");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	switch (key) {
	case 'd':
		a->options.dataplanes = text;
		return 0;
	case 'o':
		if (!known_place(text))
			argp_error(state, "--on %s: expected sim, netns, netns-nft, vm or vm-nft", text);
		a->options.on = strcmp(text, "sim") == 0 ? NULL : text;
		return 0;
	case 's':
		a->options.seed = strtoull(text, &end, 10);
		if (!*text || *end || *text == '-')
			argp_error(state, "--seed %s: expected a number", text);
		return 0;
	case 'r':
		a->options.replay = text;
		return 0;
	case 'w':
		a->options.pcap = text;
		return 0;
	case KEY_WATCH:
		a->watch = true;
		return 0;
	case KEY_STORY:
		a->story = text;
		return 0;
	case 'p':
		add_param(a, text, state);
		return 0;
	case 'u':
		a->options.update = true;
		return 0;
	case ARGP_KEY_ARG:
		a->files = mem_grow(a->files, a->file_count, a->file_count + 1, sizeof *a->files);
		a->files[a->file_count++] = text;
		return 0;
	case ARGP_KEY_END:
		check(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A dataplane exec:PROGRAM becomes a row. Programs may take long where the machine is slow:
 * SVCLAB_EXEC_SECONDS says how long. */
static struct exec_registry *take_exec(struct scenario_options *o)
{
	const char *name = o->dataplanes, *patience = getenv("SVCLAB_EXEC_SECONDS");
	if (!name || strncmp(name, EXEC_PREFIX, strlen(EXEC_PREFIX)) != 0)
		return NULL;
	unsigned long seconds = patience ? strtoul(patience, NULL, 10) : 0;
	struct exec_registry *own = exec_registry_new(&dataplanes, name,
						      seconds && seconds < 3600 ? (unsigned)seconds : 10);
	o->registry = exec_registry_rows(own);
	return own;
}

static int story_failed(const struct arguments *a)
{
	fprintf(stderr, "svclab: %s: %s\n", a->story, strerror(errno));
	return EXIT_USAGE;
}

static int open_story(struct arguments *a)
{
	if (a->story)
		a->options.story = fopen(a->story, "w");
	return a->story && !a->options.story ? story_failed(a) : 0;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "FILE.lua...",
		.doc = "Runs scenarios and prints TAP 13.\v"
		       "Each scenario runs once for every dataplane it names, in virtual time, with the same "
		       "seed: the same command gives the same bytes.\n\n"
		       "  svclab run scenarios/statefulset/scale.lua\n"
		       "  svclab run FILE.lua --dataplane iptables,nftables --seed 7 --pcap out\n\n"
		       "Exit: 0 all passed, 1 an expectation failed, 2 a file could not be loaded." };
	struct arguments a = { .options = { .registry = &dataplanes, .seed = 1 } };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	a.options.params = a.params;
	const char *require = getenv("REQUIRE");
	bool vm = on_vm(&a);
	a.options.require = require && strstr(require, vm ? "vm" : "netns");
	a.options.virtual_time = getenv("SVCLAB_VIRTUAL_TIME") != NULL;
	a.options.progress = vm ? NULL : vm_progress();
	struct exec_registry *own = take_exec(&a.options);
	int code = open_story(&a);
	if (!code && a.watch)
		code = watch_run(&a.options, a.files, a.file_count);
	else if (!code)
		code = vm ? vm_run(&a.options, a.files, a.file_count)
			  : scenario_run(a.files, a.file_count, &a.options, stdout, stderr);
	if (a.options.progress)
		fclose(a.options.progress);
	if (a.options.story && fclose(a.options.story) != 0)
		code = story_failed(&a);
	exec_registry_free(own);
	free(a.params);
	free(a.files);
	return code;
}
