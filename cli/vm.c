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

FILE *vm_progress(void)
{
	const char *path = getenv("SVCLAB_PROGRESS");
	FILE *out = path ? fopen(path, "w") : NULL;
	if (out)
		setvbuf(out, NULL, _IOLBF, 0);
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

struct command { /* the line under way */
	const char **words;
	uint32_t count;
	char script[4200], self[4096], folder[4096], data[4096], seed[32];
};

static void add(struct command *c, const char *word)
{
	c->words = mem_grow(c->words, c->count, c->count + 2, sizeof *c->words);
	c->words[c->count++] = word;
}

/* vm/run.sh SVCLAB FOLDER OUT FILE... -- NAME --on PLACE --seed N */
static void begin(struct command *c, const struct scenario_options *o, const char *out,
		  const char *const *files, uint32_t count, const char *name)
{
	own_folder(c->self, sizeof c->self, 0);
	snprintf(c->script, sizeof c->script, "%s/vm/run.sh", data_folder(c->data, sizeof c->data));
	snprintf(c->seed, sizeof c->seed, "%llu", (unsigned long long)o->seed);
	add(c, c->script);
	add(c, c->self);
	add(c, vm_folder(c->folder, sizeof c->folder));
	add(c, out ? out : "");
	for (uint32_t i = 0; i < count; i++)
		add(c, files[i]);
	add(c, "--");
	add(c, name);
	add(c, "--on");
	add(c, strcmp(o->on, "vm-nft") == 0 ? "netns-nft" : "netns");
	add(c, "--seed");
	add(c, c->seed);
}

/* Becomes the command; returns only when that cannot be. */
static int become(struct command *c, const char *const *files, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add(c, files[i]);
	if (access(c->script, X_OK) == 0)
		execv(c->script, (char *const *)c->words);
	fprintf(stderr, "svclab: %s: %s; set SVCLAB_DATA to the folder that holds vm/\n", c->script,
		strerror(errno));
	return EXIT_INTERNAL;
}

int vm_run(const struct scenario_options *o, const char *const *files, uint32_t count)
{
	struct command c = { 0 };
	begin(&c, o, o->pcap, files, count, "run");
	if (o->dataplanes) {
		add(&c, "--dataplane");
		add(&c, o->dataplanes);
	}
	if (o->pcap) {
		add(&c, "--pcap");
		add(&c, "/out/files");
	}
	for (uint32_t i = 0; i < o->param_count; i++) {
		char *text = mem_alloc(strlen(o->params[i].key) + strlen(o->params[i].value) + 2);
		sprintf(text, "%s=%s", o->params[i].key, o->params[i].value);
		add(&c, "-p");
		add(&c, text);
	}
	return become(&c, files, count);
}

int vm_capture(const struct scenario_options *o, const char *out, const char *const *files,
	       uint32_t count)
{
	struct command c = { 0 };
	begin(&c, o, out, files, count, "capture");
	add(&c, "--mode");
	add(&c, o->dataplanes);
	add(&c, "--out");
	add(&c, "/out/files");
	add(&c, "--shown-on");
	add(&c, o->on);
	return become(&c, files, count);
}
