/* cli/capture.c: svclab capture. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/vm.h"
#include "core/arena.h"
#include "core/file.h"
#include "dataplanes/kernel/kernel.h"
#include "dataplanes/registry.h"
#include "lua/scenario.h"

struct arguments {
	struct scenario_options options;
	const char *out, *shown_on;
	const char **files;
	uint32_t file_count;
};

static const struct argp_option option_list[] = {
	{ "mode", 'm', "MODE", 0, "kube-proxy's mode: iptables, ipvs, nftables, userspace", 0 },
	{ "on", 'o', "netns|vm", 0, "Where (default netns; netns-nft, vm-nft: with iptables-nft)", 0 },
	{ "seed", 's', "N", 0, "Seed of what the simulator draws: names, addresses (default 1)", 0 },
	{ "out", 'd', "DIR", 0, "Folder to write to (default tests/captures)", 0 },
	{ "shown-on", 256, "PLACE", OPTION_HIDDEN, "What the file names say instead of --on", 0 },
	{ 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	switch (key) {
	case 'm':
		a->options.dataplanes = text;
		return 0;
	case 'o':
		a->options.on = text;
		return 0;
	case 's':
		a->options.seed = strtoull(text, &end, 10);
		if (!*text || *end || *text == '-')
			argp_error(state, "--seed %s: expected a number", text);
		return 0;
	case 'd':
		a->out = text;
		return 0;
	case 256:
		a->shown_on = text;
		return 0;
	case ARGP_KEY_ARG:
		a->files = mem_grow(a->files, a->file_count, a->file_count + 1, sizeof *a->files);
		a->files[a->file_count++] = text;
		return 0;
	case ARGP_KEY_END:
		if (!a->file_count)
			argp_error(state, "expected one or more scenario files");
		if (!a->options.dataplanes || !registry_find(&dataplanes, a->options.dataplanes))
			argp_error(state, "expected --mode iptables, ipvs, nftables or userspace");
		if (strcmp(a->options.on, "netns") != 0 && strcmp(a->options.on, "vm") != 0 &&
		    strcmp(a->options.on, "netns-nft") != 0 && strcmp(a->options.on, "vm-nft") != 0)
			argp_error(state, "--on %s: expected netns, netns-nft, vm or vm-nft", a->options.on);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* First line that a command prints. */
static void first_line(const char *command, struct strbuf *out)
{
	char line[256] = "";
	FILE *in = popen(command, "r");
	if (in && fgets(line, sizeof line, in))
		strbuf_printf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
	if (in)
		pclose(in);
}

/* What the capture was taken under: replays read the first three lines. */
static int write_conditions(const struct arguments *a, const char *file, const char *path,
			    struct err *err)
{
	struct strbuf text = { 0 };
	struct utsname kernel;
	uname(&kernel);
	strbuf_printf(&text, "scenario: %s\nmode: %s\non: %s\nseed: %llu\nsvclab: %s\nkernel: %s %s %s\n", file,
		      a->options.dataplanes, a->shown_on, (unsigned long long)a->options.seed, SVCLAB_VERSION,
		      kernel.sysname, kernel.release, kernel.machine);
	first_line("iptables-legacy -V 2>/dev/null", &text);
	first_line("nft -v 2>/dev/null", &text);
	if (strcmp(a->options.dataplanes, "ipvs") == 0) {
		first_line("ipvsadm -v 2>/dev/null", &text);
		first_line("ipset -v 2>/dev/null", &text);
	}
	int code = file_write(path, strbuf_text(&text), text.length, err);
	strbuf_free(&text);
	return code;
}

static int capture_one(const struct arguments *a, const char *file)
{
	char folder[] = "/run/svclab-capture.XXXXXX", taken[128], base[600], path[700];
	const char *name = strrchr(file, '/');
	struct err err = { .text = "" };
	struct strbuf bytes = { 0 };
	name = name ? name + 1 : file;
	if (namespace_prepare(&err)) {
		fprintf(stderr, "svclab capture: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (!mkdtemp(folder)) {
		fprintf(stderr, "svclab capture: %s: %s\n", folder, strerror(errno));
		return EXIT_INTERNAL;
	}
	struct scenario_options o = a->options;
	o.capture = folder;
	o.require = true;
	int code = scenario_run(&file, 1, &o, stdout, stderr);
	snprintf(taken, sizeof taken, "%s/all.pcapng", folder);
	snprintf(base, sizeof base, "%s/%.*s-%s-%s", a->out, (int)strcspn(name, "."), name,
		 a->options.dataplanes, a->shown_on);
	if (code == EXIT_PASS && file_read(taken, &bytes, &err))
		code = EXIT_USAGE;
	snprintf(path, sizeof path, "%s.pcapng", base);
	if (code == EXIT_PASS &&
	    (file_make_folder(a->out, &err) || file_write(path, bytes.data, bytes.length, &err)))
		code = EXIT_USAGE;
	snprintf(path, sizeof path, "%s.txt", base);
	if (code == EXIT_PASS && write_conditions(a, file, path, &err))
		code = EXIT_USAGE;
	if (err.text[0])
		fprintf(stderr, "svclab capture: %s\n", err.text);
	else if (code == EXIT_PASS)
		printf("# %s.pcapng, %zu bytes\n", base, bytes.length);
	strbuf_free(&bytes);
	file_remove_folder(folder);
	return code;
}

int cmd_capture(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "FILE.lua...",
		.doc = "Takes captures from real Linux: one pcapng a scenario.\v"
		       "The scenario runs on network namespaces of this kernel or in the VM, with libpcap at every "
		       "interface; written are tests/captures/SCENARIO-MODE-PLACE.pcapng and a .txt with kernel, "
		       "tools and seed. `svclab run --replay` repeats it in the simulator.\n\n"
		       "  svclab capture scenarios/captures/clusterip.lua --mode iptables --on netns" };
	struct arguments a = { .options = { .registry = &dataplanes, .on = "netns", .seed = 1 },
			       .out = "tests/captures" };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.shown_on)
		a.shown_on = a.options.on;
	a.options.virtual_time = getenv("SVCLAB_VIRTUAL_TIME") != NULL;
	if (strncmp(a.options.on, "vm", 2) == 0)
		return vm_capture(&a.options, a.out, a.files, a.file_count);
	a.options.progress = vm_progress();
	int worst = EXIT_PASS;
	for (uint32_t i = 0; i < a.file_count; i++) {
		int code = capture_one(&a, a.files[i]);
		worst = code > worst ? code : worst;
	}
	if (a.options.progress)
		fclose(a.options.progress);
	free(a.files);
	return worst;
}
