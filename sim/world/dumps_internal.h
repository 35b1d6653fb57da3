/* world/dumps_internal.h: what the files of dumps.h share. */
#ifndef WORLD_DUMPS_INTERNAL_H
#define WORLD_DUMPS_INTERNAL_H

#include "world/dumps.h"
#include "world/internal.h"
#include "world/routes_text.h"

struct dump_host {
	struct place *place;
	struct text_routes routes;
	const char *uplink;   /* device of its default route */
	const char *bridge;   /* "" none: the pods' bridge */
};

struct dumps {
	struct dump_host *hosts;
	uint32_t count;
	char **files;         /* names, kept for the rules' positions */
	uint32_t file_count;
};

/* Loads a node's dumps in the order of their dependencies. */
int dump_rules_load(struct world *w, struct dump_host *h, const struct dump_node *node,
		    struct err *err);

#endif
