/* tests/fuzz/routes.c: any bytes as what `ip route` printed. */
#include <assert.h>

#include "world/routes_text.h"

#include "fuzz.h"

FUZZ_TARGET(bytes, length)
{
	struct text_routes routes = { 0 };
	struct net_addr a;
	if (routes_parse((const char *)bytes, length, "fuzz", &routes, NULL) == 0) {
		net_addr_parse("10.1.2.3", &a);
		routes_uplink(&routes, &a);
		const struct text_route *found = routes_find(&routes, &a);
		assert(!found || net_prefix_contains(&found->dst, &a));
		net_addr_parse("fd00::1", &a);
		found = routes_find(&routes, &a);
		assert(!found || net_prefix_contains(&found->dst, &a));
	}
	routes_free(&routes);
}
