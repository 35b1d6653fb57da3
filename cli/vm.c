/* cli/vm.c: see vm.h. */
#include "cli/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "core/arena.h"

/* The program's own path, without its last `levels` parts; "" when unknown. */
static void own_folder(char *out, size_t size, int levels)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	while (levels-- > 0) {
		char *slash = strrchr(out, '/');
		if (slash)
			*slash = '\0';
	}
}

const char *data_folder(char *out, size_t size)
{
	const char *given = getenv("SVCLAB_DATA");
	char probe[4200];
	if (given) {
		snprintf(out, size, "%s", given);
		return out;
	}
	own_folder(out, size, 2);
	snprintf(probe, sizeof probe, "%.4000s/vm/run.sh", out);
	if (access(probe, X_OK) != 0)
		snprintf(out, size, "%s", SVCLAB_DATADIR);
	return out;
}

/* Where the kernel and the initramfs are kept between runs. */
static const char *vm_folder(char *out, size_t size)
{
	const char *given = getenv("SVCLAB_VM"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (given) {
		snprintf(out, size, "%s", given);
		return out;
	}
	own_folder(out, size, 1);
	if (access(out, W_OK) == 0 && strstr(out, "/build")) {
		strncat(out, "/vm", size - strlen(out) - 1);
		return out;
	}
	if (cache)
		snprintf(out, size, "%s/svclab/vm", cache);
	else
		snprintf(out, size, "%s/.cache/svclab/vm", home ? home : "/tmp");
	return out;
}

int vm_run(const struct scenario_options *o, const char *const *files, uint32_t count)
{
	char data[4096], folder[4096], script[4200], self[4096], seed[32];
	const char **argv = mem_array(count * 2 + o->param_count * 2 + 24, sizeof *argv);
	uint32_t n = 0;
	own_folder(self, sizeof self, 0);
	snprintf(script, sizeof script, "%s/vm/run.sh", data_folder(data, sizeof data));
	snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
	argv[n++] = script;
	argv[n++] = self;
	argv[n++] = vm_folder(folder, sizeof folder);
	argv[n++] = o->pcap ? o->pcap : "";
	for (uint32_t i = 0; i < count; i++)
		argv[n++] = files[i];
	argv[n++] = "--";
	argv[n++] = "run";
	argv[n++] = "--on";
	argv[n++] = strcmp(o->on, "vm-nft") == 0 ? "netns-nft" : "netns";
	argv[n++] = "--seed";
	argv[n++] = seed;
	if (o->dataplanes) {
		argv[n++] = "--dataplane";
		argv[n++] = o->dataplanes;
	}
	if (o->pcap) {
		argv[n++] = "--pcap";
		argv[n++] = "/out/files";
	}
	for (uint32_t i = 0; i < o->param_count; i++) {
		char *text = mem_alloc(strlen(o->params[i].key) + strlen(o->params[i].value) + 2);
		sprintf(text, "%s=%s", o->params[i].key, o->params[i].value);
		argv[n++] = "-p";
		argv[n++] = text;
	}
	for (uint32_t i = 0; i < count; i++)
		argv[n++] = files[i];
	if (access(script, X_OK) == 0)
		execv(script, (char *const *)argv);
	fprintf(stderr, "svclab: %s: %s; set SVCLAB_DATA to the folder that holds vm/\n", script,
		strerror(errno));
	return EXIT_INTERNAL;
}
