/* world/routes_text.h: what `ip route` prints, as far as a dump's world needs it. */
#ifndef WORLD_ROUTES_TEXT_H
#define WORLD_ROUTES_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/addr.h"

struct text_route {
	struct net_prefix dst;    /* length 0: default */
	struct net_addr via;      /* NET_NONE: on link */
	struct net_addr src;      /* NET_NONE: not said */
	char dev[16];             /* "" none (blackhole, ...) */
	char kind[16];            /* "unicast", "blackhole", ... */
};

struct text_routes {
	struct text_route *items;
	uint32_t count;
	char *text;               /* lines "add ..." for the executor */
};

/* EINVAL: file:line: what is wrong. Routes of the local table are left out. */
int routes_parse(const char *text, size_t length, const char *file, struct text_routes *out,
		 struct err *err);
void routes_free(struct text_routes *r);
/* The longest prefix that contains the address; NULL none. */
const struct text_route *routes_find(const struct text_routes *r, const struct net_addr *a);
/* The device of the default route; "eth0" when there is none. */
const char *routes_uplink(const struct text_routes *r, const struct net_addr *node_ip);

#endif
