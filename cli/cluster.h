/* cli/cluster.h: what the commands that take a snapshot of a cluster share. */
#ifndef CLI_CLUSTER_H
#define CLI_CLUSTER_H

#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "world/world.h"

struct argp_state;

struct cluster_arguments {
	const char **files;
	uint32_t file_count;
	const char *mode;
	enum kube_version version; /* 0: the mode's default */
	uint64_t seed;
	bool quiet; /* says no warnings */
};

/* Options -f, --mode and --kube-version have these keys in every command. */
enum { KEY_FILE = 'f', KEY_MODE = 'm', KEY_KUBE_VERSION = 0x100 };

#define CLUSTER_OPTIONS                                                                        \
	{ "file", KEY_FILE, "FILE", 0, "Kubernetes YAML, several times; - is standard input", 0 }, \
	{ "mode", KEY_MODE, "MODE", 0,                                                         \
	  "iptables, ipvs, nftables, userspace (default: what the configuration in FILE says)", 0 }, \
	{ "kube-version", KEY_KUBE_VERSION, "V", 0,                                            \
	  "1.20, 1.25, 1.30 or 1.34 (the default)", 0 }

/* Takes one of those options; false: another one. Ends the program on a wrong value. */
bool cluster_option(struct cluster_arguments *a, int key, char *text, struct argp_state *state);
/* A snapshot world with the files read; warnings go to standard error. */
int cluster_open(const struct cluster_arguments *a, struct world **out, struct err *err);
void cluster_arguments_free(struct cluster_arguments *a);
/* Prints the line and returns the exit code of a usage or load error. */
int fail(const char *command, const struct err *err);

#endif
