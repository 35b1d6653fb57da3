/* cli/cluster.c: see cluster.h. */
#include "cli/cluster.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "core/arena.h"
#include "dataplanes/registry.h"

static enum kube_version parse_version(const char *text)
{
	static const struct { const char *text; enum kube_version version; } known[] = {
		{ "1.20", KUBE_1_20 }, { "1.25", KUBE_1_25 }, { "1.30", KUBE_1_30 },
		{ "1.34", KUBE_1_34 },
	};
	if (*text == 'v')
		text++;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(text, known[i].text) == 0)
			return known[i].version;
	return 0;
}

bool cluster_option(struct cluster_arguments *a, int key, char *text, struct argp_state *state)
{
	switch (key) {
	case KEY_FILE:
		a->files = mem_grow(a->files, a->file_count, a->file_count + 1, sizeof *a->files);
		a->files[a->file_count++] = text;
		return true;
	case KEY_MODE:
		a->mode = text;
		return true;
	case KEY_KUBE_VERSION:
		a->version = parse_version(text);
		if (!a->version)
			argp_error(state, "--kube-version %s: expected 1.20, 1.25, 1.30 or 1.34", text);
		return true;
	default:
		return false;
	}
}

int cluster_open(const struct cluster_arguments *a, struct world **out, struct err *err)
{
	struct strbuf warnings = { 0 };
	enum kube_version version = a->version;
	/* The last release with this mode. */
	if (!version && a->mode && strcmp(a->mode, "userspace") == 0)
		version = KUBE_1_25;
	struct world_options options = { .registry = &dataplanes, .dataplane = a->mode,
					 .seed = a->seed, .version = version, .snapshot = true,
					 .warnings = &warnings };
	int code = world_new(&options, out, err);
	if (!code) {
		code = world_load(*out, a->files, a->file_count, err);
		if (code) {
			world_free(*out);
			*out = NULL;
		}
	}
	if (!a->quiet)
		fputs(strbuf_text(&warnings), stderr);
	strbuf_free(&warnings);
	return code;
}

void cluster_arguments_free(struct cluster_arguments *a)
{
	free(a->files);
}

int fail(const char *command, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", command, err->text);
	return EXIT_USAGE;
}
