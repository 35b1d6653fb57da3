/* world/scale.h: how rules grow with the number of Services.
 *
 * A snapshot of one node with N ClusterIP Services of M endpoints each is planned and
 * loaded; a packet to the last Service (in the order in which kube-proxy's chain has
 * them) is traced.
 */
#ifndef WORLD_SCALE_H
#define WORLD_SCALE_H

#include "world/world.h"

struct scale_query {
	const struct registry *registry;
	const char *mode;
	enum kube_version version;    /* 0: the mode's default */
	uint32_t services, endpoints;
};

struct scale_row {
	uint64_t rules, bytes;        /* of a full sync's text */
	uint64_t rules_passed;        /* by the first packet of a connection */
};

int world_scale(const struct scale_query *q, struct scale_row *out, struct err *err);

#endif
