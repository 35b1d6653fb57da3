/* world/tap.h: the executor's tap feeds files (capture.c) and watches (watch.c). */
#ifndef WORLD_TAP_H
#define WORLD_TAP_H

#include "world/internal.h"

void capture_packet(struct capture_set *s, const char *interface, int direction, int64_t when_ns,
		    const struct packet *p);
void watches_free(struct world *w);

#endif
